"""The scripted voice: it turns text into audio that encodes the text, and behaves as a `Delivery` says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Literal, TypeAlias

from msgspec import Struct

from ..._core.provider.messages import Aligned, Audio, Done
from ..._core.provider.profile import TtsProfile
from ...audio.formats import AudioFormat
from ...events import Word
from ..word_signal import Band, silence, word_audio
from .manner import ENCODINGS
from .recognizer import Pause


class Delivery(Struct, frozen=True, kw_only=True):
    """How the scripted voice speaks. By default it sends word times. All durations are in seconds."""

    letter: float = 0.05
    """How long a letter of a word lasts."""
    gap: float = 0.08
    """Silence after each word."""
    variation: float = 0.0
    """The share by which words last longer or shorter, drawn anew for each text; 0: equal texts give equal audio."""
    seed: int = 0
    alignment: Literal["words", "chars"] | None = "words"
    aligns: Literal["after", "before"] = "after"
    """Whether the times of a word come after or before the audio in which it ends."""
    spaced: bool = False
    """The text of an aligned word includes the space after it."""
    chunk: float = 0.1
    """Audio in one message."""
    latency: float = 0.0
    """Time until the first audio of a text."""
    speed: float | None = None
    """How fast audio is sent, as a multiple of real time; ``None``: at once."""
    band: Band = "wide"
    """``"telephone"``: words in PCM survive a conversion to μ-law or A-law and back. (In these they always do.)"""
    done: Literal["flush", "text"] = "flush"
    """``"text"``: each text is answered by its own `Done`, and the flush by one more."""

    def profile(self) -> TtsProfile:
        """Returns the provider profile that describes a service of this delivery."""
        return TtsProfile(
            aligned=self.alignment is not None,
            spaced_words=self.spaced,
            deterministic=not self.variation,
            quiet_after_done=0.0 if self.done == "flush" else 0.5,
            encodings=ENCODINGS,
        )


class AlignedCharacters(Struct, frozen=True):
    """Times of single characters, instead of word times."""

    characters: tuple[Word, ...]


SynthesizerOutput: TypeAlias = Audio | Aligned | AlignedCharacters | Done | Pause


class ScriptedSynthesizer:
    """Speaks on one connection. `synthesis` numbers the texts over all connections, so that variations differ."""

    def __init__(self, delivery: Delivery, audio_format: AudioFormat, synthesis: Iterator[int] | None = None) -> None:
        self.delivery = delivery
        self._format = audio_format
        self._rate = audio_format.sample_rate
        self._synthesis = synthesis or count()
        self._said = 0

    def speak(self, text: str) -> Iterator[SynthesizerOutput]:
        """Yields the audio of a text and its word times. These count from the first text after the last `flush`."""
        delivery = self.delivery
        audio, words = self._render(text)
        if delivery.latency:
            yield Pause(delivery.latency)
        frame_size = self._format.frame_size
        size = frame_size * max(1, self._format.samples(delivery.chunk))
        for at in range(0, len(audio), size):
            piece = audio[at : at + size]
            start, self._said = self._said, self._said + len(piece) // frame_size
            aligned = self._align([word for word in words if start < round(word.end * self._rate) <= self._said])
            sound: tuple[SynthesizerOutput, ...] = (Audio(piece),)
            yield from (*sound, *aligned) if delivery.aligns == "after" else (*aligned, *sound)
            if delivery.speed:
                yield Pause(self._format.seconds(len(piece) // frame_size) / delivery.speed)
        if delivery.done == "text":
            yield Done()

    def flush(self) -> Iterator[SynthesizerOutput]:
        """Ends the generation (the texts up to a flush), and yields `Done`. Word times then start at 0 again."""
        self._said = 0
        yield Done()

    def cancel(self) -> None:
        """Abandons the generation: word times then start at 0 again."""
        self._said = 0

    def _render(self, text: str) -> tuple[bytes, list[Word]]:
        random = Random(f"{self.delivery.seed}:{next(self._synthesis)}")  # noqa: S311
        audio, words = bytearray(), list[Word]()
        for word in text.replace("\0", " ").split():  # the audio cannot encode NUL: it is the letter of silence
            start = self._said + len(audio) // self._format.frame_size
            stretch = 1 + self.delivery.variation * random.uniform(-1, 1)
            samples = round(stretch * self.delivery.letter * len(word.encode()) * self._rate)
            audio += word_audio(word, samples, self._format, self.delivery.band)
            words.append(Word(word, start / self._rate, (start + samples) / self._rate))
            audio += silence(round(self.delivery.gap * self._rate), self._format)
        return bytes(audio), words

    def _align(self, words: list[Word]) -> tuple[SynthesizerOutput, ...]:
        if not words or self.delivery.alignment is None:
            return ()
        if self.delivery.alignment == "chars":
            return (AlignedCharacters(tuple(char for word in words for char in _spelled(word))),)
        space = " " if self.delivery.spaced else ""
        return (Aligned(tuple(Word(word.text + space, word.start, word.end) for word in words)),)


def _spelled(word: Word) -> Iterator[Word]:
    """Yields the characters of a word, and the space after it, with their times."""
    length = (word.end - word.start) / len(word.text)
    for index, character in enumerate(word.text):
        yield Word(character, word.start + index * length, word.start + (index + 1) * length)
    yield Word(" ", word.end, word.end)
