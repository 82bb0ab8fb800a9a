"""The format of a journal: the file in which a session keeps its unsettled audio in case its process crashes.

Laws
    1. The index, at the front of the file, names the bytes that count: ``[begin, end)``. They are whole records. All
       other bytes behind the index are left over, and are ignored.
    2. A record is in the file before the index names it, and the index is written in one write. So a process that is
       killed at any moment leaves either the journal of before the write or the one of after it.
    3. The index and each record carry a checksum. So damage is detected: a file that ends before `end`, or in which a
       bit that counts has changed.

    offset   content
    ──────   ──────────────────────────────────────────────────────────────────────────────
    0        `JournalIndex`, 64 bytes
    begin    the header twice, so that damage to one of them does not take the session with it
    …        audio, in the order in which it was captured; the header again where the request has changed
    end      left over: free to be written

Numbers are little-endian. Sample positions are on the stream's clock.

SQLite in WAL mode would be less code. But behind a flipped bit or a cut in its log it reads no further and reports
success, which a journal must never do. Writing a frame also costs three times as much there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import msgspec

from ...audio import AudioFormat, Encoding
from ...errors import ConfigurationError
from ..provider.requests import FallbackModel, TranscribeRequest

VERSION = 2
INDEX_SIZE = 64
RECORD_START = b"\xf5tsj"

_MAGIC = b"\x89tsjrnl\n"
_INDEX = struct.Struct("<8sHQQQQQQ")
_CHECKSUM = struct.Struct("<I")
_HEAD = struct.Struct("<4scIQQQ")
_OVERHEAD = _HEAD.size + _CHECKSUM.size
_COMPACT_AT = 2**20


class JournalIndex(msgspec.Struct, frozen=True):
    """Which bytes of the file count, and how far the session has come.

    `begin`, `end`: the bytes that count. `start`, `captured`: the samples at which their audio starts and ends.
    `settled`: the sample before which all audio is settled; it lies before `start` where unsettled audio was given up
    (see `ReplayPolicy.overflow`). `ordinal`: how many finals were delivered.
    """

    begin: int
    end: int
    start: int
    captured: int
    settled: int
    ordinal: int

    def pack(self) -> bytes:
        """Returns the bytes of the index, without the padding up to `INDEX_SIZE`."""
        packed = _INDEX.pack(
            _MAGIC, VERSION, self.begin, self.end, self.start, self.captured, self.settled, self.ordinal
        )
        return packed + _CHECKSUM.pack(crc32(packed))

    def needed(self, owed_from: int, frame_size: int) -> int:
        """Returns the size in bytes of the audio from sample `owed_from` on."""
        return max(0, self.captured - max(owed_from, self.start)) * frame_size

    def is_worth_compacting(self, owed_from: int, frame_size: int) -> bool:
        """Whether more than half of the bytes that count, and more than 1 MiB, is audio before sample `owed_from`.

        That audio is not needed any more. Copying the rest costs less then than writing the dropped part did.
        """
        needed = self.needed(owed_from, frame_size)
        return self.end - self.begin - needed > max(_COMPACT_AT, needed)

    def place_for(self, size: int) -> int:
        """Returns the byte at which `size` bytes can be written that are to replace those that count now.

        That is before these if there is room, else behind them.
        """
        return INDEX_SIZE if INDEX_SIZE + size <= self.begin else self.end


class JournalHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a session needs to open its connection again. It holds no credential."""

    encoding: Encoding
    sample_rate: int
    channels: int
    model: str | None = None
    language: str | None = None
    options: dict[str, Any] = {}
    keyterms: tuple[str, ...] = ()
    fallback: tuple[FallbackModel, ...] = ()

    @property
    def audio_format(self) -> AudioFormat:
        """The format of the audio in the journal."""
        return AudioFormat(self.encoding, self.sample_rate, self.channels)

    @property
    def request(self) -> TranscribeRequest:
        """The request of the session, rebuilt from the header."""
        return TranscribeRequest(
            audio_format=self.audio_format,
            model=self.model,
            language=self.language,
            options=self.options,
            keyterms=self.keyterms,
            fallback=self.fallback,
        )


class JournalRecord(msgspec.Struct, frozen=True):
    """A record that was read from bytes ``[begin, end)``. It holds either a `header` or `audio`.

    `at`: the stream's sample at which it was written: the first sample of its audio. `settled` and `ordinal`: as in the
    index at that moment, in case the index itself is damaged.
    """

    begin: int
    end: int
    at: int
    settled: int
    ordinal: int
    header: JournalHeader | None = None
    audio: memoryview = memoryview(b"")


def header_of(request: TranscribeRequest) -> JournalHeader:
    """Returns the journal's header for `request`."""
    audio_format = request.audio_format
    return JournalHeader(
        encoding=audio_format.encoding,
        sample_rate=audio_format.sample_rate,
        channels=audio_format.channels,
        model=request.model,
        language=request.language,
        options=dict(request.options),
        keyterms=request.keyterms,
        fallback=request.fallback,
    )


def content_of(request: TranscribeRequest, pieces: Iterable[tuple[int, bytes]], index: JournalIndex) -> bytes:
    """Returns all bytes that are to count in a file: the header twice, then the audio.

    `pieces`: the first sample and the bytes of each piece of audio. Raises as `header_record` does.
    """
    now = (index.settled, index.ordinal)
    header = header_record(request, index.captured, *now)
    return b"".join((header, header, *(audio_record(audio, at, *now) for at, audio in pieces)))


def header_record(request: TranscribeRequest, at: int, settled: int, ordinal: int) -> bytes:
    """Returns a header record: the request of the session from sample `at` on.

    Raises `ConfigurationError` where the request cannot be written as MessagePack.
    """
    try:
        return _record(b"H", msgspec.msgpack.encode(header_of(request)), at, settled, ordinal)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(f"the request cannot be kept in a journal: {error}") from None


def audio_record(audio: bytes, at: int, settled: int, ordinal: int) -> bytes:
    """Returns a record of captured audio, whose first sample is `at`."""
    return _record(b"A", audio, at, settled, ordinal)


def _record(kind: bytes, payload: bytes, at: int, settled: int, ordinal: int) -> bytes:
    head = _HEAD.pack(RECORD_START, kind, len(payload), at, settled, ordinal)
    return head + _CHECKSUM.pack(crc32(payload, crc32(head))) + payload


def read_index(data: bytes) -> JournalIndex | None:
    """Returns the index at the front of `data`; ``None`` if it is damaged or missing.

    Raises `ConfigurationError` where it is undamaged, and of another version.
    """
    if len(data) < _INDEX.size + _CHECKSUM.size:
        return None
    magic, version, *numbers = _INDEX.unpack_from(data)
    (checksum,) = _CHECKSUM.unpack_from(data, _INDEX.size)
    if magic != _MAGIC or checksum != crc32(memoryview(data)[: _INDEX.size]):
        return None
    if version != VERSION:
        raise ConfigurationError(f"the journal is of version {version}, and this library reads {VERSION}")
    return JournalIndex(*numbers)


def read_record(data: memoryview, begin: int, end: int) -> JournalRecord | None:
    """Returns the record that starts at byte `begin` and ends at byte `end` or before.

    ``None`` where there is none, or it is damaged. Raises `ConfigurationError` where it is an undamaged header that
    cannot be read.
    """
    payload = begin + _OVERHEAD
    if payload > end:
        return None
    start, kind, size, at, settled, ordinal = _HEAD.unpack_from(data, begin)
    if start != RECORD_START or payload + size > end:
        return None
    (checksum,) = _CHECKSUM.unpack_from(data, begin + _HEAD.size)
    content = data[payload : payload + size]
    if checksum != crc32(content, crc32(data[begin : begin + _HEAD.size])):
        return None
    if kind == b"A":
        return JournalRecord(begin, payload + size, at, settled, ordinal, audio=content)
    try:
        header = msgspec.msgpack.decode(content, type=JournalHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the journal's header cannot be read: {error}") from None
    return JournalRecord(begin, payload + size, at, settled, ordinal, header)
