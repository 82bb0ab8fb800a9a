"""The messages of Deepgram Flux, ``/v2/listen``, identified by their field ``type``.

Times are seconds from the first audio of the connection.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``listen/v2``.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType

from .._json import Seconds, TaggedUnion
from .wire import ConfigureFailure, ConfigureSuccess


class Word(Struct, frozen=True):
    """A word. Older versions of the service give no times."""

    word: str = ""
    confidence: float | None = None
    start: Seconds | None = None
    end: Seconds | None = None


class Connected(Struct, frozen=True, tag=True):
    request_id: str | None = None


class TurnInfo(Struct, frozen=True, kw_only=True, tag=True):
    """The whole current turn so far. The window is the audio that was transcribed for it, in seconds."""

    event: str
    audio_window_start: Seconds
    audio_window_end: Seconds
    turn_index: int
    transcript: str = ""
    words: tuple[Word, ...] | None = ()
    end_of_turn_confidence: float | None = None
    languages: tuple[str, ...] | None = ()


class Warned(Struct, frozen=True, tag="Warning"):
    """A remark on what we sent, such as that there was no turn to end. The session goes on."""


class Error(Struct, frozen=True, tag=True):
    """An error, after which the service closes the connection."""

    code: str | None = None
    description: str | None = None
    request_id: str | None = None


class Thresholds(Struct, frozen=True, omit_defaults=True):
    eot_threshold: float | UnsetType = UNSET
    eager_eot_threshold: float | UnsetType = UNSET
    eot_timeout_ms: int | UnsetType = UNSET


class Configure(Struct, frozen=True, tag=True):
    thresholds: Thresholds | UnsetType = UNSET
    keyterms: tuple[str, ...] | UnsetType = UNSET
    language_hints: tuple[str, ...] | UnsetType = UNSET


ServerMessage: TypeAlias = Connected | TurnInfo | ConfigureSuccess | ConfigureFailure | Warned | Error
from_server: TaggedUnion[ServerMessage] = TaggedUnion(ServerMessage)
