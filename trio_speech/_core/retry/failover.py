"""Which of several backends is used, by their numbers in order of preference.

Laws
    1. The first that will serve is used; the next when its patience is spent, and none behind the last.
    2. What refused for good is never turned to again, and what named a moment not before it.
"""

from __future__ import annotations

import math


class Preference:
    """An order of `count` backends, of which one is current."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.current = 0
        self._shut_until: dict[int, float] = {}

    def fail_over(self, now: float, until: float) -> bool:
        """Gives the current one up until that moment at least; says whether there is another, which is current now: the
        next that will serve at `now`, else the one that will first."""
        self.refused(self.current, until)
        later = [index for index in range(self.current + 1, self.count) if not self._is_hopeless(index)]
        if not later:
            return False
        self.current = min(later, key=lambda index: max(now, self._opens_at(index)))
        return True

    def wait(self, now: float) -> float:
        """Seconds until the current one will serve, as far as it said."""
        return max(0.0, self._opens_at(self.current) - now)

    def refused(self, index: int, until: float) -> None:
        """It will not serve before that moment; never, if that is infinite."""
        self._shut_until[index] = max(until, self._shut_until.get(index, until))

    def better(self, now: float) -> list[int]:
        """Those before the current one that may serve again, best first."""
        return [index for index in range(self.current) if self._opens_at(index) <= now]

    def _is_hopeless(self, index: int) -> bool:
        return self._opens_at(index) == math.inf

    def _opens_at(self, index: int) -> float:
        return self._shut_until.get(index, -math.inf)
