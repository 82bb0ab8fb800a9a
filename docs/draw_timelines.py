"""Draws the timelines of the explanations: ``python docs/draw_timelines.py docs/_static [NAME ...]``.

Each shows a real session, on virtual time, with the scripted service of `trio_speech.testing`. So a drawing is what the
library does, and not what somebody remembers of it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio
import trio.testing
from drawing.curves import cost, outage
from drawing.links import dials, doubt, half_open, replay
from drawing.svg import Svg
from drawing.voices import resumed

DRAWINGS: dict[str, Callable[[], Awaitable[Svg]]] = {
    "replay": replay,
    "outage": outage,
    "cost": cost,
    "doubt": doubt,
    "half-open": half_open,
    "dials": dials,
    "speech": resumed,
}


def draw(name: str) -> str:
    """One drawing, on a clock of its own."""
    random.seed(name)
    return str(trio.run(DRAWINGS[name], clock=trio.testing.MockClock(autojump_threshold=0)))


def main() -> None:
    for name in sys.argv[2:] or DRAWINGS:
        Path(sys.argv[1], f"{name}.svg").write_text(draw(name), encoding="utf-8")


if __name__ == "__main__":
    main()
