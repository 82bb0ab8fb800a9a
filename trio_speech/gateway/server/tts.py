"""Serves one client of ``/v1/tts``: text comes in; audio and word times go out, and ``done`` after each flush.

A *generation* is the text up to one ``session.flush``. Its word times count from its first sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio
from msgspec.structs import replace

from ...providers.livekit import wire
from ...providers.livekit.models import has_spaced_words
from ..engines import SpokenWord, SynthesisOptions, Voice
from .connection import OPENING_TIMEOUT, ClientConnection, Rejected, sample_rate
from .encodings import WireEncoding, find_encoding

_LONGEST_TEXT = 20_000
"""Characters in one message."""

_TEXTS_WAITING = 64
_BYTES_PER_SAMPLE = 2

_TextRequest = wire.InputTranscript | wire.SessionFlush


async def serve_synthesis(client: ClientConnection[wire.TtsClientMessage], voice: Voice, model: str | None) -> None:
    """Serves the client, generation by generation, until it sends ``session.close``.

    Raises `LinkDown` when the client is gone, one of `REFUSALS` when it must be told of an error, or an exception group
    of these.
    """
    created = await client.receive(OPENING_TIMEOUT)
    if not isinstance(created, wire.TtsCreate):
        raise Rejected("session.create must come first")
    encoding = find_encoding(created.encoding)
    options = _synthesis_options(created, model)
    await client.send(wire.SessionCreated(session_id=client.session_id))
    send, receive = trio.open_memory_channel[_TextRequest](_TEXTS_WAITING)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_speak, _Generations(client, voice, options, encoding), receive)
        if created.transcript:
            await send.send(wire.InputTranscript(_bounded(created.transcript)))
        await _read_messages(client, send)
        nursery.cancel_scope.cancel(reason="the client closed the session")
    await client.confirm_close()


def _synthesis_options(created: wire.TtsCreate, model: str | None) -> SynthesisOptions:
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


async def _read_messages(
    client: ClientConnection[wire.TtsClientMessage], requests: trio.MemorySendChannel[_TextRequest]
) -> None:
    while True:
        match await client.receive():
            case wire.InputTranscript(transcript) as request:
                _bounded(transcript)
                await requests.send(request)
            case wire.SessionFlush() as request:
                await requests.send(request)
            case wire.TtsCreate():
                raise Rejected("session.create came twice")
            case wire.SessionClose():
                return


async def _speak(generations: _Generations, requests: trio.MemoryReceiveChannel[_TextRequest]) -> None:
    async for request in requests:
        if isinstance(request, wire.SessionFlush):
            await generations.done()
        elif request.transcript.strip():
            await generations.speak(request)


class _Generations:
    """Speaks texts in order. Within a generation, word times continue from one text to the next."""

    def __init__(
        self,
        client: ClientConnection[wire.TtsClientMessage],
        voice: Voice,
        options: SynthesisOptions,
        encoding: WireEncoding,
    ) -> None:
        self._client, self._voice, self._options, self._encoding = client, voice, options, encoding
        self._samples = 0

    async def speak(self, request: wire.InputTranscript) -> None:
        """Speaks one text: sends its audio and its word times."""
        options = _changed(self._options, request)
        before = self._samples
        async with self._voice.synthesize(request.transcript, options) as pieces:
            async for piece in pieces:
                if piece.words:
                    await self._client.send(self._alignment(piece.words, before, options))
                if piece.pcm:
                    await self._client.send(
                        wire.OutputAudio.of(self._encoding.from_pcm(piece.pcm), self._client.session_id)
                    )
                self._samples += len(piece.pcm) // _BYTES_PER_SAMPLE

    async def done(self) -> None:
        """Call on a flush, when all text before it was spoken. Sends ``done``, and begins the next generation."""
        self._samples = 0
        await self._client.send(wire.Done(session_id=self._client.session_id))

    def _alignment(self, words: tuple[SpokenWord, ...], before: int, options: SynthesisOptions) -> wire.OutputAlignment:
        rate = options.sample_rate
        space = " " if has_spaced_words(options.model) else ""
        aligned = (
            wire.AlignedWord(word.text + space, (before + word.start) / rate, (before + word.end) / rate)
            for word in words
        )
        return wire.OutputAlignment(session_id=self._client.session_id, words=tuple(aligned))


def _changed(session: SynthesisOptions, request: wire.InputTranscript) -> SynthesisOptions:
    """The session's options with those that one text message carries; they apply to that text alone."""
    config = request.generation_config or wire.GenerationConfig()
    extra: Mapping[str, Any] = {**session.options, **(request.extra or {})}
    return replace(
        session,
        voice=config.voice or session.voice,
        model=config.model or session.model,
        language=config.language or session.language,
        options=extra,
    )
