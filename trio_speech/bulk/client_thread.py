"""Runs trio in a thread of its own, with one client open in it. `Transcriber` uses it."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from typing import Literal

import trio

from .. import (
    AuthenticationError,
    Backend,
    Client,
    ConfigurationError,
    SpeechError,
    TranscriptStatistics,
    open_client,
)
from .._core.recognition.recognition_builder import RecognitionBuilder
from ..audio.files import AudioFile
from .addresses import recording_name
from .options import BulkOptions
from .permits import SESSION, Permits, SessionPermits
from .results import FileResult, TranscriptionAttempt
from .sample_rates import sample_rate_for
from .sources import open_recording


class ClientThread:
    """A thread in which trio runs with one open client, until `close`."""

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
        # Here, and not in the program that gives the recordings out: the credentials may be in this environment only.
        self._sample_rate = sample_rate_for(backends, options.model)
        self._sessions: set[trio.CancelScope] = set()
        ready = Future[None]()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="trio_speech", daemon=True)
        self._thread.start()
        ready.result()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        with suppress(trio.RunFinishedError):
            self.token.run_sync_soon(self._closing.set)
        self._thread.join()

    def _run(self, ready: Future[None]) -> None:
        try:
            trio.run(self._keep_open, ready)
        except BaseException as error:  # whatever it is, the thread that waits for `ready` must not wait for ever
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
        """Recognizes one recording. Call it in trio's thread. `close` cancels it: the result then has an error."""
        with trio.CancelScope() as scope:
            self._sessions.add(scope)
            try:
                return await self._attempt(file)
            finally:
                self._sessions.remove(scope)
                if not self._sessions and self._closing.is_set():
                    self._idle.set()
        stopped = FileResult(file=recording_name(file), error="the worker was stopped")
        return TranscriptionAttempt(stopped, may_succeed=True)

    async def _attempt(self, file: str) -> TranscriptionAttempt:
        asked, heard = self._options, _Heard()
        try:
            async with open_recording(
                file,
                sample_rate=self._sample_rate,
                raw=asked.raw,
                speed=asked.limits.speed,
                storage_options=asked.storage_options,
            ) as recording:
                try:
                    await self._recognize(recording, heard)
                except AuthenticationError as failure:
                    heard.failed(failure, ends_all="credentials")
                except ConfigurationError as failure:
                    heard.failed(failure, ends_all="options")
                except SpeechError as failure:  # of the service or the network: another try may succeed
                    heard.failed(failure, may_succeed=True)
                finally:
                    heard.seconds = recording.position
            if not heard.seconds:
                heard.failed(ConfigurationError(f"{recording_name(file)} holds no audio: not a single sample"))
        except (SpeechError, FileNotFoundError, PermissionError, IsADirectoryError) as failure:
            heard.failed(failure)  # another try would find the same file
        except OSError as failure:
            heard.failed(failure, may_succeed=True)
        return heard.attempt(recording_name(file))

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
                    heard.builder.add(event)
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
    """Collects what is recognized of one recording."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.statistics: TranscriptStatistics | None = None
        self.builder = RecognitionBuilder()
        self._failure: SpeechError | OSError | None = None
        self._may_succeed = False
        self._ends_all: Literal["credentials", "options"] | None = None

    def failed(
        self,
        failure: SpeechError | OSError,
        *,
        may_succeed: bool = False,
        ends_all: Literal["credentials", "options"] | None = None,
    ) -> None:
        """Records `failure`. Only the first call counts: later failures may be consequences of it."""
        if self._failure is None:
            self._failure, self._may_succeed, self._ends_all = failure, may_succeed, ends_all

    def attempt(self, file: str) -> TranscriptionAttempt:
        recognition = self.builder.recognition()
        result = FileResult(
            file=file,
            seconds=self.seconds,
            text=recognition.text,
            finals=recognition.finals,
            gaps=recognition.gaps,
            error=self._error(file),
            statistics=self.statistics,
        )
        return TranscriptionAttempt(result, self._may_succeed, self._ends_all)

    def _error(self, file: str) -> str | None:
        if isinstance(self._failure, OSError) and self._failure.strerror:
            return f"{file}: {self._failure.strerror}"
        return None if self._failure is None else str(self._failure)
