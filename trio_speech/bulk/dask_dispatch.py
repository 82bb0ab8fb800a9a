"""Gives recordings to a Dask cluster over one connection, a bounded number at a time, and takes their results."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from distributed import KilledWorker
from distributed.client import ClosedClientError

from .addresses import recording_name, without_credentials
from .dask_worker import Recording, transcribe_one
from .results import FileResult, TranscriptionAttempt
from .work_queue import PendingFile, WorkQueue

_LOOK = 0.02
_TICK = 0.5
_AHEAD = 1.5
"""Recordings given to the cluster at once, as a multiple of its threads, so that a free thread has a next one."""


class SchedulerLost(Exception):  # the name says what happened, without the suffix "Error"
    """The connection to the scheduler broke. What became of the recordings in flight is unknown."""


class ClusterState(msgspec.Struct):
    """The state of the cluster.

    Fields:
        threads: The threads of all workers together: how many recordings are recognized at once.
        dashboard: The address of Dask's dashboard; ``None``: there is none.
    """

    threads: int = 0
    dashboard: str | None = None


class _Given(NamedTuple):
    """A recording that was given to the cluster; `outcome` is what `future` will give, once it is here."""

    file: PendingFile
    future: Any
    outcome: Future[bytes]


class Dispatch:
    """Gives recordings to the cluster over one connection to the scheduler, and takes their results."""

    def __init__(
        self,
        client: Any,
        queue: WorkQueue,
        state: ClusterState,
        accept: Callable[[FileResult], None],
        watch: Callable[[], None],
    ) -> None:
        self._state = state
        self._client = client
        self._queue = queue
        self._accept = accept
        self._watch = watch
        self._given: list[_Given] = []
        self._looked_at = -math.inf
        self._scheduler = self._scheduler_id()

    def run(self, plugin: str) -> None:
        """Works until the queue is empty. Raises `SchedulerLost`, and what `accept` and `watch` raise."""
        while not self._queue.is_empty:
            self._look()
            self._fill(plugin)
            for given in [each for each in self._given if each.outcome.done()]:
                self._given.remove(given)
                self._take(given)
            time.sleep(_LOOK)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < _TICK:
            return
        self._looked_at = now
        # The client reconnects by itself to a restarted scheduler, which knows nothing of our tasks.
        if self._client.status != "running" or self._scheduler_id() != self._scheduler:
            raise SchedulerLost("the connection broke")
        with talking():
            self._state.threads = sum(self._client.nthreads().values())
        self._watch()

    def _scheduler_id(self) -> str:
        with talking():
            return str(self._client.scheduler_info(n_workers=0)["id"])

    def _fill(self, plugin: str) -> None:
        window = math.ceil(self._state.threads * _AHEAD)
        while len(self._given) < window and (file := self._queue.take(time.monotonic())) is not None:
            recording, key = Recording(file.file), f"transcribe-{uuid4().hex}"
            with talking():
                future = self._client.submit(transcribe_one, plugin, recording, key=key, pure=False)
            # Dask's own `as_completed` logs a traceback for each result that is on its way when the scheduler dies.
            outcome = asyncio.run_coroutine_threadsafe(self._gather(future), self._client.loop.asyncio_loop)
            self._given.append(_Given(file, future, outcome))

    async def _gather(self, future: Any) -> bytes:
        result: bytes = await self._client.gather(future, asynchronous=True)
        return result

    def _take(self, given: _Given) -> None:
        file, error = given.file, given.outcome.exception()
        if error is None:
            self._judge(file, msgspec.json.decode(given.outcome.result(), type=TranscriptionAttempt))
        elif given.future.status != "error":  # no error of the task, but of its way here
            if isinstance(error, OSError) or getattr(error, "reason", None) == "scheduler-connection-lost":
                raise SchedulerLost("the connection broke")
            # The worker died between its answer and our reading it. Dropping the future makes Dask forget the task.
            self._queue.put_back(file.file)
        elif isinstance(error, KilledWorker):
            if self._queue.killed(file.file):
                self._set_aside(file, None, "the workers died each time that they were given it")
        elif self._queue.fail(file.file, time.monotonic()):
            self._set_aside(file, None, f"{type(error).__name__}: {error}")

    def _judge(self, file: PendingFile, attempt: TranscriptionAttempt) -> None:
        attempt.raise_if_it_ends_all()
        result = attempt.result
        if result.error is not None and attempt.may_succeed:
            if self._queue.fail(file.file, time.monotonic()):
                self._set_aside(file, result, result.error)
            return
        self._queue.settle(file.file)
        self._accept(msgspec.structs.replace(result, tries=file.tries + 1))

    def _set_aside(self, file: PendingFile, result: FileResult | None, error: str) -> None:
        told = without_credentials(error, file.file)
        reached = result or FileResult(file=recording_name(file.file))
        self._accept(msgspec.structs.replace(reached, error=told, tries=max(file.tries, 1)))


@contextmanager
def talking() -> Generator[None]:
    """Turns what Dask raises if it cannot reach the scheduler, or has given it up, into `SchedulerLost`."""
    try:
        yield
    except (OSError, ClosedClientError) as error:
        raise SchedulerLost(str(error) or type(error).__name__) from error
