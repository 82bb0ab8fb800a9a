"""The statistics of a recognition session, as a frozen record."""

from __future__ import annotations

import math
from array import array

from ...statistics import wall_time_at


class WallClock:
    """Remembers when which sample was captured: one anchor for each time the source fell behind or was mute."""

    _TOLERANCE = 0.25
    _MOST = 512

    def __init__(self) -> None:
        self._streams, self._walls = array("d"), array("d")  # a pair of floats in a list would take seven times as much
        self.earliest = self.latest = -math.inf
        """Between these, exclusively, a `wall` less its `stream` tells nothing new: `captured` need not be called."""

    def captured(self, stream: float, wall: float) -> None:
        """The audio at `stream` seconds was captured at POSIX time `wall`."""
        apart = wall - stream
        if self.earliest < apart < self.latest:
            return
        if len(self._streams) == self._MOST:
            del self._streams[1 : self._MOST // 2], self._walls[1 : self._MOST // 2]
        self._streams.append(stream)
        self._walls.append(wall)
        self.earliest, self.latest = apart - self._TOLERANCE, apart + self._TOLERANCE

    def at(self, seconds: float) -> float | None:
        """See `TranscriptStatistics.captured_at`; ``None`` before anything was captured."""
        return wall_time_at(self._streams, self._walls, seconds)

    def anchors(self) -> tuple[tuple[float, float], ...]:
        """The anchors, oldest first."""
        return tuple(zip(self._streams, self._walls, strict=True))
