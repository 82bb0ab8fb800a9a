"""What a synthesis has cost, and what became of it."""

from __future__ import annotations

from msgspec import Struct


class SpeechStatistics(Struct, frozen=True, kw_only=True):
    """The figures of a synthesis so far; durations are seconds of audio."""

    segments: int
    """Segments of text taken, those included that `clear` dropped."""
    requests: int
    """Segments asked for, repeats included."""
    characters: int
    """Characters sent, repeats included: what a service bills."""
    characters_repeated: int
    received: float
    """Audio that came, repeats included."""
    handed_over: float
    """Audio that iteration has returned."""
    buffered: float
    """Audio that waits to be returned."""
    drops: int
    """Links lost while text was outstanding."""
    restarts: int
    """Times that the whole text began again, under ``resume="restart"``."""


class Bill(Struct):
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
