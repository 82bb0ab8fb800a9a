"""One connection of the pool, which is read and pinged all the time, whether it is leased or idle.

    leased      messages go to the lease holder
    draining    messages are dropped until the generation that was abandoned has ended
    idle        no message is expected: audio or an error ends the connection

When the connection ends, the pool and the lease holder (if any) are told once each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import trio

from ..._core.liveness.health import FalseAlarms
from ..._core.pool.quota import GenerationQuota
from ..._core.provider.messages import Audio, Closed, Done, Failure, Going, TtsMessage
from ..._core.retry.causes import Broken, Cause, Ended, Malformed, Reported
from ...errors import ProtocolError
from ...policy import LivenessPolicy
from ...providers._codec import Frame, TtsCodec, TtsProvider
from ..concurrency.wakeup import let_others_have_their_turn
from ..connection import LinkDown
from .callbacks import LeaseHolder, PoolCallbacks
from .lease_watch import LeaseWatch
from .multiplexed import FrameChannel


class PooledConnection:
    """A connection and, while it is leased, the lease on it.

    The holder ends a lease by exactly one call of `give_back`, `abandon` or `condemn`.
    """

    def __init__(
        self,
        number: int,
        provider: TtsProvider,
        channel: FrameChannel,
        liveness: LivenessPolicy,
        pool: PoolCallbacks,
        *,
        alarms: FalseAlarms,
    ) -> None:
        self.number = number
        self.provider = provider
        self.codec: TtsCodec = provider.codec()
        self.opened_at = channel.opened_at
        self.reused = False
        """Whether the connection was open before the current lease was asked for. Then it may have died unnoticed."""
        self._holder: LeaseHolder | None = None
        self._draining = False
        self._channel = channel
        self._liveness = liveness
        self._pool = pool
        self._quota = GenerationQuota(provider.profile.generations_per_minute)
        # A cancel frame for the last generation may still be on its way out when the next holder writes.
        self._writing = trio.Lock()
        self._scope = trio.CancelScope()
        self._cause: Cause | None = None
        self._watch = LeaseWatch(channel, liveness, alarms=alarms, ponged=partial(pool.ponged, self))

    @property
    def endpoint(self) -> str:
        """The address of the service, as messages and the retry budget name it."""
        return self.provider.endpoint

    @property
    def is_leased(self) -> bool:
        """Whether the connection is leased at the moment."""
        return self._holder is not None

    # ------------------------------------------------------------ the lease

    def lease_to(self, holder: LeaseHolder, *, reused: bool) -> None:
        """Begins a lease: from now on `holder` receives every message."""
        self._holder = holder
        self.reused = reused
        self._watch.leased()

    def speak(self, text: str) -> bool:
        """Asks for the speech of `text`. Returns whether all was written, else call `flush`. Raises `LinkDown`."""
        self._quota.began(trio.current_time())
        self._watch.asked()
        return self.send_nowait(*self.codec.speak(text))

    @property
    def is_used_up(self) -> bool:
        """Whether the service takes no more text on this connection for now: its generations per minute are used up."""
        return self._quota.is_used_up(trio.current_time())

    def give_back(self) -> None:
        """Ends the lease. All speech that was asked for must have come. Returns at once."""
        self._holder = None
        self._watch.served()
        if self.is_used_up:
            self._pool.retiring(self)
        self._pool.returned(self)

    def abandon(self) -> None:
        """Ends the lease in the middle of a generation. Returns at once.

        If the protocol marks the end of a generation, and that end comes soon, the connection is kept.
        """
        self._holder = None
        self._watch.served()
        if self.provider.profile.quiet_after_done:
            # Several Done messages end one generation: late ones would be taken for the next generation's.
            self.abort("the end of its generation cannot be known")
            return
        self._draining = True
        self._pool.abandoned(self)

    def condemn(self, why: str) -> None:
        """Ends the lease and drops the connection. Returns at once."""
        self._holder = None
        self.abort(why)

    # ------------------------------------------------------------ writing

    async def open(self) -> None:
        """Sends the frames that the protocol begins with. Raises `LinkDown`."""
        if opening := tuple(self.codec.open()):
            await self._send(*opening)

    def send_nowait(self, *frames: Frame) -> bool:
        """Writes what the network takes at once. Returns whether that is all; else call `flush`. Raises `LinkDown`."""
        return self._channel.send_nowait(*frames)

    async def flush(self) -> None:
        """Writes what `send_nowait` has left. Raises `LinkDown`. Cancelling it ends the connection."""
        try:
            self._writing.acquire_nowait()
        except trio.WouldBlock:
            await self._writing.acquire()
        try:
            await self._channel.flush(self._liveness.send_timeout)
        finally:
            self._writing.release()

    async def _send(self, *frames: Frame) -> None:
        if not self.send_nowait(*frames):
            await self.flush()

    async def cancel_generation(self) -> None:
        """Asks the service to stop the abandoned generation, if the protocol can. Never raises `LinkDown`."""
        # If the generation has ended meanwhile, a cancel frame would stop what the next holder asked for.
        frame = self.codec.cancel() if self._draining else None
        if frame is not None:
            with suppress(LinkDown):  # the reader notices it too, and reports it
                await self._send(frame)

    # ------------------------------------------------------------ life and end

    async def ping(self) -> None:
        """Pings, and reports the round trip to the pool. Raises `LinkDown` without a pong within ``ping_timeout``."""
        self._pool.ponged(self, await self._channel.ping(self._liveness.ping_timeout))

    def abort(self, why: str) -> None:
        """Drops the connection at once, without a close handshake."""
        self._channel.abort(why)

    async def run(self) -> None:
        """Reads and pings until the connection ends, or `close` is called."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_down, self._read)
                nursery.start_soon(self._until_down, partial(self._watch.run, nursery))
                nursery.start_soon(self._until_down, self._keep_alive)
        if self._cause is not None:
            self.abort(str(self._cause))
            self._pool.died(self, self._cause)
            if self._holder is not None:
                self._holder.lost(self._cause)

    async def close(self, why: str) -> None:
        """Closes the connection within ``close_timeout``; a holder is told `why`. Never raises `LinkDown`."""
        if self._holder is not None:
            self._holder.lost(Broken(f"closed by us: {why}"))
        self._scope.cancel(reason=why)
        timeout = self._liveness.close_timeout
        with trio.move_on_after(timeout):
            try:
                frame = self.codec.close()
                if frame is not None:
                    await self._send(frame)
                await self._channel.close(timeout)
            except LinkDown:
                return
        self.abort("closed by us")

    async def _until_down(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except LinkDown as down:
            self._end(down.cause)
        except ProtocolError as error:
            self._end(Malformed(self._channel.redactor.text(error.message)))

    def _end(self, cause: Cause) -> None:
        # Reader and pinger may both fail: the first cause is the one that explains the end.
        if not self._scope.cancel_called:
            self._cause = cause
            self._scope.cancel(reason=str(cause))

    async def _read(self) -> None:
        while True:
            frame: Frame | None = await self._channel.receive()
            now = trio.current_time()
            # What has arrived together is decoded together: a checkpoint for each frame would cost more than decoding.
            while frame is not None:
                for message in map(self._channel.redactor.message, self.codec.decode(frame)):
                    if self._receive(message, now):
                        await let_others_have_their_turn()
                        now = trio.current_time()
                frame = self._channel.receive_nowait()

    def _receive(self, message: TtsMessage, now: float) -> bool:
        match message:
            case Going():
                self._pool.retiring(self)
            case _ if self._holder is not None:
                if isinstance(message, Done):
                    self._watch.served()
                return self._holder.heard(message, now)
            case Failure():
                raise LinkDown(Reported(message))
            case Closed():
                raise LinkDown(Ended())
            case Done() if self._draining:
                self._draining = False
                self._pool.drained(self)
            case Audio() if not self._draining:
                # The next holder would take this audio for its own speech.
                raise LinkDown(Malformed("audio that nobody asked for"))
            case _:
                pass
        return False

    async def _keep_alive(self) -> None:
        while (interval := self.provider.profile.keepalive) is not None:
            await trio.sleep(interval)
            frame = self.codec.keepalive()
            if frame is not None:
                await self._send(frame)
