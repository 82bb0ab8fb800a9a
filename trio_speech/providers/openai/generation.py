"""The codec of vLLM's realtime transcription.

A connection makes one *generation*: it begins with the session, yields more and more text, and ends when the client
has said that its audio is complete. No message says where in the audio a text lies. So the whole connection is one
final, and a long session moves to a new connection twice a minute, in a pause of the audio. The server drops audio that
is appended after the client said that it is complete.

Source: vLLM 0.22.1, ``entrypoints.openai.realtime``. Not verified against a running server: whether it hears audio as
fast as it is sent, and for how long one generation may last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from ..._core.provider.messages import Closed, Failure, Opened, RecognitionResult, SttMessage, Unknown
from ..._core.provider.requests import Change
from ...audio import AudioFormat
from ...errors import ProtocolError
from .._clock import AudioClock
from .._codec import Frame, SttCodec
from .._json import encode
from . import wire
from .settings import Settings


class GenerationCodec(SttCodec):
    """See `SttCodec`."""

    def __init__(self, settings: Settings, audio_format: AudioFormat) -> None:
        self._settings = settings
        self._sent = AudioClock(audio_format)
        self._text = ""
        self._closing = False

    def open(self) -> Iterable[Frame]:
        # The generation has to run before there is audio: what comes before is kept for it.
        return (
            self._settings.opening,
            encode({"type": "input_audio_buffer.commit", "final": False}),
        )

    def audio(self, pcm: bytes | memoryview) -> Frame:
        self._sent.add(pcm)
        return wire.append(pcm)

    def update(self, change: Change) -> None:
        """Raises `ConfigurationError`: the service has no settings that could be changed."""
        self._settings.changed(change)

    def close(self) -> Frame:
        self._closing = True
        return encode({"type": "input_audio_buffer.commit", "final": True})

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        return tuple(self._said(wire.from_server.decode(frame)))

    def _said(self, message: wire.ServerMessage | Unknown) -> Iterator[SttMessage]:
        match message:
            case wire.SessionCreated(id=name):
                yield Opened(name)
            case wire.Part(delta=text):
                self._text = wire.joined(self._text, text)
                if self._text.strip():
                    yield self._result("interim")
            case wire.Whole(text=text) if self._closing:
                shown, self._text = self._text.strip(), text
                if text.strip() or shown:
                    yield self._result("final")
                yield Closed()
            case wire.Whole():
                # It is not known where in the audio it ended, so all audio is sent again.
                yield Failure(message="the generation ended before the audio did", retryable=True)
            case wire.Problem():
                yield message.cause.failure
            case Unknown():
                yield message
            case _:
                raise ProtocolError("malformed message: it is not of vLLM's protocol: give another dialect")

    def _result(self, kind: Literal["interim", "final"]) -> RecognitionResult:
        text, end = self._text.strip(), self._sent.now
        return RecognitionResult(kind=kind, text=text, start=0.0, end=end, ends_speech=kind == "final")
