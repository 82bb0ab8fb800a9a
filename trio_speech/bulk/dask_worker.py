"""Runs in Dask's workers: a plugin with one thread of trio and one client, and the task that recognizes a recording.

Each of the worker's threads runs such a task, and waits for the thread of trio. So a worker recognizes as many
recordings at once as it has threads.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import trio
from distributed import Worker, WorkerPlugin, get_worker

from ..provider import Backend
from .addresses import recording_name
from .dask_scheduler import GIVE_BACK, GRANTED, REQUEST
from .options import BulkOptions
from .transcriber import Transcriber


class TranscriberPlugin(WorkerPlugin):
    """Opens a `Transcriber` for as long as the worker lives, or until the archive is done.

    Args:
        name: The name of the plugin, different in each run, as workers may serve several archives.
        backend: As `trio_speech.open_client` takes it. It is pickled, with the credentials that it holds.
        options: See `BulkOptions`.
    """

    transcriber: Transcriber

    def __init__(self, name: str, backend: Backend | Sequence[Backend], options: BulkOptions) -> None:
        self.name = name
        self._backend = backend
        self._options = options

    async def setup(self, worker: Worker) -> None:
        """Called by Dask, in the worker's event loop: starts the thread of trio."""
        permits = _ScheduledPermits(worker)
        self.transcriber = await asyncio.to_thread(Transcriber, self._backend, self._options, permits=permits)

    async def teardown(self, worker: Worker) -> None:
        """Called by Dask. Cancels the sessions, and ends the thread of trio."""
        await asyncio.to_thread(self.transcriber.close)


class Recording(msgspec.Struct, frozen=True):
    """The address of a recording. It is shown without credentials, because Dask logs the arguments of failed tasks."""

    address: str

    def __repr__(self) -> str:
        return recording_name(self.address)


def transcribe_one(plugin: str, recording: Recording) -> bytes:
    """Recognizes a recording, and returns the `TranscriptionAttempt` as JSON. This is the task that Dask runs.

    It is JSON because pickling a long transcript takes several times as long, and would make the scheduler import its
    types.
    """
    held: Any = get_worker().plugins[plugin]
    return msgspec.json.encode(held.transcriber.attempt(recording.address))


class _ScheduledPermits:
    """Gets permits (see `Permits`) from the `LeasePlugin` of the scheduler.

    It is made in the worker's event loop, and used in the thread of trio.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker: Any = worker
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count()
        handlers: dict[str, Any] = self._worker.stream_handlers
        self._waiting: dict[str, tuple[trio.lowlevel.TrioToken, trio.Event]] = handlers.setdefault(
            GRANTED, _Grants()
        ).waiting

    async def acquire(self, name: str, most: int) -> str:
        ticket = f"{self._worker.address}/{id(self)}/{next(self._numbers)}"
        granted = trio.Event()
        self._waiting[ticket] = trio.lowlevel.current_trio_token(), granted
        self._send({"op": REQUEST, "name": name, "ticket": ticket, "most": most})
        try:
            await granted.wait()
        except trio.Cancelled:
            self.release(name, ticket, 0.0)
            raise
        finally:
            del self._waiting[ticket]
        return ticket

    def release(self, name: str, ticket: str, after: float) -> None:
        self._send({"op": GIVE_BACK, "name": name, "ticket": ticket, "after": after})

    def _send(self, message: dict[str, Any]) -> None:
        self._loop.call_soon_threadsafe(self._worker.batched_send, message)


class _Grants:
    """Receives the scheduler's answers, for all archives that the worker serves."""

    def __init__(self) -> None:
        self.waiting: dict[str, tuple[trio.lowlevel.TrioToken, trio.Event]] = {}

    def __call__(self, ticket: str, **_: Any) -> None:
        if ticket in self.waiting:
            token, granted = self.waiting[ticket]
            token.run_sync_soon(granted.set)
