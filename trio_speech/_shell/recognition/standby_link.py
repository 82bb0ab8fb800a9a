"""Runs a standby: a second connection that is sent the same audio while the link in service is suspect.

All decisions are made by the `Standby` of the core. This module reads and writes for it, until the standby is wanted
(`hand_over`), not wanted (`dismiss`), or lost.

A frame must not be torn, so the task that writes is never cancelled while it serves on: it is asked to stop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from ..._core.liveness.health import Health
from ..._core.recognition.commands import SendAudio
from ..._core.recognition.standby import Standby
from ..._core.retry.causes import Cause, Silent
from ...errors import ProtocolError
from ...policy import LivenessPolicy
from ...providers._codec import Frame, SttCodec, SttProvider
from ..concurrency.wakeup import Wakeup
from ..connection import Connection, HealthWatch, LinkDown
from .goodbyes import part_from

_AT_ONCE = 16
"""Frames that are sent in a row before other tasks run."""


class StandbyLink:
    """One standby. Call `run` once, as a task.

    `proved` is called once when the standby has proved better than the suspect, and `ended` with itself and the cause
    when it is lost. `ended` is also called, with ``None``, when its time is up: then it is still to be dismissed.
    Neither may wait. It is expected to say something, so it is watched as a serving link is that owes a result. But it
    hears its audio faster than real time, and so the answer to a ping may take ``suspect_after_max`` seconds for as
    long as that may keep the service busy. A write may still take as long when the standby is stopped.
    """

    def __init__(
        self,
        connection: Connection,
        provider: SttProvider,
        machine: Standby,
        *,
        liveness: LivenessPolicy,
        proved: Callable[[], None],
        ended: Callable[[StandbyLink, Cause | None], None],
    ) -> None:
        self.connection = connection
        self.provider = provider
        self.machine = machine
        self.codec: SttCodec = provider.codec()
        self._send_timeout = liveness.send_timeout
        self._silence = liveness.suspect_after_max
        self._watch = HealthWatch(
            connection,
            Health(liveness, connection.opened_at),
            ponged=lambda _: None,
            suspected=self._fell_silent,
            cleared=lambda: None,
            busy_until=lambda: min(machine.busy_until, connection.received_at + self._silence),
        )
        self._proved = proved
        self._ended = ended
        self._reading = trio.CancelScope()
        self._pinging = trio.CancelScope()
        self._stops = False
        self._is_lost = False
        self._wake = Wakeup()
        self._done = trio.Event()

    async def run(self) -> None:
        """Reads and writes until the standby is wanted, dismissed or lost. Cancelling it drops the connection."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_down, self._write)
                nursery.start_soon(self._until_down, self._watch_health)
                await self._until_down(self._read)
        except BaseException:
            self.connection.abort("nobody needs it any more")
            raise
        finally:
            self._done.set()

    async def hand_over(self) -> bool:
        """Stops reading and writing for the standby. Returns whether its connection is still open, to be used on."""
        self._stop()
        with trio.move_on_after(self._silence):
            await self._done.wait()
            return not self._is_lost
        self._lose(Silent("end of a write", self._silence))
        await self._done.wait()
        return False

    async def dismiss(self, timeout: float) -> None:  # noqa: ASYNC109  # the closing handshake has its own deadline
        """Stops it, and closes its connection politely within `timeout` seconds."""
        if await self.hand_over():
            await part_from(self.connection, self.codec.close(), timeout)

    # ------------------------------------------------------------ how it stops

    def _stop(self) -> None:
        self._stops = True
        for scope in (self._reading, self._pinging):
            scope.cancel(reason="the standby is handed over or dismissed")
        self._wake.fire()

    async def _until_down(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except LinkDown as down:
            self._lose(down.cause)
        except ProtocolError:
            self._lose(None)

    def _lose(self, cause: Cause | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._ended(self, cause)
            self.connection.abort("the standby has ended")
        self._stop()

    # ------------------------------------------------------------ reading and writing

    async def _read(self) -> None:
        with self._reading:
            while True:
                frame: Frame | None = await self.connection.receive()
                while frame is not None:
                    if not self._take(frame):
                        return
                    frame = self.connection.receive_nowait()

    def _take(self, frame: Frame) -> bool:
        """Takes in what a frame says. Returns whether to read on."""
        for message in map(self.connection.redactor.message, self.codec.decode(frame)):
            had_proved = self.machine.proved
            cause = self.machine.receive(message)
            if cause is not None:
                self._lose(cause)
                return False
            if self.machine.proved and not had_proved:
                self._proved()
        return not self.machine.proved

    async def _watch_health(self) -> None:
        self._watch.owes(True)
        with self._pinging:
            async with trio.open_nursery() as pings:
                await self._until_down(partial(self._watch.run, pings))
                pings.cancel_scope.cancel(reason="the standby has ended")

    def _fell_silent(self) -> None:
        self._lose(Silent("pong", round(trio.current_time() - self.connection.received_at, 1)))

    async def _write(self) -> None:
        self.connection.send_nowait(*self.codec.open())
        while not self._stops:
            if self.connection.has_unsent:
                await self.connection.flush(self._send_timeout)
            if self.machine.is_useless(trio.current_time()):
                self._ended(self, None)
                return
            until = self._pump(trio.current_time())
            if until is None:
                await trio.lowlevel.checkpoint()
            elif not (self._stops or self.connection.has_unsent):
                await self._wake.wait_until(until)

    def _pump(self, now: float) -> float | None:
        """Sends what is due, as far as the network takes it at once.

        Returns until when to wait; ``None`` for not at all.
        """
        for _ in range(_AT_ONCE):
            step = self.machine.next(now)
            if not isinstance(step, SendAudio):
                return step.until
            if not self.connection.send_nowait(self.codec.audio(step.pcm)):
                break
        return None
