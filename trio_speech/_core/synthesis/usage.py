"""What a synthesis has cost, and what became of it."""

from __future__ import annotations

from msgspec import Struct


class Usage(Struct):
    """Counts for `SpeechStatistics`; audio in bytes."""

    requests: int = 0
    characters: int = 0
    characters_repeated: int = 0
    received: int = 0
    released: int = 0
    drops: int = 0
    restarts: int = 0
    _asked: int = 0

    def ask(self, segment: int, characters: int) -> None:
        """Segment number `segment` is asked for, perhaps again."""
        self.requests += 1
        self.characters += characters
        if segment < self._asked:
            self.characters_repeated += characters
        self._asked = max(self._asked, segment + 1)
