"""The service's side of Deepgram's speech synthesis, ``/v1/speak``.

The query of the URL holds the settings, and audio is sent in binary frames. A flush beyond the 20th within a minute is
ignored, with a warning.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs); deepgram-sdk 7.17.0 (PyPI), ``speak/v1``; Deepgram's
documentation of flush and clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
import trio

from ...._core.pool.quota import GenerationQuota
from ...._core.provider.messages import Audio, Done, Failure, Opened, Unknown
from ...._core.provider.profile import Fate
from ...._core.provider.requests import SynthesizeRequest
from ....audio import AudioFormat, Encoding
from ....errors import ConfigurationError, ProtocolError
from ....providers._codec import Frame
from ....providers.deepgram import speak_wire as wire
from ..faults import Close, InBandError, Refuse
from ..manner import Manner
from .protocol import Cancel, Cancelled, ClientClose, Flush, Incoming, Mistake, Outgoing, Reply, Request, Text

_FLUSHES_PER_MINUTE = 20
_ENCODINGS: Mapping[str, Encoding] = {"linear16": "pcm_s16le", "mulaw": "mulaw", "alaw": "alaw"}
_FIELDS = ("model", "encoding", "sample_rate")


def speak(query: str, session_id: str) -> DeepgramSpeakWire | Refuse:
    """Makes the wire of ``/v1/speak``, or refuses a bad request in the handshake."""
    settings = parse_qs(query, keep_blank_values=True)
    try:
        encoding = _ENCODINGS.get(settings.get("encoding", ["linear16"])[-1])
        if encoding is None:
            raise ValueError(f"encoding must be one of {', '.join(_ENCODINGS)}: the scripted service has no other")
        request = SynthesizeRequest(
            audio_format=AudioFormat(encoding, int(settings.get("sample_rate", ["24000"])[-1])),
            model=settings.get("model", ["aura-asteria-en"])[-1],
            options={name: values[-1] for name, values in settings.items() if name not in _FIELDS},
        )
    except (ConfigurationError, ValueError) as error:
        return Refuse(400, body=msgspec.json.encode({"err_code": "Bad Request", "err_msg": str(error)}).decode())
    return DeepgramSpeakWire(request, session_id)


class DeepgramSpeakWire:
    """See `Wire`. It has no word times, and no message that ends the session."""

    idle = None
    fates: Mapping[InBandError | Close, Fate] = {
        InBandError("INTERNAL_SERVER_ERROR"): "retry",
        Close(1003, "MESSAGE-0000"): "fatal",
        Close(1008, "DATA-0000"): "fatal",
        Close(1008, "DATA-0001"): "retry",
        Close(1009, "BIG-0000"): "fatal",
        Close(1011, "NET-0001"): "retry",
        Close(1011, "NET-0003"): "retry",
    }
    garbled = '{"type":"Flushed","sequence_id":"soon"}'

    def __init__(self, request: SynthesizeRequest, session_id: str) -> None:
        self._request = request
        self._id = session_id
        self._answers = 0
        self._quota = GenerationQuota(_FLUSHES_PER_MINUTE)

    def opens(self) -> Iterable[Request]:
        return (self._request,)

    def manner(self, manner: Manner) -> Manner:
        return manner

    def decode(self, frame: Frame) -> Incoming:
        if isinstance(frame, bytes):
            return Incoming("binary", (Mistake("a binary frame, where only text is taken", "MESSAGE-0000"),))
        try:
            message = wire.from_client.decode(frame)
        except ProtocolError as error:
            return Incoming("malformed", (Mistake(str(error), "DATA-0000"),))
        if isinstance(message, Unknown):
            return Incoming(message.tag, (Mistake(f"unknown message {message.tag}", "DATA-0000"),))
        return Incoming(type(message).__name__, (self._asked(message),))

    def _asked(self, message: wire.ClientMessage) -> Request:
        match message:
            case wire.Speak(text):
                return Text(text)
            case wire.Clear():
                return Cancel()
            case wire.Close():
                return ClientClose()
            case wire.Flush():
                now = trio.current_time()
                if self._quota.is_used_up(now):
                    return Mistake("more than 20 flushes within a minute: this one is ignored", "EXCESSIVE_FLUSH")
                self._quota.began(now)
                return Flush()

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        if isinstance(reply, Audio):
            yield Outgoing(reply.pcm, "audio", (reply,))
        elif message := self._message(reply):
            yield Outgoing(msgspec.json.encode(message).decode(), message["type"], (reply,))

    def _message(self, reply: Reply) -> dict[str, Any] | None:
        match reply:
            case Opened():
                version = {"model_name": self._request.model, "model_version": "0", "model_uuid": "0"}
                return {"type": "Metadata", "request_id": self._id, **version}
            case Done():
                return self._counted("Flushed")
            case Cancelled():
                return self._counted("Cleared")
            case Mistake(why, code):
                return {"type": "Warning", "code": code or "", "description": why}
            case Failure(message=why, code=code):
                return {"type": "Error", "code": str(code), "description": why}
            case _:
                return None

    def _counted(self, kind: str) -> dict[str, Any]:
        answer = {"type": kind, "sequence_id": self._answers}
        self._answers += 1
        return answer
