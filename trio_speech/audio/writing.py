"""Writes audio to files, in any format that libsndfile knows. Needs the extra ``audio``."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from ..errors import ConfigurationError
from .formats import AudioFormat
from .g711 import alaw_to_pcm16, mulaw_to_pcm16


def check_writable(file: str | os.PathLike[str]) -> None:
    """Checks the name of a file to be written, before the audio for it is made.

    Raises `ConfigurationError` if its ending is not a format that can be written, and `FileNotFoundError` if its folder
    does not exist.
    """
    name = os.fspath(file)
    if not soundfile.check_format(_ending(name)):
        raise ConfigurationError(f"{name}: use an ending that names an audio format, such as .wav, .flac or .ogg")
    if not Path(name).parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def write_audio(file: str | os.PathLike[str], audio: bytes, audio_format: AudioFormat) -> None:
    """Writes audio to a file, in the format that its ending names, such as ``.wav``, ``.flac`` or ``.ogg``.

    Raises `ConfigurationError` for another ending, and `OSError` if the file cannot be written.
    """
    check_writable(file)
    Path(file).write_bytes(encode_audio(audio, audio_format, _ending(os.fspath(file))))


def encode_audio(audio: bytes, audio_format: AudioFormat, container: str = "WAV") -> bytes:
    """Returns a whole file, as bytes. `container`: as libsndfile names it, such as ``"WAV"`` or ``"FLAC"``."""
    to_pcm: Callable[[bytes], bytes] | None = {"mulaw": mulaw_to_pcm16, "alaw": alaw_to_pcm16}.get(
        audio_format.encoding
    )
    samples = np.frombuffer(to_pcm(audio) if to_pcm else audio, "<i2").reshape(-1, audio_format.channels)
    encoded = io.BytesIO()  # encoders seek back to write sizes into the header; and libsndfile hides errors of writing
    soundfile.write(encoded, samples, audio_format.sample_rate, format=container)
    return encoded.getvalue()


def _ending(name: str) -> str:
    return Path(name).suffix.removeprefix(".").upper()
