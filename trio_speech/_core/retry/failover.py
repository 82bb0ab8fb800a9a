"""Chooses one of several backends, which are known by their index in the order of preference.

Laws
    1. Failing over goes to a later backend, never to an earlier one; after the last there is none.
    2. A backend that refused for good is never used again. One that is unavailable until some moment is used only if no
       later backend is available earlier.
"""

from __future__ import annotations

import math


class Preference:
    """The choice among `count` backends. `current` is the index of the one in use."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.current = 0
        self._unavailable_until: dict[int, float] = {}

    def fail_over(self, now: float, until: float) -> bool:
        """Marks the current backend unavailable until `until`, and makes a later one current.

        That is the first one that is available at `now`, else the one that will be available first. Returns whether
        there was a later one to use.
        """
        self.refused(self.current, until)
        later = self._later()
        if not later:
            return False
        self.current = min(later, key=lambda index: max(now, self._available_at(index)))
        return True

    def has_next_by(self, moment: float) -> bool:
        """Whether a later backend is available by then."""
        return any(self._available_at(index) <= moment for index in self._later())

    def wait(self, now: float) -> float:
        """Returns the seconds until the current backend is available; 0 where it is."""
        return max(0.0, self._available_at(self.current) - now)

    def refused(self, index: int, until: float) -> None:
        """Marks a backend unavailable until `until`; infinity: for good. Never shortens an earlier mark."""
        self._unavailable_until[index] = max(until, self._unavailable_until.get(index, until))

    def better(self, now: float) -> list[int]:
        """Returns the backends before the current one that are available at `now`, the most preferred first."""
        return [index for index in range(self.current) if self._available_at(index) <= now]

    def _later(self) -> list[int]:
        return [index for index in range(self.current + 1, self.count) if not self._has_refused_for_good(index)]

    def _has_refused_for_good(self, index: int) -> bool:
        return self._available_at(index) == math.inf

    def _available_at(self, index: int) -> float:
        return self._unavailable_until.get(index, -math.inf)
