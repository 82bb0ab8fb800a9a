"""The service's side of the LiveKit inference protocol: ``/v1/stt`` and ``/v1/tts``.

Source: livekit-agents 1.8.9 (PyPI); see `trio_speech.providers.livekit.wire`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from ...._core.provider.messages import (
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
    Unknown,
)
from ...._core.provider.profile import Fate
from ...._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from ....audio.formats import AudioFormat, Encoding
from ....errors import ConfigurationError, ProtocolError
from ....events import Word
from ....providers._codec import Frame
from ....providers._json import TaggedUnion
from ....providers.livekit import wire
from ..faults import Close, InBandError
from ..manner import Manner
from ..synthesizer import AlignedCharacters
from .protocol import ClientClose, ClientFinalize, Flush, Incoming, Mistake, Outgoing, Reply, Request, Text

_TRANSCRIPTS: dict[str, type[wire.Transcript]] = {
    "interim": wire.InterimTranscript,
    "preflight": wire.PreflightTranscript,
    "final": wire.FinalTranscript,
}


def recognition(_query: str, session_id: str) -> LiveKitWire:
    """Makes the wire of ``/v1/stt``."""
    return LiveKitWire(wire.stt_from_client, session_id)


def synthesis(_query: str, session_id: str) -> LiveKitWire:
    """Makes the wire of ``/v1/tts``."""
    return LiveKitWire(wire.tts_from_client, session_id)


class LiveKitWire:
    """See `Wire`. The protocol has no message for `Acknowledged`, nor for the end of speech."""

    idle = None
    fates: Mapping[InBandError | Close, Fate] = {
        **{InBandError(code): "fatal" for code in (400, 401, 403, 404)},
        **{InBandError(code): "retry" for code in (408, 429, 499, 500, 503)},
        Close(1000): "retry",
        Close(1011): "retry",
    }
    garbled = '{"type":"final_transcript","transcript":17,"start":"soon","words":{"a":1}}'

    def __init__(self, union: TaggedUnion[Any], session_id: str) -> None:
        self._union = union
        self._session_id = session_id

    def opens(self) -> Iterable[Request]:
        return ()

    def manner(self, manner: Manner) -> Manner:
        return manner

    def decode(self, frame: Frame) -> Incoming:
        try:
            message = self._union.decode(frame)
        except ProtocolError as error:
            return Incoming("malformed", (Mistake(str(error)),))
        if isinstance(message, Unknown):
            return Incoming(message.tag, (Mistake(f"unknown message {message.tag}"),))
        return Incoming(_tag(message), (_request(message),))

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        message = self._message(reply)
        if message is not None:
            yield Outgoing(wire.encode(message), _tag(message), (reply,))

    def _message(self, reply: Reply) -> wire.Said | None:
        session_id = self._session_id
        message: wire.Said | None = None
        match reply:
            case Opened():
                message = wire.SessionCreated(session_id)
            case SpeechOnset():
                message = wire.StartOfSpeech()
            case RecognitionResult():
                message = _transcript(reply, session_id)
            case FinalizeAnswered():
                message = wire.SessionFinalized()
            case Audio(pcm):
                message = wire.OutputAudio.of(pcm, session_id)
            case Aligned(words):
                message = wire.OutputAlignment(session_id, _aligned(wire.AlignedWord, words))
            case AlignedCharacters(characters):
                message = wire.OutputAlignment(session_id, (), _aligned(wire.AlignedChar, characters))
            case Done():
                message = wire.Done(session_id)
            case Closed():
                message = wire.SessionClosed(session_id)
            case Failure(message=why, code=code):
                message = wire.Error(why, code, session_id)
            case _:
                pass
        return message


def _tag(message: wire.Said) -> str:
    return str(message.__struct_config__.tag)


def _request(message: wire.SttClientMessage | wire.TtsClientMessage) -> Request:
    request: Request
    match message:
        case wire.SttCreate() | wire.TtsCreate():
            request = _opening(message)
        case wire.InputAudio(audio):
            request = Audio(audio)
        case wire.SessionFinalize():
            request = ClientFinalize()
        case wire.SessionUpdate(settings):
            request = Change(language=settings.language or None, options=settings.extra or None)
        case wire.InputTranscript(text):
            request = Text(text)
        case wire.SessionFlush():
            request = Flush()
        case wire.SessionClose():
            request = ClientClose()
    return request


def _opening(message: wire.SttCreate | wire.TtsCreate) -> Request:
    model = message.model or None
    try:
        if isinstance(message, wire.SttCreate):
            asked = message.settings
            spoken, language = _format(asked.encoding, asked.sample_rate), asked.language or None
            return TranscribeRequest(audio_format=spoken, model=model, language=language, options=asked.extra or {})
        return SynthesizeRequest(
            audio_format=_format(message.encoding, message.sample_rate),
            model=model,
            voice=message.voice or None,
            language=message.language or None,
            options=message.extra or {},
        )
    except (ConfigurationError, ValueError) as error:
        return Mistake(str(error))


def _format(encoding: str, sample_rate: str | int) -> AudioFormat:
    return AudioFormat(cast("Encoding", encoding), int(sample_rate))  # which refuses other encodings


def _transcript(hypothesis: RecognitionResult, session_id: str) -> wire.Transcript:
    return _TRANSCRIPTS[hypothesis.kind](
        session_id=session_id,
        transcript=hypothesis.text,
        language=hypothesis.language,
        start=hypothesis.start,
        duration=hypothesis.end - hypothesis.start,
        confidence=hypothesis.confidence,
        words=tuple(wire.Word(word.text, word.start, word.end, word.confidence) for word in hypothesis.words),
    )


Timed = TypeVar("Timed", wire.AlignedWord, wire.AlignedChar)


def _aligned(kind: type[Timed], words: Iterable[Word]) -> tuple[Timed, ...]:
    return tuple(kind(word.text, word.start, word.end) for word in words)
