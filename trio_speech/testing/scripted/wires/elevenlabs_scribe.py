"""The service's side of ElevenLabs' realtime recognition, ``/v1/speech-to-text/realtime``, with manual commits.

Each commit is answered by a transcript, which may be empty. If the client asked for timestamps, the transcript comes
once more, with the times of its words. A commit of less than 0.3 s of audio is a mistake of the client.

Source: elevenlabs 2.78.0 (PyPI), ``realtime.scribe``; livekit-plugins-elevenlabs 1.8.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from pybase64 import b64decode

from ...._core.provider.messages import Audio, Closed, Failure, FinalizeAnswered, Opened, RecognitionResult
from ...._core.provider.profile import Fate
from ...._core.provider.requests import TranscribeRequest
from ....audio.formats import AudioFormat
from ....errors import ConfigurationError
from ....providers._codec import Frame
from ..faults import Close, InBandError, Refuse
from ..manner import Manner
from .protocol import ClientFinalize, IdleLimit, Incoming, Mistake, Outgoing, Reply, Request

_SHORTEST_COMMIT = 0.3
_ERRORS: dict[int | None, str] = {400: "invalid_request", 401: "auth_error", 429: "rate_limited"}


class InputAudioChunk(Struct, frozen=True, tag_field="message_type", tag="input_audio_chunk"):
    """The client's only message."""

    audio_base_64: str
    commit: bool = False
    sample_rate: int | None = None
    previous_text: str | None = None


_decoder = msgspec.json.Decoder(InputAudioChunk)


def realtime(query: str, session_id: str) -> ScribeWire | Refuse:
    """Makes the wire of ``/v1/speech-to-text/realtime``, or refuses a bad request in the handshake."""
    settings = parse_qs(query)
    kind, _, rate = settings.get("audio_format", ["pcm_16000"])[-1].partition("_")
    try:
        if "model_id" not in settings or settings.get("commit_strategy", ["manual"]) != ["manual"]:
            raise ValueError("model_id must be given, and commit_strategy be manual: nothing else is supported")
        request = TranscribeRequest(
            audio_format=AudioFormat("mulaw" if kind == "ulaw" else "pcm_s16le", int(rate)),
            model=settings["model_id"][-1],
            language=settings.get("language_code", [None])[-1],
            keyterms=tuple(settings.get("keyterms", ())),
        )
    except (ConfigurationError, ValueError) as error:
        return Refuse(400, body=str(error))
    return ScribeWire(request, timed=settings.get("include_timestamps") == ["true"])


class ScribeWire:
    """See `Wire`."""

    idle = IdleLimit(15.0, Close(1000))
    fates: Mapping[InBandError | Close, Fate] = {
        **{InBandError(code): "fatal" for code in ("auth_error", "quota_exceeded", "unaccepted_terms")},
        **{InBandError(code): "fatal" for code in ("invalid_request", "input_error", "chunk_size_exceeded")},
        **{InBandError(code): "retry" for code in ("error", "transcriber_error", "rate_limited", "queue_overflow")},
        **{InBandError(code): "retry" for code in ("resource_exhausted", "session_time_limit_exceeded")},
        InBandError("insufficient_audio_activity"): "retry",
    }
    garbled = '{"message_type":"committed_transcript_with_timestamps","text":17,"words":[[]]}'

    def __init__(self, request: TranscribeRequest, *, timed: bool) -> None:
        self._request = request
        self._timed = timed
        self._uncommitted = 0
        self._finals: list[RecognitionResult] = []

    def opens(self) -> Iterable[Request]:
        return (self._request,)

    def manner(self, manner: Manner) -> Manner:
        """Makes the recognizer tidy, without what the protocol cannot express. Finals come only on a commit."""
        asked: dict[str, Any] = {"endpointing": None, "preflight": None, "onsets": False, "freedoms": None, "held": 0.0}
        asked |= {"twice": False, "finalized": "after", "mid_word": "cut", "spans": "utterance", "word_times": True}
        return msgspec.structs.replace(manner, **asked)

    # ------------------------------------------------------------ from the client

    def decode(self, frame: Frame) -> Incoming:
        try:
            message = _decoder.decode(frame)
            audio = b64decode(message.audio_base_64, validate=True)
        except (msgspec.DecodeError, UnicodeError, ValueError) as error:
            return Incoming("malformed", (Mistake(f"malformed message: {error}", "input_error"),))
        kind = "commit" if message.commit else "audio" if audio else "keepalive"
        return Incoming(kind, tuple(self._requests(audio, commit=message.commit)))

    def _requests(self, audio: bytes, *, commit: bool) -> Iterator[Request]:
        audio_format = self._request.audio_format
        self._uncommitted += len(audio) // audio_format.frame_size
        if audio:
            yield Audio(audio)
        if commit and audio_format.seconds(self._uncommitted) < _SHORTEST_COMMIT:
            yield Mistake("You need at least 0.3s of uncommitted audio", "commit_throttled")
        elif commit:
            self._uncommitted = 0
            yield ClientFinalize()

    # ------------------------------------------------------------ to the client

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        match reply:
            case Opened(session_id=name):
                audio_format = self._request.audio_format
                config = {"sample_rate": audio_format.sample_rate, "model_id": self._request.model}
                yield _outgoing("session_started", reply, session_id=name, config=config)
            case RecognitionResult(kind="final"):
                self._finals.append(reply)
            case RecognitionResult(text=text):
                yield _outgoing("partial_transcript", reply, text=text)
            case FinalizeAnswered():
                yield from self._committed(reply)
            case Failure(message=why, code=code):
                kind = code if isinstance(code, str) else _ERRORS.get(code, "transcriber_error")
                yield _outgoing(kind, reply, error=why)
            case Mistake(why, code):
                yield _outgoing(code or "input_error", reply, error=why)
            case Closed():
                yield _outgoing("session_time_limit_exceeded", reply, error="Maximum session time reached.")
            case _:
                return

    def _committed(self, reply: FinalizeAnswered) -> Iterator[Outgoing]:
        finals, self._finals = tuple(self._finals), []
        text = " ".join(final.text for final in finals)
        says: tuple[Reply, ...] = (*finals, reply)
        yield _outgoing("committed_transcript", *(() if self._timed else says), text=text)
        if self._timed:
            words = list(_words(finals))
            yield _outgoing("committed_transcript_with_timestamps", *says, text=text, language_code="en", words=words)


def _words(finals: Iterable[RecognitionResult]) -> Iterator[dict[str, Any]]:
    before = None
    for word in (word for final in finals for word in final.words):
        if before is not None:
            yield {"text": " ", "start": before, "end": word.start, "type": "spacing"}
        yield {"text": word.text, "start": word.start, "end": word.end, "type": "word", "logprob": 0.0}
        before = word.end


def _outgoing(kind: str, *says: Reply, **fields: Any) -> Outgoing:
    return Outgoing(msgspec.json.encode({"message_type": kind, **fields}).decode(), kind, says)
