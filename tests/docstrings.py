"""Reads the docstrings of the public names: their sections, and their examples."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import trio_speech as ts


def public() -> Iterator[tuple[str, Any]]:
    """Every public class and function, and every public method of a public class, by its name."""
    for name in ts.__all__:
        value = getattr(ts, name)
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        yield name, value
        for method in dir(value) if inspect.isclass(value) else ():
            member = getattr(value, method)
            if not method.startswith("_") and inspect.isroutine(member):
                yield f"{name}.{method}", member


def section(documented: object, title: str) -> str:
    """The indented text under the line `title` of a docstring; empty where there is no such line."""
    found = re.search(rf"^{title}:\n((?: .*\n|\n)*)", (inspect.getdoc(documented) or "") + "\n", re.MULTILINE)
    return textwrap.dedent(found[1]) if found else ""


def entries(documented: object, title: str) -> dict[str, str]:
    """The entries ``name: what it is`` of a section, in order."""
    parts = re.split(r"^(\w+): ", section(documented, title), flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def examples() -> dict[str, str]:
    """The programs under ``Example:`` in public docstrings, by the name of what they are examples of."""
    found = {name: section(value, "Example").strip("\n") for name, value in public()}
    return {name: program for name, program in found.items() if program}
