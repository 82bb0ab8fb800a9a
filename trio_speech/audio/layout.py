"""Finds where the samples of a WAV or AU file start and how they are encoded, from its header alone.

libsndfile trusts the sizes in these headers, but they are often wrong: a program that writes into a pipe cannot know
them (ffmpeg and sox write 0 or a very large number), and one that was killed leaves its initial ones. With the layout,
such files are read to their end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

SampleKind: TypeAlias = Literal["u8", "s8", "s16", "s24", "s32", "f32", "f64", "mulaw", "alaw"]

_BYTES: dict[SampleKind, int] = {
    "u8": 1, "s8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8, "mulaw": 1, "alaw": 1,
}  # fmt: skip
# The format tags of WAVE (RFC 2361), with the bits per sample.
_WAVE_KINDS: dict[tuple[int, int], SampleKind] = {
    (1, 8): "u8", (1, 16): "s16", (1, 24): "s24", (1, 32): "s32", (3, 32): "f32", (3, 64): "f64",
    (6, 8): "alaw", (7, 8): "mulaw",
}  # fmt: skip
_WAVE_EXTENSIBLE = 0xFFFE
# The encodings of the audio file format of Sun and NeXT.
_AU_KINDS: dict[int, SampleKind] = {
    1: "mulaw", 2: "s8", 3: "s16", 4: "s24", 5: "s32", 6: "f32", 7: "f64", 27: "alaw",
}  # fmt: skip
_UNKNOWN_SIZE = 0x7FFF_0000
"""Sizes from here on mean that the writer did not know: sox writes 0x7FFFFFFF minus the header, ffmpeg 0xFFFFFFFF."""
_LARGEST_CHUNK = 1 << 20
"""The most bytes of a chunk before the samples. If one is larger, the file is left to libsndfile."""


class SampleLayout(Struct, frozen=True):
    """How samples are stored. `size`: the bytes of all samples, by the header; ``None`` if it does not say."""

    kind: SampleKind
    sample_rate: int
    channels: int
    size: int | None = None
    big_endian: bool = False

    @property
    def frame_size(self) -> int:
        """Bytes of one sample, all channels together."""
        return _BYTES[self.kind] * self.channels


def read_layout(read: Callable[[int], bytes]) -> SampleLayout | None:
    """Reads a header up to the first sample. Returns ``None`` if it is not WAV or AU, or the encoding is compressed.

    `read` must return exactly as many bytes as requested, and fewer only at the end of the file.
    """
    magic = read(4)
    if magic == b"RIFF":
        return _read_wave(read)
    if magic == b".snd":
        return _read_au(read)
    return None


def _read_wave(read: Callable[[int], bytes]) -> SampleLayout | None:
    read(4)  # the size of the file, which is wrong if that of the samples is
    if read(4) != b"WAVE":
        return None
    described: tuple[SampleKind, int, int] | None = None
    while len(header := read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"data":
            return _layout(described, size)
        if size > _LARGEST_CHUNK:
            return None
        chunk = read(size + size % 2)  # chunks begin at even offsets
        if name == b"fmt ":
            described = _describe_wave(chunk)
    return None


def _describe_wave(chunk: bytes) -> tuple[SampleKind, int, int] | None:
    if len(chunk) < 16:
        return None
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _WAVE_EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)  # the format tag is the start of the sub-format's GUID
    kind = _WAVE_KINDS.get((tag, bits))
    return (kind, rate, channels) if kind else None


def _read_au(read: Callable[[int], bytes]) -> SampleLayout | None:
    fields = read(20)
    if len(fields) < 20:
        return None
    start, size, encoding, rate, channels = struct.unpack(">5I", fields)
    kind = _AU_KINDS.get(encoding)
    if kind is None or not 24 <= start <= _LARGEST_CHUNK:
        return None
    read(start - 24)
    return _layout((kind, rate, channels), size, big_endian=True)


def _layout(
    described: tuple[SampleKind, int, int] | None, size: int, *, big_endian: bool = False
) -> SampleLayout | None:
    if described is None or not described[1] or not described[2]:
        return None
    return SampleLayout(*described, None if size == 0 or size >= _UNKNOWN_SIZE else size, big_endian)
