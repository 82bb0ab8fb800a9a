"""One client of ``/v1/tts``: text in; audio, its alignment and, for each flush, ``done`` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio
from msgspec.structs import replace

from ...providers.livekit import wire
from ...providers.livekit.models import has_spaced_words
from ..engines import SpokenWord, SynthesisOptions, Voice
from .connection import OPENING_TIMEOUT, ClientConnection, Rejected, check_encoding, sample_rate

_LONGEST_TEXT = 20_000
"""Characters in one message."""

_TEXTS_WAITING = 64
_BYTES_PER_SAMPLE = 2

_Order = wire.InputTranscript | wire.SessionFlush


async def converse(talk: ClientConnection[wire.TtsClientMessage], voice: Voice, model: str | None) -> None:
    """Serves the client, generation by generation, until it says ``session.close``.

    Raises `LinkDown` where it leaves, what it is to be told of, and groups of these.
    """
    created = await talk.hear(OPENING_TIMEOUT)
    if not isinstance(created, wire.TtsCreate):
        raise Rejected("session.create must come first")
    manner = _manner(created, model)
    await talk.say(wire.SessionCreated(session_id=talk.session_id))
    send, receive = trio.open_memory_channel[_Order](_TEXTS_WAITING)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_speak, _Speaker(talk, voice, manner), receive)
        if created.transcript:
            await send.send(wire.InputTranscript(_bounded(created.transcript)))
        await _listen(talk, send)
        nursery.cancel_scope.cancel(reason="the client closed the session")
    await talk.say_closed()


def _manner(created: wire.TtsCreate, model: str | None) -> SynthesisOptions:
    check_encoding(created.encoding)
    return SynthesisOptions(
        sample_rate=sample_rate(created.sample_rate),
        voice=created.voice or None,
        language=created.language or None,
        model=created.model or model,
        options=created.extra or {},
    )


def _bounded(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise Rejected(f"{len(text)} characters are too many for one message: at most {_LONGEST_TEXT}")
    return text


async def _listen(talk: ClientConnection[wire.TtsClientMessage], orders: trio.MemorySendChannel[_Order]) -> None:
    while True:
        match await talk.hear():
            case wire.InputTranscript(transcript) as order:
                _bounded(transcript)
                await orders.send(order)
            case wire.SessionFlush() as order:
                await orders.send(order)
            case wire.TtsCreate():
                raise Rejected("session.create came twice")
            case wire.SessionClose():
                return


async def _speak(speaker: _Speaker, orders: trio.MemoryReceiveChannel[_Order]) -> None:
    async for order in orders:
        if isinstance(order, wire.SessionFlush):
            await speaker.done()
        elif order.transcript.strip():
            await speaker.speak(order)


class _Speaker:
    """Speaks one generation after the other; within one, times run on from text to text."""

    def __init__(self, talk: ClientConnection[wire.TtsClientMessage], voice: Voice, manner: SynthesisOptions) -> None:
        self._talk, self._voice, self._manner = talk, voice, manner
        self._samples = 0

    async def speak(self, order: wire.InputTranscript) -> None:
        manner = _changed(self._manner, order)
        before = self._samples
        async with self._voice.synthesize(order.transcript, manner) as pieces:
            async for piece in pieces:
                if piece.words:
                    await self._talk.say(self._alignment(piece.words, before, manner))
                if piece.pcm:
                    await self._talk.say(wire.OutputAudio.of(piece.pcm, self._talk.session_id))
                self._samples += len(piece.pcm) // _BYTES_PER_SAMPLE

    async def done(self) -> None:
        self._samples = 0
        await self._talk.say(wire.Done(session_id=self._talk.session_id))

    def _alignment(self, words: tuple[SpokenWord, ...], before: int, manner: SynthesisOptions) -> wire.OutputAlignment:
        rate = manner.sample_rate
        space = " " if has_spaced_words(manner.model) else ""
        aligned = (
            wire.AlignedWord(word.text + space, (before + word.start) / rate, (before + word.end) / rate)
            for word in words
        )
        return wire.OutputAlignment(session_id=self._talk.session_id, words=tuple(aligned))


def _changed(manner: SynthesisOptions, order: wire.InputTranscript) -> SynthesisOptions:
    """`manner` with what rides on the message, which holds for its text alone: voice, model, language and options."""
    config = order.generation_config or wire.GenerationConfig()
    options: Mapping[str, Any] = {**manner.options, **(order.extra or {})}
    return replace(
        manner,
        voice=config.voice or manner.voice,
        model=config.model or manner.model,
        language=config.language or manner.language,
        options=options,
    )
