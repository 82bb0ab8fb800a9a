"""The format of a journal: the file in which a session keeps what a crash of its process must not take.

Laws
    1. The index, at the front of the file, names the bytes that count: ``[begin, end)``. All of them are whole records.
       Whatever else the file holds is left over, and means nothing.
    2. A record is in the file before the index names it, and the index is written at one stroke. So a process that is
       killed at any moment leaves a journal that says what it said before, or what it was to say next.
    3. The index and each record carry a checksum. A file that ends before `end`, or in which a bit that counts is not
       as it was written, is known to be damaged.

    offset   content
    ──────   ──────────────────────────────────────────────────────────────────────────────
    0        `JournalIndex`, 64 bytes
    begin    the header twice, so that damage to one of them does not take the session with it
    …        audio, in the order in which it was captured; the header again where the request has changed
    end      left over: free to be written

Numbers are little-endian. Sample positions are on the stream's clock.

SQLite in WAL mode would be less code, but a flipped bit or a cut in its log ends what it reads, and it reports success:
exactly what a journal must not do. A frame also costs three times as much there.
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
    """What counts in the file, and how far the session has come.

    `begin`, `end`: the bytes that count. `start`: the sample with which their audio starts; `captured`: where it ends.
    All before sample `settled` is done with, and `ordinal` finals have been delivered. `settled` lies before `start`
    where audio was given up (see `ReplayPolicy.overflow`) before it was settled.
    """

    begin: int
    end: int
    start: int
    captured: int
    settled: int
    ordinal: int

    def pack(self) -> bytes:
        """The index as it stands at the front of the file, but for the filling."""
        packed = _INDEX.pack(
            _MAGIC, VERSION, self.begin, self.end, self.start, self.captured, self.settled, self.ordinal
        )
        return packed + _CHECKSUM.pack(crc32(packed))

    def needed(self, owed_from: int, frame_size: int) -> int:
        """Bytes of the audio from sample `owed_from` on."""
        return max(0, self.captured - max(owed_from, self.start)) * frame_size

    def is_worth_compacting(self, owed_from: int, frame_size: int) -> bool:
        """Whether most of what counts is audio before sample `owed_from`, which nobody needs any more.

        More than half, and 1 MiB. Copying the rest costs less, then, than was spent on writing what is left out.
        """
        needed = self.needed(owed_from, frame_size)
        return self.end - self.begin - needed > max(_COMPACT_AT, needed)

    def place_for(self, size: int) -> int:
        """Where `size` bytes may be written that are to count instead: before what counts now if they fit there."""
        return INDEX_SIZE if INDEX_SIZE + size <= self.begin else self.end


class JournalHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a session needs to begin again. It holds no credential."""

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
        """What the session asked for."""
        return TranscribeRequest(
            audio_format=self.audio_format,
            model=self.model,
            language=self.language,
            options=self.options,
            keyterms=self.keyterms,
            fallback=self.fallback,
        )


class JournalRecord(msgspec.Struct, frozen=True):
    """A record, read: its bytes are ``[begin, end)``; `header` or `audio` is what it holds.

    `at`: the stream's sample at which it was written; the first one of its audio. `settled` and `ordinal` are those of
    the index of that moment: they serve where the index itself is damaged.
    """

    begin: int
    end: int
    at: int
    settled: int
    ordinal: int
    header: JournalHeader | None = None
    audio: memoryview = memoryview(b"")


def header_of(request: TranscribeRequest) -> JournalHeader:
    """The header of a session's journal."""
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
    """All that is to count in a file: the header twice, then audio, as the first sample of each piece and its bytes."""
    now = (index.settled, index.ordinal)
    header = header_record(request, index.captured, *now)
    return b"".join((header, header, *(audio_record(audio, at, *now) for at, audio in pieces)))


def header_record(request: TranscribeRequest, at: int, settled: int, ordinal: int) -> bytes:
    """What the session asks for from sample `at` on. Raises `ConfigurationError` where it cannot be written down."""
    try:
        return _record(b"H", msgspec.msgpack.encode(header_of(request)), at, settled, ordinal)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(f"the request cannot be kept in a journal: {error}") from None


def audio_record(audio: bytes, at: int, settled: int, ordinal: int) -> bytes:
    """Captured audio, whose first sample is number `at`."""
    return _record(b"A", audio, at, settled, ordinal)


def _record(kind: bytes, payload: bytes, at: int, settled: int, ordinal: int) -> bytes:
    head = _HEAD.pack(RECORD_START, kind, len(payload), at, settled, ordinal)
    return head + _CHECKSUM.pack(crc32(payload, crc32(head))) + payload


def read_index(data: bytes) -> JournalIndex | None:
    """The index at the front of `data`; ``None`` if it is damaged.

    Raises `ConfigurationError` where a sound one is of another version.
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
    """The record that starts at byte `begin`, and ends by byte `end`; ``None`` where there is no sound one."""
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
