"""Imports go down only. The rules are data; the test reads the syntax trees of the installed package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import trio_speech

ROOT = Path(trio_speech.__file__).parent
LEAVES = {"events", "errors", "audio", "policy", "statistics"}

# What each room may import of the package; every room may import itself. "" is the face.
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(LEAVES, LEAVES),
    "_core": LEAVES,
    "providers": LEAVES | {"_core"},
    "_shell": LEAVES | {"_core", "providers"},
    "": LEAVES | {"_core", "providers", "_shell"},
    "gateway": LEAVES | {"_core", "providers", "_shell.connection", "_shell.concurrency"},
    "testing": LEAVES | {"_core", "providers", "_shell", ""},
    "cli": {"", "gateway", "_shell.concurrency", "providers._handshake", "testing.fault_proxy"},
}
# Imports written inside a function, so that only those pay who use them: (module, what it may import so).
LAZY = {("providers.local", "gateway")}

# Third parties that only the named rooms or modules may import; everyone may import the rest.
RESERVED: dict[str, set[str]] = {
    "trio_websocket": {"_shell.connection"},
    "wsproto": {"_shell.connection"},
    "h11": {"_shell.connection"},
    "trio": {"_shell", "gateway", "testing", "cli"},
    "pytest": {"testing"},
    "hypothesis": {"testing"},
    "typer": {"cli"},
    "rich": {"cli"},
    "soundfile": {"cli"},
    "soxr": {"cli"},
    "numpy": {"cli", "gateway"},
    "hibari": {"gateway"},
    "pocketsphinx": {"gateway"},
    "espeakng_loader": {"gateway"},
}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip("."): path
    for path in sorted(ROOT.rglob("*.py"))
}


def within(module: str, room: str) -> bool:
    """Whether `module` is `room` or stands inside it; only the face is in the face's room."""
    return module == room or (room != "" and module.startswith(f"{room}."))


def room_of(module: str) -> str:
    return module.partition(".")[0]


def typing_only(tree: ast.Module) -> set[ast.AST]:
    """What stands under ``if TYPE_CHECKING:``, which never runs."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    return {inner for block in blocks for statement in block.body for inner in ast.walk(statement)}


def in_functions(tree: ast.Module) -> set[ast.AST]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {inner for function in functions for inner in ast.walk(function)}


def absolute(module: str, path: Path, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The full names that an import statement names, as precisely as the statement tells."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    package = ["trio_speech", *module.split(".")] if module else ["trio_speech"]
    if path.name != "__init__.py":
        package = package[:-1]
    base = package[: len(package) - node.level + 1] if node.level else []
    origin = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        inner = f"{origin}.{alias.name}"
        yield inner if inner.removeprefix("trio_speech.") in MODULES else origin


def imports(module: str) -> Iterator[tuple[str, bool, bool]]:
    """Each import of `module`: its full name, whether it is in a function, whether it is for type checkers alone."""
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    lazy, typing = in_functions(tree), typing_only(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in absolute(module, path, node):
                yield name, node in lazy, node in typing


def forbidden(module: str) -> Iterator[str]:
    """The imports of `module` that its rules do not allow."""
    for name, lazy, typing in imports(module):
        top, _, inner = name.partition(".")
        if top == "trio_speech":
            allowed = MAY_IMPORT[room_of(module)] | {room_of(module)}
            if lazy:
                allowed = allowed | {target for importer, target in LAZY if importer == module}
            if not any(within(inner, room) for room in allowed):
                yield name
        elif top in RESERVED and not typing and not any(within(module, room) for room in RESERVED[top]):
            yield name


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module: str) -> None:
    assert sorted(forbidden(module)) == []


def test_every_room_has_its_rules() -> None:
    assert {room_of(module) for module in MODULES} <= MAY_IMPORT.keys()


def test_the_walk_sees_relative_and_absolute_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import trio_websocket.x\nfrom ..providers import livekit\nfrom .. import cli\ndef f():\n import trio\n"
    path = tmp_path / "bad.py"
    path.write_text(source, encoding="utf-8")
    monkeypatch.setitem(MODULES, "_core.bad", path)
    assert sorted(forbidden("_core.bad")) == [
        "trio",
        "trio_speech.cli",
        "trio_speech.providers.livekit",
        "trio_websocket.x",
    ]


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after `statement`."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


CORE = sorted(module for module in MODULES if within(module, "_core"))


def test_the_core_loads_no_trio() -> None:
    # The face stands above the core and needs trio: a bare package in its place lets the core be loaded alone.
    bare = f"import sys, types; face = types.ModuleType('trio_speech'); face.__path__ = [{str(ROOT)!r}]\n"
    core = ", ".join(f"trio_speech.{module}" for module in CORE)
    loaded = loaded_by(f"{bare}sys.modules['trio_speech'] = face\nimport {core}")
    assert {f"trio_speech.{module}" for module in CORE} <= loaded
    assert not {name for name in loaded if room_of(name) in {"trio", "trio_websocket", "wsproto", "outcome"}}


def test_the_face_loads_no_extra() -> None:
    loaded = loaded_by("import trio_speech")
    rooms = {"gateway", "cli", "testing"}
    assert not {name for name in loaded for room in rooms if within(name, f"trio_speech.{room}")}
    assert not loaded & (RESERVED.keys() - {"trio", "trio_websocket", "wsproto", "h11"})
