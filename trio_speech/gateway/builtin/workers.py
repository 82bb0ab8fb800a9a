"""A pool of worker processes, reached by pipes: started when needed, reused, bounded, replaced when they crash.

Laws:
1. A worker that is not leased is either idle, with every request answered, or being stopped.
2. A crash, a hang or a malformed frame costs only the lease in which it happened.
3. No process outlives the block that opened the pool by more than `_GRACE` seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import msgspec
import trio

from ..._shell.concurrency.one_exception import one_exception
from ..engines import Busy, Declined, EngineFailed
from . import messages
from .messages import ReadyReply, RefusedReply, Reply, Request

_START_TIMEOUT = 30.0  # seconds; a model takes 0.5 to load on a quiet machine
_REPLY_TIMEOUT = 30.0  # seconds; the slowest request, a long utterance decoded twice, takes 5
_RECOVERY_TIMEOUT = 5.0  # seconds in which a worker whose lease was cancelled must have come to rest
_GRACE = 1.0  # seconds from SIGTERM to SIGKILL
_RECEIVE_BYTES = 65_536


class Worker:
    """One process, used by one task at a time. See `start_worker`."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._requests = cast(trio.abc.SendStream, process.stdin)
        self._replies = cast(trio.abc.ReceiveStream, process.stdout)
        self._received = bytearray()
        self._torn = False
        self._unanswered = 1  # the ReadyReply

    async def ask(self, request: Request) -> Reply:
        """Sends a request and waits for its reply. Checkpoints. After a cancelled call only `recover` may follow.

        Raises `Declined` when the worker refuses, and `EngineFailed` when it died or did not answer in time.
        """
        frame = messages.pack(request)
        with trio.move_on_after(_REPLY_TIMEOUT):
            self._torn = True
            self._unanswered += 1
            try:
                await self._requests.send_all(frame)
            except trio.BrokenResourceError:
                raise await self._dead() from None
            self._torn = False
            return await self.reply()
        raise EngineFailed(f"the engine did not answer within {_REPLY_TIMEOUT:g} s")

    async def reply(self) -> Reply:
        """Waits for the next reply. Safe to cancel: no byte of the reply is lost. Raises `Declined`, `EngineFailed`."""
        header = messages.HEADER
        await self._fill(header)
        length = int.from_bytes(self._received[:header], "big")
        if length > messages.LONGEST:
            raise self._malformed()
        await self._fill(header + length)
        try:
            reply = messages.reply(bytes(self._received[header : header + length]))
        except msgspec.DecodeError:
            raise self._malformed() from None
        del self._received[: header + length]
        self._unanswered -= 1
        if isinstance(reply, RefusedReply):
            raise Declined(reply.message)
        return reply

    @property
    def at_rest(self) -> bool:
        """Whether it waits for a request, with every earlier one answered."""
        return not self._torn and self._unanswered == 0

    async def recover(self) -> bool:
        """Waits up to `_RECOVERY_TIMEOUT` for outstanding replies. Returns whether the worker can be used again."""
        with trio.move_on_after(_RECOVERY_TIMEOUT):
            try:
                while self._unanswered and not self._torn:
                    await self._settle()
            except EngineFailed:
                return False
        return self.at_rest

    async def stop(self) -> None:
        """Ends the process: SIGTERM, and SIGKILL after `_GRACE` seconds. Shielded from cancellation."""
        with trio.CancelScope(shield=True):
            with trio.move_on_after(_GRACE):
                await self._requests.aclose()
                self.process.terminate()
                await self.process.wait()
            if self.process.poll() is None:
                self.process.kill()
                await self.process.wait()
            await self._replies.aclose()

    async def _settle(self) -> None:
        with suppress(Declined):
            await self.reply()

    async def _fill(self, length: int) -> None:
        while len(self._received) < length:
            data = await self._replies.receive_some(_RECEIVE_BYTES)
            if not data:
                raise await self._dead()
            self._received += data

    def _malformed(self) -> EngineFailed:
        """Returns the error for a malformed frame. No later frame can be found, so the worker is not used again."""
        self._torn = True
        return EngineFailed("the engine's process sent a malformed reply; a new one is started")

    async def _dead(self) -> EngineFailed:
        self._torn = True
        with trio.move_on_after(_GRACE):
            await self.process.wait()
        return EngineFailed(f"the engine's process ended with status {self.process.returncode}; a new one is started")


async def start_worker(kind: str) -> Worker:
    """Starts a process and waits until it is ready. Raises `EngineFailed`; cancelling ends the process."""
    worker = Worker(await _spawn(kind))
    ready = False
    try:
        with trio.move_on_after(_START_TIMEOUT):
            ready = isinstance(await worker.reply(), ReadyReply)
    finally:
        if not ready:
            await worker.stop()
    if not ready:
        raise EngineFailed(f"the engine did not start within {_START_TIMEOUT:g} s")
    return worker


async def _spawn(kind: str) -> trio.Process:
    ours = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", "trio_speech.gateway.builtin.worker", kind]
    return await trio.lowlevel.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        process_group=0,  # or a terminal's Ctrl-C would reach it while it imports
    )


class Workers:
    """At most `limit` processes of one kind; up to `warm` idle ones are kept. See `open_workers`."""

    def __init__(self, kind: str, limit: int, warm: int, nursery: trio.Nursery) -> None:
        self.limit = limit
        self.nursery = nursery
        """Runs tasks that belong to a lease. They must end with it, or soon after, and raise nothing."""
        self._kind, self._warm = kind, warm
        self._room = trio.Semaphore(limit)
        self._leases = 0
        self._idle: list[Worker] = []
        self._alive: set[Worker] = set()

    @asynccontextmanager
    async def lease(self, *, patient: bool) -> AsyncGenerator[Worker, None]:
        """Leases a worker for the block. When all are leased: waits if `patient`, else raises `Busy`.

        Raises `EngineFailed` when none can be started. Safe to cancel at any point.
        """
        if not patient and self._leases >= self.limit:
            raise Busy(f"all {self.limit} sessions of the {self._kind} are in use: try again later")
        self._leases += 1
        worker: Worker | None = None
        try:
            await self._room.acquire()
            try:
                worker = await self._take()
                yield worker
            finally:
                self._give_back(worker)
        finally:
            self._leases -= 1

    def _give_back(self, worker: Worker | None) -> None:
        if worker is not None and not self._keep(worker):
            self.nursery.start_soon(self._recycle, worker)
        else:
            self._room.release()

    def _keep(self, worker: Worker) -> bool:
        """Keeps the worker as an idle one, if it is at rest and there is room. Returns whether it was kept."""
        kept = worker.at_rest and len(self._idle) < self._warm
        if kept:
            self._idle.append(worker)
        return kept

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                return worker
            await self._retire(worker)
        worker = await start_worker(self._kind)
        self._alive.add(worker)
        return worker

    async def _recycle(self, worker: Worker) -> None:
        try:
            if not (await worker.recover() and self._keep(worker)):
                await self._retire(worker)
        finally:
            self._room.release()

    async def _retire(self, worker: Worker) -> None:
        await worker.stop()
        self._alive.discard(worker)

    async def stop(self) -> None:
        """Ends all processes, at the same time."""
        async with trio.open_nursery() as nursery:
            for worker in self._alive:
                nursery.start_soon(worker.stop)


@asynccontextmanager
async def open_workers(kind: str, *, limit: int, warm: int) -> AsyncGenerator[Workers, None]:
    """Yields a pool of workers. None is started before it is needed; leaving the block ends them all."""
    async with one_exception() as guard:
        workers = Workers(kind, limit, warm, guard.nursery)
        try:
            yield workers
        finally:
            guard.nursery.cancel_scope.cancel(reason="the workers' pool was left")
            with trio.CancelScope(shield=True):
                await workers.stop()
