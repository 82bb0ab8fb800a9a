"""The statistics of a recognition session, as a frozen record."""

from __future__ import annotations

import math
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
        captured = _wall(self.anchors, seconds)
        if captured is None:
            raise ValueError("nothing has been captured yet")
        return captured


class WallClock:
    """Remembers when which sample was captured: one anchor for each time the source fell behind or was mute."""

    _TOLERANCE = 0.25
    _MOST = 512

    def __init__(self) -> None:
        self._anchors: list[tuple[float, float]] = []
        self._apart = -math.inf

    def captured(self, stream: float, wall: float) -> None:
        """The audio at `stream` seconds was captured at POSIX time `wall`."""
        if -self._TOLERANCE < wall - stream - self._apart < self._TOLERANCE:
            return
        if len(self._anchors) == self._MOST:
            del self._anchors[1 : self._MOST // 2]
        self._anchors.append((stream, wall))
        self._apart = wall - stream

    def at(self, seconds: float) -> float | None:
        """See `TranscriptStatistics.captured_at`; ``None`` before anything was captured."""
        return _wall(self._anchors, seconds)

    def anchors(self) -> tuple[tuple[float, float], ...]:
        """The anchors, oldest first."""
        return tuple(self._anchors)


def _wall(anchors: Sequence[tuple[float, float]], seconds: float) -> float | None:
    if not anchors:
        return None
    index = max(0, bisect_right(anchors, seconds, key=lambda anchor: anchor[0]) - 1)
    stream, wall = anchors[index]
    return wall + seconds - stream
