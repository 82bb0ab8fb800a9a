"""Shares one websocket among several generations of speech at a time, where the protocol allows that.

A generation is the speech for one piece of text. Each has a `Stream`, which the pool treats as a connection.

Laws
    1. Every stream receives all that the service sends; its codec picks out the messages of its own generation.
    2. A connection takes new streams until it is full, until one of its streams is aborted, or until it breaks.
    3. The connection closes with its last stream. If it breaks, all its streams fail.
    4. One stream writes at a time, and finishes its frame: half a frame would break the connection of all others.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

import trio

from ..._core.liveness.health import SendQueue
from ..._core.retry.causes import Broken, Cause
from ...providers._codec import Frame
from ..connection import Connection, LinkDown, Redactor

_QUEUE = 64
"""The most frames that wait for the reader of one stream."""


class FrameChannel(Protocol):
    """What `PooledConnection` needs of a connection: a `Connection`, or a `Stream` of a shared one."""

    opened_at: float
    redactor: Redactor

    def send_nowait(self, *frames: Frame) -> bool: ...
    async def flush(self, timeout: float) -> None: ...  # noqa: ASYNC109
    async def receive(self) -> Frame: ...
    def receive_nowait(self) -> Frame | None: ...
    async def ping(self, timeout: float) -> float: ...  # noqa: ASYNC109
    async def pong(self) -> float: ...
    @property
    def received_at(self) -> float: ...
    @property
    def send_queue(self) -> SendQueue | None: ...
    async def close(self, timeout: float) -> None: ...  # noqa: ASYNC109
    def abort(self, why: str) -> None: ...


class MultiplexedConnection:
    """A websocket that carries up to `capacity` streams."""

    def __init__(self, connection: Connection, capacity: int) -> None:
        self.connection = connection
        self.writing = trio.Lock()
        self.cause: Cause = Broken("the stream was closed")
        """The cause in the `LinkDown` that the streams' `receive` raises."""
        self._capacity = capacity
        self._inboxes: dict[Stream, trio.MemorySendChannel[Frame]] = {}

    @property
    def has_room(self) -> bool:
        """Whether another stream may join."""
        return len(self._inboxes) < self._capacity

    def join(self) -> Stream:
        """Adds a stream and returns it. Call it only if `has_room`."""
        inbox, frames = trio.open_memory_channel[Frame](_QUEUE)
        stream = Stream(self, frames)
        self._inboxes[stream] = inbox
        return stream

    def leave(self, stream: Stream) -> bool:
        """Removes a stream. Returns whether it was the last; False also if it had been removed before."""
        inbox = self._inboxes.pop(stream, None)
        if inbox is None:
            return False
        inbox.close()
        return not self._inboxes

    def refuse_more(self) -> None:
        """Makes `has_room` False for good: no more streams join."""
        self._capacity = 0

    async def run(self) -> None:
        """Passes every frame to every stream, until the connection ends."""
        try:
            while True:
                frame = await self.connection.receive()
                for inbox in list(self._inboxes.values()):
                    await _deliver(inbox, frame)
        except LinkDown as down:
            self.cause = down.cause
        self.refuse_more()
        for stream in list(self._inboxes):
            self.leave(stream)


async def _deliver(inbox: trio.MemorySendChannel[Frame], frame: Frame) -> None:
    """Puts a frame into a stream's inbox, or drops it if the stream has left.

    Waits while the inbox is full, which is short: the stream's reader empties it all the time.
    """
    try:
        await inbox.send(frame)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


class Stream:
    """One generation's part of a shared connection; see `FrameChannel`."""

    def __init__(self, shared: MultiplexedConnection, frames: trio.MemoryReceiveChannel[Frame]) -> None:
        self._shared = shared
        self._frames = frames
        self._unsent: tuple[Frame, ...] = ()
        self.opened_at = shared.connection.opened_at
        self.redactor = shared.connection.redactor

    def send_nowait(self, *frames: Frame) -> bool:
        """See `Connection.send_nowait`.

        If another stream is writing, keeps the frames for `flush` and returns False.
        """
        if self._unsent or self._shared.writing.locked():
            self._unsent += frames
            return False
        return self._shared.connection.send_nowait(*frames)

    async def flush(self, timeout: float) -> None:  # noqa: ASYNC109
        """Waits for its turn, then writes what is left, for at most `timeout` seconds.

        Cancelling it never leaves half a frame written.
        """
        shared = self._shared
        try:
            shared.writing.acquire_nowait()
        except trio.WouldBlock:
            await shared.writing.acquire()
        frames, self._unsent = self._unsent, ()
        try:
            # Being cancelled in the middle of a frame would end the other streams' connection too.
            with trio.CancelScope(shield=True):
                if not frames or not shared.connection.send_nowait(*frames):
                    await shared.connection.flush(timeout)
        finally:
            shared.writing.release()

    async def receive(self) -> Frame:
        """Returns the next frame of the connection, whichever generation it is for. Raises `LinkDown`."""
        try:
            return await self._frames.receive()
        except trio.EndOfChannel:
            raise LinkDown(self._shared.cause) from None

    def receive_nowait(self) -> Frame | None:
        """Returns the next frame if one has arrived, else ``None``."""
        try:
            return self._frames.receive_nowait()
        except (trio.WouldBlock, trio.EndOfChannel):
            return None

    async def ping(self, timeout: float) -> float:  # noqa: ASYNC109
        """See `Connection.ping`."""
        return await self._shared.connection.ping(timeout)

    async def pong(self) -> float:
        """See `Connection.pong`."""
        return await self._shared.connection.pong()

    @property
    def received_at(self) -> float:
        """When anything was last received on the connection, on trio's clock."""
        return self._shared.connection.received_at

    @property
    def send_queue(self) -> SendQueue | None:
        """See `Connection.send_queue`."""
        return self._shared.connection.send_queue

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109
        """Leaves the connection, and closes it if this was its last stream."""
        if self._shared.leave(self):
            self._shared.refuse_more()
            await self._shared.connection.close(timeout)

    def abort(self, why: str) -> None:
        """Leaves the connection, and lets no more streams join it, as whatever failed may concern all of it."""
        self._shared.refuse_more()
        if self._shared.leave(self):
            self._shared.connection.abort(why)


class Multiplexer:
    """The newest shared connection for each key, which new streams join while it has room."""

    def __init__(self) -> None:
        self._newest: dict[Hashable, MultiplexedConnection] = {}

    def join(self, key: Hashable) -> Stream | None:
        """Returns a new stream on the newest open connection for `key`, or ``None`` if that has no room."""
        shared = self._newest.get(key)
        if shared is None or not shared.has_room:
            return None
        return shared.join()

    def add(self, key: Hashable, connection: Connection, capacity: int) -> MultiplexedConnection:
        """Makes a new connection available to streams; up to `capacity` may join. Returns it as it is shared."""
        self._newest = {each: shared for each, shared in self._newest.items() if shared.has_room}
        shared = self._newest[key] = MultiplexedConnection(connection, capacity)
        return shared
