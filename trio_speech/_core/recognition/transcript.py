"""A service's transcript with its times on the stream's clock, and the events for the user that it becomes."""

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
    """A service's result: `start` and `end` in samples of the stream, the times of `words` in seconds of the stream.

    `placed`: whether the service told its times. If not, `start` and `end` only enclose it, from the end of the last
    final to the audio sent when it came.
    """

    result: RecognitionResult
    start: int
    end: int
    words: tuple[Word, ...]
    speaker: str | None = None
    placed: bool = True

    @property
    def texts(self) -> list[str]:
        """The texts of its words. Where the service tells no words, its text is split (see `text.words_of`)."""
        return [word.text for word in self.words] or words_of(self.result.text)

    def spans(self, rate: int) -> list[tuple[int, int]]:
        """Returns the start and end of each word, in samples of the stream. `rate`: samples per second."""
        return [(round(word.start * rate), round(word.end * rate)) for word in self.words]

    def kept(self, stays: Sequence[bool], rate: int, start: int) -> PlacedTranscript:
        """Returns the transcript with only those words for which `stays` is true. `rate`: samples per second.

        It starts with the first of these words, or at sample `start` where the words have no times.
        """
        words = tuple(compress(self.words, stays)) if self.words else ()
        if words:
            start = round(words[0].start * rate)
        end = self.end if stays[-1:] == [True] or not words else round(words[-1].end * rate)
        result = replace(self.result, text=keep(self.result.text, self.texts, stays))
        return replace(self, result=result, start=start, end=max(start, end), words=words)

    def guess(self, rate: int) -> InterimTranscript | PreflightTranscript:
        """Returns its event, where it is an interim or preflight transcript. `rate`: samples per second."""
        kind = InterimTranscript if self.result.kind == "interim" else PreflightTranscript
        return kind(**self._fields(rate))

    def final(self, rate: int, *, id: str, seam: bool) -> FinalTranscript:
        """Returns its event, where it is a final. `id` and `seam`: see `FinalTranscript`."""
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
    """Returns `result` without its words where all their times are 0, and with their span where it has none itself."""
    words = result.words
    if words and all(word.end <= 0.0 for word in words):
        result = replace(result, words=())
    elif words and result.end <= result.start:
        result = replace(result, start=min(word.start for word in words), end=max(word.end for word in words))
    return result
