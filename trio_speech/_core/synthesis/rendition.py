"""A rendition: the audio and words that one request for a segment has brought, and how much of them is released.

*Released* audio may be handed to the user. A segment has several renditions where a connection was lost in between. A
`ResumePolicy` (see `resume`) says how much of a rendition may be released while it is incomplete, and how much of a
repeated one is skipped.

Where the voice tells the times of its words (*aligned* words), audio beyond the end of the last one may be half a word.
It is released only where the player would run dry, and at most `MOST_UNALIGNED` of it. If the connection is lost then,
the next rendition is released from the end of that word, and the user hears up to so much audio twice.

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
"""The most seconds of audio that one segment may have. A service that sends more is at fault."""

MOST_WORDS = 10_000
"""The most words that may wait for their audio. This bounds the memory that a service can fill."""

MOST_UNALIGNED = 0.25
"""The most seconds of audio that are released beyond the end of the last aligned word."""


class ReleasedSegment:
    """How much of one segment has been released, over all its renditions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = 0
        self.complete_words = 0
        """How many of these samples lie before the end of the last word that was released whole."""
        self.reached = START
        """How far in the text that word has come (see `text_alignment`)."""

    def retract(self) -> int:
        """Takes back the audio that was released behind the last complete word. Returns how many samples that is."""
        beyond = self.samples - self.complete_words
        self.samples = self.complete_words
        return beyond


class Release(Struct, frozen=True):
    """Audio and words that are released together.

    `pcm`: the audio, which begins at sample `start` of its rendition. `words`: the words that end in it, or ended
    before it and were told late; each with the index in the segment's text up to which it is spoken then.
    """

    pcm: bytes
    start: int
    words: tuple[tuple[Word, int], ...]


class _PlacedWord(Struct, frozen=True):
    word: Word
    end: int
    reached: Reached


class Rendition:
    """Takes the audio and words of one request, in any order, and returns what may be released (`release`)."""

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
        """How many whole samples have arrived."""
        self._next = released.samples if policy.again == "samples" else 0
        self._words: deque[_PlacedWord] = deque()
        self._aligned = 0
        self._complete = False

    @property
    def too_long(self) -> bool:
        """Whether more audio or words have arrived than a segment may have."""
        return self.received > self._longest or len(self._words) > MOST_WORDS

    @property
    def unaligned(self) -> int:
        """How many samples may be released only where the player would run dry."""
        if self._policy.until != "word" or self._complete or self._reached < self._known:
            # While the words that the user has were not all aligned again, it is unknown where new audio begins.
            return 0
        return max(0, min(self.received, self._aligned + self._most_unaligned) - self._next)

    def add_audio(self, pcm: bytes) -> None:
        """Adds a piece of audio, which may end inside a sample."""
        self._audio += pcm
        self.received = self._base + len(self._audio) // self._frame_size

    def add_words(self, words: tuple[Word, ...]) -> None:
        """Adds aligned words. Blank words are ignored.

        Words that were released from an earlier rendition only tell how much of this one to skip.
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
        """Call when the rendition is complete: all of it may be released."""
        self._complete = True
        # Where the words released before were not all aligned again, cut at their length in samples instead.
        if not self._aligned or self._reached < self._known:
            self._next = max(self._next, self._known_samples)

    def release(self, unaligned: int = 0) -> Release | None:
        """Returns the audio and words that may be released now; ``None`` where there are none.

        `unaligned`: how many samples may be released although they lie beyond the last aligned word.
        """
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
