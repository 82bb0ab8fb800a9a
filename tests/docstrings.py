"""Reads the docstrings of the public names: their fields and arguments, and their examples."""

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


def entries(documented: object, title: str) -> dict[str, str]:
    """The entries ``name: what it is`` under the line `title` of a docstring, in order."""
    text = (inspect.getdoc(documented) or "") + "\n"
    found = re.search(rf"^{title}:\n((?: .*\n|\n)*)", text, re.MULTILINE)
    parts = re.split(r"^(\w+): ", textwrap.dedent(found[1]), flags=re.MULTILINE)[1:] if found else []
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def arguments(documented: object) -> dict[str, str]:
    """The arguments of a call: the items ``- `name`: what it is`` of its docstring, in order."""
    text = (inspect.getdoc(documented) or "") + "\n"
    items = re.findall(r"^- ((?:`\w+`(?:, | and )?)+): (.*\n(?:  .*\n)*)", text, re.MULTILINE)
    return {name: described.strip() for names, described in items for name in re.findall(r"`(\w+)`", names)}


def examples() -> dict[str, str]:
    """The programs after ``::`` in the docstrings of public calls, by the name of the call."""
    found: dict[str, str] = {}
    for name, value in public():
        text = (inspect.getdoc(value) or "") + "\n"
        if inspect.isroutine(value) and (block := re.search(r"::\n\n((?:    .*\n|\n)+)", text)):
            found[name] = textwrap.dedent(block[1]).strip("\n")
    return found
