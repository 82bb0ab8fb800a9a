"""The default voice: Hibari, a small neural voice whose model is in its wheel.

Equal texts give equal samples: the noise in the voice is drawn from the same seed each time.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, cast

import numpy
from hibari import Hibari, dsp
from hibari.tts import ASSETS

from ..engines import SpokenWord
from .playback import Utterance

RATE = 24_000

_HOP = 300  # samples for each frame of the model's output
_LONGEST = 350  # phonemes spoken at once
_SEED = 0
_LONG_NUMBER = re.compile(r"\d{13,}")  # spoken digit by digit: the package fails on numbers too large to name
_PAUSES = ".,;:!?…—"
# A node inside the graph, not one of its outputs: the step at which each phoneme ends.
_ENDS = b"/CumSum_output_0"


class HibariEngine:
    """The model in this process: loads in 1 s, takes 200 MB, speaks fifty times faster than real time."""

    def __init__(self) -> None:
        model = Path(ASSETS, "hibari.onnx").read_bytes()
        self._hibari = Hibari(model=model + _field(7, _field(12, _field(1, _ENDS))))

    def speak(self, text: str, speed: float) -> Utterance:
        """Speaks one or two sentences. `speed`: relative to the voice's own pace, which is 1."""
        written = text.split()
        spoken = self._phonemes(text)
        counts = self._counts(written, spoken)
        samples = array("h")
        times: list[tuple[int, int]] = []
        for phrase in _phrases(spoken):
            audio, heard = self._say(phrase, speed)
            times += [(start + len(samples), end + len(samples)) for start, end in heard]
            samples.extend(audio)
        return Utterance(samples, RATE, tuple(_words(written, counts, times)))

    def _phonemes(self, text: str) -> list[str]:
        """Returns the phonemes of each spoken word; "$5" is two of them."""
        phonemes: str = self._hibari.g2p(_LONG_NUMBER.sub(lambda digits: " ".join(digits.group()), text))
        return phonemes.split()

    def _counts(self, written: list[str], spoken: list[str]) -> list[int]:
        """Returns how many spoken words each written word becomes."""
        if len(written) == len(spoken):
            return [1] * len(written)
        counts = [len(self._phonemes(word)) for word in written]
        if sum(counts) != len(spoken):  # a word can be spoken differently beside others: guess by length
            shares = [at * len(spoken) // sum(map(len, written)) for at in accumulate(map(len, written), initial=0)]
            counts = [after - before for before, after in pairwise(shares)]
        return counts

    def _say(self, words: list[str], speed: float) -> tuple[array[int], list[tuple[int, int]]]:
        """Returns the samples of a phrase, and the start and end of each word in them."""
        ids = self._hibari.ids(" ".join(words))
        inputs = {"ids": numpy.asarray([ids], numpy.int64), "speed": numpy.asarray([speed], numpy.float32)}
        *outputs, ends = cast(list[Any], self._hibari.sess.run(None, inputs))
        lh, theta, ln, lr, phi, f0 = (output[0] for output in outputs)
        wave = dsp.synth(lh, theta, ln, lr, phi, f0, numpy.random.default_rng(_SEED))
        step = len(wave) // int(ends[-1])
        pcm = numpy.clip(wave * 32_767, -32_768, 32_767).astype(numpy.int16)
        return array("h", pcm.tobytes()), list(self._times(words, [int(end) * step for end in ends]))

    def _times(self, words: list[str], ends: list[int]) -> Iterator[tuple[int, int]]:
        """Yields the first sample of each word and the one after its last.

        `ends` has a pad, then the end of each phoneme that the model knows; others are skipped.
        """
        at = 1
        for word in words:
            first, last = at, at + self._known(word.rstrip(_PAUSES))
            yield ends[first - 1], ends[max(first, last) - 1]
            at = first + self._known(word) + self._known(" ")

    def _known(self, phonemes: str) -> int:
        return sum(phoneme in self._hibari.vocab for phoneme in phonemes)


def _phrases(words: list[str]) -> Iterator[list[str]]:
    """Splits the words into phrases that are short enough for the model."""
    phrase: list[str] = []
    for word in words:
        if phrase and len(" ".join([*phrase, word])) > _LONGEST:
            yield phrase
            phrase = []
        phrase.append(word)
    if phrase:
        yield phrase


def _words(written: list[str], counts: list[int], times: list[tuple[int, int]]) -> Iterator[SpokenWord]:
    """Yields each written word with its start and end.

    A written word may be spoken as several ("42": "forty two"): `counts` says as how many, `times` when each is spoken.
    """
    at = end = 0
    for word, count in zip(written, counts, strict=True):
        start = times[at][0] if count else end
        end = times[at + count - 1][1] if count else end
        yield SpokenWord(word, start, end)
        at += count


def _field(number: int, body: bytes) -> bytes:
    """Encodes a protocol buffer field. Appended to the model, it adds one more output to the graph."""
    return bytes([number << 3 | 2, len(body)]) + body
