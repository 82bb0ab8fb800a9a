"""Whose clock is it? The stream's samples against one link's own.

Laws
    1. A link's clock starts at 0 with the first sample sent on it, and counts what was sent on it, nothing else.
    2. Where audio was skipped between two sends, the map jumps: it is piecewise, and monotonic. Where filler was sent,
       it stands still.
    3. A time that the service cannot know, outside of what it was sent, is clamped to what it was sent.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Timeline:
    """Maps the seconds of one link to samples of the stream."""

    def __init__(self, base: int, sample_rate: int) -> None:
        self._rate = sample_rate
        self._runs_local = [0]
        self._runs_stream = [base]
        self._end = base
        self._runs_end: list[int] = []  # but of the last run, which ends at `_end`
        self._is_filled = False
        self.heard = 0
        """Samples sent on this link."""

    @property
    def base(self) -> int:
        """The stream's sample at which the link's clock began."""
        return self._runs_stream[0]

    def sent(self, start: int, end: int) -> None:
        """Samples ``[start, end)`` of the stream went out."""
        if start != self._end or self._is_filled:
            self._runs_end.append(self._end)
            self._runs_local.append(self.heard)
            self._runs_stream.append(start)
            self._is_filled = False
        self.heard += end - start
        self._end = end

    def filled(self, samples: int) -> None:
        """So many samples went out that are not of the stream."""
        self.heard += samples
        self._is_filled = True

    def start_at(self, seconds: float) -> int:
        """The stream's sample at which something begins that the link places at `seconds`."""
        position = self._position(seconds)
        run = bisect_right(self._runs_local, position) - 1
        return self._in_run(run, position)

    def end_at(self, seconds: float) -> int:
        """The stream's sample before which something ends that the link places at `seconds`.

        It differs from `start_at` only where a run ends: what ends there has not jumped yet.
        """
        position = self._position(seconds)
        run = max(0, bisect_left(self._runs_local, position) - 1)
        return self._in_run(run, position)

    def spans(self, times: Iterable[tuple[float, float]]) -> list[tuple[int, int]]:
        """The stream's samples from and before which something was said, of each pair of times that the link gives."""
        if len(self._runs_local) > 1:
            return [(first := self.start_at(start), max(first, self.end_at(end))) for start, end in times]
        base, rate, last = self.base, self._rate, self._end
        spans: list[tuple[int, int]] = []
        for start, end in times:
            begins = min(max(base, base + round(start * rate)), last)
            spans.append((begins, min(max(begins, base + round(end * rate)), last)))
        return spans

    def _in_run(self, run: int, position: int) -> int:
        ends = self._runs_end[run] if run < len(self._runs_end) else self._end
        return min(self._runs_stream[run] + position - self._runs_local[run], ends)

    def _position(self, seconds: float) -> int:
        position = round(seconds * self._rate)
        return 0 if position < 0 else min(position, self.heard)
