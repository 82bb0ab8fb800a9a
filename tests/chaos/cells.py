"""The table: each fault in each phase of a session. A cell is both, and a plan is made of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    Drop,
    Fin,
    Freeze,
    Garble,
    Hang,
    Hear,
    Idle,
    InBandError,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    StallWrites,
    Step,
    TearFrame,
)

FAULTS: Mapping[str, Callable[[Random], Step]] = {
    "reset": lambda _: Drop(),
    "end of stream": lambda _: Fin(),
    "close frame": lambda random: Close(random.choice((1000, 1001, 1011, 1012, 1013, 4000))),
    "lingering close": lambda random: Close(1011, lingers=random.uniform(0.1, 30.0)),
    "black hole": lambda _: BlackHole(),
    "hang": lambda _: Hang(),
    "stalled writes": lambda _: StallWrites(),
    "torn frame": lambda _: TearFrame(),
    "garbled message": lambda random: Garble(random.choice(("json", "shape", "types", "binary"))),
    "in-band error": lambda random: InBandError(random.choice((None, 429, 500, 503))),
    "session closed": lambda _: CloseSession(),
    "outage": lambda random: Outage(random.uniform(0.1, 12.0)),
    "silent outage": lambda random: Outage(random.uniform(0.1, 12.0), silent=True),
    "restart": lambda random: Restart(random.uniform(0.0, 3.0)),
    "freeze": lambda random: Freeze(random.uniform(0.1, 4.0)),
    "delay": lambda random: Delay(random.uniform(0.01, 0.4)),
    "refused": lambda random: Refuse(random.choice((429, 500, 502, 503)), retry_after=random.choice((None, 1, 3))),
    "never answered": lambda _: NeverAnswer(),
}
OF_A_DIAL = ("refused", "never answered")
ONCE = "hang"
"""A service that hangs twice over the same audio is no truthful one: what it showed becomes a `Gap`."""

PHASES: Mapping[str, Callable[[Random], tuple[Step, ...]]] = {
    "dial": lambda _: (),
    "create": lambda _: (Await("create"),),
    "idle": lambda random: (Idle(random.uniform(0.2, 0.9)),),
    "mid-word": lambda random: (Hear(random.uniform(0.0, 1.5)), MidWord(1, random.uniform(0.01, 0.1))),
    "mid-frame": lambda random: (Hear(0.05 * random.randint(5, 40) + random.uniform(0.01, 0.04)),),
    "after final": lambda _: (Await("final"),),
    "replay": lambda random: (
        Hear(random.uniform(0.5, 2.0)),
        Outage(random.uniform(2.0, 5.0)),
        Hear(random.uniform(0.1, 1.5)),
    ),
    "drain": lambda _: (Await("finalize"),),
    "close": lambda _: (Await("close"),),
}
AT_THE_END = ("drain", "close")
MUTE = 1.2
"""Seconds for which a source must be mute again and again, for there to be an idle phase."""


@dataclass(frozen=True)
class Cell:
    fault: str
    phase: str

    def steps(self, random: Random) -> tuple[Step, ...]:
        """How the plan gets there; the last step is the fault."""
        return (*PHASES[self.phase](random), FAULTS[self.fault](random))


CELLS = [
    Cell(fault, phase)
    for fault in FAULTS
    for phase in PHASES
    if fault != ONCE and (phase == "dial" or fault not in OF_A_DIAL)
]


def cells_of(run: int, count: int, table: list[Cell] | None = None) -> list[Cell]:
    """The cells of one run: over many runs, all come equally often, and next to different ones in each round."""
    whole = table or CELLS
    cells: list[Cell] = []
    for position in range(run * count, (run + 1) * count):
        lap, place = divmod(position, len(whole))
        order = list(whole)
        Random(lap).shuffle(order)
        cells.append(order[place])
    return sorted(cells, key=lambda cell: AT_THE_END.index(cell.phase) if cell.phase in AT_THE_END else -1)


def plan_of(cells: list[Cell], random: Random) -> Iterator[tuple[Cell, tuple[Step, ...]]]:
    """The steps of each cell."""
    for cell in cells:
        yield cell, cell.steps(random)
