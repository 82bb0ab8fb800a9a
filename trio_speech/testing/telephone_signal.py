"""Encodes words in telephone audio: they survive G.711 μ-law and A-law, and conversions between these and PCM.

A sample has one of 240 levels, which are what both laws tell apart: a level is a class of μ-law and A-law codes that
conversions in any order never leave. One level is silence. Each other level in use stands for one of

    W            the first sample of a word
    E, phase     the last sample of a word
    i, l         another sample of a word, with its phase and four bits of a letter

The phase is the position in the word modulo 7. At even phases a sample holds the upper four bits of its letter (a UTF-8
byte), at odd phases the lower four. ``l`` is the third sample of a letter: the letter belongs to the piece that holds
this sample. Of the two samples before it and the two after it, such a piece holds enough to know both halves, however
the word was cut, unless the piece is shorter than three samples.

Seven is prime and no usual chunk size at 8,000 Hz is a multiple of it. Still, this signal notices missing or repeated
samples only if they are not a multiple of 7, and the one for PCM (`wide_signal`) is the sharper one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from struct import unpack
from typing import TypeAlias

from ..audio.formats import Encoding
from ..audio.g711 import alaw_to_pcm16, mulaw_to_pcm16, pcm16_to_alaw, pcm16_to_mulaw
from .wide_signal import SignalReading

_PERIOD = 7
_OWNER = 2  # the index of a letter's ``l`` sample
_UNKNOWN = 0xFF  # no UTF-8 text has this byte: it decodes to U+FFFD
_CODES = bytes(range(256))

_Symbol: TypeAlias = tuple[str, int, int]
"""Mark, phase and four bits of a letter."""

_SYMBOLS: tuple[_Symbol, ...] = (
    ("W", 0, 0),
    *(("E", phase, 0) for phase in range(_PERIOD)),
    *((mark, phase, nibble) for mark, phase, nibble in product("il", range(_PERIOD), range(16))),
)


class _Level:
    """A class of μ-law and A-law codes that conversions never leave, and the PCM value that stands for it."""

    def __init__(self, mulaw: frozenset[int], alaw: frozenset[int]) -> None:
        self.mulaw = mulaw
        self.alaw = alaw
        pcm = mulaw_to_pcm16(bytes(sorted(mulaw))) + alaw_to_pcm16(bytes(sorted(alaw)))
        self.values: tuple[int, ...] = unpack(f"<{len(pcm) // 2}h", pcm)
        self.pcm = self.values[0]


def _levels() -> Iterator[_Level]:
    """Yields the classes of codes that conversions never leave, silence included."""
    to_alaw, to_mulaw = pcm16_to_alaw(mulaw_to_pcm16(_CODES)), pcm16_to_mulaw(alaw_to_pcm16(_CODES))
    left = set(_CODES)
    while left:
        mulaw: set[int] = set()
        alaw: set[int] = set()
        reached = {left.pop()}
        while reached - mulaw:
            mulaw |= reached
            alaw |= {to_alaw[code] for code in mulaw}
            alaw |= {code for code in _CODES if to_mulaw[code] in mulaw}
            reached = {to_mulaw[code] for code in alaw} | {code for code in _CODES if to_alaw[code] in alaw}
        left -= mulaw
        yield _Level(frozenset(mulaw), frozenset(alaw))


@cache
def _assigned() -> dict[_Symbol, _Level]:
    """Assigns a level to each symbol.

    The first sample of a word and the samples at odd phases have a negative level below -256. Words in `wide_signal`
    never do, so two samples tell which of the two signals PCM holds.
    """
    levels = sorted((level for level in _levels() if 0 not in level.values), key=lambda level: level.pcm)
    negative = [level for level in levels if max(level.values) < -256]
    others = sorted((level for level in levels if level not in negative), key=lambda level: -abs(level.pcm))
    pools = {True: iter(negative), False: iter(others)}
    return {symbol: next(pools[symbol[0] == "W" or symbol[1] % 2 == 1]) for symbol in _SYMBOLS}


def _table(codes: dict[int, int], default: int) -> bytes:
    return bytes(codes.get(code, default) for code in range(256))


@cache
def telephone_signal(encoding: Encoding) -> TelephoneSignal:
    """The signal in one encoding. It is made when it is first needed, because finding the levels takes a moment."""
    return TelephoneSignal(encoding)


class TelephoneSignal:
    """Made by `telephone_signal`. See the module."""

    period = _PERIOD
    shortest_letter = 6
    letter_marks = b"l"

    def __init__(self, encoding: Encoding) -> None:
        self.value_size = 2 if encoding == "pcm_s16le" else 1
        self.silence = {"pcm_s16le": b"\0\0", "mulaw": b"\xff", "alaw": b"\xd5"}[encoding]
        self._encoding = encoding
        levels = [(symbol, level.alaw if encoding == "alaw" else level.mulaw) for symbol, level in _assigned().items()]
        self._marks = _table({code: ord(mark) for (mark, _, _), codes in levels for code in codes}, ord("."))
        self._phases = _table({code: phase for (_, phase, _), codes in levels for code in codes}, 0)
        self._nibbles = _table({code: nibble for (_, _, nibble), codes in levels for code in codes}, 0)
        self._values = {symbol: self._value(level) for symbol, level in _assigned().items()}

    def _value(self, level: _Level) -> bytes:
        pcm: bytes = level.pcm.to_bytes(2, "little", signed=True)
        return {"pcm_s16le": pcm, "mulaw": pcm16_to_mulaw(pcm), "alaw": pcm16_to_alaw(pcm)}[self._encoding]

    def write(self, letters: bytes, samples: int) -> bytes:
        """Returns a word, given as UTF-8, as `samples` samples."""
        onsets = [index * samples // len(letters) for index in range(len(letters) + 1)]
        symbols: list[_Symbol] = []
        for letter, start, end in zip(letters, onsets, onsets[1:], strict=False):
            halves = letter >> 4, letter & 15
            for at in range(start, end):
                phase = at % _PERIOD
                symbols.append(("l" if at - start == _OWNER else "i", phase, halves[phase % 2]))
        symbols[0] = ("W", 0, 0)
        symbols[-1] = ("E", (samples - 1) % _PERIOD, 0)
        return b"".join(map(self._values.__getitem__, symbols))

    def read(self, audio: bytes) -> SignalReading:
        """Decodes each sample of `audio`."""
        codes = pcm16_to_mulaw(audio) if self._encoding == "pcm_s16le" else audio
        return SignalReading(
            codes.translate(self._marks), codes.translate(self._phases), codes.translate(self._nibbles)
        )

    def letter(self, reading: SignalReading, at: int, start: int, end: int) -> int:
        """Returns the letter whose mark is at sample `at`, in a piece from `start` to `end`.

        In a piece that is too short it is `_UNKNOWN`.
        """
        halves: dict[int, int] = {}
        for near in range(max(start, at - _OWNER), min(end, at + _OWNER + 1)):
            if reading.marks[near] in b"il":
                halves[reading.phases[near] % 2] = reading.data[near]
        return halves[0] << 4 | halves[1] if len(halves) == 2 else _UNKNOWN
