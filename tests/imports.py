"""The imports of the installed package, read out of its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import trio_speech

ROOT = Path(trio_speech.__file__).parent

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip("."): path
    for path in sorted(ROOT.rglob("*.py"))
}
"""Every module by its dotted name within the package, as ``_shell.pool.lease``; the package itself is ``""``."""


class Import(NamedTuple):
    """One imported name: its full dotted name, and where the import statement stands."""

    name: str
    in_function: bool
    for_typing: bool


def within(module: str, room: str) -> bool:
    """Whether `module` is `room` or stands inside it. Only the package's own `__init__` is in the room ``""``."""
    return module == room or (room != "" and module.startswith(f"{room}."))


def source_of(module: str) -> ast.Module:
    path = MODULES[module]
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _typing_only(tree: ast.Module) -> set[ast.AST]:
    """What stands under ``if TYPE_CHECKING:``, which never runs."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    return {inner for block in blocks for statement in block.body for inner in ast.walk(statement)}


def _in_functions(tree: ast.Module) -> set[ast.AST]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {inner for function in functions for inner in ast.walk(function)}


def _absolute(module: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The full names that an import statement names, as precisely as the statement tells."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    package = ["trio_speech", *module.split(".")] if module else ["trio_speech"]
    if MODULES[module].name != "__init__.py":
        package = package[:-1]
    base = package[: len(package) - node.level + 1] if node.level else []
    origin = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        inner = f"{origin}.{alias.name}"
        yield inner if inner.removeprefix("trio_speech.") in MODULES else origin


def imports(module: str) -> Iterator[Import]:
    """Every name that `module` imports, wherever the statement stands."""
    tree = source_of(module)
    in_functions, for_typing = _in_functions(tree), _typing_only(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _absolute(module, node):
                yield Import(name, node in in_functions, node in for_typing)


def inner_imports(module: str) -> Iterator[tuple[str, Import]]:
    """The modules of this package that `module` imports, by their dotted names within the package."""
    for found in imports(module):
        top, _, inner = found.name.partition(".")
        if top == "trio_speech":
            yield inner, found
