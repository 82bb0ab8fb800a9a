"""One speaking of one segment: its audio and its words as they come, and how much of them may go on to the user.

What may go, and where a repeated speaking is cut, is a `ResumePolicy` (see `resume`). All positions are whole samples.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from ...audio import AudioFormat
from ...events import Word
from .resume import ResumePolicy
from .text_alignment import START, Reached, TextCursor

LONGEST = 600.0
"""Seconds of audio that one segment may have: more is no speech of it."""

MOST_WORDS = 10_000
"""Words that may wait for their audio."""


class ReleasedSegment:
    """What has been released of one segment, over all its renditions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = 0
        self.reached = START


class Release(Struct, frozen=True):
    """A run of new audio, from sample `start` of its rendition on, and the words that end in it, each with the position
    in the text that is reached with it."""

    pcm: bytes
    start: int
    words: tuple[tuple[Word, int], ...]


class _PlacedWord(Struct, frozen=True):
    word: Word
    end: int
    reached: Reached


class Rendition:
    """Takes audio and words, in any order between them, and gives out what may be released."""

    def __init__(self, audio_format: AudioFormat, policy: ResumePolicy, released: ReleasedSegment) -> None:
        self._format = audio_format
        self._frame_size = audio_format.frame_size
        self._longest = audio_format.samples(LONGEST)
        self._policy = policy
        self._released = released
        self._known = released.reached
        self._known_samples = released.samples
        self._cursor = TextCursor(released.text)
        self._reached = START
        self._audio = bytearray()
        self._base = 0
        self.received = 0
        """Whole samples that have come."""
        self._next = released.samples if policy.again == "samples" else 0
        self._words: deque[_PlacedWord] = deque()
        self._aligned = 0
        self._complete = False

    @property
    def too_long(self) -> bool:
        """More has come than any segment can have."""
        return self.received > self._longest or len(self._words) > MOST_WORDS

    def add_audio(self, pcm: bytes) -> None:
        """Takes audio, which may end inside a sample."""
        self._audio += pcm
        self.received = self._base + len(self._audio) // self._frame_size

    def add_words(self, words: tuple[Word, ...]) -> None:
        """Takes words; those that the user has from an earlier rendition only say where to cut. Blank ones are none."""
        for word in words:
            if not word.text.strip():
                continue
            self._reached = self._cursor.advance(word.text)
            self._aligned = max(self._aligned, self._format.samples(word.end))
            if self._reached <= self._known:
                self._next = max(self._next, self._aligned)
            else:
                self._words.append(_PlacedWord(word, self._aligned, self._reached))

    def finish(self) -> None:
        """No more will come. Where not all words known came with times again, their length in samples has to do."""
        self._complete = True
        if not self._aligned or self._reached < self._known:
            self._next = max(self._next, self._known_samples)

    def release(self) -> Release | None:
        """What may go now and has not gone before; `ReleasedSegment` takes note of it."""
        start, end = self._next, self._until()
        if end <= start:
            return None
        self._next = end
        self._released.samples += end - start
        return Release(self._cut(start, end), start, self._words_until(end))

    def _until(self) -> int:
        received, until = self.received, self._policy.until
        if self._complete or until == "received":
            return received
        last = 0
        if until == "word":
            for placed in self._words:  # they end one after the other, or at once
                if placed.end >= received:  # the last audio waits for what may be said to end after it
                    break
                last = placed.end
        return last

    def _words_until(self, end: int) -> tuple[tuple[Word, int], ...]:
        words: list[tuple[Word, int]] = []
        while self._words and (self._words[0].end <= end or self._complete):
            placed = self._words.popleft()
            words.append((placed.word, placed.reached.position))
            self._released.reached = placed.reached
        return tuple(words)

    def _cut(self, start: int, end: int) -> bytes:
        size = self._frame_size
        pcm = bytes(self._audio[(start - self._base) * size : (end - self._base) * size])
        del self._audio[: (end - self._base) * size]
        self._base = end
        return pcm
