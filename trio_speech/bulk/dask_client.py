"""Gives recordings to a Dask cluster, a bounded number at a time, and goes on when its scheduler was lost."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

import msgspec
from distributed import Client, KilledWorker, LocalCluster, as_completed

from ..errors import ConfigurationError, ConnectFailed
from ..provider import Backend
from .dask_scheduler import NAME, LeasePlugin
from .dask_worker import TranscriberPlugin, transcribe_one
from .options import BulkOptions
from .results import FileResult, TranscriptionAttempt
from .work_queue import PendingFile, WorkQueue

_LOOK = 0.02
_TICK = 0.5
_AHEAD = 1.5
"""Recordings in the cluster, as a multiple of its threads: a thread that is free finds the next one there."""
_CONNECTING = 10.0


class SchedulerLost(Exception):  # named for what happened
    """The connection to the scheduler broke. What was in flight is unknown."""


class ClusterState(msgspec.Struct):
    """How the cluster stands.

    Fields:
        threads: The threads of all workers together: how many recordings are recognized at once.
        dashboard: The address of Dask's dashboard; ``None``: there is none.
    """

    threads: int = 0
    dashboard: str | None = None


class DaskEngine:
    """A cluster to work with. Made by `open_engine`.

    Args:
        target: What `distributed.Client` takes: an address, or a cluster.
        settings: Its further arguments.
        patience: Seconds without a scheduler, or without any worker, after which to give up.
    """

    def __init__(self, target: Any, settings: dict[str, Any], patience: float) -> None:
        self.state = ClusterState()
        self._target = target
        self._settings = settings
        self._patience = patience
        self._plugin = f"trio-speech-{uuid4().hex}"
        self._alive_at = time.monotonic()
        self._was_lost = False

    def run(
        self,
        queue: WorkQueue,
        backend: Backend | Sequence[Backend],
        options: BulkOptions,
        accept: Callable[[FileResult], None],
        watch: Callable[[], None],
    ) -> None:
        """Does all of the queue. Gives each result to `accept`, and calls `watch` twice a second.

        Raises what `accept` raises, `ConnectFailed` where the cluster is gone for longer than patience allows, and
        `AuthenticationError` or `ConfigurationError` where all recordings would fail alike.
        """
        plugin = TranscriberPlugin(self._plugin, backend, options)
        while not queue.is_empty:
            try:
                with self._connected(plugin, limited=options.limits) as client:
                    _Dispatch(self, client, queue, accept, watch).run(self._plugin)
            except SchedulerLost as lost:
                self._was_lost = True
                queue.put_all_back()
                self.check_patience(f"the scheduler at {self._target} does not answer: {lost}")
                watch()
                time.sleep(_TICK)

    def alive(self) -> None:
        """The cluster works."""
        self._alive_at = time.monotonic()

    def check_patience(self, trouble: str) -> None:
        """Raises `ConnectFailed` where the cluster has not worked for longer than patience allows."""
        if time.monotonic() - self._alive_at > self._patience:
            raise ConnectFailed(f"{trouble}; gave up after {self._patience:g} s. The results so far are kept")

    def _connect(self) -> Client:
        seconds = min(_CONNECTING, max(self._patience, _TICK))
        try:
            return Client(self._target, timeout=seconds, set_as_default=False, **self._settings)
        except ValueError as error:
            raise ConfigurationError(
                f"{self._target} is not the address of a scheduler, as in tcp://host:8786: {error}"
            ) from error

    @contextmanager
    def _connected(self, plugin: TranscriberPlugin, *, limited: Any) -> Generator[Client]:
        with ExitStack() as held:
            with _talking():
                client = self._connect()
            held.callback(_close, client)
            with _talking():
                if limited.streams is not None or limited.dials_per_second is not None:
                    client.register_plugin(LeasePlugin(after_loss=self._was_lost), name=NAME)
                client.register_plugin(plugin, name=self._plugin)
            held.callback(_unregister, client, self._plugin)
            self.state.dashboard = client.dashboard_link if find_spec("bokeh") else None
            yield client


class _Dispatch:
    """The recordings that one connection to the scheduler serves."""

    def __init__(
        self,
        engine: DaskEngine,
        client: Any,
        queue: WorkQueue,
        accept: Callable[[FileResult], None],
        watch: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._client = client
        self._queue = queue
        self._accept = accept
        self._watch = watch
        self._completed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._files: dict[Any, PendingFile] = {}
        self._looked_at = -math.inf

    def run(self, plugin: str) -> None:
        while not self._queue.is_empty:
            self._look()
            self._fill(plugin)
            while self._completed.has_ready():
                # One at a time: a result that is not written yet is the only one that a kill makes to be done again.
                future, value = self._completed.next()
                self._take(future, value)
            time.sleep(_LOOK)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < _TICK:
            return
        self._looked_at = now
        if self._client.status != "running":
            raise SchedulerLost("the connection broke")
        with _talking():
            self._engine.state.threads = sum(self._client.nthreads().values())
        if self._engine.state.threads:
            self._engine.alive()
        self._engine.check_patience("the cluster has no worker: start some")
        self._watch()

    def _fill(self, plugin: str) -> None:
        window = math.ceil(self._engine.state.threads * _AHEAD)
        while len(self._files) < window and (file := self._queue.take(time.monotonic())) is not None:
            future = self._client.submit(transcribe_one, plugin, file.file, key=f"transcribe-{uuid4().hex}", pure=False)
            self._files[future.key] = file
            self._completed.add(future)

    def _take(self, future: Any, value: Any) -> None:
        file = self._files.pop(future.key)
        if future.status == "finished":
            self._judge(file, msgspec.json.decode(value, type=TranscriptionAttempt))
            return
        if future.status != "error":
            if self._client.status != "running":
                raise SchedulerLost("the connection broke")
            # The worker died between its answer and our reading it. Dropping the future makes Dask forget the task.
            self._queue.put_back(file.file)
            return
        _, error, _ = value
        if isinstance(error, KilledWorker):
            if self._queue.killed(file.file):
                self._set_aside(file, FileResult(file=file.file), "the workers died each time that they were given it")
        elif self._queue.fail(file.file, time.monotonic()):
            self._set_aside(file, FileResult(file=file.file), f"{type(error).__name__}: {error}")

    def _judge(self, file: PendingFile, attempt: TranscriptionAttempt) -> None:
        attempt.raise_if_it_ends_all()
        result = attempt.result
        if result.error is not None and attempt.may_succeed:
            if self._queue.fail(file.file, time.monotonic()):
                self._set_aside(file, result, result.error)
            return
        self._queue.settle(file.file)
        self._accept(msgspec.structs.replace(result, tries=file.tries + 1))

    def _set_aside(self, file: PendingFile, result: FileResult, error: str) -> None:
        self._accept(msgspec.structs.replace(result, error=error, tries=max(file.tries, 1)))


@contextmanager
def open_engine(
    client: Client | str | None, *, workers: int | None, at_once: int, patience: float
) -> Generator[DaskEngine]:
    """The cluster of a client or at an address; ``None``: one on this machine, for as long as the block."""
    with ExitStack() as held:
        if client is None:
            cluster = held.enter_context(_local_cluster(workers, at_once))
            yield DaskEngine(cluster, {}, patience)
        elif isinstance(client, str):
            yield DaskEngine(client, {}, patience)
        elif client.scheduler is None:
            raise ConfigurationError("client is closed: give one that is connected to its scheduler")
        else:
            # Through a connection of one's own, which can be made anew when the scheduler was lost.
            yield DaskEngine(client.scheduler.address, {"security": client.security}, patience)


def _local_cluster(workers: int | None, at_once: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers or os.cpu_count() or 1,
        threads_per_worker=at_once,
        processes=True,
        dashboard_address="127.0.0.1:0",  # any free port
    )


@contextmanager
def _talking() -> Generator[None]:
    """What Dask raises where it cannot talk to the scheduler (OSError, with timeouts) means that it is lost."""
    try:
        yield
    except OSError as error:
        raise SchedulerLost(str(error) or type(error).__name__) from error


def _close(client: Client) -> None:
    client.close(timeout=2)


def _unregister(client: Client, plugin: str) -> None:
    if client.status == "running":
        try:
            client.unregister_worker_plugin(plugin)
        except OSError:  # the scheduler is gone, and the workers with it
            return
