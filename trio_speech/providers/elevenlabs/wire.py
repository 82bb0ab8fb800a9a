"""The messages of ElevenLabs' voices with contexts, ``/v1/text-to-speech/{voice_id}/multi-stream-input``.

Messages have no type; their fields say what they are. The service spells some fields in two ways, and both are read.
Times are milliseconds.

Source: elevenlabs 2.78.0 (PyPI), its types of the multi-context websocket; livekit-plugins-elevenlabs 1.8.9 and pipecat
1.14.0, which read both spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field
from pybase64 import b64decode

from ...errors import ProtocolError

Milliseconds = Annotated[float, Meta(ge=-1e12, le=1e12)]


class CharacterTimes(Struct, frozen=True):
    """Characters and their times in milliseconds, in the audio of one message: three lists of equal length."""

    chars: tuple[str, ...] = ()
    starts: tuple[Milliseconds, ...] = field(default=(), name="charStartTimesMs")
    starts_too: tuple[Milliseconds, ...] = field(default=(), name="charsStartTimesMs")
    lengths: tuple[Milliseconds, ...] = field(default=(), name="charsDurationsMs")
    lengths_too: tuple[Milliseconds, ...] = field(default=(), name="charDurationsMs")


class Message(Struct, frozen=True):
    """Any message of the service."""

    audio: str | None = None
    alignment: CharacterTimes | None = None
    is_final: bool | None = field(default=None, name="isFinal")
    is_final_too: bool | None = field(default=None, name="is_final")
    context_id: str | None = field(default=None, name="contextId")
    context_id_too: str | None = field(default=None, name="context_id")
    message: str | None = None
    error: str | None = None
    code: int | str | None = None

    @property
    def context(self) -> str | None:
        """The context that the message is about; ``None``: the whole connection."""
        return self.context_id or self.context_id_too

    @property
    def ends_context(self) -> bool:
        """Whether this is the last message of its context."""
        return bool(self.is_final or self.is_final_too)

    @property
    def pcm(self) -> bytes:
        """The decoded audio. Raises `ProtocolError` if it is not base64."""
        try:
            return b64decode(self.audio or "", validate=True)
        except ValueError:  # its message may quote the content
            raise ProtocolError("malformed message: Invalid base64 encoded string - at `$.audio`") from None


_decoder = msgspec.json.Decoder(Message)


def decode(frame: str | bytes) -> Message:
    """Returns the message in a frame. Raises `ProtocolError`, which does not quote it, if it is malformed."""
    try:
        return _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"malformed message: {error}") from error


def encode(message: Mapping[str, Any]) -> str:
    """Returns the text frame for a message of the client."""
    return msgspec.json.encode(message).decode()
