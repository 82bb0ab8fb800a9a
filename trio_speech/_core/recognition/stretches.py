"""A set of samples, kept as intervals (stretches of the stream).

Laws
    1. The intervals are half open, ``[start, end)``, in order, and neither touch nor overlap each other.
    2. Intervals before the sample given to `forget` are dropped, so the set does not grow with the stream.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Stretches:
    """A set of samples. Adding takes time linear in the number of its intervals, which are few."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._ends, strict=True))

    def add(self, start: int, end: int) -> None:
        """Adds the samples ``[start, end)``; an empty interval adds nothing."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)  # the first stretch that ends at `start` or later: it may touch
        last = bisect_right(self._starts, end)  # behind the last one that starts at `end` or before
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def end_from(self, sample: int) -> int:
        """Returns the first sample from `sample` on that is not in the set."""
        index = bisect_right(self._starts, sample) - 1
        return max(sample, self._ends[index]) if index >= 0 else sample

    def holds(self, sample: float) -> bool:
        """Whether `sample` is in the set. It may be a fraction, such as the midpoint of a word."""
        index = bisect_right(self._starts, sample) - 1
        return index >= 0 and sample < self._ends[index]

    def missing(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of ``[start, end)`` that are not in the set, in order."""
        for begins, ends in self:
            if ends <= start:
                continue
            if begins >= end:
                break
            if begins > start:
                yield start, begins
            start = max(start, ends)
        if start < end:
            yield start, end

    def forget(self, before: int) -> None:
        """Drops the intervals that end at sample `before` or earlier."""
        gone = bisect_right(self._ends, before)
        del self._starts[:gone], self._ends[:gone]
