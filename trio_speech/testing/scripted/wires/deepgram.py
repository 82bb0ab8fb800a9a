"""The service's side of Deepgram's live recognition, ``/v1/listen``.

The query of the URL holds the settings. Each final transcript covers a *window* of the audio: a window begins where the
last one ended, and one of silence has no words. A window ends where the recognizer acknowledges the audio, and holds
the final that came since the last window.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs); deepgram-sdk 7.17.0 (PyPI), ``listen/v1``; Deepgram's
documentation of endpointing, utterance end, keepalive and errors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from ...._core.provider.messages import (
    Acknowledged,
    Audio,
    Closed,
    Failure,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    Unknown,
)
from ...._core.provider.profile import Fate
from ...._core.provider.requests import Change, TranscribeRequest
from ....audio.formats import AudioFormat, Encoding
from ....errors import ConfigurationError, ProtocolError
from ....providers._codec import Frame
from ..faults import Close, InBandError, Refuse
from ..manner import Manner
from ..recognizer import UtteranceEnded
from . import deepgram_messages as messages
from .protocol import Changed, ClientFinalize, ClientFinish, IdleLimit, Incoming, Mistake, Outgoing, Reply, Request

_UNREADABLE = "SchemaError"
_NO_KEYTERMS = "CONFIGURE_KEYTERMS_NOT_SUPPORTED"
_IN_WINDOWS = ("late onset", "retraction", "onset of nothing", "ghost", "empty final", "blank final")
_ENCODINGS: dict[str, Encoding] = {"linear16": "pcm_s16le", "mulaw": "mulaw", "alaw": "alaw"}
_FIELDS = ("model", "language", "encoding", "sample_rate", "channels", "keyterm")


def listen(query: str, session_id: str) -> DeepgramWire | Refuse:
    """Makes the wire of ``/v1/listen``, or refuses a bad request in the handshake."""
    settings = parse_qs(query, keep_blank_values=True)
    try:
        return DeepgramWire(_request(settings), settings, session_id)
    except (ConfigurationError, ValueError) as error:
        body = {"err_code": "Bad Request", "err_msg": str(error), "request_id": session_id}
        return Refuse(400, body=msgspec.json.encode(body).decode())


def _request(settings: dict[str, list[str]]) -> TranscribeRequest:
    if settings.get("multichannel", ["false"]) != ["false"]:
        raise ValueError("multichannel must be false: the scripted service does not recognize channels apart")
    if "encoding" not in settings or "sample_rate" not in settings or "model" not in settings:
        raise ValueError("model, encoding and sample_rate must be given for raw audio")
    encoding = _ENCODINGS.get(settings["encoding"][-1])
    if encoding is None:
        raise ValueError(f"encoding must be one of {', '.join(_ENCODINGS)}: the scripted service supports nothing else")
    channels = int(settings.get("channels", ["1"])[-1])
    return TranscribeRequest(
        audio_format=AudioFormat(encoding, int(settings["sample_rate"][-1]), channels),
        model=settings["model"][-1],
        language=settings.get("language", [None])[-1],
        options={name: values[-1] for name, values in settings.items() if name not in _FIELDS},
        keyterms=tuple(settings.get("keyterm", ())),
    )


class DeepgramWire:
    """See `Wire`."""

    idle = IdleLimit(10.0, Close(1011, "NET-0001"))
    fates: Mapping[InBandError | Close, Fate] = {
        InBandError("CONFIGURE_KEYTERMS_NOT_SUPPORTED"): "fatal",
        InBandError("CONFIGURE_KEYTERM_LIMIT_EXCEEDED"): "fatal",
        InBandError("CONFIGURE_ALREADY_PENDING"): "retry",
        InBandError("CONFIGURE_INTERNAL_ERROR"): "retry",
        Close(1008, "DATA-0000"): "fatal",
        Close(1011, "NET-0000"): "retry",
        Close(1011, "NET-0001"): "retry",
    }
    garbled = '{"type":"Results","start":"soon","duration":null,"channel":17}'

    def __init__(self, request: TranscribeRequest, settings: dict[str, list[str]], request_id: str) -> None:
        self._request = request
        self._settings = settings
        self._id = request_id
        self._received = hashlib.sha256()
        self._bytes = 0
        self._finals: list[RecognitionResult] = []
        self._verdicts: list[Reply] = []
        self._upto = 0.0

    def opens(self) -> Iterable[Request]:
        return (self._request,)

    def manner(self, manner: Manner) -> Manner:
        """Applies the durations that the client asked for, and leaves out what is off by default."""
        asked: dict[str, Any] = {"preflight": None, "onsets": self._setting("vad_events") == "true"}
        if self._setting("interim_results") != "true":
            asked["interim"] = None
        for name, setting in (("endpointing", "endpointing"), ("utterance_end", "utterance_end_ms")):
            if (milliseconds := self._setting(setting)).isdigit():
                asked[name] = int(milliseconds) / 1000
        if manner.freedoms is not None:  # its windows lie end to end, and each is given once
            asked |= {"freedoms": tuple(filter(_IN_WINDOWS.__contains__, manner.freedoms)), "ordered": True}
        return msgspec.structs.replace(manner, **asked)

    def _setting(self, name: str) -> str:
        return self._settings.get(name, [""])[-1].lower()

    # ------------------------------------------------------------ from the client

    def decode(self, frame: Frame) -> Incoming:
        if isinstance(frame, bytes):
            return Incoming("audio", self._audio(frame))
        try:
            message = messages.from_client.decode(frame)
        except ProtocolError as error:
            return Incoming("malformed", (Mistake(str(error), _UNREADABLE),))
        if isinstance(message, Unknown):
            return Incoming(message.tag, (Mistake(f"unknown message {message.tag}", _UNREADABLE),))
        return Incoming(type(message).__name__, tuple(self._requests(message)))

    def _audio(self, pcm: bytes) -> tuple[Request, ...]:
        if not pcm:
            return Mistake("an empty binary frame ends the stream"), ClientFinish()
        self._received.update(pcm)
        self._bytes += len(pcm)
        return (Audio(pcm),)

    def _requests(self, message: messages.ClientMessage) -> Iterator[Request]:
        match message:
            case messages.Finalize():
                yield ClientFinalize()
            case messages.CloseStream():
                yield ClientFinish()
            case messages.Configure(keyterms=keyterms):
                if keyterms is None or str(self._request.model).startswith("nova-3"):
                    yield Change(keyterms=keyterms)
                else:
                    yield Mistake("the keyterms of this model cannot change", _NO_KEYTERMS)
            case messages.KeepAlive():
                return

    # ------------------------------------------------------------ to the client

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        match reply:
            case RecognitionResult(kind="final"):
                self._finals.append(reply)
            case FinalizeAnswered() | SpeechOver():
                self._verdicts.append(reply)
            case Acknowledged(upto):
                yield from self._final(upto)
            case RecognitionResult(kind="interim"):
                yield self._window(reply, (), max(reply.end, self._upto), is_final=False)
            case _:
                if message := self._message(reply):
                    yield _outgoing(message, reply)

    def _final(self, upto: float) -> Iterator[Outgoing]:
        """Yields the window that ends at `upto` seconds: once for each final in it; not at all if it is empty."""
        if not (self._finals or self._verdicts or upto > self._upto):
            return
        for final in tuple(self._finals) or (None,):
            yield self._window(final, self._verdicts, upto, is_final=True)
        self._finals, self._verdicts, self._upto = [], [], upto

    def _window(
        self, said: RecognitionResult | None, verdicts: Sequence[Reply], upto: float, *, is_final: bool
    ) -> Outgoing:
        ends = (said is not None and said.ends_speech) or any(isinstance(reply, SpeechOver) for reply in verdicts)
        alternative = messages.alternative(said) if said else messages.SILENCE
        if said and self._request.language == "multi":
            alternative |= {"languages": [said.language]}
        message = messages.results(
            self._id,
            str(self._request.model),
            self._upto,
            upto - self._upto,
            alternative,
            is_final=is_final,
            speech_final=ends and self._setting("endpointing") != "false",
            from_finalize=any(isinstance(reply, FinalizeAnswered) for reply in verdicts),
        )
        return _outgoing(message, *([said] if said else []), *verdicts)

    def _message(self, reply: Reply) -> messages.Json | None:
        message: messages.Json | None = None
        match reply:
            case SpeechOnset(at):
                message = messages.speech_started(at)
            case UtteranceEnded(since):
                message = messages.utterance_end(since)
            case Changed(change):
                message = messages.configured(self._id, change.keyterms)
            case Failure(message=why, code=code):
                message = messages.complaint(self._id, "InternalError" if code is None else str(code), why)
            case Mistake(why, str(code)):
                message = messages.complaint(self._id, code, why)
            case Closed():
                audio_format = self._request.audio_format
                duration = audio_format.seconds(self._bytes // audio_format.frame_size)
                message = messages.metadata(self._id, self._received.hexdigest(), duration)
            case _:
                pass
        return message


def _outgoing(message: messages.Json, *says: Reply) -> Outgoing:
    return Outgoing(msgspec.json.encode(message).decode(), message["type"], says)
