"""The messages of the LiveKit inference protocol: both endpoints, both directions, as tagged unions.

One JSON object to a text frame, told apart by its ``type``. Clients read with ``stt_from_server.decode``
and ``tts_from_server.decode``, servers with `stt_from_client` and `tts_from_client`; everybody sends with `encode`.

1. A ``type`` that this module does not know is `Unknown`, and so is a binary frame: to be skipped, by either side.
2. What is no such JSON object, or holds a known ``type`` with wrong fields, raises `ProtocolError`, which quotes none
   of the content; of `OutputAudio` when its `pcm` is asked for, if the base64 is wrong.
3. Times are seconds from the start of the connection's audio. They are finite and within 1e9; a slightly
   negative one is let through, for the codec to clamp.
4. Every field but the payload of an audio message may be missing. `UNSET` fields are left out of what is sent.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm).
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from pybase64 import b64decode, b64encode_as_string

from ...errors import ProtocolError
from .._union import Seconds, TaggedUnion

Extra: TypeAlias = dict[str, Any]

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType | None
"""`UNSET` is left out of the frame, ``None`` is sent as null; both are read as nothing."""


class Said(Struct, frozen=True):
    """The root of all messages."""


# ---------------------------------------------------------------- parts of client messages


class FallbackModel(Struct, frozen=True):
    """A model that the gateway tries by itself; `voice` belongs to synthesis alone."""

    model: str = ""
    voice: Maybe[str] = UNSET
    extra: Extra | None = None


class Fallback(Struct, frozen=True):
    models: tuple[FallbackModel, ...] = ()


class UpstreamPolicy(Struct, frozen=True):
    """How the gateway is to dial its own providers: seconds, and attempts."""

    timeout: float = 10.0
    retries: int = 3


class SttSettings(Struct, frozen=True):
    """`sample_rate` is a string of hertz on this wire; a number is understood."""

    sample_rate: str | int = "16000"
    encoding: str = "pcm_s16le"
    language: Maybe[str] = UNSET
    extra: Extra | None = field(default_factory=dict[str, Any])


class SttChanges(Struct, frozen=True):
    """What is `UNSET` stays as it is."""

    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET
    extra: Maybe[Extra] = UNSET


class GenerationConfig(Struct, frozen=True):
    voice: Maybe[str] = UNSET
    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET


# ---------------------------------------------------------------- client to server


class SttCreate(Said, frozen=True, tag="session.create"):
    """The first frame of a recognition; without `model` the server chooses one."""

    model: Maybe[str] = UNSET
    settings: SttSettings = field(default_factory=SttSettings)
    fallback: Maybe[Fallback] = UNSET
    connection: Maybe[UpstreamPolicy] = UNSET


class InputAudio(Said, frozen=True, tag="input_audio"):
    audio: bytes


class SessionFinalize(Said, frozen=True, tag="session.finalize"):
    """Asks for the finals of the audio so far; the session goes on."""


class SessionUpdate(Said, frozen=True, tag="session.update"):
    settings: SttChanges = field(default_factory=SttChanges)


class SessionClose(Said, frozen=True, tag="session.close"):
    pass


class TtsCreate(Said, frozen=True, tag="session.create"):
    """The first frame of a synthesis; flat, where recognition has `settings`."""

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
    """No more text for this generation: speak the rest, then `Done`."""


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
    """What the three transcripts share; `request_id` and `extra` are the provider's."""

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
    """The answer to `SessionFinalize`; trailing finals may follow it."""


class SessionClosed(Said, frozen=True, tag="session.closed"):
    session_id: str | None = None


class Error(Said, frozen=True, tag="error"):
    message: str | None = None
    code: int | str | None = None
    session_id: str | None = None
    request_id: str | None = None


class OutputAudio(Said, frozen=True, kw_only=True, tag="output_audio"):
    """`audio` is base64, which is not looked at before it is asked for as `pcm`."""

    session_id: str | None = None
    audio: str

    @classmethod
    def of(cls, pcm: bytes, session_id: str | None = None) -> OutputAudio:
        """The message that carries `pcm`."""
        return cls(session_id=session_id, audio=b64encode_as_string(pcm))

    @property
    def pcm(self) -> bytes:
        """Raises `ProtocolError` where it is no base64."""
        try:
            return b64decode(self.audio, validate=True)
        except ValueError:  # what it says may quote the content
            raise ProtocolError("malformed message: Invalid base64 encoded string - at `$.audio`") from None


class AlignedWord(Struct, frozen=True):
    word: str = ""
    start: Seconds = 0.0
    end: Seconds = 0.0


class AlignedChar(Struct, frozen=True):
    char: str = ""
    start: Seconds = 0.0
    end: Seconds = 0.0


class OutputAlignment(Said, frozen=True, tag="output_alignment"):
    """Times in the audio of the generation; `chars` stand in where there are no `words`."""

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
    """The text frame for `message`. Raises `TypeError` where an `extra` holds what JSON cannot."""
    return _encoder.encode(message).decode()


def encode_audio(pcm: bytes | memoryview) -> str:
    """The `InputAudio` frame for `pcm`, whose bytes must be contiguous and are read in place."""
    return f'{{"type":"input_audio","audio":"{b64encode_as_string(pcm)}"}}'


stt_from_client: TaggedUnion[SttClientMessage] = TaggedUnion(SttClientMessage)
stt_from_server: TaggedUnion[SttServerMessage] = TaggedUnion(SttServerMessage)
tts_from_client: TaggedUnion[TtsClientMessage] = TaggedUnion(TtsClientMessage)
tts_from_server: TaggedUnion[TtsServerMessage] = TaggedUnion(TtsServerMessage)
