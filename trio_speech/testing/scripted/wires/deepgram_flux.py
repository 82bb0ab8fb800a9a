"""The service's side of Deepgram Flux, ``/v2/listen``, whose messages each repeat the whole turn so far.

The query of the URL holds the settings. A *turn* is the speech that the recognizer puts into one final. Between turns,
updates tell how far the audio has been transcribed. After ``CloseStream`` a turn is not ended: its last message is an
update.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs); deepgram-sdk 7.17.0 (PyPI), ``listen/v2``; Deepgram's
documentation of Flux, its states, its configuration, and of closing a stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from ...._core.provider.messages import (
    Acknowledged,
    Audio,
    Failure,
    Opened,
    RecognitionResult,
    SpeechOnset,
    Unknown,
)
from ...._core.provider.profile import Fate
from ...._core.provider.requests import Change, TranscribeRequest
from ....audio.formats import AudioFormat, Encoding
from ....errors import ConfigurationError, ProtocolError
from ....providers._codec import Frame
from ....providers._json import TaggedUnion
from ..faults import Close, InBandError, Refuse
from ..manner import Manner
from .protocol import Changed, ClientFinalize, ClientFinish, IdleLimit, Incoming, Mistake, Outgoing, Reply, Request

_ENCODINGS: dict[str, Encoding] = {"linear16": "pcm_s16le", "mulaw": "mulaw", "alaw": "alaw"}
_FIELDS = ("model", "encoding", "sample_rate", "keyterm")
_EAGER, _UPDATES = 0.16, 0.25
"""Seconds of silence after which a turn is reported to end probably; seconds of audio between two updates."""
_DRIFT = 0.06
"""Seconds by which the scripted times of a turn may be off."""
_UNREADABLE = "UNPARSABLE_CLIENT_MESSAGE"
_CLOSED_FOR_IDLENESS = 1011

Json: TypeAlias = dict[str, Any]
Event: TypeAlias = Literal["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]


class CloseStream(Struct, frozen=True, tag=True):
    pass


class ForceEndTurn(Struct, frozen=True, tag=True):
    pass


class Configure(Struct, frozen=True, tag=True):
    thresholds: dict[str, float] | None = None
    keyterms: tuple[str, ...] | None = None
    language_hints: tuple[str, ...] | None = None


ClientMessage: TypeAlias = CloseStream | ForceEndTurn | Configure
_from_client: TaggedUnion[ClientMessage] = TaggedUnion(ClientMessage)


def listen(query: str, session_id: str) -> FluxWire | Refuse:
    """Makes the wire of ``/v2/listen``, or refuses a bad request in the handshake."""
    settings = parse_qs(query, keep_blank_values=True)
    try:
        return FluxWire(_request(settings), settings, session_id)
    except (ConfigurationError, ValueError) as error:
        body = {"err_code": "Bad Request", "err_msg": str(error), "request_id": session_id}
        return Refuse(400, body=msgspec.json.encode(body).decode())


def _request(settings: dict[str, list[str]]) -> TranscribeRequest:
    model = settings.get("model", [""])[-1]
    encoding = _ENCODINGS.get(settings.get("encoding", [""])[-1])
    if not model.startswith("flux") or encoding is None or "sample_rate" not in settings:
        raise ValueError("model must be a Flux model, and encoding and sample_rate be given for raw audio")
    return TranscribeRequest(
        audio_format=AudioFormat(encoding, int(settings["sample_rate"][-1])),
        model=model,
        options={name: values[-1] for name, values in settings.items() if name not in _FIELDS},
        keyterms=tuple(settings.get("keyterm", ())),
    )


class FluxWire:
    """See `Wire`."""

    idle = IdleLimit(20.0, Close(_CLOSED_FOR_IDLENESS, "no audio"))
    fates: Mapping[InBandError | Close, Fate] = {
        InBandError("INTERNAL_SERVER_ERROR"): "retry",
        Close(1008, "DATA-0000"): "fatal",
        Close(1011, "NET-0000"): "retry",
    }
    garbled = '{"type":"TurnInfo","event":"Update","audio_window_start":"soon","transcript":17}'

    def __init__(self, request: TranscribeRequest, settings: dict[str, list[str]], request_id: str) -> None:
        self._request = request
        self._is_eager = "eager_eot_threshold" in settings
        self._id = request_id
        self._sequence = 0
        self._turn = 0
        self._window_start = 0.0
        self._in_turn = False
        self._expected: str | None = None
        self._last: RecognitionResult | None = None
        self._trigger = "model"
        self._is_closing = False
        self._bytes = 0
        self._endpointing = 0.0

    def opens(self) -> Iterable[Request]:
        return (self._request,)

    def manner(self, manner: Manner) -> Manner:
        """Makes each turn one final, with frequent interims, and with preflights if the client asked for eager ends."""
        asked: Json = {
            "preflight": _EAGER if self._is_eager else None,
            "interim": _UPDATES,
            "silence": _UPDATES,
            "longest": None,
            "onsets": True,
            "twice": False,
        }
        self._endpointing = manner.endpointing or 0.0
        if manner.freedoms is not None:  # turns come in order, and each ends once
            asked |= {"freedoms": (), "ordered": True}
        return msgspec.structs.replace(manner, **asked)

    # ------------------------------------------------------------ from the client

    def decode(self, frame: Frame) -> Incoming:
        if isinstance(frame, bytes):
            self._bytes += len(frame)
            return Incoming("audio", (Audio(frame),))
        try:
            message = _from_client.decode(frame)
        except ProtocolError as error:
            return Incoming("malformed", (Mistake(str(error), _UNREADABLE),))
        if isinstance(message, Unknown):
            return Incoming(message.tag, (Mistake(f"unknown message {message.tag}", _UNREADABLE),))
        return Incoming(type(message).__name__, tuple(self._requests(message)))

    def _requests(self, message: ClientMessage) -> Iterator[Request]:
        match message:
            case CloseStream():
                self._is_closing = True
                yield ClientFinish()
            case ForceEndTurn():
                if self._in_turn:  # without a turn, it is ignored
                    self._trigger = "manual"
                    yield ClientFinalize()
            case Configure(thresholds=thresholds, keyterms=keyterms, language_hints=hints):
                options: Json = dict(thresholds or {}) | ({} if hints is None else {"language_hint": hints})
                self._is_eager |= "eager_eot_threshold" in options
                yield Change(keyterms=keyterms, options=options)

    # ------------------------------------------------------------ to the client

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        match reply:
            case RecognitionResult():
                yield from self._result(reply)
            case SpeechOnset(at):
                if not self._in_turn:
                    yield self._info("StartOfTurn", None, at or self._window_start, reply)
            case Acknowledged(upto):
                if not self._in_turn or self._is_closing:
                    yield self._info("Update", self._last, upto, reply)
            case _:
                if message := self._message(reply):
                    yield self._outgoing(message, reply)

    def _result(self, said: RecognitionResult) -> Iterator[Outgoing]:
        if not self._in_turn:
            yield self._info("StartOfTurn", said, said.end)
        if self._expected not in (None, said.text):
            yield self._info("TurnResumed", said, said.end)
        if said.kind == "final":
            yield self._info("Update" if self._is_cut_off(said) else "EndOfTurn", said, said.end, said)
        else:
            yield self._info("EagerEndOfTurn" if said.kind == "preflight" else "Update", said, said.end, said)

    def _is_cut_off(self, said: RecognitionResult) -> bool:
        """Whether the end of the audio ended the turn, and not silence. A turn that silence ended may be told late."""
        audio_format = self._request.audio_format
        silence = audio_format.seconds(self._bytes // audio_format.frame_size) - said.end
        return self._is_closing and silence < self._endpointing - _DRIFT

    def _info(self, event: Event, said: RecognitionResult | None, window_end: float, *says: Reply) -> Outgoing:
        """Returns the message with the current turn so far. After an ``EndOfTurn``, the next turn is current."""
        message: Json = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": self._window_start,
            "audio_window_end": max(self._window_start, window_end),
            "transcript": said.text if said else "",
            "words": [_word(word) for word in said.words] if said else [],
            "end_of_turn_confidence": {"EndOfTurn": 0.9, "EagerEndOfTurn": 0.6}.get(event, 0.1),
        }
        if str(self._request.model).endswith("multi"):
            message["languages"] = [said.language] if said and said.language else []
        self._expected = None if said is None or event != "EagerEndOfTurn" else said.text
        self._last = None if event == "EndOfTurn" else said
        self._in_turn = event != "EndOfTurn" and (self._in_turn or said is not None or event == "StartOfTurn")
        if event == "EndOfTurn":
            message["trigger"], self._trigger = self._trigger, "model"
            self._turn += 1
            self._window_start = message["audio_window_end"]
        return self._outgoing(message, *says)

    def _message(self, reply: Reply) -> Json | None:
        match reply:
            case Opened():
                return {"type": "Connected"}
            case Changed(change):
                lists = {"keyterms": change.keyterms} if change.keyterms is not None else {}
                return {"type": "ConfigureSuccess", "thresholds": dict(change.options or {}), **lists}
            case Failure(message=why, code=code):
                return {"type": "Error", "code": "INTERNAL_SERVER_ERROR" if code is None else str(code)} | _told(why)
            case Mistake(why, str(code)):
                return {"type": "Error", "code": code} | _told(why)
            case _:
                return None

    def _outgoing(self, message: Json, *says: Reply) -> Outgoing:
        message |= {"request_id": self._id, "sequence_id": self._sequence}
        self._sequence += 1
        kind: str = message["event"] if "event" in message else message["type"]
        return Outgoing(msgspec.json.encode(message).decode(), kind, says)


def _told(why: str) -> Json:
    return {"description": why}


def _word(word: Any) -> Json:
    return {"word": word.text, "start": word.start, "end": word.end, "confidence": word.confidence}
