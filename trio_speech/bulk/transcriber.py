"""Recognizes recordings from any thread, for workers of engines such as Dask or Ray, by one thread of trio.

with Transcriber(ts.Deepgram(), BulkOptions(language="en")) as transcriber:
    result = transcriber.transcribe("s3://calls/0001.flac")  # in any thread, in many at once
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import trio

from .. import Backend
from .client_thread import ClientThread
from .options import BulkOptions
from .permits import LimitedBackend, Permits
from .results import FileResult, TranscriptionAttempt

_MOST_THREADS = 64
"""Threads that wait for recordings at once, however many recordings are given."""


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
        """Recognizes one recording, and returns its result. If it failed, `FileResult.error` says why.

        Raises `AuthenticationError` if the credentials are refused, and `ConfigurationError` if the options are wrong:
        other recordings would fail alike.
        """
        attempt = self.attempt(file)
        attempt.raise_if_it_ends_all()
        return attempt.result

    def transcribe_all(self, files: Iterable[str]) -> list[FileResult]:
        """Recognizes recordings, up to 64 at once; the results are in their order."""
        names = list(files)
        with ThreadPoolExecutor(_MOST_THREADS) as pool:
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

    def _start(self) -> ClientThread:
        return ClientThread(self._backends, self._endpoint, self._options, self._permits)
