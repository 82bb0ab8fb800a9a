"""The queue of audio between the voice and the user, and a record of which text the user's audio speaks.

*Released* audio waits here until the user's iteration takes it: then it is *handed over*. The session's clock counts
the samples handed over, so audio that is dropped from the queue has no time on it. A *mark* says that the audio up to
some sample speaks the text of a segment up to some position. It takes effect once all of that audio is handed over.

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
        """How many samples the user's iteration has returned."""

    # ------------------------------------------------------------ in

    @property
    def waiting(self) -> int:
        """How many samples are released and not handed over."""
        return self._released - self.handed_over

    def put(self, number: int, segment: Segment, release: Release, *, restart: bool = False) -> None:
        """Queues released audio of segment `number`. `restart`: the whole text begins again with this audio."""
        at = self._released
        self._released = at + len(release.pcm) // self._frame_size
        words = self._place(number, segment, release, at) if release.words else []
        if release.pcm:
            self._queue(_Waiting(release.pcm, at, number, words, restart, 0))
        else:  # their audio is released already: they go with the next chunk that is handed over
            (self._waiting[-1].words if self._waiting else self._late_words).extend(words)

    def mark_whole(self, number: int, segment: Segment) -> None:
        """Marks that the audio released so far speaks all text of segment `number`."""
        self._mark(_Mark(self._released, number, segment, len(segment.text)))

    def end_segment(self, number: int) -> None:
        """Call when segment `number` is complete: sets `AudioChunk.ends_segment` on its last chunk.

        Where that was handed over already, an empty chunk is queued.
        """
        if not (self._waiting and self._waiting[-1].number == number):
            # All of its audio was handed over before its end was known.
            self._queue(_Waiting(b"", self._released, number, [], restart=False, torn=0))
        self._waiting[-1].ends_segment = True

    def retract(self, samples: int) -> None:
        """Takes back the last `samples` that were released.

        As far as they were handed over, the next chunk tells them as torn (`AudioChunk.torn`).
        """
        self._released -= samples
        self._torn += max(0, self.handed_over - self._released)
        self._released = max(self._released, self.handed_over)
        while self._waiting and self._waiting[-1].pcm and self._waiting[-1].start >= self._released:
            dropped = self._waiting.pop()
            self._torn += dropped.torn
            self._late_words[:0] = dropped.words  # their audio ended before this chunk
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
        """Drops the audio that was not handed over, and forgets the text spoken after the first `heard` seconds.

        `heard`: ``None``: all audio handed over was heard. Returns the text spoken before. Used for barge-in.
        """
        self.rewind()
        self._plays_until = _NEVER
        return self._spoken.cut(self._limit(heard))

    # ------------------------------------------------------------ out

    @property
    def has_chunk(self) -> bool:
        """Whether `take` returns a chunk."""
        return bool(self._waiting)

    def take(self, now: float) -> AudioChunk | None:
        """Hands over the next chunk; ``None`` where none waits. `now`: in seconds from any origin."""
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
        """Returns the text spoken in the first `at` seconds of the audio handed over; ``None``: in all of it."""
        return self._spoken.until(self._limit(at))

    # ------------------------------------------------------------ the player

    def left(self, now: float) -> float:
        """Returns the seconds of audio that the player has not played, including the audio that waits here."""
        return max(self._plays_until - now, 0.0) + self._format.seconds(self.waiting)

    def falls_to(self, seconds: float) -> float | None:
        """Returns the moment at which `left` falls to `seconds`; ``None`` while more than that waits here."""
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
        """Returns the words of `release` with times on the session's clock, and adds a mark for each.

        `at`: the sample of the session at which the release begins.
        """
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
    """Returns `word` with its times shifted by `shift` seconds, and cut off at the end `last` of the released audio."""
    start = min(max(word.start + shift, 0.0), last)
    return Word(word.text.strip(), start, min(max(word.end + shift, start), last), word.confidence, word.speaker)
