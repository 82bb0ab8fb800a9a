"""Word times: where in the audio each word of a known text is, by PocketSphinx's forced alignment.

Moonshine returns words without times. PocketSphinx makes too many mistakes to recognize words here, but it finds the
times of words that are known: within 80 ms or so, for 0.01 s of CPU a second of audio.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Sequence
from typing import Any

from pocketsphinx import Decoder, get_model_path

from .frames import RATE

_FRAME = RATE // 100
_CHUNK = RATE // 5 * 2  # bytes: the interpreter's lock is held for 5 ms at a time
_CEPSTRAL_MEAN = "40,3,-1"
# Wider than for recognition: with those, a word that was misheard before the alignment costs the times of all.
_BEAMS = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60}
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
# A word that is not in the dictionary is sounded out, letter by letter. It has to be no better than its place between
# two known words needs.
_SOUNDS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            "AE",
            "B",
            "K",
            "D",
            "EH",
            "F",
            "G",
            "HH",
            "IH",
            "JH",
            "K",
            "L",
            "M",
            "N",
            "AA",
            "P",
            "K",
            "R",
            "S",
            "T",
            "AH",
            "V",
            "W",
            "K",
            "IY",
            "Z",
        ],
        strict=True,
    )
)


class WordAligner:
    """Finds words by PocketSphinx: takes 0.2 s to load, and 30 MB. Threads may share it: they take turns."""

    def __init__(self) -> None:
        # Without a language model: it would take another 30 MB, and nothing is recognized here.
        model, dictionary = get_model_path("en-us/en-us"), get_model_path("en-us/cmudict-en-us.dict")
        self._decoder: Any = Decoder(lm=None, hmm=model, dict=dictionary, samprate=RATE, loglevel="FATAL", **_BEAMS)
        for letter, sound in _SOUNDS.items():
            self._decoder.add_word(_sounded(letter), sound, False)
        self._turn = threading.Lock()

    def align(self, pcm: bytes, words: Sequence[str]) -> list[tuple[int, int]]:
        """Returns for each word its first sample in `pcm` (at 16 kHz) and the one after its last.

        Returns an empty list when the words cannot be found.
        """
        spoken = [self._spoken(word) for word in words]
        with self._turn:
            found = self._found(pcm, " ".join(part for parts in spoken for part in parts))
        if len(found) != sum(map(len, spoken)):
            return []
        times, at, end = [], 0, 0
        for parts in spoken:
            start = found[at][0] if parts else end
            at += len(parts)
            end = found[at - 1][1] if parts else end
            times.append((start, end))
        return times

    def _spoken(self, word: str) -> list[str]:
        """Returns the dictionary's words for one written word; an empty list for a dash."""
        parts = []
        for part in re.findall(r"[a-z]+(?:'[a-z]+)*|\d", word.lower().replace("’", "'")):
            if part.isdigit():
                parts.append(_DIGITS[int(part)])
            elif self._decoder.lookup_word(part) is not None:
                parts.append(part)
            else:
                parts += [_sounded(letter) for letter in part if letter in _SOUNDS]
        return parts

    def _found(self, pcm: bytes, text: str) -> list[tuple[int, int]]:
        if not text:
            return []
        decoder = self._decoder
        decoder.set_align_text(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            decoder.start_stream()  # deprecated, but without it the noise level of the last call is kept
        decoder.set_cmn(_CEPSTRAL_MEAN)
        decoder.start_utt()
        for start in range(0, len(pcm), _CHUNK):
            decoder.process_raw(pcm[start : start + _CHUNK])
        decoder.end_utt()
        return [
            (segment.start_frame * _FRAME, (segment.end_frame + 1) * _FRAME)
            for segment in decoder.seg() or ()
            if not segment.word.startswith(("<", "["))
        ]


def _sounded(letter: str) -> str:
    """Returns the name under which the dictionary has the sound of a letter."""
    return f"_{letter}"
