"""Counts what the chaos runs met and what came of them, and prints it as a table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from . import cells, speech_cells
from .cells import Cell


@dataclass
class Tally:
    """What all runs of one table together came to."""

    table: list[Cell]
    faults: Iterable[str]
    phases: Iterable[str]
    cells: Counter[Cell] = field(default_factory=Counter)
    families: dict[str, Counter[str]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def add(self, family: str, hit: list[Cell], **figures: int) -> None:
        self.cells.update(hit)
        self.families.setdefault(family, Counter()).update(runs=1, **figures)

    def fewest(self) -> int:
        """How often the cell was hit that was hit least."""
        return min(self.cells[cell] for cell in self.table)

    def lines(self) -> list[str]:
        width = max(map(len, self.faults)) + 2
        table = [" " * width + "".join(phase.rjust(13) for phase in self.phases)]
        for fault in self.faults:
            cells = (Cell(fault, phase) for phase in self.phases)
            counts = (str(self.cells[cell]) if cell in self.table else "-" for cell in cells)
            table.append(fault.ljust(width) + "".join(count.rjust(13) for count in counts))
        figures = [
            f"{family}: " + ", ".join(f"{count} {what}" for what, count in counts.items())
            for family, counts in self.families.items()
        ]
        return [*table, *figures, f"{time.monotonic() - self.began:.0f} s of wall time"]


_TALLY = pytest.StashKey[Tally]()
_SPEECH_TALLY = pytest.StashKey[Tally]()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Of sessions that listen."""
    return request.config.stash.setdefault(_TALLY, Tally(cells.CELLS, cells.FAULTS, cells.PHASES))


@pytest.fixture
def speech_tally(request: pytest.FixtureRequest) -> Tally:
    """Of sessions that speak."""
    table = Tally(speech_cells.CELLS, speech_cells.FAULTS, speech_cells.PHASES)
    return request.config.stash.setdefault(_SPEECH_TALLY, table)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for key, what in ((_TALLY, "chaos"), (_SPEECH_TALLY, "chaos of speech")):
        counted = config.stash.get(key, None)
        if counted is not None:
            terminalreporter.section(f"{what}: how often each fault struck in each phase")
            for line in counted.lines():
                terminalreporter.write_line(line)
