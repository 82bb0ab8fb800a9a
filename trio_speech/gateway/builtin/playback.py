"""Hands out a voice's audio piece by piece, at the client's sample rate."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from ..engines import SpokenWord
from .resample import Resampler

_LEAST = 0.1  # seconds of silence for a text without words, such as "...": clients take no audio at all for a failure


class Utterance(NamedTuple):
    """A text as a voice speaks it, at the voice's own sample rate."""

    samples: array[int]
    sample_rate: int
    words: tuple[SpokenWord, ...]


class Playback:
    """One utterance, resampled to `sample_rate`. The times in `words` are samples at that rate."""

    def __init__(self, utterance: Utterance, sample_rate: int) -> None:
        self._rate = utterance.sample_rate
        self._samples = utterance.samples or array("h", bytes(2 * round(_LEAST * self._rate)))
        self._resampler = Resampler(self._rate, sample_rate)
        self._at = 0
        self.words = tuple(
            SpokenWord(word.text, word.start * sample_rate // self._rate, word.end * sample_rate // self._rate)
            for word in utterance.words
        )

    def next(self, seconds: float) -> bytes:
        """Returns the next audio, about so many seconds of it; empty at the end."""
        samples = self._samples[self._at : self._at + round(seconds * self._rate)]
        if not samples:
            return b""
        audio = self._resampler.push(samples)
        self._at += len(samples)
        if self._at == len(self._samples):
            audio.extend(self._resampler.finish())
        return audio.tobytes()
