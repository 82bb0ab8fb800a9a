"""Maps the times that a service tells, which count from the start of its connection, to samples of the stream.

Laws
    1. A link's clock starts at 0 with the first sample sent on it, and counts the samples sent on it.
    2. The map is piecewise linear and monotonic: it jumps where audio was skipped between two sends, and stands still
       where filler (silence that is not part of the stream) was sent.
    3. A time outside of the audio sent on the link is clamped to that audio.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Timeline:
    """The map from the seconds of one link to samples of the stream. `base`: the first sample to be sent."""

    def __init__(self, base: int, sample_rate: int) -> None:
        self._rate = sample_rate
        self._runs_local = [0]
        self._runs_stream = [base]
        self._end = base
        self._runs_end: list[int] = []  # without the last run, which ends at `_end`
        self._is_filled = False
        self.heard = 0
        """How many samples were sent on this link, filler included."""

    @property
    def base(self) -> int:
        """The stream's sample at which the link's clock is 0."""
        return self._runs_stream[0]

    def sent(self, start: int, end: int) -> None:
        """Call when samples ``[start, end)`` of the stream are sent."""
        if start != self._end or self._is_filled:
            self._runs_end.append(self._end)
            self._runs_local.append(self.heard)
            self._runs_stream.append(start)
            self._is_filled = False
        self.heard += end - start
        self._end = end

    def filled(self, samples: int) -> None:
        """Call when so many samples of filler are sent, which are not part of the stream."""
        self.heard += samples
        self._is_filled = True

    def start_at(self, seconds: float) -> int:
        """Returns the stream's sample at which something begins that starts at `seconds` of the link."""
        position = self._position(seconds)
        run = bisect_right(self._runs_local, position) - 1
        return self._in_run(run, position)

    def end_at(self, seconds: float) -> int:
        """Returns the stream's sample before which something ends that ends at `seconds` of the link.

        It differs from `start_at` only where the map jumps: there it returns the sample before the jump.
        """
        position = self._position(seconds)
        run = max(0, bisect_left(self._runs_local, position) - 1)
        return self._in_run(run, position)

    def spans(self, times: Iterable[tuple[float, float]]) -> list[tuple[int, int]]:
        """Returns, for each start and end in seconds of the link, the start and end in samples of the stream."""
        if len(self._runs_local) > 1:
            return [(first := self.start_at(start), max(first, self.end_at(end))) for start, end in times]
        base, rate, last = self._runs_stream[0], self._rate, self._end
        spans: list[tuple[int, int]] = []
        for start, end in times:
            begins, ends = base + round(start * rate), base + round(end * rate)
            # The rule, though it rarely has anything to do: clamped to the audio sent, and no end before its start.
            if not base <= begins <= ends <= last:
                begins = min(max(base, begins), last)
                ends = min(max(begins, ends), last)
            spans.append((begins, ends))
        return spans

    def _in_run(self, run: int, position: int) -> int:
        ends = self._runs_end[run] if run < len(self._runs_end) else self._end
        return min(self._runs_stream[run] + position - self._runs_local[run], ends)

    def _position(self, seconds: float) -> int:
        position = round(seconds * self._rate)
        return 0 if position < 0 else min(position, self.heard)
