"""Finals that wait for their turn, since something was announced that lies before them.

Laws
    1. A final waits at most `LONGEST_HOLD`, and only behind an announced utterance that starts before it.
    2. Finals that are let go at one moment go in the order of the stream.
    3. No more than 1 MiB of finals waits. Beyond that all of them are due at once, and count as unread.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .announcements import Announcements
from .event_queue import memory_of
from .incoming_results import Judged

LONGEST_HOLD = 1.0
"""Seconds that a final waits behind an utterance that lies before it."""

_MOST = 2**20


class HeldFinals:
    """The finals of one link that wait."""

    def __init__(self) -> None:
        self._held: list[tuple[float, Judged]] = []
        self._size = 0

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
        self._size += memory_of(judged.said.result)
        if self._size > _MOST:
            self._held = [(-math.inf, held) for _, held in self._held]

    def take_due(self, now: float) -> list[Judged]:
        """Lets go of those that have waited long enough."""
        return self._take(lambda until, _: until <= now)

    def take_free(self, owed: Announcements) -> list[Judged]:
        """Lets go of those behind which nothing is waited for any more."""
        return self._take(lambda _, held: not owed.waits_before(held.said.start, held.said.result.speaker))

    def _take(self, goes: Callable[[float, Judged], bool]) -> list[Judged]:
        taken = [judged for until, judged in self._held if goes(until, judged)]
        if taken:
            self._held = [held for held in self._held if not goes(*held)]
            self._size -= sum(memory_of(judged.said.result) for judged in taken)
        return sorted(taken, key=lambda each: each.said.start)
