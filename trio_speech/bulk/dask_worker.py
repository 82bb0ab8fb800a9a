"""Runs in Dask's workers: a plugin with one thread of trio and one client, and the task that recognizes a recording.

Each of the worker's threads runs such a task, and waits for the thread of trio. So a worker recognizes as many
recordings at once as it has threads.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import trio
from distributed import Worker, WorkerPlugin, get_worker

from ..provider import Backend
from .addresses import recording_name
from .dask_scheduler import GIVE_BACK, GRANTED, REQUEST
from .options import BulkOptions
from .results import FileResult, TranscriptionAttempt
from .transcriber import Transcriber

_PULSE = 15.0
"""Seconds between two looks for the pulse."""
_MISSED = 2
"""Looks in vain after which a plugin ends."""


def pulse_of(plugin: str) -> str:
    """Returns the name of the plugin's pulse: a task whose result the program of the archive holds as long as it lives.

    Dask forgets it when the program's connection ends, also if the program was killed.
    """
    return f"{plugin}-pulse"


class TranscriberPlugin(WorkerPlugin):
    """Opens a `Transcriber` for as long as the worker lives, or until the archive is done, or its program is gone.

    Args:
        name: The name of the plugin, different for each connection, as workers may serve several archives.
        backend: As `trio_speech.open_client` takes it. It is pickled, with the credentials that it holds.
        options: See `BulkOptions`.
    """

    transcriber: Transcriber
    _watch: asyncio.Task[None]

    def __init__(self, name: str, backend: Backend | Sequence[Backend], options: BulkOptions) -> None:
        self.name = name
        self._backend = backend
        self._options = options

    async def setup(self, worker: Worker) -> None:
        """Called by Dask, in the worker's event loop: starts the thread of trio."""
        permits = _ScheduledPermits(worker)
        self.transcriber = await asyncio.to_thread(Transcriber, self._backend, self._options, permits=permits)
        self._watch = asyncio.create_task(self._end_without_pulse(worker))

    async def teardown(self, worker: Worker) -> None:
        """Called by Dask. Cancels the sessions, and ends the thread of trio."""
        self._watch.cancel()
        await asyncio.to_thread(self.transcriber.close)

    async def _end_without_pulse(self, worker: Worker) -> None:
        """Removes the plugin from the cluster once the program of the archive is gone: nobody else would."""
        scheduler: Any = worker.scheduler
        pulse, missed = pulse_of(self.name), 0
        while missed < _MISSED:
            await asyncio.sleep(_PULSE)
            try:
                states = await scheduler.get_task_status(keys=[pulse])
            except OSError:  # the scheduler is gone, and the worker is about to end
                return
            missed = missed + 1 if states[pulse] is None else 0
        # In a task of its own, because the removal cancels this one.
        self._removal = asyncio.create_task(_remove(scheduler, self.name))


async def _remove(scheduler: Any, plugin: str) -> None:
    with suppress(OSError, ValueError, KeyError):  # the last two: another worker was first
        await scheduler.unregister_worker_plugin(name=plugin)


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
    held: Any = get_worker().plugins.get(plugin)
    if held is None:  # removed, because the archive ends or was given up, while Dask still hands out its last tasks
        stopped = FileResult(file=recording_name(recording.address), error="the worker was stopped")
        return msgspec.json.encode(TranscriptionAttempt(stopped, may_succeed=True))
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
