"""Counts what the chaos runs met and what came of them, and prints it as a table."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from .cells import CELLS, FAULTS, PHASES, Cell


@dataclass
class Tally:
    """What all runs together came to."""

    cells: Counter[Cell] = field(default_factory=Counter)
    families: dict[str, Counter[str]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def add(self, family: str, hit: list[Cell], **figures: int) -> None:
        self.cells.update(hit)
        self.families.setdefault(family, Counter()).update(runs=1, **figures)

    def fewest(self) -> int:
        """How often the cell was hit that was hit least."""
        return min(self.cells[cell] for cell in CELLS)

    def lines(self) -> list[str]:
        width = max(map(len, FAULTS)) + 2
        table = [" " * width + "".join(phase.rjust(13) for phase in PHASES)]
        for fault in FAULTS:
            cells = (Cell(fault, phase) for phase in PHASES)
            counts = (str(self.cells[cell]) if cell in CELLS else "-" for cell in cells)
            table.append(fault.ljust(width) + "".join(count.rjust(13) for count in counts))
        figures = [
            f"{family}: " + ", ".join(f"{count} {what}" for what, count in counts.items())
            for family, counts in self.families.items()
        ]
        return [*table, *figures, f"{time.monotonic() - self.began:.0f} s of wall time"]


_TALLY = pytest.StashKey[Tally]()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    return request.config.stash.setdefault(_TALLY, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counted = config.stash.get(_TALLY, None)
    if counted is not None:
        terminalreporter.section("chaos: how often each fault struck in each phase")
        for line in counted.lines():
            terminalreporter.write_line(line)
