"""The codec of Cartesia's speech synthesis, ``/tts/websocket``.

A connection carries many *contexts*. A codec speaks one text after the other, each in a context of its own. Several
codecs may share the connection, so a codec skips the messages of all other contexts. After a context was cancelled,
messages of it may still arrive, and the next context may begin before that. It is not known whether the service says
when a cancelled context is over, so its first message after the cancellation counts as `Done`.

Source: Cartesia's AsyncAPI specification and guides (docs.cartesia.ai), version 2026-03-01, and cartesia 4.2.0 (PyPI).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.provider.messages import Aligned, Audio, Done, Failure, TtsMessage, Unknown
from ...errors import ProtocolError
from ...events import Word
from .._codec import Frame, TtsCodec
from .._words import timed_word
from . import wire

_LONGEST_MESSAGE = 500


class CartesiaCodec(TtsCodec):
    """See `TtsCodec`. `fields` are sent with every text; the contexts are named ``name-1``, ``name-2`` and so on."""

    def __init__(self, fields: Mapping[str, Any], name: str) -> None:
        self._fields = fields
        self._name = name
        self._contexts = 0
        self._speaking: str | None = None
        self._cancelled: str | None = None

    def speak(self, text: str) -> Iterable[Frame]:
        self._contexts += 1
        context = self._speaking = f"{self._name}-{self._contexts}"
        self._cancelled = None
        return (
            wire.generation(context, text, self._fields, more=True),
            wire.generation(context, "", self._fields, more=False),
        )

    def cancel(self) -> Frame | None:
        if self._speaking is None:
            return None
        self._cancelled = self._speaking
        self._speaking = None
        return wire.cancellation(self._cancelled)

    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        message = wire.from_server.decode(frame)
        match message:
            case Unknown():
                return (message,)
            case wire.Error(context_id=None):
                return (_failure(message),)
            case _ if message.context_id == self._speaking:
                return self._say(message)
            case _ if message.context_id == self._cancelled:
                self._cancelled = None
                return (Done(),)
            case _:
                return ()

    def _say(self, message: wire.ServerMessage) -> Iterable[TtsMessage]:
        match message:
            case wire.Chunk(data=data):
                return (Audio(data),) if data else ()
            case wire.Timestamps(word_timestamps=times):
                words = _words(times or wire.Times())
                return (Aligned(words),) if words else ()
            case wire.Done():
                self._speaking = None
                return (Done(),)
            case wire.Error():
                self._speaking = None
                return (_failure(message),)
            case _:
                return ()


def _words(times: wire.Times) -> tuple[Word, ...]:
    if not len(times.words) == len(times.start) == len(times.end):
        raise ProtocolError("malformed message: words and times differ in number")
    timed = zip(times.words, times.start, times.end, strict=True)
    return tuple(timed_word(text, start, end) for text, start, end in timed if text.strip())


def _failure(error: wire.Error) -> Failure:
    said = [text for text in (error.title, error.message or error.error) if text]
    return Failure(
        message=(": ".join(said) or "no reason given")[:_LONGEST_MESSAGE],
        code=error.error_code if error.status_code is None else error.status_code,
        request_id=error.request_id,
    )
