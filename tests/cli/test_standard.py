"""Standard input and output in place of files, and the checks of a file before a clip is made for it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trio_speech import AudioClip, AudioFormat, ConfigurationError
from trio_speech.cli import standard


def test_standard_input_that_is_not_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xffhello"), "utf-8"))
    with pytest.raises(ConfigurationError, match="standard input is not text in utf-8"):
        standard.read_text()


def test_closed_standard_streams_are_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    for use in (
        standard.read_text,
        lambda: standard.check_output("-"),
        lambda: standard.write_clip(CLIP, "-"),
        lambda: standard.source_of("-"),
    ):
        with pytest.raises(OSError, match="standard input or output"):
            use()


TONE = 0.5 * np.sin(np.arange(30_000) / 8)
CLIP = AudioClip((TONE * 32_767).astype("<i2").tobytes(), AudioFormat.pcm16(24_000), ())


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_clip_is_written_as_its_ending_says(tmp_path: Path, ending: str) -> None:
    name = str(tmp_path / f"clip.{ending}")
    standard.check_output(name)
    standard.write_clip(CLIP, name)
    samples, rate = soundfile.read(name, dtype="int16")
    assert rate == 24_000
    assert samples.astype("<i2").tobytes() == CLIP.audio
    assert soundfile.info(name).format == ending.upper()


def test_a_clip_goes_to_standard_output_as_wav(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer))
    standard.check_output("-")
    standard.write_clip(CLIP, "-")
    buffer.seek(0)
    samples, rate = soundfile.read(buffer, dtype="int16")
    assert (samples.astype("<i2").tobytes(), rate) == (CLIP.audio, 24_000)


@pytest.mark.parametrize("name", ["speech", "speech.txt", "speech.doc", "speech.raw"])
def test_an_ending_that_is_no_audio_format_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="ending"):
        standard.check_output(name)


def test_a_missing_folder_is_found_before_anything_is_spoken(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        standard.check_output(str(tmp_path / "nowhere" / "speech.wav"))


def test_a_file_that_cannot_be_written_is_an_error_of_the_operating_system(tmp_path: Path) -> None:
    (tmp_path / "speech.wav").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        standard.write_clip(CLIP, str(tmp_path / "speech.wav"))
    assert caught.value.filename == str(tmp_path / "speech.wav")
