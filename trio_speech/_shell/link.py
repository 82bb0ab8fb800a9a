"""One connection at work for a recognition session: its reader, its writer, its pinger.

Whoever learns that the connection is gone cancels the link's scope with the cause. That is the whole mechanism of
reconnection: the session's loop asks for a verdict and opens the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from .._core.causes import Cause, Malformed, PeerClosed
from .._core.leg import Leg
from .._core.steps import Leave, SendAudio, SendChange, SendFinalize, SendKeepalive, Wait
from ..errors import ProtocolError
from ..policy import LivenessPolicy
from ..providers._codec import Frame, SttCodec
from .connection import Connection
from .signal import Signal
from .single import only_one
from .transport import LinkDown


class Link:
    """Runs one connection until it is lost, done or replaced."""

    def __init__(
        self,
        connection: Connection,
        codec: SttCodec,
        leg: Leg,
        *,
        liveness: LivenessPolicy,
        wake: Signal,
        heard: Callable[[], None],
    ) -> None:
        self.connection = connection
        self.codec = codec
        self.leg = leg
        self._liveness = liveness
        self._wake = wake
        self._heard = heard
        self._scope = trio.CancelScope()
        self._cause: Cause | None = None
        self._opened = False
        self.done = False

    async def run(self) -> Cause | None:
        """Until the link ends; returns the cause, or ``None`` if all is done."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    for task in (self._read, self._write, self._ping):
                        nursery.start_soon(self._until_down, task)
        except BaseExceptionGroup as group:
            failure = only_one(group)
            raise failure from failure.__cause__
        return self._cause

    async def _until_down(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except LinkDown as down:
            self._end(self._verdict(down.cause))
        except ProtocolError as error:
            self._end(Malformed(error.message))

    def _end(self, cause: Cause | None) -> None:
        if not self._scope.cancel_called:
            self._cause = cause
            self.done = cause is None
            self._scope.cancel(reason="done" if cause is None else str(cause))

    def _verdict(self, cause: Cause) -> Cause | None:
        if isinstance(cause, PeerClosed) and self.leg.ends_well(cause.code):
            return None
        return cause

    async def _read(self) -> None:
        while True:
            frame = await self.connection.receive()
            now = trio.current_time()
            for message in self.codec.decode(frame):
                cause = self.leg.receive(message, now)
                if cause is not None:
                    self._end(cause)
                    return
            self._heard()
            self._wake.fire()

    async def _write(self) -> None:
        for frame in self.codec.open():
            await self._send(frame)
        self._opened = True
        while True:
            match self.leg.next(trio.current_time()):
                case Wait(until):
                    self._heard()
                    await self._wake.wait_until(until)
                case SendAudio(pcm):
                    await self._send(self.codec.audio(pcm))
                case SendFinalize():
                    await self._send(self.codec.finalize())
                case SendChange(change):
                    await self._send(self.codec.update(change))
                case SendKeepalive():
                    await self._send(self.codec.keepalive())
                case Leave(cause):
                    self._end(cause)
                    return

    async def _send(self, frame: Frame | None) -> None:
        if frame is not None:
            await self.connection.send(frame, self._liveness.send_timeout)

    async def _ping(self) -> None:
        while True:
            await trio.sleep(self._liveness.ping_interval)
            await self.connection.ping(self._liveness.ping_timeout)

    async def farewell(self) -> None:
        """The polite end, within ``close_timeout``: a service holds a session's place until it is told."""
        liveness = self._liveness
        with trio.move_on_after(liveness.close_timeout, shield=True):
            try:
                if self._opened:
                    await self._send(self.codec.close())
                await self.connection.close(liveness.close_timeout)
            except LinkDown:
                return
        self.connection.abort("closed by us")
