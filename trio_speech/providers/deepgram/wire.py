"""The messages of Deepgram's live recognition, ``/v1/listen``, identified by their field ``type``.

Times are seconds from the first audio of the connection.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v1``.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from .._json import Seconds, TaggedUnion


class Word(Struct, frozen=True):
    word: str = ""
    start: Seconds = 0.0
    end: Seconds = 0.0
    confidence: float | None = None
    punctuated_word: str | None = None
    speaker: int | str | None = None


class Alternative(Struct, frozen=True):
    transcript: str = ""
    confidence: float | None = None
    words: tuple[Word, ...] | None = ()
    languages: tuple[str, ...] | None = ()


class Channel(Struct, frozen=True):
    alternatives: tuple[Alternative, ...] = ()


class Results(Struct, frozen=True, kw_only=True, tag=True):
    start: Seconds
    duration: Seconds
    channel: Channel
    is_final: bool = False
    speech_final: bool = False
    from_finalize: bool = False


class SpeechStarted(Struct, frozen=True, tag=True):
    timestamp: Seconds | None = None


class UtteranceEnd(Struct, frozen=True, tag=True):
    last_word_end: Seconds | None = None


class Metadata(Struct, frozen=True, tag=True):
    """The last message after ``CloseStream``; no results follow it."""


class ConfigureSuccess(Struct, frozen=True, tag=True):
    pass


class ConfigureFailure(Struct, frozen=True, tag=True):
    code: str | None = None
    description: str | None = None
    request_id: str | None = None


class Error(Struct, frozen=True, tag=True):
    """An error. Its field ``message`` quotes what we sent, so it is not read."""

    variant: str | None = None
    description: str | None = None


class KeepAlive(Struct, frozen=True, tag=True):
    pass


class Finalize(Struct, frozen=True, tag=True):
    pass


class CloseStream(Struct, frozen=True, tag=True):
    pass


class Configure(Struct, frozen=True, tag=True):
    keyterms: tuple[str, ...]


ServerMessage: TypeAlias = (
    Results | SpeechStarted | UtteranceEnd | Metadata | ConfigureSuccess | ConfigureFailure | Error
)
from_server: TaggedUnion[ServerMessage] = TaggedUnion(ServerMessage)
