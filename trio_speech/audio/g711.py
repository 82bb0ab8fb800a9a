"""G.711 μ-law and A-law to and from 16-bit PCM.

    pcm = mulaw_to_pcm16(payload)       # from a telephone network, 8,000 samples a second
    payload = pcm16_to_mulaw(pcm)       # and back

Both laws code a sample as a sign, a segment of three bits and a step of four bits. The results are those of ITU-T
G.711 (11/88), tables 1a to 2b. G.711 defines the codes of 14-bit samples (μ-law) and 13-bit samples (A-law); the lowest
bits of a 16-bit sample are dropped by an arithmetic shift, as in Sun's reference code and Python's former ``audioop``.
No resampling takes place, so the sample rate stays the same; interleaved channels stay interleaved.
"""

from __future__ import annotations

import sys
from array import array
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

_MULAW_BIAS = 33
_MULAW_PEAK = 8_158
"""The largest 14-bit magnitude that is not clipped. With the bias added, it is still in the last segment."""


def mulaw_to_pcm16(audio: Buffer) -> bytes:
    """Decodes μ-law, one byte a value, into signed 16-bit little-endian PCM."""
    return _decode(audio, _decode_mulaw)


def alaw_to_pcm16(audio: Buffer) -> bytes:
    """Decodes A-law, one byte a value, into signed 16-bit little-endian PCM."""
    return _decode(audio, _decode_alaw)


def pcm16_to_mulaw(pcm: Buffer) -> bytes:
    """Encodes signed 16-bit little-endian PCM as μ-law. Raises `ConfigurationError` for half a value."""
    return _encode(pcm, _encode_mulaw)


def pcm16_to_alaw(pcm: Buffer) -> bytes:
    """Encodes signed 16-bit little-endian PCM as A-law. Raises `ConfigurationError` for half a value."""
    return _encode(pcm, _encode_alaw)


def _decode_mulaw(code: int) -> int:
    inverted = ~code & 0xFF  # μ-law is sent with all bits inverted, so that silence keeps the line busy
    segment, step = inverted >> 4 & 7, inverted & 15
    magnitude = ((2 * step + _MULAW_BIAS) << segment) - _MULAW_BIAS
    return 4 * (-magnitude if inverted & 0x80 else magnitude)


def _encode_mulaw(value: int) -> int:
    sample = value >> 2
    magnitude = min(abs(sample), _MULAW_PEAK) + _MULAW_BIAS
    segment = magnitude.bit_length() - 6
    step = magnitude >> segment + 1 & 15
    return ~((0x80 if sample < 0 else 0) | segment << 4 | step) & 0xFF


def _decode_alaw(code: int) -> int:
    toggled = code ^ 0x55  # A-law is sent with every other bit inverted
    segment, step = toggled >> 4 & 7, toggled & 15
    # Segments 0 and 1 have the same step size; from 1 on, each has an implicit leading bit. All values are mid-step.
    magnitude = 2 * step + 1 if segment == 0 else (2 * step + 33) << segment - 1
    return 8 * (magnitude if toggled & 0x80 else -magnitude)


def _encode_alaw(value: int) -> int:
    sample = value >> 3
    magnitude = sample if sample >= 0 else ~sample  # A-law has no zero: -1 is to +0 what -2 is to +1
    segment = max(0, magnitude.bit_length() - 5)
    step = magnitude >> max(1, segment) & 15
    return ((0x80 if sample >= 0 else 0) | segment << 4 | step) ^ 0x55


@cache
def _decoding_tables(decode: Callable[[int], int]) -> tuple[bytes, bytes]:
    """Returns two tables: for each code, the low byte and the high byte of its value."""
    pairs = b"".join(decode(code).to_bytes(2, "little", signed=True) for code in range(256))
    return pairs[0::2], pairs[1::2]


@cache
def _encoding_table(encode: Callable[[int], int]) -> bytes:
    """Returns the code of each 16-bit value; negative values come after the positive ones, as in two's complement."""
    return bytes(map(encode, chain(range(32_768), range(-32_768, 0))))


def _decode(audio: Buffer, decode: Callable[[int], int]) -> bytes:
    low, high = _decoding_tables(decode)
    codes = memoryview(audio).tobytes()
    pcm = bytearray(2 * len(codes))
    pcm[0::2], pcm[1::2] = codes.translate(low), codes.translate(high)  # two passes in C, none in Python
    return bytes(pcm)


def _encode(pcm: Buffer, encode: Callable[[int], int]) -> bytes:
    octets = memoryview(pcm).tobytes()
    if len(octets) % 2:
        raise ConfigurationError(f"pcm must hold whole 16-bit values, and {len(octets)} bytes are an odd number")
    values = array("H", octets)
    if sys.byteorder == "big":  # pragma: no cover
        values.byteswap()
    return bytes(map(_encoding_table(encode).__getitem__, values))
