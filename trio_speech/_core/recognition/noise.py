"""Decides which audio may be speech: audio that is louder than the stream's own noise.

Laws
    1. Loudness is the peak of a block of 20 ms, as the magnitude of a 16-bit value (0 to 32,768); several channels and
       G.711 are measured alike.
    2. Until the first final, all audio louder than `FAINTEST` may be speech: without words there is nothing to tell
       the noise from.
    3. Afterwards, the noise is the loudness of the quietest twentieth of the blocks, of which one in five is measured.
       Audio more than twice as loud (6 dB) may be speech.
    4. Sound in which two links have found no word is noise too (`heard_as_noise`), up to its loudness, until a final
       comes for sound that is no louder (`spoken`).

Measuring costs some 20 ms for a minute of audio, so blocks are measured only where a decision needs them, which is
rare. `may_be_speech` is the cheap check for every frame that is sent.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

FAINTEST = 100
"""The peak up to which audio never counts as speech, about -50 dBFS: the noise of a quiet line or of dithering."""

BLOCK = 0.02
"""Seconds of one block: shorter than any word, longer than one period of a deep voice."""

PAUSE = 0.3
"""Seconds of quiet audio that are a pause: longer than the closure of a plosive, shorter than most pauses of breath."""

# A block in every tenth of a second is a sample of the noise as good as all, at a fifth of the cost.
_ONE_IN = 5
SAMPLED_EVERY = _ONE_IN * BLOCK
"""Seconds between two blocks that are looked at where not all of them need be."""
_HISTORY = 300  # measured blocks: the last half minute
_ENOUGH = 10  # measured blocks: one second, below which the noise is not estimated
_QUIETEST = 20  # one block in so many counts as noise
_ABOVE = 2
_FEW = 40  # values that are decoded one by one in less time than all those of a block together
_HIGH_MAGNITUDE = bytes(min(code, 255 - code) for code in range(256))
"""For each high byte of a 16-bit value, the high byte of its magnitude, give or take one: -512 counts like 511. So the
largest magnitude is among the values for which this is largest."""


class NoiseLevel:
    """Estimates the noise of one stream. `rate`: samples per second. `frame_size`: bytes per sample."""

    def __init__(self, encoding: str, rate: int, frame_size: int) -> None:
        self._encoding = encoding
        self._frame_size = frame_size
        self.block = max(1, round(BLOCK * rate))
        self._peaks: deque[int] = deque(maxlen=_HISTORY)
        self._measured_until = 0
        self._raised = 0
        self._has_spoken = False
        self.level = FAINTEST
        """Audio whose peak is no higher than this is noise."""

    def may_be_speech(self, audio: bytes) -> bool:
        """Whether any value of `audio` may be louder than the noise. Fast: called for every frame."""
        return _may_be_louder(audio, self._encoding, self.level)

    def measure(self, audio: bytes, start: int) -> None:
        """Measures the part of `audio` that was not measured yet. `start`: the stream's sample at which it begins."""
        known = max(0, self._measured_until - start)
        new = list(self.peaks(audio[known * self._frame_size :], _ONE_IN))
        if new:
            self._peaks.extend(new)
            self._measured_until = start + len(audio) // self._frame_size
            self._set_level()

    def first_speech(self, audio: bytes) -> int | None:
        """Returns the sample within `audio` at which the first block begins that may be speech, or ``None``."""
        if not self.may_be_speech(audio):
            return None
        size, level = self.block * self._frame_size, self.level
        loud = (at for at in range(0, len(audio), size) if is_louder(audio[at : at + size], self._encoding, level))
        return next((at // self._frame_size for at in loud), None)

    def quiet_at_end(self, audio: bytes) -> int:
        """Returns how many samples at the end of `audio` are quiet, in whole blocks; all of them where none is loud."""
        if not self.may_be_speech(audio):
            return len(audio) // self._frame_size
        size, at = self.block * self._frame_size, len(audio)
        while at > 0 and not is_louder(audio[max(0, at - size) : at], self._encoding, self.level):
            at -= size
        return (len(audio) - max(0, at)) // self._frame_size

    def last_sound_from(self, audio: bytes, pause: int) -> int:
        """Returns the sample within `audio` at which the sound behind its last pause begins; 0 where there is no pause.

        `pause`: how many quiet samples make a pause. It looks backwards from the end, so its cost grows only with the
        length of that sound.
        """
        size = self.block * self._frame_size
        begins, quiet = len(audio) - len(audio) % size, 0
        at = begins - size
        while at >= 0 and quiet < pause:
            if is_louder(audio[at : at + size], self._encoding, self.level):
                begins, quiet = at, 0
            else:
                quiet += self.block
            at -= size
        return begins // self._frame_size if quiet >= pause else 0

    def louder(self, audio: bytes, level: int) -> Iterator[int]:
        """Yields the samples within `audio` at which blocks begin that are louder than `level`.

        One block in each `SAMPLED_EVERY` seconds is looked at.
        """
        if _may_be_louder(audio, self._encoding, level):
            size, each = self.block * self._frame_size, _ONE_IN * self.block * self._frame_size
            for at in range(0, len(audio), each):
                if is_louder(audio[at : at + size], self._encoding, level):
                    yield at // self._frame_size

    def loudness(self, audio: bytes) -> int:
        """Returns the median loudness of some ten blocks of `audio`; 0 where it is empty."""
        blocks = len(audio) // (self.block * self._frame_size)
        peaks = sorted(self.peaks(audio, max(1, blocks // 10)))
        return peaks[len(peaks) // 2] if peaks else 0

    def heard_as_noise(self, audio: bytes) -> None:
        """Call with audio in which two links have found no word: sound up to its loudness is noise from now on."""
        self._raised = max([self._raised, *self.peaks(audio)])
        self._set_level()

    @property
    def is_raised(self) -> bool:
        """Whether the level was raised by `heard_as_noise`, and not lowered by `spoken` since."""
        return self._raised > 0

    def spoken(self, audio: bytes) -> None:
        """Call when a final comes, with its audio; empty where its place is not known, or `is_raised` is false."""
        self._has_spoken = True
        if self._raised and (not audio or not is_louder(audio, self._encoding, self._raised)):
            self._raised = 0
        self._set_level()

    def peaks(self, audio: bytes, one_in: int = 1) -> Iterator[int]:
        """Yields the peak of each block of `audio`, or of the first of each `one_in` blocks."""
        size = self.block * self._frame_size
        for at in range(0, len(audio), one_in * size):
            yield peak(audio[at : at + size], self._encoding)

    def _set_level(self) -> None:
        level = FAINTEST
        if self._has_spoken and len(self._peaks) >= _ENOUGH:
            level = max(level, _ABOVE * sorted(self._peaks)[len(self._peaks) // _QUIETEST])
        self.level = max(level, self._raised)


def peak(audio: bytes, encoding: str) -> int:
    """Returns the largest magnitude in `audio`; 0 where it is empty."""
    if not audio:
        return 0
    if encoding != "pcm_s16le":
        magnitudes = _G711[encoding]
        return max(magnitudes[code] for code in set(audio))
    high = audio[1::2].translate(_HIGH_MAGNITUDE)
    loudest = max(high) if high.translate(None, b"\0") else 0
    if not loudest or high.count(loudest) > _FEW:
        values: tuple[int, ...] = struct.unpack(f"<{len(audio) // 2}h", audio)
        return max(max(values, default=0), -min(values, default=0))  # over two runs of all values
    # Else the largest of the few values with that high byte: to decode all takes twice as long, in speech.
    found, at = 0, high.find(loudest)
    while at >= 0:
        found = max(found, abs(int.from_bytes(audio[2 * at : 2 * at + 2], "little", signed=True)))
        at = high.find(loudest, at + 1)
    return found


def is_louder(audio: bytes, encoding: str, level: int) -> bool:
    """Whether any value of `audio` has a magnitude above `level`.

    The values are decoded only where faster checks of their bytes leave it open, which cost a tenth.
    """
    if not _may_be_louder(audio, encoding, level):
        return False
    return _is_surely_louder(audio, encoding, level) or peak(audio, encoding) > level


def _is_surely_louder(audio: bytes, encoding: str, level: int) -> bool:
    """Whether a high byte of `audio` alone tells that a value is louder than `level`. G.711 has no such bytes."""
    return encoding == "pcm_s16le" and bool(audio[1::2].translate(None, _quiet_codes("high, at least", level)))


def _may_be_louder(audio: bytes, encoding: str, level: int) -> bool:
    """Whether a value of `audio` may have a magnitude above `level`, judging by its bytes.

    It never misses one, except where all values lie between 156 and 255, which no sound does: their low bytes look like
    those of fainter values.
    """
    if encoding != "pcm_s16le":
        return bool(audio.translate(None, _quiet_codes(encoding, level)))
    if audio[1::2].translate(None, _quiet_codes("high", max(level, 255))):
        return True
    return level < 255 and bool(audio[0::2].translate(None, _quiet_codes("low", min(level, FAINTEST))))


def _mulaw(code: int) -> int:
    """ITU-T G.711, table 2: the magnitude in 14 bits, times four."""
    exponent, mantissa = (~code >> 4) & 7, ~code & 15
    return (((mantissa << 3) + 132) << exponent) - 132


def _alaw(code: int) -> int:
    """ITU-T G.711, table 1: the magnitude in 13 bits, times eight."""
    exponent, mantissa = ((code ^ 0x55) >> 4) & 7, (code ^ 0x55) & 15
    return (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 264) << (exponent - 1)


_G711: Mapping[str, list[int]] = {
    "mulaw": [_mulaw(code) for code in range(256)],
    "alaw": [_alaw(code) for code in range(256)],
}
_MAGNITUDE: Mapping[str, Callable[[int], int]] = {
    "mulaw": _mulaw,
    "alaw": _alaw,
    "high": lambda code: (min(code, 255 - code) << 8) + 255,  # at most
    "high, at least": lambda code: (code << 8) if code < 128 else ((255 - code) << 8) + 1,
    "low": lambda code: min(code, 256 - code),
}


@lru_cache(maxsize=256)
def _quiet_codes(kind: str, level: int) -> bytes:
    """Returns the bytes that stand for magnitudes up to `level`. `kind`: a key of `_MAGNITUDE`."""
    magnitude = _MAGNITUDE[kind]
    return bytes(code for code in range(256) if magnitude(code) <= level)
