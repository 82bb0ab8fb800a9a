"""The service's side of ElevenLabs' voices with contexts, ``/v1/text-to-speech/{voice_id}/multi-stream-input``.

Contexts are spoken one after the other, in the order in which they were flushed. A sixth open context ends the
connection, as with the real service. The times of a message count from the start of its own audio. Unlike the real
service's, they are not rounded to whole milliseconds, so that a test can compare them to the sample.

Source: elevenlabs 2.78.0 (PyPI); livekit-plugins-elevenlabs 1.8.9; pipecat 1.14.0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from pybase64 import b64encode_as_string

from ...._core.provider.messages import Aligned, Audio, Done, Failure
from ...._core.provider.profile import Fate
from ...._core.provider.requests import SynthesizeRequest
from ....audio import AudioFormat, Encoding
from ....errors import ConfigurationError
from ....events import Word
from ....providers._codec import Frame
from ..faults import Close, InBandError, Refuse
from ..manner import Manner
from .protocol import ClientClose, Flush, IdleLimit, Incoming, Mistake, Outgoing, Reply, Request, Text

_MOST_CONTEXTS = 5
_ENCODINGS: Mapping[str, Encoding] = {"pcm": "pcm_s16le", "ulaw": "mulaw", "alaw": "alaw"}


class ClientMessage(msgspec.Struct, frozen=True):
    """Any message of the client: the protocol has no field for the type, so the other fields tell it."""

    text: str | None = None
    context_id: str | None = None
    flush: bool = False
    close_context: bool = False
    close_socket: bool = False
    voice_settings: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(ClientMessage)


def multi_stream_input(query: str, session_id: str) -> ElevenLabsWire | Refuse:
    """Makes the wire of ``multi-stream-input``, or refuses a bad request in the handshake."""
    settings = parse_qs(query)
    kind, _, rate = settings.get("output_format", ["mp3_44100_128"])[-1].partition("_")
    try:
        encoding = _ENCODINGS.get(kind)
        if encoding is None:
            raise ValueError("output_format must be pcm_…, ulaw_… or alaw_…: the scripted service has no other")
        request = SynthesizeRequest(
            audio_format=AudioFormat(encoding, int(rate)), model=settings.get("model_id", [None])[-1]
        )
    except (ConfigurationError, ValueError) as error:
        return Refuse(400, body=str(error))
    return ElevenLabsWire(request, aligns=settings.get("sync_alignment") == ["true"])


class ElevenLabsWire:
    """See `Wire`."""

    idle = IdleLimit(20.0, Close(1008, "Have not received a new text input within the timeout of 20 s"))
    fates: Mapping[InBandError | Close, Fate] = {
        InBandError("max_active_conversations"): "retry",
        InBandError("input_timeout_exceeded"): "retry",
        Close(1008, "Have not received a new text input within the timeout of 20 s"): "retry",
        Close(1008, "max_active_conversations"): "retry",
        Close(1008, "invalid_api_key"): "fatal",
        Close(1011): "retry",
    }
    garbled = '{"audio":17,"contextId":["x"]}'

    def __init__(self, request: SynthesizeRequest, *, aligns: bool) -> None:
        self._request = request
        self._aligns = aligns
        self._open: list[str] = []
        self._spoken: deque[str] = deque()
        self._samples = 0
        self._held: Audio | None = None

    def opens(self) -> Iterable[Request]:
        return (self._request,)

    def manner(self, manner: Manner) -> Manner:
        return manner

    # ------------------------------------------------------------ from the client

    def decode(self, frame: Frame) -> Incoming:
        try:
            message = _decoder.decode(frame)
        except (msgspec.DecodeError, UnicodeError) as error:
            return Incoming("malformed", (Mistake(f"malformed message: {error}"),))
        kind, asks = self._asked(message)
        return Incoming(kind, asks)

    def _asked(self, message: ClientMessage) -> tuple[str, tuple[Request, ...]]:
        context = message.context_id
        if message.close_socket:
            return "close_socket", (ClientClose(),)
        if context is None or message.close_context:
            return "keepalive" if context is None else "close_context", ()
        if context not in self._open:
            self._open.append(context)
            if len(self._open) > _MOST_CONTEXTS:
                return "text", (Mistake("max_active_conversations"), ClientClose())
        if message.flush:
            self._spoken.append(context)
            return "flush", (Flush(),)
        return "text", (Text(message.text),) if message.text and message.text.strip() else ()

    # ------------------------------------------------------------ to the client

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        match reply:
            case Audio():
                yield from self._let_go(())
                self._held = reply
            case Aligned(words):
                yield from self._let_go(words)
            case Done():
                yield from self._let_go(())
                self._samples = 0
                context = self._spoken.popleft()
                self._open.remove(context)
                yield _outgoing({"isFinal": True, "contextId": context}, "final", reply)
            case Failure(message=why, code=code):
                yield _outgoing({"message": why, "error": str(code), "code": 1011}, "error", reply)
            case Mistake(why):
                yield _outgoing({"message": why, "error": why, "code": 1008}, "error", reply)
            case _:
                return

    def _let_go(self, words: tuple[Word, ...]) -> Iterator[Outgoing]:
        """Yields the message with the audio that was held back to wait for its alignment, if there is any."""
        held, self._held = self._held, None
        if held is None:
            return
        rate = self._request.audio_format.sample_rate
        base, self._samples = (
            self._samples / rate,
            self._samples + len(held.pcm) // self._request.audio_format.frame_size,
        )
        message: dict[str, Any] = {"audio": b64encode_as_string(held.pcm), "contextId": self._open[0]}
        if words and self._aligns:
            message["alignment"] = _characters(words, base)
        says = (held, Aligned(words)) if words else (held,)
        yield _outgoing(message, "audio", *says)


def _characters(words: Iterable[Word], base: float) -> dict[str, Any]:
    """Returns the characters of words, and a blank after each, with times in milliseconds after `base` (seconds)."""
    chars, starts, lengths = list[str](), list[float](), list[float]()
    for word in words:
        text = word.text.rstrip()
        length = (word.end - word.start) / len(text)
        for index, char in enumerate(text):
            chars.append(char)
            starts.append((word.start + index * length - base) * 1e3)
            lengths.append(length * 1e3)
        chars.append(" ")
        starts.append((word.end - base) * 1e3)
        lengths.append(0.0)
    return {"chars": chars, "charStartTimesMs": starts, "charDurationsMs": lengths}


def _outgoing(message: dict[str, Any], kind: str, *says: Reply) -> Outgoing:
    return Outgoing(msgspec.json.encode(message).decode(), kind, says)
