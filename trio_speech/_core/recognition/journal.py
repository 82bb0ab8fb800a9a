"""The journal's format: what was captured, and how much of what was said of it the user has taken.

Laws
    1. Audio is in the journal before it is in the log; what was delivered is there before the next event is.
    2. A record that was not written whole, at the end of the file, never happened.
    3. What is recovered starts at the last settled sample: nothing captured is lost, and at most the last event that
       was delivered comes again, with the same `id`.

    record    payload
    ───────   ─────────────────────────────────────────────────────
    H         msgpack of `JournalHeader`: first; and again, for its request alone, where something else is asked for
    A         captured audio
    S         two unsigned 64-bit numbers: settled sample, last final's ordinal
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from ...audio import AudioFormat, Encoding
from ...errors import ConfigurationError
from ..provider.requests import FallbackModel, TranscribeRequest

_VERSION = 1
_FRAME = struct.Struct("<cI")
_SETTLED = struct.Struct("<QQ")


class JournalHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a session needs to begin again. It holds no credential."""

    version: int = _VERSION
    encoding: Encoding
    sample_rate: int
    channels: int
    start: Annotated[int, msgspec.Meta(ge=0)] = 0
    ordinal: Annotated[int, msgspec.Meta(ge=0)] = 0
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


class RecoveredJournal(msgspec.Struct, frozen=True):
    """A journal, read: the session goes on at sample `start` with `audio`; `ordinal` finals had been taken."""

    header: JournalHeader
    start: int
    ordinal: int
    audio: bytes


def header_of(request: TranscribeRequest, start: int = 0, ordinal: int = 0) -> JournalHeader:
    """The header of a session's journal that begins at sample `start`."""
    audio_format = request.audio_format
    return JournalHeader(
        encoding=audio_format.encoding,
        sample_rate=audio_format.sample_rate,
        channels=audio_format.channels,
        start=start,
        ordinal=ordinal,
        model=request.model,
        language=request.language,
        options=dict(request.options),
        keyterms=request.keyterms,
        fallback=request.fallback,
    )


def header_record(header: JournalHeader) -> bytes:
    """The first record."""
    return _record(b"H", msgspec.msgpack.encode(header))


def audio_record(size: int) -> bytes:
    """What stands before `size` bytes of audio."""
    return _FRAME.pack(b"A", size)


def settled_record(settled: int, ordinal: int) -> bytes:
    """All before sample `settled` has been taken, the last final being number `ordinal`."""
    return _record(b"S", _SETTLED.pack(settled, ordinal))


def recover(data: bytes) -> RecoveredJournal:
    """Reads a journal. Raises `ConfigurationError` where it is none, one of another version, or damaged."""
    records = _records(data)
    tag, payload = next(records, (b"", memoryview(b"")))
    if tag != b"H":
        raise ConfigurationError("this file is not a journal: it has no header")
    return _replay(_header(payload), records)


def _header(payload: memoryview) -> JournalHeader:
    try:
        header = msgspec.msgpack.decode(payload, type=JournalHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the journal's header cannot be read: {error}") from None
    if header.version != _VERSION:
        raise ConfigurationError(f"the journal is of version {header.version}, and this library reads {_VERSION}")
    return header


def _replay(header: JournalHeader, records: Iterator[tuple[bytes, memoryview]]) -> RecoveredJournal:
    audio: list[memoryview] = []
    settled, ordinal = header.start, header.ordinal
    for tag, payload in records:
        if tag == b"A":
            audio.append(payload)
        elif tag == b"S" and len(payload) == _SETTLED.size:
            settled, ordinal = _SETTLED.unpack(payload)
        elif tag == b"S":
            raise _damaged()
        elif tag == b"H":
            header = msgspec.structs.replace(_header(payload), start=header.start, ordinal=header.ordinal)
    captured, size = b"".join(audio), header.audio_format.frame_size
    settled = max(settled, header.start)  # what was evicted before the file began is settled by none
    skipped = (settled - header.start) * size
    if len(captured) % size or skipped > len(captured):
        raise _damaged()
    return RecoveredJournal(header, settled, ordinal, captured[skipped:])


def _damaged() -> ConfigurationError:
    return ConfigurationError("the journal is damaged: its records do not agree with each other")


def _record(tag: bytes, payload: bytes) -> bytes:
    return _FRAME.pack(tag, len(payload)) + payload


def _records(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, at = memoryview(data), 0
    while at + _FRAME.size <= len(view):
        tag, size = _FRAME.unpack_from(view, at)
        at += _FRAME.size
        if at + size > len(view):
            return
        yield tag, view[at : at + size]
        at += size
