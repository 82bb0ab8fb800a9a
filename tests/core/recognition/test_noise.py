"""What may be speech is what is louder than the stream's own noise."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.noise import FAINTEST, NoiseLevel, is_louder, peak
from trio_speech.audio import AudioFormat

RATE = 1_000
BLOCK = 20  # samples: 20 ms


def pcm(*blocks: int) -> bytes:
    """Blocks of a square wave of these peaks."""
    return b"".join(struct.pack("<hh", each, -each) * (BLOCK // 2) for each in blocks)


def noise(encoding: str = "pcm_s16le", frame_size: int = 2) -> NoiseLevel:
    return NoiseLevel(encoding, RATE, frame_size)


@given(
    st.lists(st.integers(-32_768, 32_767) | st.integers(-600, 600), min_size=1, max_size=50),
    st.sampled_from([1, 20, 60]),
    st.integers(0, 32_767),
)
def test_audio_is_louder_than_a_level_if_its_peak_is(few: list[int], times: int, level: int) -> None:
    values = few * times
    audio = struct.pack(f"<{len(values)}h", *values)
    loudest = max(map(abs, values))
    assert peak(audio, "pcm_s16le") == loudest
    if loudest > 255 or loudest <= 155:
        assert is_louder(audio, "pcm_s16le", level) == (loudest > level)


@given(st.binary(min_size=1, max_size=50), st.sampled_from(["mulaw", "alaw"]), st.integers(0, 33_000))
def test_g711_is_louder_than_a_level_if_its_peak_is(audio: bytes, encoding: str, level: int) -> None:
    assert is_louder(audio, encoding, level) == (peak(audio, encoding) > level)


@pytest.mark.parametrize(("encoding", "quiet", "loudest"), [("mulaw", 0xFF, 0x00), ("alaw", 0xD5, 0xAA)])
def test_in_g711_silence_is_quiet_and_the_loudest_code_is_not(encoding: str, quiet: int, loudest: int) -> None:
    level = noise(encoding, 1)
    assert not level.may_be_speech(bytes([quiet]) * BLOCK)
    assert level.may_be_speech(bytes([quiet, loudest]) * BLOCK)
    assert peak(bytes([quiet, loudest]), encoding) > 30_000


def test_before_a_final_came_all_that_is_not_faint_may_be_speech() -> None:
    level = noise()
    level.measure(pcm(*[9_000] * 100), 0)
    assert level.level == FAINTEST
    assert level.first_speech(pcm(0, 0, FAINTEST + 1, 0)) == 2 * BLOCK
    assert level.first_speech(pcm(0, FAINTEST, 0)) is None


def test_after_a_final_the_quietest_twentieth_tells_the_noise() -> None:
    level = noise()
    level.spoken(b"")
    level.measure(pcm(*[300] * 10, *[8_000] * 90), 0)
    assert level.level == 600
    assert level.first_speech(pcm(600, 700)) == BLOCK


def test_a_second_of_audio_is_needed_to_tell_the_noise() -> None:
    level = noise()
    level.spoken(b"")
    level.measure(pcm(*[8_000] * 45), 0)
    assert level.level == FAINTEST
    level.measure(pcm(8_000), 45 * BLOCK)
    assert level.level == 16_000


def test_audio_that_was_measured_is_not_measured_again() -> None:
    level = noise()
    level.spoken(b"")
    level.measure(pcm(*[300] * 50), 0)
    level.measure(pcm(*[300] * 50), 0)
    level.measure(pcm(*[300] * 50, *[9_000] * 10), 0)
    assert level.level == 600


def test_one_block_in_five_stands_for_all() -> None:
    level = noise()
    level.spoken(b"")
    level.measure(pcm(*[8_000, 200, 200, 200, 200] * 20), 0)
    assert level.level == 16_000


def test_what_was_heard_as_noise_is_noise_until_a_final_comes_out_of_it() -> None:
    level = noise()
    level.heard_as_noise(pcm(5_000, 4_000))
    assert (level.level, level.is_raised) == (5_000, True)
    level.spoken(pcm(9_000))
    assert level.is_raised
    level.spoken(pcm(4_000))
    assert (level.level, level.is_raised) == (FAINTEST, False)


def test_a_final_without_a_place_ends_what_was_taken_for_noise() -> None:
    level = noise()
    level.heard_as_noise(pcm(5_000))
    level.spoken(b"")
    assert not level.is_raised


def test_no_audio_has_no_peak() -> None:
    assert peak(b"", "pcm_s16le") == 0
    assert peak(struct.pack("<h", -7), "pcm_s16le") == 7


def test_stereo_is_measured_by_whole_samples() -> None:
    stereo = AudioFormat.pcm16(RATE, channels=2)
    level = NoiseLevel(stereo.encoding, RATE, stereo.frame_size)
    assert level.first_speech(bytes(4 * BLOCK) + pcm(900, 900)) == BLOCK
