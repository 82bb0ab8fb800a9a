"""What is spoken: symbolic utterances on a coarse clock. Each sample carries the number of the word that it is part of.

The truth that the oracle knows, and that the service reads out of the samples it is sent.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any

from msgspec import Struct

from trio_speech.audio import AudioFormat

RATE = 1_000  # so that a sample is a millisecond
FORMAT = AudioFormat.pcm16(RATE)
SOUND = 99
"""The number of what is no word."""
LOUD = 4_000


class Spoken(Struct, frozen=True):
    """Word number `number`, from sample `start` of the stream up to `end`, in this utterance."""

    number: int
    start: int
    end: int
    utterance: int


class Script(Struct, frozen=True):
    """Chunks of audio, as a microphone gives them, and what is in them.

    `utterances` has the number of words of each; 0: a sound that is no word. Each utterance comes in two chunks, and
    the cut lies between words, so that no capture halves one.
    """

    utterances: tuple[int, ...]
    level: int = LOUD
    lead: int = 200
    word: int = 250
    gap: int = 50
    pause: int = 500
    at_once: bool = False
    """All of it is one chunk: for searches of what may be said, not of when."""

    @property
    def chunks(self) -> list[Chunk]:
        return _chunks(self)

    @property
    def words(self) -> list[Spoken]:
        return _words(self)[0]

    @property
    def sounds(self) -> list[Spoken]:
        return _words(self)[1]

    def samples(self, part: int) -> list[int]:
        """Half an utterance: its beginning (even) or its end (odd); all there is (-1)."""
        if part < 0:
            return [sample for each in range(2 * len(self.utterances)) for sample in self.samples(each)]
        index, late = divmod(part, 2)
        count, number = self.utterances[index], sum(self.utterances[:index])
        first, last = ([SOUND], []) if not count else (list(range(count)[:1]), list(range(count)[1:]))
        values = (
            [self.level + SOUND] if not count else [self.level + number + each for each in (last if late else first)]
        )
        if late and not count:
            values = []
        samples: list[int] = [] if late else [0] * self.lead
        for value in values:
            samples += [value] * self.word + [0] * self.gap
        return samples + [0] * self.pause if late else samples


class Chunk(bytes):
    """A chunk of a script. A copy of a state refers to it, and does not hold it."""

    place: tuple[Script, int]

    def __reduce__(self) -> Any:
        return chunk, self.place


@cache
def chunk(script: Script, part: int) -> Chunk:
    made = Chunk(array("h", script.samples(part)).tobytes())
    made.place = (script, part)
    return made


@cache
def _chunks(script: Script) -> list[Chunk]:
    parts = range(2 * len(script.utterances))
    return [chunk(script, -1)] if script.at_once else [chunk(script, part) for part in parts]


@cache
def _words(script: Script) -> tuple[list[Spoken], list[Spoken]]:
    words: list[Spoken] = []
    sounds: list[Spoken] = []
    at = 0
    for part in range(2 * len(script.utterances)):
        before = start = 0
        for value in [*script.samples(part), 0]:
            if value != before:
                if before:
                    number = before - script.level
                    kind = sounds if number == SOUND else words
                    kind.append(Spoken(number, start, at, part // 2))
                start, before = at, value
            at += 1
        at -= 1
    return words, sounds


@cache
def audio_of(script: Script) -> bytes:
    """All of it."""
    return b"".join(script.chunks)
