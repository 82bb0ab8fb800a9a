"""A transcript on the stream's clock, judged, and the events that it becomes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ...events import FinalTranscript, InterimTranscript, PreflightTranscript, Word
from ..provider.messages import RecognitionResult


class PlacedTranscript(Struct):
    """What is new of a hypothesis; `start` and `end` in samples of the stream, the words' times in seconds of it."""

    hypothesis: RecognitionResult
    start: int
    end: int
    words: tuple[Word, ...]

    @property
    def texts(self) -> list[str]:
        """Word by word."""
        return [word.text for word in self.words] or self.hypothesis.text.split()

    def spans(self, rate: int) -> list[tuple[int, int]]:
        """The words' samples from and before which each was said."""
        return [(round(word.start * rate), round(word.end * rate)) for word in self.words]

    def guess(self, rate: int) -> InterimTranscript | PreflightTranscript:
        """The event of a transcript that may yet change; `rate` in samples a second."""
        kind = InterimTranscript if self.hypothesis.kind == "interim" else PreflightTranscript
        return kind(**self._fields(rate))

    def final(self, rate: int, *, id: str, seam: bool) -> FinalTranscript:
        """The event of one that will not."""
        return FinalTranscript(id=id, seam=seam, **self._fields(rate))

    def _fields(self, rate: int) -> dict[str, Any]:
        hypothesis = self.hypothesis
        return {
            "text": hypothesis.text,
            "start": self.start / rate,
            "end": self.end / rate,
            "words": self.words,
            "language": hypothesis.language,
            "confidence": hypothesis.confidence,
            "speaker": hypothesis.speaker,
            "extra": hypothesis.extra,
        }
