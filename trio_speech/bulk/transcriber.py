"""One thread of trio with one client, for a worker of any engine that knows threads: Dask, Ray, a thread pool.

    with Transcriber(ts.Deepgram(), model="deepgram/nova-3") as transcriber:
        result = transcriber.transcribe("s3://calls/0001.flac")       # in any thread, in many at once
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Literal

import msgspec
import trio

from .. import (
    AudioFormat,
    AuthenticationError,
    Backend,
    Client,
    ConfigurationError,
    FinalTranscript,
    Gap,
    LivenessPolicy,
    ReplayPolicy,
    RetryPolicy,
    SpeechError,
    TranscriptEvent,
    TranscriptStatistics,
    open_client,
)
from ..audio.files import AudioFile
from .options import BulkOptions
from .permits import SESSION, LimitedBackend, Permits, SessionPermits
from .results import FileResult, TranscriptionAttempt
from .sources import open_recording


class Transcriber:
    """A thread of trio with one open client. Its methods may be called in any thread but that one.

    Made open; `close` it, or use it as a context manager. Where the client dies of an error, the next call opens
    another.

    Args:
        backend: The service to use, or several in order of preference.
        options: See `BulkOptions`. Its limits hold for this thread only where `permits` are given that say so.
        permits: Where permits for streams and dials come from; ``None``: only ``limits.speed`` holds.

    Raises what `trio_speech.open_client` raises.
    """

    def __init__(
        self,
        backend: Backend | Sequence[Backend],
        options: BulkOptions = BulkOptions(),  # noqa: B008  # frozen
        *,
        permits: Permits | None = None,
    ) -> None:
        backends = list(backend) if isinstance(backend, Sequence) else [backend]
        self._backends = backends if permits is None else [LimitedBackend(each) for each in backends]
        self._endpoint = repr(backends)
        self._options = options
        self._permits = permits
        self._lock = threading.Lock()
        self._running = self._start()

    def __enter__(self) -> Transcriber:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def transcribe(self, file: str) -> FileResult:
        """Recognizes one recording, and waits for that. What fails is told by `FileResult.error`.

        Raises `AuthenticationError` where the credentials are refused, and `ConfigurationError` where the options are
        wrong: other recordings would fail alike.
        """
        attempt = self.attempt(file)
        attempt.raise_if_it_ends_all()
        return attempt.result

    def transcribe_all(self, files: Iterable[str]) -> list[FileResult]:
        """Recognizes several recordings at once; the results are in their order."""
        names = list(files)
        with ThreadPoolExecutor(len(names) or 1) as pool:
            return list(pool.map(self.transcribe, names))

    def attempt(self, file: str) -> TranscriptionAttempt:
        """Recognizes one recording, and says whether another try may do better."""
        with self._lock:
            if not self._running.is_alive:
                self._running = self._start()
            running = self._running
        return trio.from_thread.run(running.attempt, file, trio_token=running.token)

    def close(self) -> None:
        """Ends the recordings that are being recognized, closes the client, and waits for the end of the thread."""
        with self._lock:
            self._running.close()

    def _start(self) -> _ClientThread:
        return _ClientThread(self._backends, self._endpoint, self._options, self._permits)


class _ClientThread:
    """One run of trio, with the client that is open in it."""

    token: trio.lowlevel.TrioToken
    _opened: Client
    _closing: trio.Event
    _idle: trio.Event

    def __init__(
        self, backends: Sequence[Backend], endpoint: str, options: BulkOptions, permits: Permits | None
    ) -> None:
        self._backends = backends
        self._endpoint = endpoint
        self._options = options
        self._permits = permits
        self._sessions: set[trio.CancelScope] = set()
        ready = Future[None]()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="trio_speech", daemon=True)
        self._thread.start()
        ready.result()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        try:
            self.token.run_sync_soon(self._closing.set)
        except trio.RunFinishedError:
            pass
        self._thread.join()

    def _run(self, ready: Future[None]) -> None:
        try:
            trio.run(self._keep_open, ready)
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _keep_open(self, ready: Future[None]) -> None:
        self.token, self._closing, self._idle = trio.lowlevel.current_trio_token(), trio.Event(), trio.Event()
        asked = self._options
        async with open_client(
            self._backends, retry=asked.retry, replay=asked.replay, liveness=asked.liveness
        ) as self._opened:
            ready.set_result(None)
            await self._closing.wait()
            for session in self._sessions:
                session.cancel()
            if self._sessions:
                await self._idle.wait()

    async def attempt(self, file: str) -> TranscriptionAttempt:
        """Runs in trio, in a task of its own."""
        with trio.CancelScope() as scope:
            self._sessions.add(scope)
            try:
                return await self._attempt(file)
            finally:
                self._sessions.remove(scope)
                if not self._sessions and self._closing.is_set():
                    self._idle.set()
        return TranscriptionAttempt(FileResult(file=file, error="the worker was stopped"), may_succeed=True)

    async def _attempt(self, file: str) -> TranscriptionAttempt:
        asked, heard = self._options, _Heard()
        try:
            async with open_recording(
                file, raw=asked.raw, speed=asked.limits.speed, storage_options=asked.storage_options
            ) as recording:
                try:
                    await self._recognize(recording, heard)
                except AuthenticationError as failure:
                    return heard.attempt(file, failure, ends_all="credentials")
                except ConfigurationError as failure:
                    return heard.attempt(file, failure, ends_all="options")
                except SpeechError as failure:  # of the service or the network, which may come back
                    return heard.attempt(file, failure, may_succeed=True)
                finally:
                    heard.seconds = recording.position
        except (SpeechError, FileNotFoundError, PermissionError, IsADirectoryError) as failure:
            return heard.attempt(file, failure)  # what the decoder says of a file is so at any time
        except OSError as failure:
            return heard.attempt(file, failure, may_succeed=True)
        if not heard.seconds:
            return heard.attempt(file, ConfigurationError(f"{file} holds no audio: not a single sample"))
        return heard.attempt(file)

    async def _recognize(self, recording: AudioFile, heard: _Heard) -> None:
        asked = self._options
        async with (
            self._permitted(),
            self._opened.transcribe(
                recording,
                recording.audio_format,
                model=asked.model,
                language=asked.language,
                options=asked.options,
                keyterms=asked.keyterms,
            ) as transcript,
        ):
            try:
                async for event in transcript:
                    heard.take(event)
            finally:
                heard.statistics = transcript.statistics()

    @asynccontextmanager
    async def _permitted(self) -> AsyncGenerator[None, None]:
        if self._permits is None:
            yield
            return
        async with SessionPermits(self._permits, self._options.limits, self._endpoint) as permits:
            reset = SESSION.set(permits)
            try:
                yield
            finally:
                SESSION.reset(reset)


class _Heard:
    """What has been recognized of one recording."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.statistics: TranscriptStatistics | None = None
        self._finals: list[FinalTranscript] = []
        self._gaps: list[Gap] = []

    def take(self, event: TranscriptEvent) -> None:
        if isinstance(event, FinalTranscript):
            self._finals.append(event)
        elif isinstance(event, Gap):
            self._gaps.append(event)

    def attempt(
        self,
        file: str,
        failure: Exception | None = None,
        *,
        may_succeed: bool = False,
        ends_all: Literal["credentials", "options"] | None = None,
    ) -> TranscriptionAttempt:
        reason = getattr(failure, "strerror", None)
        result = FileResult(
            file=file,
            seconds=self.seconds,
            text=" ".join(final.text for final in self._finals if final.text),
            finals=tuple(self._finals),
            gaps=tuple(self._gaps),
            error=None if failure is None else f"{file}: {reason}" if reason else str(failure),
            statistics=self.statistics,
        )
        return TranscriptionAttempt(result, may_succeed, ends_all)
