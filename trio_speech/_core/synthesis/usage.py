"""Counts for `SpeechStatistics`."""

from __future__ import annotations

from msgspec import Struct


class Usage(Struct):
    """What was requested of the service, and what it sent. Audio is counted in bytes."""

    requests: int = 0
    characters: int = 0
    characters_repeated: int = 0
    received: int = 0
    released: int = 0
    """Bytes of audio that were released and not retracted."""
    most_released: int = 0
    drops: int = 0
    restarts: int = 0
    _segments_asked: int = 0

    def count_request(self, segment: int, characters: int) -> None:
        """Call when segment number `segment` is requested. They count as repeated if it was requested before."""
        self.requests += 1
        self.characters += characters
        if segment < self._segments_asked:
            self.characters_repeated += characters
        self._segments_asked = max(self._segments_asked, segment + 1)

    def release(self, size: int) -> None:
        """Call when `size` bytes of audio are released; a negative number where they are retracted."""
        self.released += size
        self.most_released = max(self.most_released, self.released)
