"""Holds back finals that arrive before the final of an earlier utterance, so that they are delivered in stream order.

Laws
    1. A final waits at most `LONGEST_HOLD`, and only for an announced utterance that lies before it.
    2. Finals that are released at one moment are delivered in stream order.
    3. At most 1 MiB of finals waits. Beyond that, all of them are released at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .announcements import Announcements
from .event_queue import memory_of
from .incoming_results import Judged

LONGEST_HOLD = 1.0
"""The most seconds that a final waits for the final of an earlier utterance."""

_MOST = 2**20


class HeldFinals:
    """The finals of one link that are held back."""

    def __init__(self) -> None:
        self._held: list[tuple[float, Judged]] = []
        self._size = 0

    @property
    def due(self) -> float:
        """The moment at which the first of the held finals is to be released; infinite where none is held."""
        return self._held[0][0] if self._held else math.inf

    @property
    def first(self) -> int | None:
        """The sample at which the earliest held final starts; ``None`` where none is held."""
        return min((judged.said.start for _, judged in self._held), default=None)

    def hold(self, judged: Judged, now: float) -> None:
        """Holds a final back."""
        self._held.append((now + LONGEST_HOLD, judged))
        self._size += memory_of(judged.said.result)
        if self._size > _MOST:
            self._held = [(-math.inf, held) for _, held in self._held]

    def take_due(self, now: float) -> list[Judged]:
        """Removes and returns the finals that have waited long enough, in stream order."""
        return self._take(lambda until, _: until <= now)

    def take_free(self, owed: Announcements) -> list[Judged]:
        """Removes and returns the finals that have no owed utterance before them any more, in stream order."""
        return self._take(lambda _, held: not owed.waits_before(held.said.start, held.said.result.speaker))

    def _take(self, goes: Callable[[float, Judged], bool]) -> list[Judged]:
        taken = [judged for until, judged in self._held if goes(until, judged)]
        if taken:
            self._held = [held for held in self._held if not goes(*held)]
            self._size -= sum(memory_of(judged.said.result) for judged in taken)
        return sorted(taken, key=lambda each: each.said.start)
