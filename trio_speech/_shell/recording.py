"""The statistics of a recognition session, as a frozen record."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct


class TranscriptStatistics(Struct, frozen=True, kw_only=True):
    """A session so far. Durations are in seconds of audio, unless said otherwise."""

    captured: float
    settled: float
    """Covered by a delivered final or an acknowledged silence."""
    replayed: float
    """Sent a second time, or more."""
    billed: float
    """Sent on all links together, replays included: what a service may charge for."""
    in_gaps: float
    unsettled: float
    """Neither of these yet: what `Transcript.unacknowledged` has, and what is no longer kept and may still be heard."""
    backlog: float
    """Captured and not yet sent on the current link."""
    catch_up: float
    """Estimated seconds of real time until the backlog is gone; infinite where the pace does not allow it."""
    links: int
    """Connections that were opened."""
    finals: int
    repeated_words: int
    """Words that a replay brought a second time, and that were reconciled away."""
    repeated_finals: int
    unknown_messages: int
    anchors: tuple[tuple[float, float], ...] = ()
    """Pairs of stream time and POSIX time, wherever the two drifted apart: see `captured_at`."""

    def captured_at(self, seconds: float) -> float:
        """The POSIX time at which the audio at `seconds` on the stream's clock was captured.

        Raises `ValueError` before anything was captured.
        """
        captured = _wall([stream for stream, _ in self.anchors], [wall for _, wall in self.anchors], seconds)
        if captured is None:
            raise ValueError("nothing has been captured yet")
        return captured


class WallClock:
    """Remembers when which sample was captured: one anchor for each time the source fell behind or was mute."""

    _TOLERANCE = 0.25
    _MOST = 512

    def __init__(self) -> None:
        self._streams, self._walls = array("d"), array("d")  # a pair of floats in a list would take seven times as much
        self._apart = -math.inf

    def captured(self, stream: float, wall: float) -> None:
        """The audio at `stream` seconds was captured at POSIX time `wall`."""
        if -self._TOLERANCE < wall - stream - self._apart < self._TOLERANCE:
            return
        if len(self._streams) == self._MOST:
            del self._streams[1 : self._MOST // 2], self._walls[1 : self._MOST // 2]
        self._streams.append(stream)
        self._walls.append(wall)
        self._apart = wall - stream

    def at(self, seconds: float) -> float | None:
        """See `TranscriptStatistics.captured_at`; ``None`` before anything was captured."""
        return _wall(self._streams, self._walls, seconds)

    def anchors(self) -> tuple[tuple[float, float], ...]:
        """The anchors, oldest first."""
        return tuple(zip(self._streams, self._walls, strict=True))


def _wall(streams: Sequence[float], walls: Sequence[float], seconds: float) -> float | None:
    if not streams:
        return None
    index = max(0, bisect_right(streams, seconds) - 1)
    return walls[index] + seconds - streams[index]
