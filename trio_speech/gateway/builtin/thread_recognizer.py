"""The default recognizer as the gateway uses it: one model, and threads that take turns for all sessions.

ONNX Runtime releases the interpreter's lock while it computes, so threads do as well as processes would, and share one
copy of the weights.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import trio

from ..engines import Busy, RecognitionOptions, RecognizerSession, Result

if TYPE_CHECKING:
    from .moonshine_engine import Models, MoonshineEngine

_RESULTS = 64  # results kept for a client that reads slowly
_STEP_SECONDS = 0.25  # of audio a turn: nobody waits long for the turn of another session, nor to be cancelled


class LocalRecognizer:
    """Moonshine, for at most `capacity` sessions at once; see `Recognizer`. Made by `open_recognizer`."""

    def __init__(self, capacity: int, threads: int) -> None:
        self.capacity = capacity
        self._threads = trio.CapacityLimiter(threads)  # first come, first served
        self._sessions = 0
        self._loading = trio.Lock()
        self._models: Models | None = None

    @asynccontextmanager
    async def open(self, options: RecognitionOptions) -> AsyncGenerator[RecognizerSession, None]:
        """See `Recognizer.open`. The first session waits half a second for the models."""
        if self._sessions >= self.capacity:
            raise Busy(f"all {self.capacity} sessions of the recognizer are in use: try again later")
        self._sessions += 1
        try:
            models = await self._loaded()
            from .moonshine_engine import MoonshineEngine  # noqa: PLC0415  # imports numpy and ONNX Runtime

            yield _ThreadSession(MoonshineEngine(models, options), self._threads, options.sample_rate)
        finally:
            self._sessions -= 1

    async def _loaded(self) -> Models:
        async with self._loading:
            if self._models is None:
                self._models = await trio.to_thread.run_sync(_load, limiter=self._threads)
        return self._models


class _ThreadSession:
    def __init__(self, engine: MoonshineEngine, threads: trio.CapacityLimiter, sample_rate: int) -> None:
        self._engine = engine
        self._threads = threads
        self._step = 2 * round(sample_rate * _STEP_SECONDS)
        self._send, self._receive = trio.open_memory_channel[Result](_RESULTS)

    async def feed(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), self._step):
            await self._run(partial(self._engine.feed, pcm[start : start + self._step]))

    async def finalize(self) -> None:
        await self._run(self._engine.finalize)

    async def receive(self) -> Result:
        return await self._receive.receive()

    async def _run(self, step: Callable[[], Iterable[Result]]) -> None:
        """Runs `step` in a thread, and queues its results. A step that has begun delays a cancel by half a second."""
        for result in await trio.to_thread.run_sync(lambda: list(step()), limiter=self._threads):
            await self._send.send(result)


def _load() -> Models:
    from .moonshine_engine import load_models  # noqa: PLC0415  # imports numpy and ONNX Runtime, in this thread

    return load_models()
