"""One rendition of one segment: the audio and the aligned words that one request has brought, and which of them may be
released to the user.

A segment has several renditions where a connection was lost in between. How much of a rendition may be released while
it is incomplete, and where a repeated one is cut, is a `ResumePolicy` (see `resume`).

Where words are aligned, audio beyond the end of the last aligned word may be half a word. It is released only to bridge
a gap in the playback, and never more than `MOST_UNALIGNED` of it: if the connection is lost then, the next rendition
begins at the end of that word, and the user hears up to so much twice.

Positions are in whole samples.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from ...audio import AudioFormat
from ...events import Word
from .resume import ResumePolicy
from .text_alignment import START, Reached, TextCursor

LONGEST = 600.0
"""The most seconds of audio that one segment may have: a service that sends more is at fault."""

MOST_WORDS = 10_000
"""The most words that may wait for their audio, which bounds what a service can make us keep."""

MOST_UNALIGNED = 0.25
"""The most seconds of audio that are released beyond the end of the last aligned word."""


class ReleasedSegment:
    """How much of one segment has been released, over all its renditions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = 0
        self.complete_words = 0
        """Of these, the samples up to the end of the last word that was released whole."""
        self.reached = START
        """The place in the text that this word has reached."""

    def retract(self) -> int:
        """Takes back what was released after the last complete word. Returns the number of samples."""
        beyond = self.samples - self.complete_words
        self.samples = self.complete_words
        return beyond


class Release(Struct, frozen=True):
    """New audio, which begins at sample `start` of its rendition, and the words that end in it, or ended before it and
    were aligned late. Each word comes with the position in the segment's text that is reached with it.
    """

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
        self._most_unaligned = audio_format.samples(MOST_UNALIGNED)
        self._policy = policy
        self._released = released
        self._known = released.reached
        self._known_samples = released.samples
        self._cursor = TextCursor(released.text)
        self._reached = START
        self._audio = bytearray()
        self._base = 0
        self.received = 0
        """Whole samples that have arrived."""
        self._next = released.samples if policy.again == "samples" else 0
        self._words: deque[_PlacedWord] = deque()
        self._aligned = 0
        self._complete = False

    @property
    def too_long(self) -> bool:
        """More has arrived than any segment can have."""
        return self.received > self._longest or len(self._words) > MOST_WORDS

    @property
    def unaligned(self) -> int:
        """Samples that may be released only if the player needs them."""
        if self._policy.until != "word" or self._complete or self._reached < self._known:
            # While the words that the user has were not all aligned again, it is unknown where new audio begins.
            return 0
        return max(0, min(self.received, self._aligned + self._most_unaligned) - self._next)

    def add_audio(self, pcm: bytes) -> None:
        """Takes a piece of audio, which may end inside a sample."""
        self._audio += pcm
        self.received = self._base + len(self._audio) // self._frame_size

    def add_words(self, words: tuple[Word, ...]) -> None:
        """Takes aligned words. Words that were released from an earlier rendition only mark where to cut this one.
        Blank words are ignored.
        """
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
        """The rendition is complete."""
        self._complete = True
        # Where the words released before were not all aligned again, cut at their length in samples instead.
        if not self._aligned or self._reached < self._known:
            self._next = max(self._next, self._known_samples)

    def release(self, unaligned: int = 0) -> Release | None:
        """The audio and words that may be released now, if any; of `unaligned` audio no more than so many samples."""
        start, end = self._next, self._until()
        if unaligned:
            end = max(end, start + min(unaligned, self.unaligned))
        if end > start:
            self._next = end
            self._released.samples += end - start
            return Release(self._cut(start, end), start, self._words_until(end))
        words = self._words_until(start) if self._words and start <= self.received else ()
        return Release(b"", start, words) if words else None

    def _until(self) -> int:
        received, until = self.received, self._policy.until
        if self._complete or until == "received":
            return received
        last = 0
        if until == "word":
            for placed in self._words:
                if placed.end >= received:  # another word may be aligned to end at the very end of the audio
                    break
                last = placed.end
        return last

    def _words_until(self, end: int) -> tuple[tuple[Word, int], ...]:
        words: list[tuple[Word, int]] = []
        released = self._released
        while self._words and (self._words[0].end <= end or self._complete):
            placed = self._words.popleft()
            words.append((placed.word, placed.reached.position))
            released.reached = placed.reached
            released.complete_words = released.samples - max(0, end - placed.end)
        return tuple(words)

    def _cut(self, start: int, end: int) -> bytes:
        size = self._frame_size
        pcm = bytes(self._audio[(start - self._base) * size : (end - self._base) * size])
        del self._audio[: (end - self._base) * size]
        self._base = end
        return pcm
