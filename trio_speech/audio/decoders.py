"""Decoders of audio files. Each returns blocks of samples as 32-bit floats, one column per channel.

Their methods block, so they are called in a thread.

`SampleDecoder` reads plain samples (raw, WAV, AU), also from a pipe while it is being written. `SndfileDecoder` reads
what libsndfile reads (FLAC, Ogg, MP3, AIFF and more), and needs a file that can seek. `MediaDecoder` reads what
FFmpeg's libraries read, such as the recordings of phones and videos; it needs the extra ``media``.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from importlib import import_module
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import soundfile

from ..errors import ConfigurationError
from .g711 import alaw_to_pcm16, mulaw_to_pcm16
from .layout import SampleLayout

_BLOCK_SECONDS = 0.1
"""Seconds of audio in a block. A block in which a decoder fails is lost, so blocks are short."""


class AudioDecoder(Protocol):
    """Decodes one audio file."""

    sample_rate: int
    channels: int
    duration: float | None
    """The seconds of audio that the file announces; ``None`` if it does not say."""
    damage: str | None
    """Why there is less audio than there should be; ``None`` if nothing is missing. Known once all blocks are read."""

    def read(self) -> np.ndarray[Any, Any]:
        """Returns the next block; at the end, one without samples."""
        ...


class SampleDecoder:
    """Reads plain samples in `layout` from the current position of `file`. `length`: the bytes left in it, if known."""

    def __init__(self, file: BinaryIO, layout: SampleLayout, length: int | None) -> None:
        self.sample_rate = layout.sample_rate
        self.channels = layout.channels
        self.damage: str | None = None
        known = [size for size in (layout.size, length) if size is not None]
        self.duration = min(known) // layout.frame_size / layout.sample_rate if known else None
        self._file = file
        self._layout = layout
        self._left = layout.size
        self._rest = b""

    def read(self) -> np.ndarray[Any, Any]:
        frame_size = self._layout.frame_size
        wanted = max(1, round(self.sample_rate * _BLOCK_SECONDS)) * frame_size
        while len(self._rest) < frame_size:
            size = wanted if self._left is None else min(wanted, self._left)
            # With a pipe, read1 returns what is there, so that live audio need not wait for a full block. So does the
            # read of an unbuffered file.
            data = self._file.read1(size) if isinstance(self._file, io.BufferedReader) else self._file.read(size)
            if not data:
                self._end()
                break
            self._rest += data
            if self._left is not None:
                self._left -= len(data)
        whole = len(self._rest) // frame_size * frame_size
        block, self._rest = self._rest[:whole], self._rest[whole:]
        return _floats(block, self._layout).reshape(-1, self.channels)

    def _end(self) -> None:
        if self._left:
            total = (self._layout.size or 0) / self._layout.frame_size / self.sample_rate
            self.damage = f"it is cut short: its header announces {total:.2f} s"
        self._rest = b""


def _floats(block: bytes, layout: SampleLayout) -> np.ndarray[Any, Any]:
    """Converts samples to floats from -1 to 1. For 16 bits and fewer this is exact."""
    order = ">" if layout.big_endian else "<"
    if layout.kind in ("mulaw", "alaw"):
        block, order = (mulaw_to_pcm16 if layout.kind == "mulaw" else alaw_to_pcm16)(block), "<"
    values: np.ndarray[Any, Any]
    match layout.kind:
        case "u8":
            values = (np.frombuffer(block, "u1").astype("f4") - 128) / 128
        case "s8":
            values = np.frombuffer(block, "i1").astype("f4") / 128
        case "s24":
            octets = np.frombuffer(block, "u1").reshape(-1, 3)
            wide = np.zeros((len(octets), 4), "u1")  # each value becomes the upper three bytes of 32 bits
            wide[:, slice(0, 3) if layout.big_endian else slice(1, 4)] = octets
            values = wide.view(f"{order}i4")[:, 0].astype("f4") / 2**31
        case "s32":
            values = np.frombuffer(block, f"{order}i4").astype("f4") / 2**31
        case "f32" | "f64":
            values = np.frombuffer(block, f"{order}f{(layout.kind[1:] == '64' and 8) or 4}").astype("f4")
        case _:
            values = np.frombuffer(block, f"{order}i2").astype("f4") / 2**15
    return values


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]
    """A `SoundFile` that is read from start to end.

    In a file that can seek, soundfile sets the position after each read. In a FLAC file of unknown length, such as one
    that was written into a pipe, this fails after the last block, and that block would be lost.
    """

    def seekable(self) -> bool:
        return False


class SndfileDecoder:
    """Reads files by libsndfile. Raises `ConfigurationError` for a format that it does not know."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        try:
            # Opened without its name: for one that ends in .raw, soundfile would ask how it is encoded.
            self._recording = _ForwardOnly(cast("BinaryIO", _Nameless(file)))
        except (soundfile.LibsndfileError, TypeError, ValueError) as error:
            reason = getattr(error, "error_string", str(error))
            raise ConfigurationError(f"{name} holds no audio that can be decoded: {reason}") from error
        self.sample_rate: int = self._recording.samplerate
        self.channels: int = self._recording.channels
        self.damage: str | None = None
        frames: int = self._recording.frames
        self.duration = frames / self.sample_rate if frames < 2**62 else None  # the largest number means: unknown
        self._frames = max(1, round(self.sample_rate * _BLOCK_SECONDS))

    def read(self) -> np.ndarray[Any, Any]:
        block: np.ndarray[Any, Any] = np.zeros((0, self.channels), "f4")
        try:
            block = self._recording.read(self._frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            reason = error.error_string.removeprefix("Error : ").rstrip(".")
            self.damage = f"it is damaged ({reason or 'it cannot be decoded any further'})"
        return block


class _Nameless:
    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


class MediaDecoder:
    """Reads files by FFmpeg's libraries. Raises `ConfigurationError` for a format that they do not know."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        av = import_module("av")  # a large package, which comes with an extra of its own
        self._errors = av.FFmpegError
        try:
            self._container = av.open(_Nameless(file))  # with a name, it would trust the extension
            self._stream = next(iter(self._container.streams.audio), None)
            if self._stream is None:
                raise ConfigurationError(f"{name} holds no audio")
            if self._stream.codec_context is None:
                raise ConfigurationError(f"{name} holds audio in an encoding that is not known")
            self._resampler = av.AudioResampler("flt", self._stream.layout.name, self._stream.rate)
        except (av.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", str(error))
            raise ConfigurationError(f"{name} holds no audio that can be decoded: {reason}") from error
        self.sample_rate: int = self._stream.rate
        self.channels: int = self._stream.channels
        self.damage: str | None = None
        duration = self._container.duration
        self.duration = duration / 1_000_000 if duration else None
        self._blocks = self._decode()

    def read(self) -> np.ndarray[Any, Any]:
        return next(self._blocks, np.zeros((0, self.channels), "f4"))

    def _decode(self) -> Iterator[np.ndarray[Any, Any]]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                frames = next(packets).decode()
            except StopIteration:
                return
            except self._errors as error:
                self.damage = f"it is damaged ({error.strerror})"
                if isinstance(error, EOFError):
                    return
                continue  # the next packets may be intact
            for frame in frames:
                for converted in self._resampler.resample(frame):
                    yield converted.to_ndarray().reshape(-1, self.channels)


def is_media(head: bytes) -> bool:
    """Whether `head`, the start of a file, is of a format for `MediaDecoder` only: MP4, Matroska, AAC, AMR, ASF."""
    matroska, asf = b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75"
    adts = len(head) > 1 and struct.unpack(">H", head[:2])[0] & 0xFFF6 == 0xFFF0
    return head[4:8] == b"ftyp" or head.startswith((matroska, asf, b"#!AMR")) or adts
