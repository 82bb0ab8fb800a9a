"""The service's side of Cartesia's speech synthesis, ``/tts/websocket``.

Contexts are spoken one after the other; the real service speaks them side by side. The first message of a connection
sets the audio format of all its contexts.

Source: Cartesia's AsyncAPI specification (docs.cartesia.ai), version 2026-03-01, and cartesia 4.2.0 (PyPI).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field
from pybase64 import b64encode_as_string

from ...._core.provider.messages import Aligned, Audio, Done, Failure
from ...._core.provider.profile import Fate
from ...._core.provider.requests import SynthesizeRequest
from ....audio import AudioFormat, Encoding
from ....errors import ConfigurationError
from ....providers._codec import Frame
from ..faults import Close, InBandError, Refuse
from ..manner import Manner
from .protocol import Cancel, Cancelled, Flush, Incoming, Mistake, Outgoing, Reply, Request, Text


class OutputFormat(Struct, frozen=True):
    container: str = "raw"
    encoding: str = "pcm_s16le"
    sample_rate: int = 44_100


class Generation(Struct, frozen=True):
    """A client's message: text for a context, or the cancellation of a context."""

    context_id: str
    transcript: str = ""
    more: bool = field(default=False, name="continue")
    cancel: bool = False
    model_id: str | None = None
    voice: dict[str, Any] | None = None
    output_format: OutputFormat | None = None
    add_timestamps: bool = False


_ENCODINGS: Mapping[str, Encoding] = {"pcm_s16le": "pcm_s16le", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}
_decoder = msgspec.json.Decoder(Generation)


def synthesis(query: str, session_id: str) -> CartesiaWire | Refuse:
    """Makes the wire of ``/tts/websocket``, or refuses a handshake that names no version."""
    del session_id
    return CartesiaWire() if "cartesia_version=" in query else Refuse(400, body="cartesia_version is missing")


class CartesiaWire:
    """See `Wire`. A cancelled context is answered by its ``done``."""

    idle = None
    fates: Mapping[InBandError | Close, Fate] = {
        **{InBandError(code): "fatal" for code in (400, 401, 402, 404)},
        **{InBandError(code): "retry" for code in (408, 429, 500, 503)},
        Close(1011): "retry",
        Close(1013): "retry",
    }
    garbled = '{"type":"chunk","context_id":"x","data":17}'

    def __init__(self) -> None:
        self._contexts: deque[str] = deque()
        self._opened = False
        self._aligns = False

    def opens(self) -> Iterable[Request]:
        return ()

    def manner(self, manner: Manner) -> Manner:
        return manner

    # ------------------------------------------------------------ from the client

    def decode(self, frame: Frame) -> Incoming:
        try:
            message = _decoder.decode(frame)
            return Incoming("cancel" if message.cancel else "generation", tuple(self._asked(message)))
        except (msgspec.DecodeError, UnicodeError, ConfigurationError) as error:
            return Incoming("malformed", (Mistake(f"malformed message: {error}"),))

    def _asked(self, message: Generation) -> Iterator[Request]:
        if message.cancel:
            if message.context_id in self._contexts:
                yield Cancel()
            return
        if not self._opened:
            self._opened, self._aligns = True, message.add_timestamps
            yield _session(message)
        if message.context_id not in self._contexts:
            self._contexts.append(message.context_id)
        if message.transcript:
            yield Text(message.transcript)
        if not message.more:
            yield Flush()

    # ------------------------------------------------------------ to the client

    def encode(self, reply: Reply) -> Iterator[Outgoing]:
        context = self._contexts[0] if self._contexts else None
        match reply:
            case Audio(pcm):
                yield _outgoing("chunk", context, reply, data=b64encode_as_string(pcm), step_time=1.0)
            case Aligned(words) if self._aligns:
                columns = zip(*((word.text, word.start, word.end) for word in words), strict=True)
                times = dict(zip(("words", "start", "end"), map(list, columns), strict=True))
                yield _outgoing("timestamps", context, reply, word_timestamps=times)
            case Done() | Cancelled():
                self._contexts.popleft()
                yield _outgoing("done", context, reply)
            case Failure(message=why, code=code):
                yield _outgoing("error", context, reply, title="Error", message=why, **_status(code))
            case Mistake(why):
                yield _outgoing("error", context, reply, title="Bad request", message=why, **_status(400))
            case _:
                return


def _session(message: Generation) -> SynthesizeRequest:
    audio = message.output_format or OutputFormat()
    encoding = _ENCODINGS.get(audio.encoding)
    if audio.container != "raw" or encoding is None:
        raise ConfigurationError("output_format must be raw, and pcm_s16le, pcm_mulaw or pcm_alaw")
    voice = (message.voice or {}).get("id")
    return SynthesizeRequest(audio_format=AudioFormat(encoding, audio.sample_rate), model=message.model_id, voice=voice)


def _status(code: int | str | None) -> dict[str, Any]:
    return {"status_code": code} if isinstance(code, int) else {"status_code": None, "error_code": code}


def _outgoing(kind: str, context: str | None, reply: Reply, **fields: Any) -> Outgoing:
    ends = kind in ("done", "error")
    message = {"type": kind, "context_id": context, "done": ends, "status_code": 206, **fields}
    return Outgoing(msgspec.json.encode(message).decode(), kind, (reply,))
