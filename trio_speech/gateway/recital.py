"""From what eSpeak makes of a text to what goes over the wire: noise, the client's sample rate, and the alignment."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from .engines import SpokenWord
from .espeak import RATE, Utterance
from .resample import Resampler

_NOISE_SEED = 1
_NOISE_DEVIATION = 30.0  # of 32,768, that is -61 dBFS: without it the recogniser makes three times as many mistakes
_NOISE_PERIOD = 3 * RATE
_LONGEST_STRETCH = RATE  # samples at once
_AUDIBLE = 64
_LEAST = RATE // 10  # samples for a text with nothing to say in it: something must come
_WORD = re.compile(r"\S+")


class Recital:
    """One text as audio at `sample_rate`, handed out in stretches. Equal texts give equal samples."""

    def __init__(self, text: str, utterance: Utterance, sample_rate: int) -> None:
        self._samples = utterance.samples or array("h", bytes(2 * _LEAST))
        self._resampler = Resampler(RATE, sample_rate)
        self._at = 0
        self.words = align(text, utterance, sample_rate)

    def next(self, seconds: float) -> bytes:
        """About so many seconds of audio more; nothing when all has been handed out."""
        samples = self._samples[self._at : self._at + min(_LONGEST_STRETCH, round(seconds * RATE))]
        if not samples:
            return b""
        audio = self._resampler.push(_with_noise(samples, self._at))
        self._at += len(samples)
        if self._at == len(self._samples):
            audio.extend(self._resampler.finish())
        return audio.tobytes()


def align(text: str, utterance: Utterance, sample_rate: int) -> tuple[SpokenWord, ...]:
    """Each word of `text` as it is written there, with the samples, at `sample_rate`, between which it can be heard."""

    def at_rate(sample: int) -> int:
        return sample * sample_rate // RATE

    return tuple(
        SpokenWord(word, at_rate(start), at_rate(end))
        for group in _groups(text, utterance)
        for word, start, end in _shares(*group)
    )


def _groups(text: str, utterance: Utterance) -> Iterator[tuple[list[str], int, int]]:
    """Words that are spoken in one go ("in the"), of which only the first has a mark: with their start and end."""
    words = [(match.start(), match.group()) for match in _WORD.finditer(text)]
    marks = [_mark(utterance, index, index + len(word)) for index, word in words]
    firsts = [index for index, mark in enumerate(marks) if mark is not None or index == 0]
    for first, beyond in zip(firsts, [*firsts[1:], len(words)], strict=True):
        start = marks[first] or 0
        following = marks[beyond] if beyond < len(words) else None
        end = _last_audible(utterance.samples, start, len(utterance.samples) if following is None else following)
        yield [word for _, word in words[first:beyond]], start, end


def _mark(utterance: Utterance, begin: int, end: int) -> int | None:
    return min((sample for sample, at in utterance.marks if begin <= at < end), default=None)


def _shares(words: list[str], start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The time of a group, divided by the lengths of its words."""
    letters, before = sum(map(len, words)), 0
    for word in words:
        after = before + len(word)
        yield word, start + (end - start) * before // letters, start + (end - start) * after // letters
        before = after


def _last_audible(samples: array[int], start: int, following: int) -> int:
    end = following
    while end > start and abs(samples[end - 1]) < _AUDIBLE:
        end -= 1
    return end


def _with_noise(samples: array[int], at: int) -> array[int]:
    noise = _noise()
    first = at % _NOISE_PERIOD
    floor = noise[first : first + len(samples)]
    return array("h", [min(32_767, max(-32_768, sample + hiss)) for sample, hiss in zip(samples, floor, strict=True)])


@lru_cache(maxsize=1)
def _noise() -> list[int]:
    draw = Random(_NOISE_SEED)  # noqa: S311 - it is to be the same each time
    period = [round(draw.gauss(0.0, _NOISE_DEVIATION)) for _ in range(_NOISE_PERIOD)]
    return period + period[:_LONGEST_STRETCH]
