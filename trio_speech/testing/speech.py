"""Speech for a recognizer, together with its words and the samples at which they are.

    spoken = speech(30.0)
    async with client.transcribe(spoken, spoken.audio_format) as transcript: ...

Iterating a `LabeledSpeech` plays it in real time on trio's clock, like a microphone. `LabeledSpeech.source` plays it
at another speed, or in other chunks.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from random import Random
from typing import TypeAlias

import trio
from msgspec import Struct

from ..audio.formats import AudioFormat
from .word_signal import PCM16, AudibleWord, silence, word_audio

_SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
_PAIRS = len(_SYLLABLES) ** 2
_STRIDE = 2741  # coprime to the number of pairs: it visits each of them, and neighbors do not resemble each other

_MARGIN = 0.02
"""Seconds that the parts of one utterance may last longer because each is rounded to whole samples."""

_Part: TypeAlias = float | tuple[str, float]  # silence of so many seconds, or a word and how many seconds it lasts


class LabeledSpeech(Struct, frozen=True):
    """Audio in `audio_format`, and the words in it. Made by `say` and `speech`."""

    audio: bytes
    audio_format: AudioFormat
    words: tuple[AudibleWord, ...]

    @property
    def text(self) -> str:
        """The words, with spaces between."""
        return " ".join(word.text for word in self.words)

    @property
    def samples(self) -> int:
        """The length in samples."""
        return len(self.audio) // self.audio_format.frame_size

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.audio_format.seconds(self.samples)

    def __add__(self, other: LabeledSpeech) -> LabeledSpeech:
        """This speech followed by `other`. Raises `ValueError` if their formats differ."""
        if self.audio_format != other.audio_format:
            raise ValueError(f"speech in {self.audio_format} and in {other.audio_format} cannot be joined")
        later = (AudibleWord(word.text, word.start + self.samples, word.end + self.samples) for word in other.words)
        return LabeledSpeech(self.audio + other.audio, self.audio_format, (*self.words, *later))

    def chunks(self, seconds: float | Sequence[float] = 0.05) -> Iterator[bytes]:
        """The audio in chunks of `seconds`; a sequence of lengths is used in turn, again and again."""
        lengths = itertools.cycle([seconds] if isinstance(seconds, (int, float)) else seconds)
        size, at = self.audio_format.frame_size, 0
        while at < self.samples:
            upto = at + max(1, self.audio_format.samples(next(lengths)))
            yield self.audio[size * at : size * upto]
            at = upto

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.source()

    def source(self, *, chunk: float | Sequence[float] = 0.05, speed: float | None = 1.0) -> Source:
        """Plays the audio in chunks of `chunk` seconds, at `speed` times real time; ``None``: as fast as it is taken.

        Each chunk is given out when its last sample has been spoken, as by a microphone.
        """
        return Source(self, chunk, speed)


class Source:
    """A `LabeledSpeech` being played once. `__anext__` checkpoints; a chunk whose wait was cancelled comes again."""

    def __init__(self, speech: LabeledSpeech, chunk: float | Sequence[float], speed: float | None) -> None:
        self._chunks = speech.chunks(chunk)
        self._format = speech.audio_format
        self._speed = speed
        self._spoken = 0
        self._ready: bytes | None = None
        self._began: float | None = None

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> bytes:
        if self._began is None:
            self._began = trio.current_time()
        if self._ready is None:
            self._ready = next(self._chunks, None)
            if self._ready is None:
                await trio.lowlevel.checkpoint()
                raise StopAsyncIteration
            self._spoken += len(self._ready) // self._format.frame_size
        if self._speed is None:
            await trio.lowlevel.checkpoint()
        else:
            await trio.sleep_until(self._began + self._format.seconds(self._spoken) / self._speed)
        chunk, self._ready = self._ready, None
        return chunk


def say(
    *script: str | float, audio_format: AudioFormat = PCM16, letter: float = 0.05, gap: float = 0.08
) -> LabeledSpeech:
    """The words of `script` as audio. A number is silence, in seconds: ``say(0.5, "turn left", 1.0, "now", 1.0)``.

    `letter`: seconds a letter lasts. `gap`: seconds of silence between two words.
    """
    items: list[str | float] = []
    for part in script:
        items += part.split() if isinstance(part, str) else [part]
    parts: list[_Part] = []
    for item, follows in itertools.pairwise((*items, None)):
        if isinstance(item, str):
            parts += [(item, letter * len(item.encode())), gap if isinstance(follows, str) else 0.0]
        elif item is not None:
            parts.append(item)
    return _assemble(parts, audio_format)


def speech(seconds: float, *, seed: int = 0, audio_format: AudioFormat = PCM16, pause: float = 0.8) -> LabeledSpeech:
    """`seconds` of speech: utterances of 2 to 8 words, with pauses of about `pause` seconds between them.

    No word comes twice, so a transcript shows whether one is missing or repeated. Equal seeds give equal speech, and
    the words of a longer one of the same seed begin like those of a shorter one. If the first utterance does not fit,
    as many of its words are used as fit. Raises `ValueError` if none fits: a test would prove nothing with it.
    """
    random, names = Random(seed), map(pseudoword, itertools.count())  # noqa: S311
    parts: list[_Part] = [random.uniform(0.1, 0.5)]
    while True:
        utterance = [*_utterance(random, names), pause * random.uniform(0.75, 1.25)]
        if _length(parts) + _length(utterance) > seconds:
            break
        parts += utterance
    if len(parts) == 1:
        parts += _fitting(utterance, seconds - _length(parts) - _MARGIN)
    uttered = _assemble(parts, audio_format)
    if not uttered.words:
        raise ValueError(
            f"speech({seconds:g}) is too short for a word: ask for 1 second or more, or use say() for silence"
        )
    total = audio_format.samples(seconds)
    padded = uttered.audio + silence(max(0, total - uttered.samples), audio_format)
    return LabeledSpeech(padded[: total * audio_format.frame_size], audio_format, uttered.words)


def _length(parts: Iterable[_Part]) -> float:
    return sum(part[1] if isinstance(part, tuple) else part for part in parts)


def _fitting(parts: Iterable[_Part], seconds: float) -> Iterator[_Part]:
    """The first parts that last `seconds` at most together."""
    for part in parts:
        seconds -= _length([part])
        if seconds < 0:
            return
        yield part


def pseudoword(number: int) -> str:
    """The invented word number `number`, of two or more syllables. Different numbers give different words."""
    block, place = divmod(number, _PAIRS)
    head, tail = divmod(place * _STRIDE % _PAIRS, len(_SYLLABLES))
    return (pseudoword(block - 1) if block else "") + _SYLLABLES[head] + _SYLLABLES[tail]


def _utterance(random: Random, names: Iterator[str]) -> Iterator[_Part]:
    for index in range(random.randint(2, 8)):
        if index:
            yield random.uniform(0.02, 0.15)
        name = next(names)
        yield name, len(name) * random.uniform(0.04, 0.08)


def _assemble(parts: Iterable[_Part], audio_format: AudioFormat) -> LabeledSpeech:
    audio, words = bytearray(), list[AudibleWord]()
    for part in parts:
        start = len(audio) // audio_format.frame_size
        if not isinstance(part, tuple):
            audio += silence(audio_format.samples(part), audio_format)
        else:
            text, samples = part[0], audio_format.samples(part[1])
            audio += word_audio(text, samples, audio_format)
            words.append(AudibleWord(text, start, start + samples))
    return LabeledSpeech(bytes(audio), audio_format, tuple(words))
