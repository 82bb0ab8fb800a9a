"""Files in and out: what is decoded is what was recorded, at the rate that was asked for."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from trio_speech import AudioClip, AudioFormat, ConfigurationError
from trio_speech.cli import audiofile

SECONDS = 1.3
HERTZ = 440.0


def tone(rate: int, channels: int = 1) -> Any:
    wave = 0.5 * np.sin(2 * np.pi * HERTZ * np.arange(round(SECONDS * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


async def decoded(name: str, rate: int) -> tuple[Any, list[float]]:
    taken: list[float] = []
    with audiofile.open_recording(name) as recording:
        audio = b"".join([chunk async for chunk in audiofile.pcm(recording, rate, taken.append)])
    return np.frombuffer(audio, "<i2") / 32_768, taken


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (44_100, 2)])
async def test_any_format_becomes_mono_at_the_rate_asked_for(
    tmp_path: Path, ending: str, rate: int, channels: int
) -> None:
    name = str(tmp_path / f"tone.{ending}")
    soundfile.write(name, tone(rate, channels), rate)
    samples, taken = await decoded(name, 16_000)
    assert len(samples) == pytest.approx(SECONDS * 16_000, abs=2)
    assert sum(taken) == pytest.approx(SECONDS)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() / SECONDS == pytest.approx(HERTZ, abs=1)
    middle = samples[1_000:-1_000]  # away from the edges, where a resampler rings
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.02)


async def test_what_needs_no_resampling_stays_bit_for_bit(tmp_path: Path) -> None:
    name = str(tmp_path / "exact.wav")
    noise = np.random.default_rng(7).integers(-32_768, 32_768, 20_001, dtype=np.int16)
    soundfile.write(name, noise, 16_000)
    samples, _ = await decoded(name, 16_000)
    assert np.array_equal(samples * 32_768, noise)


async def test_a_block_that_ends_with_the_file_is_not_lost(tmp_path: Path) -> None:
    name = str(tmp_path / "whole.wav")
    soundfile.write(name, tone(16_000)[:16_000], 16_000)
    samples, taken = await decoded(name, 16_000)
    assert len(samples) == 16_000
    assert taken == [0.5, 0.5, 0.0]


async def test_a_sample_a_second_is_read_to_its_end(tmp_path: Path) -> None:
    name = str(tmp_path / "slow.wav")
    soundfile.write(name, np.zeros(3), 1)
    samples, taken = await decoded(name, 8_000)
    assert (len(samples), sum(taken)) == (24_000, 3)


async def test_full_scale_does_not_wrap_around(tmp_path: Path) -> None:
    name = str(tmp_path / "loud.wav")
    soundfile.write(name, np.ones(4_000), 8_000, subtype="FLOAT")
    samples, _ = await decoded(name, 16_000)
    assert samples[200:-200].min() > 0.9


async def test_standard_input_is_decoded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(16_000), 16_000, format="FLAC")
    buffer.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(buffer))
    samples, _ = await decoded("-", 16_000)
    assert len(samples) == round(SECONDS * 16_000)


async def test_what_is_no_number_is_silence(tmp_path: Path) -> None:
    name = str(tmp_path / "broken.wav")
    samples = tone(16_000)[:, 0].astype("float32")
    samples[100], samples[200] = np.nan, np.inf
    soundfile.write(name, samples, 16_000, subtype="FLOAT")
    found, _ = await decoded(name, 16_000)
    samples[[100, 200]] = 0.0
    assert np.abs(found - samples).max() < 1e-4


async def test_a_damaged_recording_is_no_defect_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "damaged.flac"
    soundfile.write(path, np.random.default_rng(7).uniform(-0.5, 0.5, 40_000), 16_000)
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(ConfigurationError, match="the recording is damaged and cannot be decoded"):
        await decoded(str(path), 16_000)


def test_what_is_no_text_on_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xffhello"), "utf-8"))
    with pytest.raises(ConfigurationError, match="standard input is no text in utf-8"):
        audiofile.read_text()


def test_standard_streams_may_have_been_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    for use in (
        audiofile.read_text,
        lambda: audiofile.check_writable("-"),
        lambda: audiofile.write_clip(CLIP, "-"),
        audiofile.open_recording("-").__enter__,
    ):
        with pytest.raises(OSError, match="standard input or output"):
            use()


def test_what_is_no_audio_is_named(tmp_path: Path) -> None:
    name = str(tmp_path / "notes.wav")
    Path(name).write_text("not a recording")
    with pytest.raises(ConfigurationError, match=r"notes\.wav holds no audio"), audiofile.open_recording(name):
        pass
    with pytest.raises(FileNotFoundError), audiofile.open_recording(str(tmp_path / "absent.wav")):
        pass


CLIP = AudioClip((tone(24_000)[:, 0] * 32_767).astype("<i2").tobytes(), AudioFormat.pcm16(24_000), ())


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_clip_is_written_as_its_ending_says(tmp_path: Path, ending: str) -> None:
    name = str(tmp_path / f"clip.{ending}")
    audiofile.check_writable(name)
    audiofile.write_clip(CLIP, name)
    samples, rate = soundfile.read(name, dtype="int16")
    assert rate == 24_000
    assert samples.astype("<i2").tobytes() == CLIP.audio
    assert soundfile.info(name).format == ending.upper()


def test_a_clip_goes_to_standard_output_as_wav(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer))
    audiofile.check_writable("-")
    audiofile.write_clip(CLIP, "-")
    buffer.seek(0)
    samples, rate = soundfile.read(buffer, dtype="int16")
    assert (samples.astype("<i2").tobytes(), rate) == (CLIP.audio, 24_000)


@pytest.mark.parametrize("name", ["speech", "speech.txt", "speech.doc", "speech.raw"])
def test_an_ending_that_is_no_audio_format_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="ending"):
        audiofile.check_writable(name)


def test_a_folder_that_is_not_there_is_found_before_anything_is_spoken(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        audiofile.check_writable(str(tmp_path / "nowhere" / "speech.wav"))


def test_a_file_that_cannot_be_written_is_an_error_of_the_operating_system(tmp_path: Path) -> None:
    (tmp_path / "speech.wav").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        audiofile.write_clip(CLIP, str(tmp_path / "speech.wav"))
    assert caught.value.filename == str(tmp_path / "speech.wav")
