"""Connections that carry several generations side by side: each has a seat, which stands for a connection of its own.

Laws
    1. A seat hears all that the service says; its codec tells its own generation from the others'.
    2. A line takes newcomers while it is sound and has room. Who drops a seat distrusts the line: it takes no more.
    3. The line ends with its last seat. If it breaks, all its seats are told.
    4. One seat writes at a time, and finishes what it writes: a torn frame would cost the others their connection.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

import trio

from ..._core.retry.causes import Broken, Cause
from ...providers._codec import Frame
from ..connection import Connection, LinkDown

_QUEUE = 64


class FrameChannel(Protocol):
    """What a resident needs of its connection; see `Connection`."""

    opened_at: float

    def send_nowait(self, *frames: Frame) -> bool: ...
    async def flush(self, timeout: float) -> None: ...  # noqa: ASYNC109
    async def receive(self) -> Frame: ...
    def receive_nowait(self) -> Frame | None: ...
    async def ping(self, timeout: float) -> float: ...  # noqa: ASYNC109
    async def close(self, timeout: float) -> None: ...  # noqa: ASYNC109
    def abort(self, why: str) -> None: ...


class MultiplexedConnection:
    """A connection with `seats`."""

    def __init__(self, connection: Connection, seats: int) -> None:
        self.connection = connection
        self.writing = trio.Lock()
        self.cause: Cause = Broken("the seat was left")
        self._room = seats
        self._taken: dict[Stream, trio.MemorySendChannel[Frame]] = {}

    @property
    def has_room(self) -> bool:
        """Whether it takes newcomers."""
        return len(self._taken) < self._room

    def join(self) -> Stream:
        """A seat for a newcomer."""
        inbox, outbox = trio.open_memory_channel[Frame](_QUEUE)
        seat = Stream(self, outbox)
        self._taken[seat] = inbox
        return seat

    def leave(self, seat: Stream) -> bool:
        """Gives up a seat; returns whether nobody is left."""
        inbox = self._taken.pop(seat, None)
        if inbox is None:
            return False
        inbox.close()
        return not self._taken

    def distrust(self) -> None:
        """Takes no newcomers from now on."""
        self._room = 0

    async def run(self) -> None:
        """Hands out what the service says, until the connection is gone."""
        try:
            while True:
                frame = await self.connection.receive()
                for inbox in list(self._taken.values()):
                    await _hand_over(inbox, frame)
        except LinkDown as down:
            self.cause = down.cause
        self.distrust()
        for seat in list(self._taken):
            self.leave(seat)


async def _hand_over(inbox: trio.MemorySendChannel[Frame], frame: Frame) -> None:
    """Residents read without pause, so this waits for none of them; who has left meanwhile hears nothing."""
    try:
        await inbox.send(frame)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


class Stream:
    """One generation's share of a line; see `FrameChannel`."""

    def __init__(self, line: MultiplexedConnection, frames: trio.MemoryReceiveChannel[Frame]) -> None:
        self._line = line
        self._frames = frames
        self._unsent: tuple[Frame, ...] = ()
        self.opened_at = line.connection.opened_at

    def send_nowait(self, *frames: Frame) -> bool:
        """See `Connection.send_nowait`. Where another seat writes, nothing is written yet."""
        if self._unsent or self._line.writing.locked():
            self._unsent += frames
            return False
        return self._line.connection.send_nowait(*frames)

    async def flush(self, timeout: float) -> None:  # noqa: ASYNC109
        """Cancelling it is safe: it never leaves half a frame, and takes `timeout` seconds at most once it is its
        turn.
        """
        line = self._line
        try:
            line.writing.acquire_nowait()
        except trio.WouldBlock:
            await line.writing.acquire()
        frames, self._unsent = self._unsent, ()
        try:
            with trio.CancelScope(shield=True):
                if not frames or not line.connection.send_nowait(*frames):
                    await line.connection.flush(timeout)
        finally:
            line.writing.release()

    async def receive(self) -> Frame:
        try:
            return await self._frames.receive()
        except trio.EndOfChannel:
            raise LinkDown(self._line.cause) from None

    def receive_nowait(self) -> Frame | None:
        try:
            return self._frames.receive_nowait()
        except (trio.WouldBlock, trio.EndOfChannel):
            return None

    async def ping(self, timeout: float) -> float:  # noqa: ASYNC109
        return await self._line.connection.ping(timeout)

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109
        if self._line.leave(self):
            self._line.distrust()
            await self._line.connection.close(timeout)

    def abort(self, why: str) -> None:
        self._line.distrust()
        if self._line.leave(self):
            self._line.connection.abort(why)


class Multiplexer:
    """The newest line of each kind of voice."""

    def __init__(self) -> None:
        self._newest: dict[Hashable, MultiplexedConnection] = {}

    def seat(self, key: Hashable) -> Stream | None:
        """A seat on a connection that is there, if one has room."""
        line = self._newest.get(key)
        if line is None or not line.has_room:
            return None
        return line.join()

    def open(self, key: Hashable, connection: Connection, seats: int) -> MultiplexedConnection:
        """A new connection that others may join."""
        self._newest = {kind: line for kind, line in self._newest.items() if line.has_room}
        line = self._newest[key] = MultiplexedConnection(connection, seats)
        return line
