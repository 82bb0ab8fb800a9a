"""The messages of the LiveKit inference protocol: recognition and speech, both directions, as tagged unions.

Each text frame holds one JSON object; its field ``type`` names the message. Clients read with `stt_from_server` and
`tts_from_server`, servers with `stt_from_client` and `tts_from_client`; both send with `encode`.

1. A ``type`` that this module does not know, and a binary frame, become `Unknown`. Either side skips them.
2. A frame that is not such a JSON object, or has a known ``type`` with wrong fields, raises `ProtocolError`, which
   quotes nothing of the content. Wrong base64 in `OutputAudio` is found when its `pcm` is asked for.
3. Times are seconds from the start of the connection's audio. A slightly negative time is let through, and the codec
   makes it 0.
4. Every field may be missing, except the payload of an audio message. `UNSET` fields are left out of what is sent.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm).
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from pybase64 import b64encode_as_string

from .._json import Seconds, TaggedUnion, audio_of

Extra: TypeAlias = dict[str, Any]

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType | None
"""A field that may be missing. `UNSET` is left out of the frame and ``None`` is sent as null; both mean the same."""


class Said(Struct, frozen=True):
    """The base class of all messages."""


# ---------------------------------------------------------------- parts of client messages


class FallbackModel(Struct, frozen=True):
    """A model that the gateway tries by itself where the first one fails; `voice` is for speech alone."""

    model: str = ""
    voice: Maybe[str] = UNSET
    extra: Extra | None = None


class Fallback(Struct, frozen=True):
    models: tuple[FallbackModel, ...] = ()


class UpstreamPolicy(Struct, frozen=True):
    """How the gateway dials the providers behind it: `timeout` in seconds, and the number of `retries`."""

    timeout: float = 10.0
    retries: int = 3


class SttSettings(Struct, frozen=True):
    """Settings of a recognition. `sample_rate` is in hertz, and is sent as a string; a number is read too."""

    sample_rate: str | int = "16000"
    encoding: str = "pcm_s16le"
    language: Maybe[str] = UNSET
    extra: Extra | None = field(default_factory=dict[str, Any])


class SttChanges(Struct, frozen=True):
    """Settings to change; those that are `UNSET` stay as they are."""

    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET
    extra: Maybe[Extra] = UNSET


class GenerationConfig(Struct, frozen=True):
    voice: Maybe[str] = UNSET
    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET


# ---------------------------------------------------------------- client to server


class SttCreate(Said, frozen=True, tag="session.create"):
    """The first message of a recognition. Without `model` the server chooses one."""

    model: Maybe[str] = UNSET
    settings: SttSettings = field(default_factory=SttSettings)
    fallback: Maybe[Fallback] = UNSET
    connection: Maybe[UpstreamPolicy] = UNSET


class InputAudio(Said, frozen=True, tag="input_audio"):
    audio: bytes


class SessionFinalize(Said, frozen=True, tag="session.finalize"):
    """Asks for the finals of the audio sent so far. The session goes on."""


class SessionUpdate(Said, frozen=True, tag="session.update"):
    settings: SttChanges = field(default_factory=SttChanges)


class SessionClose(Said, frozen=True, tag="session.close"):
    pass


class TtsCreate(Said, frozen=True, tag="session.create"):
    """The first message of a synthesis. Its settings are not nested, unlike those of a recognition."""

    sample_rate: str | int = "24000"
    encoding: str = "pcm_s16le"
    extra: Extra | None = field(default_factory=dict[str, Any])
    voice: Maybe[str] = UNSET
    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET
    fallback: Maybe[Fallback] = UNSET
    connection: Maybe[UpstreamPolicy] = UNSET
    transcript: Maybe[str] = UNSET


class InputTranscript(Said, frozen=True, tag="input_transcript"):
    transcript: str = ""
    generation_config: GenerationConfig | None = field(default_factory=GenerationConfig)
    extra: Extra | None = field(default_factory=dict[str, Any])


class SessionFlush(Said, frozen=True, tag="session.flush"):
    """The generation has no more text: the server speaks the rest, and then sends `Done`."""


# ---------------------------------------------------------------- server to client


class SessionCreated(Said, frozen=True, tag="session.created"):
    session_id: str | None = None


class StartOfSpeech(Said, frozen=True, tag="start_of_speech"):
    pass


class Word(Struct, frozen=True):
    word: str = ""
    start: Seconds = 0.0
    end: Seconds = 0.0
    confidence: Maybe[float] = UNSET
    speaker_id: str | None = None


class Transcript(Said, frozen=True):
    """What the three kinds of transcripts share. `request_id` and `extra` come from the provider behind the gateway."""

    session_id: str | None = None
    request_id: str | None = None
    transcript: str = ""
    language: str | None = ""
    start: Seconds = 0.0
    duration: Seconds = 0.0
    confidence: Maybe[float] = UNSET
    words: tuple[Word, ...] | None = ()
    speaker_id: str | None = None
    extra: Any = None


class InterimTranscript(Transcript, frozen=True, tag="interim_transcript"):
    pass


class PreflightTranscript(Transcript, frozen=True, tag="preflight_transcript"):
    pass


class FinalTranscript(Transcript, frozen=True, tag="final_transcript"):
    pass


class SessionFinalized(Said, frozen=True, tag="session.finalized"):
    """The answer to `SessionFinalize`. Finals may still follow it."""


class SessionClosed(Said, frozen=True, tag="session.closed"):
    session_id: str | None = None


class Error(Said, frozen=True, tag="error"):
    message: str | None = None
    code: int | str | None = None
    session_id: str | None = None
    request_id: str | None = None


class OutputAudio(Said, frozen=True, kw_only=True, tag="output_audio"):
    """Some speech. `audio` is base64, which is decoded only when `pcm` is asked for."""

    session_id: str | None = None
    audio: str

    @classmethod
    def of(cls, pcm: bytes, session_id: str | None = None) -> OutputAudio:
        """Returns the message that carries `pcm`."""
        return cls(session_id=session_id, audio=b64encode_as_string(pcm))

    @property
    def pcm(self) -> bytes:
        """The decoded audio. Raises `ProtocolError` where `audio` is not base64."""
        return audio_of(self.audio)


class AlignedWord(Struct, frozen=True):
    word: str = ""
    start: Seconds = 0.0
    end: Seconds = 0.0


class AlignedChar(Struct, frozen=True):
    char: str = ""
    start: Seconds = 0.0
    end: Seconds = 0.0


class OutputAlignment(Said, frozen=True, tag="output_alignment"):
    """Times in the audio of the generation, of words or, from some providers, of characters."""

    session_id: str | None = None
    words: tuple[AlignedWord, ...] | None = ()
    chars: Maybe[tuple[AlignedChar, ...]] = UNSET


class Done(Said, frozen=True, tag="done"):
    session_id: str | None = None


SttClientMessage: TypeAlias = SttCreate | InputAudio | SessionFinalize | SessionUpdate | SessionClose
SttServerMessage: TypeAlias = (
    SessionCreated
    | StartOfSpeech
    | InterimTranscript
    | PreflightTranscript
    | FinalTranscript
    | SessionFinalized
    | SessionClosed
    | Error
)
TtsClientMessage: TypeAlias = TtsCreate | InputTranscript | SessionFlush | SessionClose
TtsServerMessage: TypeAlias = SessionCreated | OutputAudio | OutputAlignment | Done | SessionClosed | Error

# ---------------------------------------------------------------- frames


_encoder = msgspec.json.Encoder()


def encode(message: Said) -> str:
    """Returns the text frame for `message`. Raises `TypeError` if its `extra` has a value that JSON cannot hold."""
    return _encoder.encode(message).decode()


def encode_audio(pcm: bytes | memoryview) -> str:
    """Returns the text frame of an `InputAudio` with `pcm`, which must be contiguous and is not copied first.

    Written by hand, because this is the frame that is sent most: base64 needs no escaping in JSON.
    """
    return f'{{"type":"input_audio","audio":"{b64encode_as_string(pcm)}"}}'


stt_from_client: TaggedUnion[SttClientMessage] = TaggedUnion(SttClientMessage)
stt_from_server: TaggedUnion[SttServerMessage] = TaggedUnion(SttServerMessage)
tts_from_client: TaggedUnion[TtsClientMessage] = TaggedUnion(TtsClientMessage)
tts_from_server: TaggedUnion[TtsServerMessage] = TaggedUnion(TtsServerMessage)
