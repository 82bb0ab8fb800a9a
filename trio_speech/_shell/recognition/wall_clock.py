"""Maps positions in a recognition session's audio to the POSIX times at which they were captured."""

from __future__ import annotations

import math
from array import array

from ...statistics import wall_time_at


class WallClock:
    """Remembers when the audio was captured, as anchors: pairs of a stream position and a wall-clock time, in seconds.

    An anchor is added only when the two have drifted apart: the source fell behind, paused, or came faster than speech.
    """

    _TOLERANCE = 0.25
    _MOST = 512

    def __init__(self) -> None:
        self._streams, self._walls = array("d"), array("d")  # a pair of floats in a list would take seven times as much
        self.earliest = self.latest = -math.inf
        """`captured` need not be called while ``wall - stream`` lies between these two: it would add no anchor."""

    def captured(self, stream: float, wall: float) -> None:
        """Records that the audio at `stream` seconds was captured at POSIX time `wall`."""
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
        """Returns the anchors, as pairs of stream seconds and POSIX time, oldest first."""
        return tuple(zip(self._streams, self._walls, strict=True))
