"""The drawing and the tables of docs/architecture.md, held against the real imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .imports import MODULES, inner_imports, within

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

STOREYS = ("_core", "_shell")
"""What has rooms of its own in the drawing; every other package or module is one room."""


def rooms_by_line() -> dict[str, int]:
    """Each room of the drawing, with the number of the line on which it stands; the face is ``""``."""
    drawing = PAGE.partition("```text\n")[2].partition("```")[0]
    rooms: dict[str, int] = {}
    storey = ""
    for number, line in enumerate(drawing.splitlines()):
        left, bar, right = line.partition("│")
        if not bar:
            storey = ""
            continue
        storey = left.strip() or storey
        for word in right.split():
            rooms["" if word == "trio_speech" else f"{storey}.{word}".lstrip(".")] = number
    return rooms


DRAWN = rooms_by_line()


def room_of(module: str) -> str:
    """The narrowest room of the drawing, where the module stands in one that is drawn with two names."""
    if module in DRAWN:
        return module
    top, _, rest = module.partition(".")
    return f"{top}.{rest.partition('.')[0]}" if top in STOREYS and rest else top


REAL = {room_of(module) for module in MODULES} - set(STOREYS)


def arrows() -> Iterator[tuple[str, str]]:
    """Which room imports which, but for imports inside a function and those for type checkers alone."""
    for module in MODULES:
        for inner, found in inner_imports(module):
            here, there = room_of(module), room_of(inner)
            if here != there and not found.in_function and not found.for_typing:
                yield here, there


ARROWS = set(arrows())


def test_the_drawing_has_every_room_and_no_other() -> None:
    assert DRAWN.keys() == REAL


def test_imports_go_down_the_drawing() -> None:
    assert {(here, there) for here, there in ARROWS if DRAWN[here] >= DRAWN[there]} == set()


def table(storey: str) -> dict[str, set[str]]:
    """The rooms of a storey's table, with what each says that it imports."""
    section = PAGE.partition(f"### `{storey}`")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\w, ]*)\|$", section, re.MULTILINE)
    return {room: {name.strip() for name in imported.split(",") if name.strip()} for room, imported in rows}


@pytest.mark.parametrize("storey", ["_core", "_shell"])
def test_the_table_tells_each_import_within_the_storey(storey: str) -> None:
    rooms = {room for room in REAL if within(room, storey)}
    real = {
        room.removeprefix(f"{storey}."): {
            there.removeprefix(f"{storey}.") for here, there in ARROWS if here == room and there in rooms
        }
        for room in rooms
    }
    assert table(storey) == real


def test_every_file_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", PAGE))
    paths = [
        str(path.relative_to(ROOT)) for folder in ("trio_speech", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(named) > 20
    assert sorted(name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in paths)) == []
