"""Which of several backends is used, by their numbers in order of preference.

Laws
    1. The first that will serve is used; the next when its patience is spent, and none behind the last.
    2. What refused for good is never returned to.
"""

from __future__ import annotations


class Preference:
    """An order of `count` backends, of which one is current."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.current = 0
        self._hopeless: frozenset[int] = frozenset()

    def fail_over(self, *, for_good: bool) -> bool:
        """Gives the current one up, if need be without return; says whether there is another, which is current now."""
        if for_good:
            self._hopeless |= {self.current}
        if self.current + 1 >= self.count:
            return False
        self.current += 1
        return True

    def better(self) -> list[int]:
        """Those before the current one that may serve again, best first."""
        return sorted(set(range(self.current)) - self._hopeless)
