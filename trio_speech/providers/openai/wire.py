"""The messages of OpenAI's realtime transcription, ``/v1/realtime``, and of servers that imitate its protocol.

The client appends audio to a *buffer*. A commit, by the client or by the service's own voice activity detection (VAD),
turns the buffer into an *item*, which is then transcribed. Times are milliseconds of audio since the session began.

Source: openai-openapi (August 2026) and openai 3.57.0 (PyPI), ``types.realtime``; vLLM 0.22.1,
``entrypoints.openai.realtime``; speaches, ``speaches.realtime`` (March 2026).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from pybase64 import b64encode_as_string

from ..._core.provider.messages import Failure
from ...errors import ProtocolError
from .._json import Milliseconds, TaggedUnion

LONGEST_TEXT = 100_000
"""The most characters of a text: more than an hour of speech. Names may have 200. Longer ones are malformed."""

Name = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]

_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_HTTP = {"invalid_api_key": 401, "insufficient_quota": 402, "rate_limit_exceeded": 429}
"""Errors that are reported by the HTTP status of the same meaning, which users know better."""
_PERMANENT = frozenset({"invalid_request_error", "authentication_error", "insufficient_quota"})


class Session(Struct, frozen=True):
    id: str | None = None


class SessionCreated(Struct, frozen=True, tag="session.created"):
    """The first message. vLLM sends the id beside the type."""

    session: Session = Session()
    id: str | None = None


class SessionUpdated(Struct, frozen=True, tag="session.updated"):
    pass


class ItemCreated(Struct, frozen=True, tag="conversation.item.created"):
    pass


class ItemAdded(Struct, frozen=True, tag="conversation.item.added"):
    pass


class ItemDone(Struct, frozen=True, tag="conversation.item.done"):
    pass


class OfItem(Struct, frozen=True):
    """The base class of the messages about one item."""

    item_id: Name


class SpeechStarted(OfItem, frozen=True, tag="input_audio_buffer.speech_started"):
    """VAD detected speech, which will become the item with this id. The padding before it counts as speech."""

    audio_start_ms: Milliseconds


class SpeechStopped(OfItem, frozen=True, tag="input_audio_buffer.speech_stopped"):
    """VAD detected the end of speech, and will commit it."""

    audio_end_ms: Milliseconds


class Committed(OfItem, frozen=True, tag="input_audio_buffer.committed"):
    """The buffer has become an item. These messages come in the order of the audio."""


class Delta(OfItem, frozen=True, tag=f"{_TRANSCRIPTION}.delta"):
    """More text of an item; with some models it comes before the item is committed."""

    delta: str | None = None


class Language(Struct, frozen=True):
    code: str


class Completed(OfItem, frozen=True, tag=f"{_TRANSCRIPTION}.completed"):
    """The whole text of an item. Items may be completed out of order."""

    transcript: Text
    languages: tuple[Language, ...] | None = ()


class Error(Struct, frozen=True):
    """What went wrong. `event_id` is that of the client's message that caused it."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    event_id: str | None = None

    @property
    def failure(self) -> Failure:
        """The error as a message of this library. Its type says whether a retry may succeed."""
        code = self.code or self.type
        return Failure(
            message=self.message or "no reason given",
            code=None if code is None else _HTTP.get(code, code),
            retryable=None if self.type is None else self.type not in _PERMANENT,
        )


class Failed(OfItem, frozen=True, tag=f"{_TRANSCRIPTION}.failed"):
    """An item will have no text."""

    error: Error = Error()


class Problem(Struct, frozen=True, tag="error"):
    """An error. Most leave the session open. vLLM sends the text itself in `error`, and the code beside it."""

    error: Error | str
    code: str | None = None

    @property
    def cause(self) -> Error:
        """What went wrong, in either spelling."""
        return self.error if isinstance(self.error, Error) else Error(None, self.code, self.error)


class Part(Struct, frozen=True, tag="transcription.delta"):
    """vLLM: more text of the connection's only generation."""

    delta: str


class Whole(Struct, frozen=True, tag="transcription.done"):
    """vLLM: the whole text of that generation, which is over."""

    text: Text


ServerMessage: TypeAlias = (
    SessionCreated | SessionUpdated | ItemCreated | ItemAdded | ItemDone
    | SpeechStarted | SpeechStopped | Committed | Delta | Completed | Failed | Problem | Part | Whole
)  # fmt: skip
from_server: TaggedUnion[ServerMessage] = TaggedUnion(ServerMessage)


def append(audio: bytes | memoryview) -> str:
    """Returns the text frame that appends audio to the buffer."""
    return f'{{"type":"input_audio_buffer.append","audio":"{b64encode_as_string(audio)}"}}'


def joined(text: str, more: str) -> str:
    """Returns `text` with `more` after it. Raises `ProtocolError` if that is too long to be true."""
    if len(text) + len(more) > LONGEST_TEXT:
        raise ProtocolError(f"malformed message: a text of more than {LONGEST_TEXT} characters")
    return text + more
