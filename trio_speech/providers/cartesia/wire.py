"""The messages of Cartesia's speech synthesis, ``/tts/websocket``, identified by their field ``type``.

Times are seconds from the first audio of the context. They continue from one text of a context to the next.

Source: Cartesia's AsyncAPI specification (docs.cartesia.ai), version 2026-03-01, and cartesia 4.2.0 (PyPI). That times
continue is reported in pipecat issue 2307.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from .._json import Seconds, TaggedUnion, encode

VERSION = "2026-03-01"
"""The version of the protocol, which each dial names."""


class Chunk(Struct, frozen=True, tag="chunk"):
    """Audio of a context. `data` may be empty, and may end inside a sample."""

    context_id: str
    data: bytes | None = None


class Times(Struct, frozen=True):
    """Words and their times in seconds, as three lists of equal length."""

    words: tuple[str, ...] = ()
    start: tuple[Seconds, ...] = ()
    end: tuple[Seconds, ...] = ()


class Timestamps(Struct, frozen=True, tag="timestamps"):
    context_id: str
    word_timestamps: Times | None = None


class PhonemeTimestamps(Struct, frozen=True, tag="phoneme_timestamps"):
    context_id: str


class FlushDone(Struct, frozen=True, tag="flush_done"):
    """All audio of one flushed part of a context has been sent; more may follow."""

    context_id: str


class Done(Struct, frozen=True, tag="done"):
    """The context is over."""

    context_id: str


class Error(Struct, frozen=True, kw_only=True, tag="error"):
    """An error of a context, which is then over; without `context_id`, of the whole connection.

    Older versions of the protocol have the text in `error` instead of `message`.
    """

    context_id: str | None = None
    title: str | None = None
    message: str | None = None
    error: str | None = None
    error_code: str | None = None
    status_code: int | None = None
    request_id: str | None = None


ServerMessage: TypeAlias = Chunk | Timestamps | PhonemeTimestamps | FlushDone | Done | Error
from_server: TaggedUnion[ServerMessage] = TaggedUnion(ServerMessage)


def generation(context_id: str, transcript: str, fields: Mapping[str, Any], *, more: bool) -> str:
    """Returns the text frame for one text of a context. With `more`, further texts may follow, with equal `fields`."""
    return encode({"context_id": context_id, **fields, "transcript": transcript, "continue": more})


def cancellation(context_id: str) -> str:
    """Returns the text frame that cancels a context."""
    return encode({"context_id": context_id, "cancel": True})
