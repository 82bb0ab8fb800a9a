"""One pooled connection: its reader and its pinger never rest, whoever has it.

    leased      what the service says goes to the tenant
    draining    nobody listens; the end of the generation that was abandoned is waited for
    idle        the service has nothing to say: sound or an error here ends the connection

However it ends, it is told once: to the tenant, if there is one, and to the pool.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import trio

from ..._core.provider.messages import Audio, Closed, Done, Failure, Going, TtsMessage
from ..._core.retry.causes import Broken, Cause, Ended, Malformed, Reported
from ...errors import ProtocolError
from ...policy import LivenessPolicy
from ...providers._codec import Frame, TtsCodec, TtsProvider
from ..concurrency.wakeup import let_others_have_their_turn
from ..connection import LinkDown
from .multiplexed import FrameChannel


class LeaseHolder(Protocol):
    """Who has the lease. Neither method may wait."""

    def heard(self, message: TtsMessage, now: float) -> bool:
        """The service said something, at `now`. Returns whether somebody is to have it before more is read."""
        ...

    def lost(self, cause: Cause) -> None:
        """The connection is gone."""
        ...


class PoolCallbacks(Protocol):
    """What a resident tells its pool."""

    def ponged(self, resident: PooledConnection, seconds: float) -> None: ...
    def retiring(self, resident: PooledConnection) -> None: ...
    def drained(self, resident: PooledConnection) -> None: ...
    def died(self, resident: PooledConnection, cause: Cause) -> None: ...


class PooledConnection:
    """Runs beside everything else until the connection is gone or said goodbye to."""

    def __init__(
        self,
        number: int,
        provider: TtsProvider,
        carrier: FrameChannel,
        liveness: LivenessPolicy,
        landlord: PoolCallbacks,
    ) -> None:
        self.number = number
        self.provider = provider
        self.codec: TtsCodec = provider.codec()
        self.tenant: LeaseHolder | None = None
        self.draining = False
        self._carrier = carrier
        self.opened_at = carrier.opened_at
        self._liveness = liveness
        self._landlord = landlord
        self._writing = trio.Lock()
        self._scope = trio.CancelScope()
        self._cause: Cause | None = None

    async def open(self) -> None:
        """Sends what the protocol begins with. Raises `LinkDown`."""
        if opening := tuple(self.codec.open()):
            await self._send(*opening)

    def send_nowait(self, *frames: Frame) -> bool:
        """Writes what the network takes at once; says whether that is all, else `flush` is due. Raises `LinkDown`."""
        return self._carrier.send_nowait(*frames)

    async def flush(self) -> None:
        """Writes what `send_nowait` has left. Raises `LinkDown`; cancelling it condemns the connection."""
        try:
            self._writing.acquire_nowait()
        except trio.WouldBlock:
            await self._writing.acquire()
        try:
            await self._carrier.flush(self._liveness.send_timeout)
        finally:
            self._writing.release()

    async def _send(self, *frames: Frame) -> None:
        if not self.send_nowait(*frames):
            await self.flush()

    async def cancel(self) -> None:
        """Says that nobody wants the generation, where the protocol can say so. Never raises `LinkDown`.

        If it has ended meanwhile there is nothing to cancel but what the next tenant asked for.
        """
        frame = self.codec.cancel() if self.draining else None
        if frame is not None:
            with suppress(LinkDown):
                await self._send(frame)

    async def ping(self) -> None:
        """Raises `LinkDown` where no pong comes within ``ping_timeout``."""
        self._landlord.ponged(self, await self._carrier.ping(self._liveness.ping_timeout))

    def abort(self, why: str) -> None:
        """Drops the connection at once."""
        self._carrier.abort(why)

    async def run(self) -> None:
        """Until the connection is gone, or `goodbye` is said."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_down, self._read)
                nursery.start_soon(self._until_down, self._keep_pinging)
        if self._cause is not None:
            self.abort(str(self._cause))
            self._landlord.died(self, self._cause)
            if self.tenant is not None:
                self.tenant.lost(self._cause)

    async def goodbye(self, why: str) -> None:
        """The polite end, within ``close_timeout``; who has the lease is told `why`. Never raises `LinkDown`."""
        if self.tenant is not None:
            self.tenant.lost(Broken(f"closed by us: {why}"))
        self._scope.cancel(reason=why)
        timeout = self._liveness.close_timeout
        with trio.move_on_after(timeout):
            try:
                frame = self.codec.close()
                if frame is not None:
                    await self._send(frame)
                await self._carrier.close(timeout)
            except LinkDown:
                return
        self.abort("closed by us")

    async def _until_down(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except LinkDown as down:
            self._end(down.cause)
        except ProtocolError as error:
            self._end(Malformed(error.message))

    def _end(self, cause: Cause) -> None:
        if not self._scope.cancel_called:
            self._cause = cause
            self._scope.cancel(reason=str(cause))

    async def _read(self) -> None:
        while True:
            frame: Frame | None = await self._carrier.receive()
            now = trio.current_time()
            while frame is not None:
                for message in self.codec.decode(frame):
                    if self._hear(message, now):
                        await let_others_have_their_turn()
                        now = trio.current_time()
                frame = self._carrier.receive_nowait()

    def _hear(self, message: TtsMessage, now: float) -> bool:
        match message:
            case Going():
                self._landlord.retiring(self)
            case _ if self.tenant is not None:
                return self.tenant.heard(message, now)
            case Failure():
                raise LinkDown(Reported(message))
            case Closed():
                raise LinkDown(Ended())
            case Done() if self.draining:
                self._landlord.drained(self)
            case Audio() if not self.draining:
                raise LinkDown(Malformed("audio that nobody asked for"))
            case _:
                pass
        return False

    async def _keep_pinging(self) -> None:
        while True:
            await trio.sleep(self._liveness.ping_interval)
            await self.ping()
