"""Byte streams for tests: a pair in memory with bounded buffers, and a wrapper that can be made to fail."""

from __future__ import annotations

import operator
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import trio

from .scripted.faults import BlackHole, Drop, Fin, Freeze, NetworkFault, StallWrites

_CHUNK = 65_536
_PONG = (
    b"\x8a"  # RFC 6455 section 5.2: FIN and opcode 10; a server's frames begin a write, and its HTTP answer with "H"
)


class _Pipe:
    """One direction of a stream pair. It holds at most `capacity` bytes that were sent and not yet read.

    `ended`: its sender has ended it. `broken`: the connection is broken. `unread`: its reader has closed its end.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.data = bytearray()
        self.ended = False
        self.broken = False
        self.unread = False
        self._changed = trio.lowlevel.ParkingLot()

    def changed(self) -> None:
        """Call after any change of the fields, or of what they hold. Wakes all tasks that wait in `change`."""
        self._changed.unpark_all()

    async def change(self) -> None:
        """Waits until `changed` is called."""
        await self._changed.park()

    async def write(self, data: memoryview) -> None:
        self.check()
        while data:
            await self.wait_room()
            room = self.capacity - len(self.data)
            self.data += data[:room]
            data = data[room:]
            self.changed()

    def check(self) -> None:
        """Raises trio's error if nothing can be written any more."""
        if self.ended:
            raise trio.ClosedResourceError("this end is closed")
        if self.broken or self.unread:
            raise trio.BrokenResourceError("the peer is gone")

    async def wait_room(self) -> None:
        self.check()
        while len(self.data) >= self.capacity:
            await self.change()
            self.check()

    async def read(self, size: int) -> bytes:
        while not self.data:
            if self.unread:
                raise trio.ClosedResourceError("this end is closed")
            if self.broken:
                raise trio.BrokenResourceError("connection reset by peer")
            if self.ended:
                return b""
            await self.change()
        data = bytes(self.data[:size])
        del self.data[:size]
        self.changed()
        return data


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a connection in memory, as a `trio.abc.HalfCloseableStream`. Made by `memory_stream_pair`.

    Data that arrived before the connection broke can still be read.
    """

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._closed = False
        self._busy: set[str] = set()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._alone("sending")
        try:
            await self._outgoing.write(memoryview(data))
        finally:
            self._busy.discard("sending")

    async def wait_send_all_might_not_block(self) -> None:
        await self._alone("sending")
        try:
            await self._outgoing.wait_room()
        finally:
            self._busy.discard("sending")

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        size = _CHUNK if max_bytes is None else operator.index(max_bytes)
        if size < 1:
            raise ValueError("max_bytes must be 1 or more")
        await self._alone("receiving")
        try:
            return await self._incoming.read(size)
        finally:
            self._busy.discard("receiving")

    async def send_eof(self) -> None:
        await self._alone("sending")
        self._busy.discard("sending")
        self.end()

    def end(self) -> None:
        """Ends the outgoing direction like `send_eof`, but at once, even while another task is sending."""
        self._outgoing.ended = True
        self._outgoing.changed()

    async def aclose(self) -> None:
        self._closed = True
        self._outgoing.ended = self._incoming.unread = True
        self._outgoing.changed()
        self._incoming.changed()
        await trio.lowlevel.checkpoint()

    def sever(self) -> None:
        """Breaks the connection at once, for both ends."""
        for pipe in (self._incoming, self._outgoing):
            pipe.broken = True
            pipe.changed()

    async def wait_peer_gone(self) -> None:
        """Waits until the other end is closed, or the connection broken."""
        while not (self._outgoing.unread or self._outgoing.broken or self._closed):
            await self._outgoing.change()

    async def _alone(self, doing: str) -> None:
        if doing in self._busy:
            raise trio.BusyResourceError(f"another task is {doing}")
        self._check()
        self._busy.add(doing)
        try:
            await trio.lowlevel.checkpoint()
        except BaseException:
            self._busy.discard(doing)
            raise

    def _check(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("the stream is closed")


def memory_stream_pair(capacity: int = _CHUNK) -> tuple[MemoryStream, MemoryStream]:
    """Two connected streams. Each direction holds at most `capacity` unread bytes; a full one blocks its sender."""
    there, back = _Pipe(capacity), _Pipe(capacity)
    return MemoryStream(back, there), MemoryStream(there, back)


def sever(stream: MemoryStream | trio.SocketStream) -> None:
    """Breaks a connection at once, for both ends; a TCP connection by a reset."""
    if isinstance(stream, MemoryStream):
        stream.sever()
    elif stream.socket.fileno() != -1:
        # A linger time of 0 makes close() send RST in place of FIN.
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.socket.close()


def _end(stream: MemoryStream | trio.SocketStream) -> None:
    """Ends the outgoing direction at once, even in the middle of a frame."""
    if isinstance(stream, MemoryStream):
        stream.end()
    else:
        with suppress(OSError):
            stream.socket.shutdown(trio.socket.SHUT_WR)


class BreakableStream(trio.abc.Stream):
    """The gateway's end of a connection, which a plan can make fail as networks and peers do."""

    def __init__(
        self, stream: MemoryStream | trio.SocketStream, *, on_pong: Callable[[], object] = lambda: None
    ) -> None:
        self._stream = stream
        self._on_pong = on_pong
        self._swallows = False
        self._stalls = False
        self._tears = False
        self._lingers = 0.0
        self._frozen_until = 0.0

    async def strike(self, fault: NetworkFault) -> bool:
        """Causes a fault of the network now. Returns whether it ends the conversation."""
        match fault:
            case Drop():
                self._sever()
            case Fin():
                _end(self._stream)
                self._swallows = True
            case BlackHole():
                self._swallows = True
            case StallWrites():
                self._stalls = True
            case Freeze(seconds):
                self._frozen_until = trio.current_time() + seconds
                return False
        return True

    def tear(self) -> None:
        """Makes the next write stop half way, with a reset."""
        self._tears = True

    def linger(self, seconds: float) -> None:
        """Makes `aclose` leave the stream open. `hang_up` then closes it, after `seconds` at most."""
        self._lingers = seconds

    async def hang_up(self) -> None:
        """Closes the stream: at once, or after a `linger` when the client has left or its time has passed."""
        with trio.move_on_after(self._lingers):
            await self._wait_client_gone()
        await trio.aclose_forcefully(self._stream)

    def _sever(self) -> None:
        sever(self._stream)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._thaw()
        if self._swallows:
            await trio.lowlevel.checkpoint()
            return
        if self._tears:
            await self._stream.send_all(data[: len(data) // 2])
            self._sever()
            raise trio.BrokenResourceError("torn by the plan")
        await self._stream.send_all(data)
        if data[:1] == _PONG:
            self._on_pong()

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        while True:
            await self._thaw()
            if self._stalls:
                await self._wait_client_gone(reading=False)
                return b""
            data = await self._stream.receive_some(max_bytes)
            if not data or not (self._swallows or self._stalls):
                await self._thaw()
                return data

    async def aclose(self) -> None:
        if self._lingers:
            await trio.lowlevel.checkpoint()
        else:
            await self._stream.aclose()

    async def _thaw(self) -> None:
        if trio.current_time() < self._frozen_until:
            await trio.sleep_until(self._frozen_until)

    async def _wait_client_gone(self, *, reading: bool = True) -> None:
        if isinstance(self._stream, MemoryStream):
            await self._stream.wait_peer_gone()
        elif not reading:
            await trio.sleep_forever()
        else:
            try:
                while await self._stream.receive_some(_CHUNK):
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
