"""Finals that wait for their turn, since something was announced that lies before them.

Laws
    1. A final waits at most `LONGEST_HOLD`, and only behind an announced utterance that starts before it.
    2. Finals that are let go at one moment go in the order of the stream.
"""

from __future__ import annotations

import math

from .announcements import Announcements
from .incoming_results import Judged

LONGEST_HOLD = 1.0
"""Seconds that a final waits behind an utterance that lies before it."""


class HeldFinals:
    """The finals of one link that wait."""

    def __init__(self) -> None:
        self._held: list[tuple[float, Judged]] = []

    @property
    def due(self) -> float:
        """When the one that has waited longest is to go; infinite without any."""
        return self._held[0][0] if self._held else math.inf

    @property
    def first(self) -> int | None:
        """The sample at which the earliest of them starts."""
        return min((judged.said.start for _, judged in self._held), default=None)

    def hold(self, judged: Judged, now: float) -> None:
        """A final is to wait."""
        self._held.append((now + LONGEST_HOLD, judged))

    def take_due(self, now: float) -> list[Judged]:
        """Lets go of those that have waited long enough."""
        return self._take([held for held in self._held if held[0] <= now])

    def take_free(self, owed: Announcements) -> list[Judged]:
        """Lets go of those behind which nothing is waited for any more."""
        return self._take(
            [held for held in self._held if not owed.waits_before(held[1].said.start, held[1].said.result.speaker)]
        )

    def _take(self, taken: list[tuple[float, Judged]]) -> list[Judged]:
        if taken:
            self._held = [held for held in self._held if held not in taken]
        return sorted((judged for _, judged in taken), key=lambda each: each.said.start)
