"""The audio between the voice and the user: what was released, what was handed over, and which text it speaks.

*Released* audio waits here until iteration *hands it over*. The session's clock counts the samples handed over, so
audio that is dropped while it waits has never been on it. A mark says that the audio up to some sample speaks a segment
up to some position of its text; it counts once all of that audio was handed over.

The ledger also estimates when a player that is given each chunk as it is handed over, and plays without pause, will run
out of audio. That decides how urgent the next audio is (see `rendition`).
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from ...audio import AudioFormat
from ...events import AudioChunk, Word
from .rendition import Release
from .spoken_text import Segment, SpokenText

_NEVER = float("-inf")


class _Waiting(Struct):
    pcm: bytes
    start: int
    number: int
    words: list[Word]
    restart: bool
    torn: int
    ends_segment: bool = False


class _Mark(Struct, frozen=True):
    end: int
    number: int
    segment: Segment
    position: int


class PlaybackLedger:
    """A queue of chunks. Positions are in samples on the session's clock, moments in seconds from any origin."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._frame_size = audio_format.frame_size
        self._waiting: deque[_Waiting] = deque()
        self._late_words: list[Word] = []
        self._marks: deque[_Mark] = deque()
        self._spoken = SpokenText()
        self._released = 0
        self._torn = 0
        self._plays_until = _NEVER
        self.handed_over = 0
        """Samples that iteration has returned."""

    # ------------------------------------------------------------ in

    @property
    def waiting(self) -> int:
        """Samples that are released and not handed over."""
        return self._released - self.handed_over

    def put(self, number: int, segment: Segment, release: Release, *, restart: bool = False) -> None:
        """Queues audio of segment `number`. `restart`: all of the text begins again with it."""
        at = self._released
        self._released = at + len(release.pcm) // self._frame_size
        words = self._place(number, segment, release, at) if release.words else []
        if release.pcm:
            self._queue(_Waiting(release.pcm, at, number, words, restart, 0))
        else:  # their audio is released already: they go with the next chunk that is handed over
            (self._waiting[-1].words if self._waiting else self._late_words).extend(words)

    def mark_whole(self, number: int, segment: Segment) -> None:
        """All of the text of segment `number` is spoken with the audio released so far."""
        self._mark(_Mark(self._released, number, segment, len(segment.text)))

    def end_segment(self, number: int) -> None:
        """Segment `number` is complete: its last chunk is to say so."""
        if not (self._waiting and self._waiting[-1].number == number):
            # All of its audio was handed over before its end was known.
            self._queue(_Waiting(b"", self._released, number, [], restart=False, torn=0))
        self._waiting[-1].ends_segment = True

    def retract(self, samples: int) -> None:
        """Takes back the last `samples` that were released. Those that were handed over are told as torn by the next
        chunk, which begins before them.
        """
        self._released -= samples
        self._torn += max(0, self.handed_over - self._released)
        self._released = max(self._released, self.handed_over)
        while self._waiting and self._waiting[-1].pcm and self._waiting[-1].start >= self._released:
            dropped = self._waiting.pop()
            self._torn += dropped.torn
            self._late_words[:0] = dropped.words  # they ended before it
        if self._waiting:
            last = self._waiting[-1]
            last.pcm = last.pcm[: (self._released - last.start) * self._frame_size]
        self._drop_marks()

    def rewind(self) -> None:
        """Drops the audio that was not handed over."""
        self._released = self.handed_over
        self._waiting.clear()
        self._late_words.clear()
        self._torn = 0
        self._drop_marks()

    def cut(self, heard: float | None) -> str:
        """Barge-in: drops what was not handed over, and forgets text spoken after the first `heard` seconds. Returns
        the text before.
        """
        self.rewind()
        self._plays_until = _NEVER
        return self._spoken.cut(self._limit(heard))

    # ------------------------------------------------------------ out

    @property
    def has_chunk(self) -> bool:
        """Whether `take` returns one."""
        return bool(self._waiting)

    def take(self, now: float) -> AudioChunk | None:
        """Hands over the next chunk, if there is one."""
        if not self._waiting:
            return None
        waiting = self._waiting.popleft()
        samples = len(waiting.pcm) // self._frame_size
        self.handed_over = waiting.start + samples
        self._plays_until = max(self._plays_until, now) + self._format.seconds(samples)
        while self._marks and self._marks[0].end <= self.handed_over:
            mark = self._marks.popleft()
            self._spoken.reach(mark.end, mark.number, mark.segment, mark.position)
        return AudioChunk(
            waiting.pcm,
            self._format.seconds(waiting.start),
            waiting.number,
            tuple(waiting.words),
            waiting.restart,
            waiting.ends_segment,
            self._format.seconds(waiting.torn),
        )

    def spoken(self, at: float | None) -> str:
        """The text that is spoken in the first `at` seconds of the audio handed over, or in all of it."""
        return self._spoken.until(self._limit(at))

    # ------------------------------------------------------------ the player

    def left(self, now: float) -> float:
        """Seconds of audio that a player has, or can have at once."""
        return max(self._plays_until - now, 0.0) + self._format.seconds(self.waiting)

    def falls_to(self, seconds: float) -> float | None:
        """When `left` falls to so many seconds; ``None`` while more than that waits to be handed over."""
        waiting = self._format.seconds(self.waiting)
        return None if waiting > seconds else self._plays_until + waiting - seconds

    # ------------------------------------------------------------ details

    def _queue(self, waiting: _Waiting) -> None:
        if self._late_words:
            waiting.words[:0] = self._late_words
            self._late_words.clear()
        waiting.torn, self._torn = self._torn, 0
        self._waiting.append(waiting)

    def _place(self, number: int, segment: Segment, release: Release, at: int) -> list[Word]:
        """The words on the session's clock, each marked. The release begins at sample `at`."""
        shift, last = self._format.seconds(at - release.start), self._format.seconds(self._released)
        words: list[Word] = []
        for word, position in release.words:
            shifted = _shifted(word, shift, last)
            words.append(shifted)
            self._mark(_Mark(self._format.samples(shifted.end), number, segment, position))
        return words

    def _mark(self, mark: _Mark) -> None:
        if mark.end <= self.handed_over:
            self._spoken.reach(mark.end, mark.number, mark.segment, mark.position)
        else:
            self._marks.append(mark)

    def _drop_marks(self) -> None:
        self._marks = deque(mark for mark in self._marks if mark.end <= self._released)

    def _limit(self, at: float | None) -> int:
        return self.handed_over if at is None else min(self._format.samples(at), self.handed_over)


def _shifted(word: Word, shift: float, last: float) -> Word:
    """The word with its times on the session's clock, and none of them after the end of the released audio."""
    start = min(max(word.start + shift, 0.0), last)
    return Word(word.text.strip(), start, min(max(word.end + shift, start), last), word.confidence, word.speaker)
