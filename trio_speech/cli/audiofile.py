"""Audio files as the service wants them, and back: whatever libsndfile reads, as mono PCM16 of one rate."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import soundfile
import soxr
import trio

from trio_speech import AudioClip, ConfigurationError

STANDARD = "-"
"""Standard input or output, in place of a file's name."""
_BLOCK_SECONDS = 0.5


@contextmanager
def open_recording(name: str) -> Generator[soundfile.SoundFile]:
    """The recording `name`, decoded as it is read. Raises `OSError`, and `ConfigurationError` for what is no audio."""
    with _seekable(name) as file:
        try:
            recording = soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            raise ConfigurationError(f"{name} holds no audio that can be decoded: {error.error_string}") from error
        with recording:
            yield recording


def duration(recording: soundfile.SoundFile) -> float:
    """Seconds of audio."""
    return float(recording.frames / recording.samplerate)


async def pcm(
    recording: soundfile.SoundFile, sample_rate: int, taken: Callable[[float], object]
) -> AsyncGenerator[bytes]:
    """The recording as mono PCM16 at `sample_rate`. `taken` is told of each block: how many seconds it holds.

    Decoding and resampling run in a worker thread, one block of half a second at a time. What is no number is silence.
    Raises `ConfigurationError` where the recording is damaged.
    """
    resampler = soxr.ResampleStream(recording.samplerate, sample_rate, 1, dtype="float32")
    frames = max(1, round(recording.samplerate * _BLOCK_SECONDS))

    def block() -> tuple[int, bytes]:
        try:
            samples = recording.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise ConfigurationError(f"the recording is damaged and cannot be decoded: {error.error_string}") from error
        samples[~np.isfinite(samples)] = 0.0
        mono = np.ascontiguousarray(samples.mean(axis=1))
        resampled = resampler.resample_chunk(mono, last=len(samples) < frames)
        return len(samples), np.clip((resampled * 32_768).round(), -32_768, 32_767).astype("<i2").tobytes()

    read = frames
    while read == frames:
        read, audio = await trio.to_thread.run_sync(block)
        if audio:
            yield audio
        taken(read / recording.samplerate)


def check_writable(name: str) -> None:
    """Raises `ConfigurationError` where the ending of `name` is not a format that can be written, `OSError` where there
    is no such folder, or no standard output: before anything is spoken that could not be kept."""
    if name == STANDARD:
        opened(sys.stdout)
        return
    if not soundfile.check_format(_ending(name)):
        raise ConfigurationError(f"{name}: use an ending that names an audio format, such as .wav, .flac or .ogg")
    if not Path(name).parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def write_clip(clip: AudioClip, name: str) -> None:
    """Writes PCM16 `clip` to the file `name`, in the format that its ending names; standard output gets WAV.

    Raises `OSError`, which libsndfile would hide if it wrote the file itself.
    """
    samples = np.frombuffer(clip.audio, "<i2").reshape(-1, clip.audio_format.channels)
    encoded = io.BytesIO()  # a WAV header counts what follows it, so it needs a file that can seek
    audio_format = "WAV" if name == STANDARD else _ending(name)
    soundfile.write(encoded, samples, clip.audio_format.sample_rate, format=audio_format)
    if name != STANDARD:
        Path(name).write_bytes(encoded.getvalue())
        return
    output = opened(sys.stdout).buffer
    output.write(encoded.getvalue())
    output.flush()


def opened(stream: TextIO | None) -> TextIO:
    """Standard input or output. Raises `OSError` where whoever started us has closed it."""
    if stream is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input or output")
    return stream


def read_text() -> str:
    """What standard input holds. Raises `OSError`, and `ConfigurationError` for what is no text."""
    stream = opened(sys.stdin)
    try:
        return stream.read()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"standard input is no text in {stream.encoding}: {error.reason}") from error


def _ending(name: str) -> str:
    return Path(name).suffix.removeprefix(".").upper()


@contextmanager
def _seekable(name: str) -> Generator[BinaryIO]:
    """The bytes of `name`. Standard input is spooled to a temporary file, since decoders seek."""
    if name != STANDARD:
        with Path(name).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(opened(sys.stdin).buffer, spool)
        spool.seek(0)
        yield spool
