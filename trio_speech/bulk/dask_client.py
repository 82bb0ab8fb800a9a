"""Connects to a Dask cluster of the user, or starts one on this machine, and reconnects if its scheduler is lost."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from distributed import Client, LocalCluster
from distributed.comm.addressing import parse_address
from distributed.comm.registry import get_backend

from ..errors import ConfigurationError, ConnectFailed
from ..provider import Backend
from .dask_dispatch import ClusterState, Dispatch, SchedulerLost, talking
from .dask_scheduler import NAME, LeasePlugin
from .dask_worker import TranscriberPlugin, pulse_of
from .options import BulkOptions
from .results import FileResult
from .work_queue import WorkQueue

_log = logging.getLogger("trio_speech")
_CONNECTING = 10.0
_PAUSE = 0.5


class DaskEngine:
    """A Dask cluster on which the recordings of a `WorkQueue` are recognized. Made by `open_engine`.

    Args:
        target: What `distributed.Client` takes: an address, or a cluster.
        settings: Further arguments of `distributed.Client`.
        patience: Seconds without a scheduler, or without any worker, after which to give up.
    """

    def __init__(self, target: Any, settings: dict[str, Any], patience: float) -> None:
        self.state = ClusterState()
        self._target = target
        self._settings = settings
        self._patience = patience
        self._plugin: str | None = None
        self._alive_at = time.monotonic()

    def run(
        self,
        queue: WorkQueue,
        backend: Backend | Sequence[Backend],
        options: BulkOptions,
        accept: Callable[[FileResult], None],
        watch: Callable[[], None],
    ) -> None:
        """Recognizes all recordings in `queue`. Gives each result to `accept`, and calls `watch` twice a second.

        Raises what `accept` raises, `ConnectFailed` if the cluster is gone for longer than `patience`, and
        `AuthenticationError` or `ConfigurationError` if all recordings would fail alike.
        """

        def look() -> None:
            if self.state.threads:
                self._alive_at = time.monotonic()
            self._check_patience("the cluster has no worker: start some")
            watch()

        while not queue.is_empty:
            try:
                with self._connected(backend, options) as (client, plugin):
                    Dispatch(client, queue, self.state, accept, look).run(plugin)
            except SchedulerLost as lost:
                queue.put_all_back()
                if self.state.threads:
                    _log.warning("the scheduler at %s does not answer (%s): trying again", self._target, lost)
                    self.state.threads = 0
                self._check_patience(f"the scheduler at {self._target} does not answer: {lost}")
                watch()
                time.sleep(_PAUSE)

    def _check_patience(self, trouble: str) -> None:
        if time.monotonic() - self._alive_at > self._patience:
            raise ConnectFailed(f"{trouble}; gave up after {self._patience:g} s. The results so far are kept")

    def _connect(self) -> Client:
        seconds = min(_CONNECTING, max(self._patience, _PAUSE))
        return Client(self._target, timeout=seconds, set_as_default=False, **self._settings)

    @contextmanager
    def _connected(self, backend: Backend | Sequence[Backend], options: BulkOptions) -> Generator[tuple[Client, str]]:
        """Connects, and starts the plugin in the workers, under a name that no earlier connection has used.

        So what is left of an earlier connection, and about to end, cannot take the new plugin with it.
        """
        lost, self._plugin = self._plugin, f"trio-speech-{uuid4().hex}"
        with ExitStack() as held:
            with talking():
                client = self._connect()
            held.callback(_close, client)
            if lost is not None:
                _unregister(client, lost)
            with talking():
                if options.limits.streams is not None or options.limits.dials_per_second is not None:
                    client.register_plugin(LeasePlugin(after_loss=lost is not None), name=NAME)
                pulse = client.submit(str, key=pulse_of(self._plugin), pure=False)
                held.callback(pulse.release)
                client.register_plugin(TranscriberPlugin(self._plugin, backend, options), name=self._plugin)
            held.callback(_unregister, client, self._plugin)
            self.state.dashboard = client.dashboard_link if find_spec("bokeh") else None
            yield client, self._plugin


@contextmanager
def open_engine(
    client: Client | str | None, *, workers: int | None, at_once: int, patience: float
) -> Generator[DaskEngine]:
    """Opens the cluster of a client or at an address; for ``None``, starts one on this machine until the block ends."""
    with ExitStack() as held:
        if client is None:
            cluster = held.enter_context(_local_cluster(workers, at_once))
            yield DaskEngine(cluster, {}, patience)
        elif isinstance(client, str):
            _check_address(client)
            yield DaskEngine(client, {}, patience)
        elif client.scheduler is None:
            raise ConfigurationError("client is closed: give one that is connected to its scheduler")
        else:
            # Uses a connection of its own, which can be made anew when the scheduler was lost.
            yield DaskEngine(client.scheduler.address, {"security": client.security}, patience)


def _check_address(address: str) -> None:
    """Raises `ConfigurationError` for what is no address: a `Client` that was made with it could not be closed."""
    try:
        scheme, location = parse_address(address)
        get_backend(scheme)
        _ = urlsplit(f"//{location}").port
    except ValueError as error:
        raise ConfigurationError(
            f"{address} is not the address of a scheduler, as in tcp://host:8786: {error}"
        ) from error


def _local_cluster(workers: int | None, at_once: int) -> LocalCluster:
    with _interrupts_held_back():
        return LocalCluster(
            n_workers=workers or os.cpu_count() or 1,
            threads_per_worker=at_once,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port
            silence_logs=logging.ERROR,  # it warns of each task that ends with its worker
            preload=["trio_speech.bulk.dask_preload"],
        )


@contextmanager
def _interrupts_held_back() -> Generator[None]:
    """Holds SIGINT back until the end of the block: a cluster that is interrupted half started cannot be closed."""
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _close(client: Client) -> None:
    # Closed while it reconnects, Dask logs a traceback. It gives up by itself after `_CONNECTING`.
    while client.status == "connecting":
        time.sleep(_PAUSE)
    client.close(timeout=2)


def _unregister(client: Client, plugin: str) -> None:
    # OSError: the scheduler is gone, and the workers with it. ValueError: a new scheduler, which knows of no plugin.
    # KeyError: a worker that does not have it yet.
    if client.status == "running":
        with suppress(OSError, ValueError, KeyError):
            client.unregister_worker_plugin(plugin)
