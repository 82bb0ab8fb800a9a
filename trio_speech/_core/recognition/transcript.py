"""A transcript placed on the stream's clock, and the events that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ...events import FinalTranscript, InterimTranscript, PreflightTranscript, Word
from ..provider.messages import RecognitionResult
from .text import keep, words_of


class PlacedTranscript(Struct):
    """A result of a service; `start` and `end` in samples of the stream, the words' times in seconds of it.

    `placed`: the service told where in the audio it lies. Else its place is only bounded, by what had been sent.
    """

    result: RecognitionResult
    start: int
    end: int
    words: tuple[Word, ...]
    speaker: str | None = None
    placed: bool = True

    @property
    def texts(self) -> list[str]:
        """Its words, or its graphemes where its script has no blanks and the service tells no words."""
        return [word.text for word in self.words] or words_of(self.result.text)

    def spans(self, rate: int) -> list[tuple[int, int]]:
        """The samples from and before which each word was said."""
        return [(round(word.start * rate), round(word.end * rate)) for word in self.words]

    def kept(self, stays: Sequence[bool], rate: int, start: int) -> PlacedTranscript:
        """What is left of it where only some words stay; it begins at sample `start` at the earliest."""
        words = tuple(compress(self.words, stays)) if self.words else ()
        if words:
            start = round(words[0].start * rate)
        end = self.end if stays[-1:] == [True] or not words else round(words[-1].end * rate)
        result = replace(self.result, text=keep(self.result.text, self.texts, stays))
        return replace(self, result=result, start=start, end=max(start, end), words=words)

    def guess(self, rate: int) -> InterimTranscript | PreflightTranscript:
        """The event of a transcript that may yet change; `rate` in samples a second."""
        kind = InterimTranscript if self.result.kind == "interim" else PreflightTranscript
        return kind(**self._fields(rate))

    def final(self, rate: int, *, id: str, seam: bool) -> FinalTranscript:
        """The event of one that will not change."""
        return FinalTranscript(id=id, seam=seam, **self._fields(rate))

    def _fields(self, rate: int) -> dict[str, Any]:
        result = self.result
        return {
            "text": result.text,
            "start": self.start / rate,
            "end": self.end / rate,
            "words": self.words,
            "language": result.language,
            "confidence": result.confidence,
            "speaker": self.speaker,
            "extra": result.extra,
        }


def with_known_times(result: RecognitionResult) -> RecognitionResult:
    """The result without word times that are none, and with the span of its words where it has none of its own."""
    words = result.words
    if words and all(word.end <= 0.0 for word in words):
        result = replace(result, words=())
    elif words and result.end <= result.start:
        result = replace(result, start=min(word.start for word in words), end=max(word.end for word in words))
    return result
