"""What was released to the user and what was handed over, in samples and in text.

The session's clock counts handed-over samples: `rewind` takes back whatever the user has not got, as if it had never
been released. A mark says that up to some sample, so much of a segment's text has been spoken; it counts once all audio
before it was handed over. Any moment since the start may be asked about, so marks are kept as long as their text
is: three numbers a word, some six megabytes for a day of speech.
"""

from __future__ import annotations

from array import array
from collections import deque

from msgspec import Struct

from ...audio import AudioFormat
from ...events import AudioChunk, Word
from .rendition import Release


class _Mark(Struct, frozen=True):
    end: int
    segment: int
    position: int


class _Waiting(Struct):
    chunk: AudioChunk
    end: int
    marks: list[_Mark]


class PlaybackLedger:
    """Chunks wait here between the voice and the user."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._frame_size = audio_format.frame_size
        self._waiting: deque[_Waiting] = deque()
        self._marks = array("q")
        """Of each in turn: end, segment, position."""
        self._released = 0
        self.handed_over = 0
        """Samples."""

    @property
    def waiting(self) -> int:
        """Samples that are released and not yet handed over."""
        return self._released - self.handed_over

    def put(self, segment: int, release: Release, *, restart: bool) -> None:
        """Releases audio of `segment`."""
        at = self._released
        self._released = end = at + len(release.pcm) // self._frame_size
        shift, last = self._format.seconds(at - release.start), self._format.seconds(end)
        words: list[Word] = []
        marks: list[_Mark] = []
        for word, position in release.words:
            shifted = _shifted(word, shift, last)
            words.append(shifted)
            marks.append(_Mark(self._format.samples(shifted.end), segment, position))
        chunk = AudioChunk(release.pcm, self._format.seconds(at), segment, tuple(words), restart)
        self._waiting.append(_Waiting(chunk, end, marks))

    def mark(self, segment: int, position: int) -> None:
        """Says that the text of `segment` up to `position` is spoken in what has been released."""
        mark = _Mark(self._released, segment, position)
        if self._waiting:
            self._waiting[-1].marks.append(mark)
        else:
            self._keep(mark)

    def take(self) -> AudioChunk | None:
        """Hands over the next chunk."""
        if not self._waiting:
            return None
        waiting = self._waiting.popleft()
        self.handed_over = waiting.end
        for mark in waiting.marks:
            self._keep(mark)
        return waiting.chunk

    def rewind(self) -> None:
        """Drops what is released and not handed over."""
        self._waiting.clear()
        self._released = self.handed_over

    def spoken(self, texts: list[str], at: float | None) -> str:
        """The text that is spoken in the first `at` seconds handed over, or in all of them."""
        heard = self._format.seconds(self.handed_over)
        limit = self._format.samples(heard if at is None else min(at, heard))
        reached: dict[int, int] = {}
        numbers = iter(self._marks)
        for end, segment, position in zip(numbers, numbers, numbers, strict=True):
            if end <= limit:
                reached[segment] = max(position, reached.get(segment, 0))
        return "".join(texts[segment][:position] for segment, position in sorted(reached.items()))

    def _keep(self, mark: _Mark) -> None:
        self._marks.extend((mark.end, mark.segment, mark.position))


def _shifted(word: Word, shift: float, last: float) -> Word:
    """The word on the session's clock, on which nothing ends after the audio that is released."""
    start = min(max(word.start + shift, 0.0), last)
    return Word(word.text.strip(), start, min(max(word.end + shift, start), last), word.confidence, word.speaker)
