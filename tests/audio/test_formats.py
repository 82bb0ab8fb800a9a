from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError

formats = st.builds(
    AudioFormat, st.sampled_from(["pcm_s16le", "mulaw", "alaw"]), st.integers(1_000, 192_000), st.integers(1, 32)
)


@pytest.mark.parametrize(
    ("audio_format", "frame_size", "text"),
    [
        (AudioFormat.pcm16(16_000), 2, "pcm_s16le at 16000 Hz, mono"),
        (AudioFormat.pcm16(48_000, channels=2), 4, "pcm_s16le at 48000 Hz, 2 channels"),
        (AudioFormat.mulaw(), 1, "mulaw at 8000 Hz, mono"),
        (AudioFormat.alaw(16_000, 3), 3, "alaw at 16000 Hz, 3 channels"),
    ],
)
def test_a_sample_is_one_instant_of_all_channels(audio_format: AudioFormat, frame_size: int, text: str) -> None:
    assert audio_format.frame_size == frame_size
    assert str(audio_format) == text


@given(formats, st.integers(0, 10**12))
def test_samples_to_seconds_and_back_is_exact(audio_format: AudioFormat, samples: int) -> None:
    assert audio_format.samples(audio_format.seconds(samples)) == samples


@given(formats, st.floats(0, 10**6))
def test_seconds_are_rounded_to_the_nearest_sample(audio_format: AudioFormat, seconds: float) -> None:
    off = abs(audio_format.seconds(audio_format.samples(seconds)) - seconds)
    assert off <= 0.5000001 / audio_format.sample_rate + seconds * 1e-15


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ((["pcm"], 16_000), "encoding must be one of"),
        (("pcm", 16_000), "encoding must be one of alaw, mulaw, pcm_s16le, not 'pcm'"),
        (("mulaw", 999), "sample_rate must be a whole number of hertz .* not 999"),
        (("mulaw", 192_001), "sample_rate must be a whole number of hertz .* not 192001"),
        (("mulaw", 8_000.0), "sample_rate must be a whole number of hertz .* not 8000.0"),
        (("mulaw", 8_000.5), "sample_rate must be a whole number of hertz .* not 8000.5"),
        (("mulaw", 8_000, 0), "channels must be .* not 0"),
        (("mulaw", 8_000, 33), "channels must be .* not 33"),
        (("mulaw", 8_000, True), "channels must be .* not True"),
    ],
)
def test_an_invalid_format_is_refused(fields: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        AudioFormat(*fields)


@given(formats, st.integers(0, 50), st.integers(0, 200))
def test_only_whole_samples_are_taken(audio_format: AudioFormat, samples: int, odd: int) -> None:
    size = audio_format.frame_size
    assert len(audio_format.whole_samples(bytes(samples * size))) == samples * size
    if odd % size:
        with pytest.raises(ConfigurationError, match="not a whole number of"):
            audio_format.whole_samples(bytes(samples * size + odd % size))


PCM = bytes(range(16))


@pytest.mark.parametrize(
    "audio",
    [
        PCM,
        bytearray(PCM),
        memoryview(PCM),
        array("h", PCM),
        memoryview(PCM).cast("h"),
        memoryview(PCM).cast("h", (4, 2)),
    ],
)
def test_any_bytes_like_object_is_seen_as_flat_bytes_without_a_copy(audio: Any) -> None:
    view = AudioFormat.pcm16(16_000, 2).whole_samples(audio)
    assert (view.format, view.ndim, bytes(view)) == ("B", 1, PCM)
    assert view.obj is (audio.obj if isinstance(audio, memoryview) else audio)


@pytest.mark.parametrize("audio", [b"", bytearray(), memoryview(b"").cast("h"), array("h")])
def test_no_audio_is_no_samples(audio: Any) -> None:
    assert bytes(AudioFormat.pcm16(16_000).whole_samples(audio)) == b""


def test_objects_that_are_not_contiguous_bytes_are_refused() -> None:
    with pytest.raises(TypeError, match="audio must be a bytes-like object, not str"):
        AudioFormat.pcm16(16_000).whole_samples("audio")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="contiguous"):
        AudioFormat.pcm16(16_000).whole_samples(memoryview(PCM)[::2])


@pytest.mark.parametrize("kind", ["f", "d"])
def test_buffers_of_floats_are_refused(kind: str) -> None:
    with pytest.raises(ConfigurationError, match=r"audio must be pcm_s16le at .*, not floating-point numbers"):
        AudioFormat.pcm16(16_000).whole_samples(array(kind, [0.5, -0.5]))
