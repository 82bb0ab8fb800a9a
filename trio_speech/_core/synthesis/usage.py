"""The counts behind `SpeechStatistics`."""

from __future__ import annotations

from msgspec import Struct


class Usage(Struct):
    """What was asked of the service and what came of it. Audio is counted in bytes."""

    requests: int = 0
    characters: int = 0
    characters_repeated: int = 0
    received: int = 0
    released: int = 0
    """Without what was retracted."""
    most_released: int = 0
    drops: int = 0
    restarts: int = 0
    _segments_asked: int = 0

    def count_request(self, segment: int, characters: int) -> None:
        """Segment number `segment` is asked for. Its characters count as repeated if it was asked for before."""
        self.requests += 1
        self.characters += characters
        if segment < self._segments_asked:
            self.characters_repeated += characters
        self._segments_asked = max(self._segments_asked, segment + 1)

    def release(self, size: int) -> None:
        """So many bytes of audio were released; a negative number were retracted."""
        self.released += size
        self.most_released = max(self.most_released, self.released)
