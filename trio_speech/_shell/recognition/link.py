"""One connection at work for a recognition session: its reader, its writer, its pinger.

Whoever learns that the connection is gone cancels the link's scope with the cause. That is the whole mechanism of
reconnection: the session's loop asks for a verdict and opens the next.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import trio

from ..._core.recognition.commands import Command, EndLink, SendAudio, SendChange, SendFinalize, SendKeepalive, Wait
from ..._core.recognition.link import LinkMachine
from ..._core.recognition.session import NEVER
from ..._core.retry.causes import Cause, Malformed, PeerClosed
from ...errors import ProtocolError
from ...policy import LivenessPolicy
from ...providers._codec import Frame, SttCodec
from ..concurrency.one_exception import only_one
from ..concurrency.wakeup import Wakeup
from ..connection import Connection, LinkDown

_BURST = 0.002
"""Seconds within which no second frame comes up where audio is spoken: it is being read from somewhere."""

_AT_ONCE = 16
"""Frames that go out in a row before others have their turn."""


class Link:
    """Runs one connection until it is lost, done or replaced.

    While the writer rests, what comes up goes out from the task that brought it, as far as the network takes it at
    once: in real time no task is woken for a frame. All else is handed to the writer, and so is audio that comes faster
    than it is spoken: it writes many frames at once.
    """

    def __init__(
        self,
        connection: Connection,
        codec: SttCodec,
        link_machine: LinkMachine,
        *,
        liveness: LivenessPolicy,
        wake: Wakeup,
        heard: Callable[[], None],
        ponged: Callable[[float], None],
    ) -> None:
        self.connection = connection
        self.codec = codec
        self.link_machine = link_machine
        self._machine = link_machine.session
        self._feed = link_machine.feed
        self._liveness = liveness
        self._wake = wake
        self._heard = heard
        self._ponged = ponged
        self._now = trio.lowlevel.current_clock().current_time
        self._scope = trio.CancelScope()
        self._cause: Cause | None = None
        self._opened = False
        self._resting = False
        self._rests_until = math.inf
        self._calm_at = -math.inf
        self._next: Command | None = None
        self.done = False

    async def run(self) -> Cause | None:
        """Until the link ends; returns the cause, or ``None`` if all is done."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._until_down, self._read)
                    nursery.start_soon(self._until_down, self._ping)
                    await self._until_down(self._write)
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
            self._end(Malformed(self.connection.redactor.text(error.message)))

    def _end(self, cause: Cause | None) -> None:
        if not self._scope.cancel_called:
            self._cause = cause
            self.done = cause is None
            self._scope.cancel(reason="done" if cause is None else str(cause))

    def _verdict(self, cause: Cause) -> Cause | None:
        if isinstance(cause, PeerClosed) and self.link_machine.ends_well(cause.code):
            return None
        return cause

    async def _read(self) -> None:
        while True:
            frame: Frame | None = await self.connection.receive()
            now = self._now()
            while frame is not None:
                for message in map(self.connection.redactor.message, self.codec.decode(frame)):
                    cause = self.link_machine.receive(message, now)
                    if cause is not None:
                        self._end(cause)
                        return
                frame = self.connection.receive_nowait()
            if self._resting and not self._may_rest(now):
                self._wake_writer()
            self._heard()

    async def _write(self) -> None:
        for frame in self.codec.open():
            await self._send(frame)
        self._opened = True
        while True:
            now = self._now()
            step, self._next = self._next or self.link_machine.next(now), None
            match step:
                case Wait(until):
                    self._heard()
                    await self._rest(until)
                case SendAudio(pcm):
                    await self._send_audio([pcm, *self._feed.frames(now, _AT_ONCE - 1)])
                case SendFinalize():
                    await self._send(self.codec.finalize())
                case SendChange(change):
                    await self._send(self.codec.update(change))
                case SendKeepalive():
                    await self._send(self.codec.keepalive())
                case EndLink(cause):
                    self._end(cause)
                    return

    async def _send(self, frame: Frame | None) -> None:
        if frame is not None:
            await self.connection.send(frame, self._liveness.send_timeout)

    async def _send_audio(self, audio: list[bytes]) -> None:
        if not self.connection.send_nowait(*map(self.codec.audio, audio)):
            await self.connection.flush(self._liveness.send_timeout)
        elif len(audio) == _AT_ONCE:
            await trio.lowlevel.checkpoint()

    async def _rest(self, until: float | None) -> None:
        self._rests_until = math.inf if until is None else until
        self._machine.next_wakeup_at_sample = self._feed.next_wakeup_at_sample()
        self._resting = True
        try:
            await self._wake.wait_until(until)
        finally:
            self._stir()
        if self.connection.has_unsent:
            await self.connection.flush(self._liveness.send_timeout)

    def _stir(self) -> None:
        self._resting = False
        self._machine.next_wakeup_at_sample = NEVER

    def _wake_writer(self) -> None:
        self._stir()
        self._wake.fire()

    def captured(self) -> None:
        """As much audio as the link waits for is there. Returns at once, and raises nothing."""
        now = self._now()
        if now < self._calm_at:
            self._wake_writer()
            return
        self._calm_at = now + _BURST
        if not self._advances(now):
            self._wake_writer()

    def _advances(self, now: float) -> bool:
        """Does what is due and needs no waiting; says whether the writer may go on resting."""
        try:
            if now < self._rests_until and (audio := self._feed.frames(now, _AT_ONCE)):
                if not self.connection.send_nowait(*map(self.codec.audio, audio)) or len(audio) == _AT_ONCE:
                    return False
                self._machine.next_wakeup_at_sample = self._feed.next_wakeup_at_sample()
                if self._machine.log.captured < self._machine.next_wakeup_at_sample:
                    return True
            return self._may_rest(now)
        except LinkDown as down:
            self._end(self._verdict(down.cause))
            return False

    def _may_rest(self, now: float) -> bool:
        """Whether nothing is due before the writer wakes of its own; else it finds the step that is."""
        step = self.link_machine.next(now)
        self._machine.next_wakeup_at_sample = self._feed.next_wakeup_at_sample()
        if isinstance(step, Wait):
            return step.until is None or step.until >= self._rests_until
        self._next = step
        return False

    async def _ping(self) -> None:
        while True:
            await trio.sleep(self._liveness.ping_interval)
            self._ponged(await self.connection.ping(self._liveness.ping_timeout))

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
