"""PocketSphinx and the voices: each session or synthesis leases a worker process, which does the work.

In processes, because PocketSphinx holds the interpreter's lock while it decodes, and espeak has global state.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import TypeVar

import trio
from msgspec.structs import replace

from ..._core.synthesis.segmenter import Segmenter
from ...errors import SpeechError
from ..engines import (
    Busy,
    Declined,
    EngineFailed,
    RecognitionOptions,
    RecognizerSession,
    Result,
    SpeechAudio,
    SpokenWord,
    SynthesisOptions,
)
from . import messages
from .accepted_requests import accept_voice
from .messages import AudioReply, Reply, ResultsReply, SpokenReply
from .workers import Worker, Workers

_RESULTS = 64  # results kept for a client that reads slowly
_REQUEST_SECONDS = 0.5  # of audio in one request: a cancelled one must be answered before the worker can be reused
_CHUNK_SECONDS = 0.2  # of speech in one request
_LONGEST_PIECE = 300  # characters: twenty seconds of speech

R = TypeVar("R", bound=Reply)


class PocketSphinxRecognizer:
    """PocketSphinx; see `Recognizer`. Made by `open_recognizer`.

    Its option ``two_passes`` gives fewer errors, and finals that are a second later.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    @property
    def capacity(self) -> int:
        return self._workers.limit

    @asynccontextmanager
    async def open(self, options: RecognitionOptions) -> AsyncGenerator[RecognizerSession, None]:
        """See `Recognizer.open`. Takes half a second if no idle process is ready."""
        async with self._workers.lease(patient=False) as worker:
            await _ask(worker, messages.StartRequest(options), ResultsReply)
            yield _Session(worker, options.sample_rate)


class _Session:
    def __init__(self, worker: Worker, sample_rate: int) -> None:
        self._worker = worker
        self._step = 2 * round(sample_rate * _REQUEST_SECONDS)
        self._send, self._receive = trio.open_memory_channel[Result](_RESULTS)

    async def feed(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), self._step):
            await self._request_results(messages.AudioRequest(pcm[start : start + self._step]))

    async def finalize(self) -> None:
        await self._request_results(messages.FinalizeRequest())

    async def receive(self) -> Result:
        return await self._receive.receive()

    async def _request_results(self, request: messages.Request) -> None:
        for result in (await _ask(self._worker, request, ResultsReply)).results:
            await self._send.send(result)


class LocalVoice:
    """A built-in voice, which has one speaker; see `Voice`. Made by `open_voice`.

    Its option ``speed`` goes from 0.5 to 2.0.
    """

    def __init__(self, name: str, workers: Workers, connections: int) -> None:
        self._name = name
        self._workers = workers
        self._connections = connections

    @property
    def capacity(self) -> int:
        return self._connections

    @asynccontextmanager
    async def synthesize(
        self, text: str, options: SynthesisOptions
    ) -> AsyncGenerator[AsyncIterator[SpeechAudio], None]:
        """See `Voice.synthesize`. Runs ahead of the reader by one sentence of the text at most."""
        accept_voice(self._name, text, options)
        with closing(_Synthesis(self._workers, text, options)) as synthesis:
            self._workers.nursery.start_soon(synthesis.run)
            yield synthesis


class _Synthesis(AsyncIterator[SpeechAudio]):
    """Speaks a text piece by piece. A piece is read from its worker at once, so a slow client keeps no worker busy."""

    def __init__(self, workers: Workers, text: str, options: SynthesisOptions) -> None:
        self._workers = workers
        segmenter = Segmenter(language=options.language, max_characters=_LONGEST_PIECE)
        self._pieces = [*segmenter.push(text), *segmenter.flush()]
        self._request = messages.SpeakRequest("", options.sample_rate, options.options.get("speed", 1.0))
        self._scope = trio.CancelScope()
        self._failure: SpeechError | None = None
        # No buffer: the next piece is started when the last one has been read.
        self._send, self._receive = trio.open_memory_channel[trio.MemoryReceiveChannel[SpeechAudio]](0)
        self._piece: trio.MemoryReceiveChannel[SpeechAudio] | None = None

    def close(self) -> None:
        self._scope.cancel(reason="the synthesis was abandoned")

    async def run(self) -> None:
        """Speaks until the text ends or `close` is called."""
        samples = 0
        with self._scope, self._send:
            try:
                for piece in self._pieces:
                    samples += await self._speak(piece, samples)
            except (Busy, Declined, EngineFailed) as failure:
                self._failure = failure

    async def _speak(self, text: str, offset: int) -> int:
        """Speaks one piece, whose times begin at `offset`. Returns its length in samples."""
        send, receive = trio.open_memory_channel[SpeechAudio](math.inf)  # the piece is bounded
        await self._send.send(receive)
        samples = 0
        with send:
            async with self._workers.lease(patient=True) as worker:
                words = (await _ask(worker, replace(self._request, text=text), SpokenReply)).words
                shifted = tuple(SpokenWord(word.text, word.start + offset, word.end + offset) for word in words)
                while pcm := (await _ask(worker, messages.MoreRequest(_CHUNK_SECONDS), AudioReply)).pcm:
                    send.send_nowait(SpeechAudio(pcm, () if samples else shifted))
                    samples += len(pcm) // 2
        return samples

    async def __anext__(self) -> SpeechAudio:
        while True:
            try:
                if self._piece is None:
                    self._piece = await self._receive.receive()
            except trio.EndOfChannel:
                if self._failure is not None:
                    raise self._failure from None
                raise StopAsyncIteration from None
            try:
                return await self._piece.receive()
            except trio.EndOfChannel:
                self._piece = None


async def _ask(worker: Worker, request: messages.Request, kind: type[R]) -> R:
    reply = await worker.ask(request)
    if not isinstance(reply, kind):
        raise EngineFailed(f"the engine answered {type(request).__name__} with {type(reply).__name__}")
    return reply
