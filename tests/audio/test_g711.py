"""G.711 over all 65,536 values and all 256 codes, against the standard's tables and against ``audioop``'s results."""

from __future__ import annotations

import hashlib
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

import pytest

from trio_speech import ConfigurationError
from trio_speech.audio import alaw_to_pcm16, mulaw_to_pcm16, pcm16_to_alaw, pcm16_to_mulaw

VALUES = range(-32_768, 32_768)
PCM = struct.pack("<65536h", *VALUES)
CODES = bytes(range(256))

# The decision values of ITU-T G.711, as the lengths of the intervals between them: column 6 of tables 2a (μ-law, for
# 14-bit samples) and 1a (A-law, for 13-bit samples). The last one of μ-law ends at 8159, and of A-law at 4096.
MULAW_STEPS = [1, *[2] * 15, *(length for power in range(2, 9) for length in [2**power] * 16)]
ALAW_STEPS = [*[2] * 32, *(length for power in range(2, 8) for length in [2**power] * 16)]


def values(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


def mulaw_by_table(value: int) -> tuple[int, int]:
    """The code of a 16-bit value, and the 16-bit value of that code."""
    sample = value >> 2
    decisions = [0, *accumulate(MULAW_STEPS)]
    number = min(bisect_right(decisions, abs(sample)) - 1, 127)
    # Column 8: the value of an interval is its middle, and that of the first one is 0.
    middle = (decisions[number] + decisions[number + 1]) // 2 if number else 0
    sign = 0x80 if sample >= 0 else 0
    return sign | (127 - number), 4 * (middle if sample >= 0 else -middle)


def alaw_by_table(value: int) -> tuple[int, int]:
    sample = value >> 3
    decisions = [0, *accumulate(ALAW_STEPS)]
    number = bisect_right(decisions, sample if sample >= 0 else -sample - 1) - 1
    middle = (decisions[number] + decisions[number + 1]) // 2
    sign = 0x80 if sample >= 0 else 0
    return (sign | number) ^ 0x55, 8 * (middle if sample >= 0 else -middle)


Conversion = Callable[[bytes], bytes]
LAWS = pytest.mark.parametrize(
    ("encode", "decode", "by_table"),
    [(pcm16_to_mulaw, mulaw_to_pcm16, mulaw_by_table), (pcm16_to_alaw, alaw_to_pcm16, alaw_by_table)],
    ids=["mulaw", "alaw"],
)


def test_the_tables_of_the_standard_end_where_it_says() -> None:
    assert (sum(MULAW_STEPS), len(MULAW_STEPS)) == (8_159, 128)
    assert (sum(ALAW_STEPS), len(ALAW_STEPS)) == (4_096, 128)


@LAWS
def test_every_value_is_coded_as_the_tables_of_the_standard_say(
    encode: Conversion, decode: Conversion, by_table: Callable[[int], tuple[int, int]]
) -> None:
    expected = [by_table(value) for value in VALUES]
    codes = encode(PCM)
    assert list(codes) == [code for code, _ in expected]
    assert list(values(decode(codes))) == [value for _, value in expected]


# Of ``audioop`` in Python 3.11: lin2ulaw and lin2alaw over `PCM`, ulaw2lin and alaw2lin over `CODES`.
AUDIOOP = {
    pcm16_to_mulaw: (PCM, "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a"),
    pcm16_to_alaw: (PCM, "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b"),
    mulaw_to_pcm16: (CODES, "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"),
    alaw_to_pcm16: (CODES, "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174"),
}


@pytest.mark.parametrize("convert", AUDIOOP, ids=lambda convert: convert.__name__)
def test_the_results_are_those_of_the_former_standard_library(convert: Conversion) -> None:
    given, digest = AUDIOOP[convert]
    assert hashlib.sha256(convert(given)).hexdigest() == digest


@LAWS
def test_every_code_survives_decoding_and_encoding(
    encode: Conversion, decode: Conversion, by_table: Callable[[int], tuple[int, int]]
) -> None:
    again = encode(decode(CODES))
    # μ-law has two codes for 0; the positive one is given out. All others are one to one.
    assert [code for code in CODES if again[code] != code] == ([0x7F] if encode is pcm16_to_mulaw else [])
    assert decode(again) == decode(CODES)


def test_the_examples_of_silence_and_full_scale() -> None:
    assert pcm16_to_mulaw(struct.pack("<4h", 0, 32_767, -32_768, -1)) == b"\xff\x80\x00\x7e"
    assert values(mulaw_to_pcm16(b"\xff\x80\x00\x7f")) == (0, 32_124, -32_124, 0)
    assert pcm16_to_alaw(struct.pack("<4h", 0, 32_767, -32_768, -1)) == b"\xd5\xaa\x2a\x55"
    assert values(alaw_to_pcm16(b"\xd5\xaa\x2a\x55")) == (8, 32_256, -32_256, -8)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda pcm: array("h", values(pcm))])
def test_any_bytes_like_object_is_converted(kind: Callable[[bytes], bytes]) -> None:
    assert pcm16_to_mulaw(kind(PCM)) == pcm16_to_mulaw(PCM)
    assert mulaw_to_pcm16(kind(PCM)) == mulaw_to_pcm16(PCM)
    assert pcm16_to_alaw(b"") == alaw_to_pcm16(b"") == b""


@pytest.mark.parametrize("encode", [pcm16_to_mulaw, pcm16_to_alaw])
def test_half_a_value_is_refused(encode: Conversion) -> None:
    with pytest.raises(ConfigurationError, match="whole 16-bit values, and 3 bytes are an odd number"):
        encode(b"123")
