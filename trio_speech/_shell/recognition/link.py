"""Runs one link: a connection while it serves a recognition session, with its reader, writer and health watch.

The first task that learns that the connection is gone records the cause and cancels the link's scope. `run` returns the
cause, and the session's loop (see `session`) then decides whether to open another link.

Almost all writing is done by `_pump`. It carries out the commands of the `LinkMachine` for as long as the network takes
the frames at once, and never waits. It is called by the task that captured audio, by the reader after each message, and
by the writer at the time that the machine named. Only the writer waits, for that time or for the network.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from ..._core.recognition.commands import EndLink, SendAudio, SendChange, SendClose, SendFinalize, SendKeepalive, Wait
from ..._core.recognition.link import LinkMachine
from ..._core.recognition.session import NEVER
from ..._core.retry.causes import Cause, Malformed
from ...errors import ProtocolError
from ...policy import LivenessPolicy
from ...providers._codec import Frame, NeedsNewLink, SttCodec
from ..concurrency.one_exception import only_one
from ..concurrency.wakeup import Alarm, Wakeup
from ..connection import Connection, HealthWatch, LinkDown
from .goodbyes import part_from
from .stalls import Stalls

_BURST = 0.002  # seconds between two captures below which the audio comes faster than speech, as from a file

_AT_ONCE = 16  # frames that are sent in a row before other tasks run


class Link:
    """Runs one connection until it is lost, done or replaced.

    Live audio is sent by the task that captured it, so that no other task is woken for each frame. Audio that comes
    faster than speech is left to the writer, which sends many frames in one write. `is_open`: whether the protocol's
    opening frames were sent already.
    """

    def __init__(
        self,
        connection: Connection,
        codec: SttCodec,
        machine: LinkMachine,
        *,
        liveness: LivenessPolicy,
        wake: Wakeup,
        progressed: Callable[[], None],
        watch: HealthWatch,
        stalls: Stalls,
        doubted: Callable[[], None],
        is_open: bool = False,
    ) -> None:
        self.connection = connection
        self.machine = machine
        self._codec = codec
        self._session = machine.session
        self._feed = machine.feed
        self._liveness = liveness
        self._wake = wake
        self._alarm = Alarm(wake)
        self._progressed = progressed
        self._watch = watch
        self._stalls = stalls
        self._doubted = doubted
        self._now = trio.lowlevel.current_clock().current_time
        self._scope = trio.CancelScope()
        self._cause: Cause | None = None
        self._opened = is_open
        self._wakes_at = -math.inf  # when the writer wakes by itself; -inf while it is not waiting
        self._burst_until = -math.inf
        self.done = False

    @property
    def catch_up(self) -> float:
        """Seconds until the backlog is sent and the audio is live again."""
        return self._feed.catch_up()

    async def run(self) -> Cause | None:
        """Reads and writes until the link ends. Returns the cause, or ``None`` if all input is accounted for."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._until_down, self._read)
                    nursery.start_soon(self._until_down, partial(self._watch.run, nursery))
                    await self._until_down(self._write)
        except BaseExceptionGroup as group:
            failure = only_one(group)
            raise failure from failure.__cause__
        return self._cause

    def replace(self) -> None:
        """Ends the link because another has heard what its service was silent about. Returns at once."""
        self.end(self.machine.give_way().cause)

    async def farewell(self) -> None:
        """Sends the close message, if it was not sent, and closes the websocket: see `part_from`."""
        frame = self._codec.close() if self._opened and not self.machine.closing else None
        await part_from(self.connection, frame, self._liveness.close_timeout)

    # ------------------------------------------------------------ how it ends

    async def _until_down(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except LinkDown as down:
            self.end(self._verdict(down.cause))
        except ProtocolError as error:
            self.end(Malformed(self.connection.redactor.text(error.message)))

    def end(self, cause: Cause | None) -> None:
        """Ends the link because of `cause`; ``None``: all input is accounted for. Returns at once."""
        if not self._scope.cancel_called:
            self._cause = cause
            self.done = cause is None
            self._scope.cancel(reason="done" if cause is None else str(cause))

    def _verdict(self, cause: Cause) -> Cause | None:
        end = self.machine.went(cause, self._now())
        if end is not None:
            return end.cause
        return None if self._session.finished else cause

    # ------------------------------------------------------------ reading

    async def _read(self) -> None:
        while True:
            frame: Frame | None = await self.connection.receive()
            now = self._now()
            while frame is not None:
                for message in map(self.connection.redactor.message, self._codec.decode(frame)):
                    cause = self.machine.receive(message, now)
                    if cause is not None:
                        self.end(cause)
                        return
                    self._stalls.received(message, now)
                frame = self.connection.receive_nowait()
            self._advance(now)
            self._progressed()

    # ------------------------------------------------------------ writing

    def captured(self) -> None:
        """See `AudioSink.captured`: sends the audio if it is live and the network takes it, else wakes the writer."""
        now = self._now()
        if now < self._burst_until:
            self._wake_writer()
            return
        self._burst_until = now + _BURST
        try:
            if now < self._wakes_at and (audio := self._feed.frames(now, _AT_ONCE)):
                is_all = self.connection.send_nowait(*map(self._codec.audio, audio))
                self._session.next_wakeup_at_sample = wakes_at = self._feed.next_wakeup_at_sample()
                if is_all and self._session.log.captured < wakes_at:
                    return  # the machine need not be asked before that sample
            self._advance(now)
        except LinkDown as down:
            self.end(self._verdict(down.cause))

    def _advance(self, now: float) -> None:
        """Sends what is due if the writer is waiting. Wakes it if there is more, or moves the moment it waits for."""
        if self._wakes_at == -math.inf:
            self._wake.fire()
            return
        until = self._pump(now)
        if self.connection.has_unsent or until <= now:
            self._wake_writer()
        elif until != self._wakes_at:
            self._wakes_at = until
            self._alarm.move(until)

    def _wake_writer(self) -> None:
        self._wakes_at = -math.inf
        self._session.next_wakeup_at_sample = NEVER
        self._wake.fire()

    def _pump(self, now: float) -> float:
        """Sends what is due, as far as the network takes it at once.

        Returns when to call it again: `now` if there is more to send, infinity if only news can make something due.
        """
        for _ in range(_AT_ONCE):
            if self.connection.has_unsent:
                return now
            match self.machine.next(now):
                case Wait(until):
                    self._session.next_wakeup_at_sample = self._feed.next_wakeup_at_sample()
                    self._watch.owes(self.machine.owes)
                    return min(math.inf if until is None else until, self._stalls.look(now))
                case SendAudio(pcm, alone):
                    audio = [pcm, *self._feed.frames(now, 0 if alone else _AT_ONCE - 1)]
                    self.connection.send_nowait(*map(self._codec.audio, audio))
                    if len(audio) == _AT_ONCE:
                        return now
                case SendFinalize():
                    self._send_nowait(self._codec.finalize())
                case SendChange(change):
                    self._send_nowait(self._codec.update(change))
                case SendKeepalive():
                    self._send_nowait(self._codec.keepalive())
                case SendClose():
                    self._send_close(now)
                case EndLink(cause):
                    self.end(cause)
                    return math.inf
        return now

    def _send_nowait(self, frame: Frame | NeedsNewLink | None) -> None:
        if isinstance(frame, NeedsNewLink):
            self.machine.move(self._now())
        elif frame is not None:
            self.connection.send_nowait(frame)

    def _send_close(self, now: float) -> None:
        frame = self._codec.close()
        if frame is None:
            self.machine.cannot_close(now)
        else:
            self.connection.send_nowait(frame)
        if self.machine.doubt is not None:
            self._doubted()

    async def _write(self) -> None:
        for frame in () if self._opened else self._codec.open():
            await self.connection.send(frame, self._liveness.send_timeout)
        self._opened = True
        while True:
            now = self._now()
            until = self._pump(now)
            self._progressed()
            if self.connection.has_unsent:
                await self.connection.flush(self._liveness.send_timeout)
            elif until <= now:
                await trio.lowlevel.checkpoint()
            else:
                await self._rest(until)

    async def _rest(self, until: float) -> None:
        self._wakes_at = until
        try:
            await self._alarm.wait_until(until)
        finally:
            self._wakes_at = -math.inf
            self._session.next_wakeup_at_sample = NEVER
