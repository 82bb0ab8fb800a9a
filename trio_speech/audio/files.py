"""Reads audio files as sources of sessions, and writes audio to files. Needs the extra ``audio``.

    async with open_audio("talk.flac") as recording:
        async with client.transcribe(recording, recording.audio_format) as transcript:
            async for event in transcript: ...

    write_audio("answer.wav", clip.audio, clip.audio_format)

WAV, AU, FLAC, Ogg, MP3, AIFF and whatever else libsndfile reads; with the extra ``media`` also the m4a, mp4 and webm of
phones and browsers. Files are decoded as they are read, so an hour of audio needs no more memory than a minute.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import numpy as np
import soxr
import trio

from ..errors import ConfigurationError, SpeechError
from .decoders import AudioDecoder, MediaDecoder, SampleDecoder, SndfileDecoder, is_media
from .formats import AudioFormat
from .layout import SampleKind, SampleLayout, read_layout
from .names import readable
from .opening import opened_in_thread
from .writing import write_audio

__all__ = ["AudioFile", "AudioPath", "DamagedAudio", "open_audio", "write_audio"]

AudioPath: TypeAlias = str | os.PathLike[str] | BinaryIO
"""The name of a file (or of a FIFO), or an open file in binary mode."""

_RAW_KINDS: dict[str, SampleKind] = {"pcm_s16le": "s16", "mulaw": "mulaw", "alaw": "alaw"}

_RATES = range(1_000, 768_001)
"""The sample rates that recordings have; a header with another would make hours of silence of a second."""


class DamagedAudio(SpeechError):
    """A file ended early, or could not be decoded any further. What came before has been given out.

    Attributes:
        seconds: How much audio was given out.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class AudioFile:
    """A file being decoded, as an async iterator of PCM16 of one channel. Made by `open_audio`.

    `__anext__` decodes in a worker thread, and checkpoints. Cancelling it loses at most the block being decoded.
    """

    def __init__(
        self, decoder: AudioDecoder, name: str, sample_rate: int, channel: int | None, speed: float | None
    ) -> None:
        self.audio_format = AudioFormat.pcm16(sample_rate)
        """The format of the chunks."""
        self.duration = decoder.duration
        """The seconds of audio that the file announces; ``None`` if it does not say."""
        self.name = name
        """The name of the file, for messages."""
        self._decoder = decoder
        self._channel = channel
        self._speed = speed
        self._began: float | None = None
        self._resampler = soxr.ResampleStream(decoder.sample_rate, sample_rate, 1, dtype="float32")
        self._given = 0
        self._ended = False

    @property
    def position(self) -> float:
        """Seconds of the file that have been given out."""
        return self._given / self._decoder.sample_rate

    @property
    def damage(self) -> DamagedAudio | None:
        """What is wrong with the file, as far as it has been read; ``None``: nothing."""
        if self._decoder.damage is None:
            return None
        return DamagedAudio(
            f"{self.name}: {self._decoder.damage}, of which {self.position:.2f} s were read", self.position
        )

    def __aiter__(self) -> AudioFile:
        return self

    async def __anext__(self) -> bytes:
        while not self._ended:
            audio, samples = await trio.to_thread.run_sync(self._block, abandon_on_cancel=True)
            self._given += samples
            await self._pace()
            if audio:
                return audio
        await trio.lowlevel.checkpoint()
        raise StopAsyncIteration

    async def _pace(self) -> None:
        if self._speed is not None:
            self._began = trio.current_time() if self._began is None else self._began
            await trio.sleep_until(self._began + self.position / self._speed)

    def _block(self) -> tuple[bytes, int]:
        samples = self._decoder.read()
        self._ended = not len(samples)
        mono = samples.mean(axis=1) if self._channel is None else samples[:, self._channel]
        mono = np.where(np.isfinite(mono), mono, 0.0).astype("f4")  # infinities and NaN would spread in the resampler
        resampled = self._resampler.resample_chunk(mono, last=self._ended)
        pcm = np.clip((resampled * 32_768).round(), -32_768, 32_767).astype("<i2").tobytes()
        return pcm, len(samples)


@asynccontextmanager
async def open_audio(
    file: AudioPath,
    *,
    sample_rate: int = 16_000,
    channel: int | None = None,
    speed: float | None = None,
    raw: AudioFormat | None = None,
) -> AsyncGenerator[AudioFile, None]:
    """Opens an audio file as a source.

    Args:
        file: A name, or an open binary file. A FIFO or a pipe is read while it is being written if it holds WAV, AU or
            raw samples; other formats are read once it has ended.
        sample_rate: Samples a second to resample to.
        channel: The channel to use, from 0; ``None``: the mean of all.
        speed: Multiples of real time at which to give the audio out, as from a microphone; ``None``: as fast as it is
            taken.
        raw: The format of a file that holds samples alone, without a header.

    Raises `OSError` if the file cannot be opened, and `ConfigurationError` if it holds no audio that can be decoded. A
    file that is cut short or damaged gives out what can be decoded; leaving the block then raises `DamagedAudio`,
    unless another exception leaves it.
    """
    name = readable(str(getattr(file, "name", "the file")) if hasattr(file, "read") else os.fspath(cast("str", file)))
    # In a thread, because opening a FIFO blocks until there is a writer and its first bytes.
    async with opened_in_thread(partial(_open_decoder, file, name, raw)) as decoder:
        if decoder.sample_rate not in _RATES:
            raise ConfigurationError(
                f"{name} announces {decoder.sample_rate} samples a second: its header is damaged, as no recording has "
                f"less than {_RATES[0]} or more than {_RATES[-1]}"
            )
        if channel is not None and not 0 <= channel < decoder.channels:
            raise ConfigurationError(f"channel must be from 0 to {decoder.channels - 1} for {name}, not {channel!r}")
        recording = AudioFile(decoder, name, sample_rate, channel, speed)
        yield recording
        if recording.damage is not None:
            raise recording.damage


def _open_decoder(file: AudioPath, name: str, raw: AudioFormat | None, opened: ExitStack) -> AudioDecoder:
    is_open = hasattr(file, "read")
    binary = cast("BinaryIO", file) if is_open else opened.enter_context(_open(Path(cast("str", file))))
    length = _length(binary)
    if raw is not None:
        layout = SampleLayout(_RAW_KINDS[raw.encoding], raw.sample_rate, raw.channels)
        return SampleDecoder(binary, layout, length)
    replay = _Replay(binary)
    found = read_layout(replay.read)
    if found is not None:
        return SampleDecoder(binary, found, None if length is None else length - len(replay.seen))
    if length is None:
        spool = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # other decoders seek
        spool.write(replay.seen)
        shutil.copyfileobj(binary, spool)
        binary = spool
    binary.seek(0)
    head = binary.read(16)
    binary.seek(0)
    if not head:
        raise ConfigurationError(f"{name} is empty")
    return _compressed_decoder(binary, name, head)


def _compressed_decoder(binary: BinaryIO, name: str, head: bytes) -> AudioDecoder:
    if not is_media(head):
        try:
            return SndfileDecoder(binary, name)
        except ConfigurationError:
            if find_spec("av") is None:
                raise
            binary.seek(0)
    if find_spec("av") is None:
        raise ConfigurationError(
            f"{name} is in a format of phones or videos, which needs another package: pip install 'trio-speech[media]'"
        )
    return MediaDecoder(binary, name)


def _open(path: Path) -> BinaryIO:
    """Opens a file. A FIFO gets no buffer, since closing one waits for a thread that reads from it."""
    return cast("BinaryIO", path.open("rb") if path.is_file() else path.open("rb", buffering=0))


def _length(binary: BinaryIO) -> int | None:
    """Returns the number of bytes left in a file; ``None`` for a pipe or a terminal."""
    try:
        regular = stat.S_ISREG(os.fstat(binary.fileno()).st_mode)
    except (OSError, io.UnsupportedOperation, AttributeError):
        regular = binary.seekable()  # such as an io.BytesIO
    if not regular:
        return None
    here = binary.tell()
    end = binary.seek(0, os.SEEK_END)
    binary.seek(here)
    return end - here


class _Replay:
    """Reads exactly as many bytes as requested, and keeps them in `seen`, because a pipe cannot be read twice."""

    def __init__(self, file: BinaryIO) -> None:
        self.seen = b""
        self._file = file

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (more := self._file.read(size - len(data))):
            data += more
        self.seen += data
        return data
