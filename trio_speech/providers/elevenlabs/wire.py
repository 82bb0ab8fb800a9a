"""The messages of ElevenLabs' voices with contexts, ``/v1/text-to-speech/{voice_id}/multi-stream-input``.

Messages have no type; their fields say what they are. The service spells some fields in two ways, and both are read.
Times are milliseconds.

Source: elevenlabs 2.78.0 (PyPI), its types of the multi-context websocket; livekit-plugins-elevenlabs 1.8.9 and pipecat
1.14.0, which read both spellings.
"""

from __future__ import annotations

from msgspec import Struct, field

from .._json import Milliseconds, OneShape, audio_of


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
        return audio_of(self.audio or "")


from_server = OneShape(Message)
