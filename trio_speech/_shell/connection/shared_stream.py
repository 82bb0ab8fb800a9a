"""A byte stream, watched and shared: what lies between a websocket library and the network.

Laws
    1. Frames of the library and ours are written one at a time, in the order in which they were given.
    2. One task at a time waits for the network. While somebody takes messages, it is that one, who so has them without
       another task's turn, and lays aside what is the library's; else it is the library's reader.
    3. What is held is bounded: no more is read before the library has fetched what is its own, nor while many messages
       wait to be taken.
    4. How reading ended is kept: both readers are told, whichever of them found out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import trio

from ..concurrency.wakeup import Wakeup
from .frame_limits import FrameLimits
from .frame_reader import FrameReader

RECEIVE_BYTES = 65_536
_QUEUE = 64
"""Messages that wait to be taken before no more is read."""

_SOCKETS_ARE_FILES = sys.platform != "win32"
_CLOSE = b"\x88"  # RFC 6455, section 5.2: the last frame of its message, with opcode 8; HTTP begins with a letter


class SharedStream(trio.abc.Stream):
    """The byte stream, shared by trio-websocket's frames and ours, one at a time; it tells when it has ended, which
    nobody else would during a handshake, and ends itself where the peer announces too much."""

    def __init__(self, stream: trio.abc.Stream, heads: FrameLimits, inbox: FrameReader | None = None) -> None:
        self._stream = stream
        self._socket = stream.socket if isinstance(stream, trio.SocketStream) and _SOCKETS_ARE_FILES else None
        self._turn = trio.StrictFIFOLock()
        self._unsent = b""
        self._heads = heads
        self._inbox = inbox
        self._aside: bytes | bytearray = b""
        self._takers = 0
        self._reads = False
        self._at_end = False
        self._failure: Exception | None = None
        self._library_looks = Wakeup()
        self._taker_looks = Wakeup()
        self.ended: str | None = None
        self.fault: str | None = None
        """What the peer announced and must not send."""
        self.closing = False
        """A close frame was written, be it in answer to one."""
        self.on_end: Callable[[], object] = lambda: None
        self.on_refusal: Callable[[], object] = lambda: None

    @property
    def opening(self) -> bytes:
        """What came before the first frame, until that may come."""
        return bytes(self._heads.opening)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()
        if data[:1] == _CLOSE:
            self.closing = True
        if not self._takers:
            self._library_looks.fire()  # what is sent may have an answer
        if self._unsent:
            data, self._unsent = self._unsent + data, b""
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._end(str(error.__cause__ or error) or "the stream is closed")
            raise
        finally:
            self._turn.release()

    @property
    def has_unsent(self) -> bool:
        """Whether something waits for the next `send_all`."""
        return bool(self._unsent)

    def send_nowait(self, data: bytes) -> bool:
        """Writes what the network takes of `data` at once; the rest goes before what is sent next.

        Says whether all is written. No checkpoint. A stream that is not a plain socket takes nothing at once.
        """
        if self._socket is None or self._unsent or self._turn.locked():
            self._unsent += data
            return False
        try:
            written = os.write(self._socket.fileno(), data)
        except OSError:  # the network is full, or what is worse, which the next `send_all` meets too
            written = 0
        if written == len(data):
            return True
        self._unsent = data[written:]
        return False

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What is the library's."""
        while not self._aside:
            taken = self._takers and not self.passes_on
            if self._reads or taken or (self._is_full and not self.closing):
                await self._library_looks.wait()
            elif not await self._read(max_bytes):
                return b""
        rest, self._aside = self._aside, b""
        self._taker_looks.fire()
        return rest

    async def message(self) -> str | bytes | None:
        """The next message; ``None`` where what comes next is to be had from the library. Cancelling loses no message.

        Whoever has called it calls it again before long: in between nobody reads what is the library's.
        """
        self._takers += 1
        try:
            while not self.holds:
                if self.passes_on:
                    return None
                if self._reads or self._aside:
                    await self._taker_looks.wait()
                else:
                    await self._read(RECEIVE_BYTES)
        except Exception:  # noqa: BLE001  # a stream may fail in its own way: the library's reader is told what it was
            return None
        except BaseException:
            self._library_looks.fire()
            raise
        finally:
            self._takers -= 1
        return self.take()

    async def _read(self, max_bytes: int | None) -> bool:
        """Sorts what comes; says whether more may."""
        if self._failure is not None:
            raise self._failure
        if self._at_end:
            return False
        self._reads = True
        try:
            data = await self._receive(max_bytes)
            if data:
                self._watch(data)
                self._sort(data)
        except Exception as error:
            self._failure = error
            self._end(str(error.__cause__ or error) or "the stream is closed")
            raise
        finally:
            self._reads = False
            self._taker_looks.fire()
            if self.passes_on:
                self._library_looks.fire()
        if not data:
            self._at_end = True
            self._end("the peer ended the stream without a close frame")
        return bool(data)

    async def _receive(self, max_bytes: int | None) -> bytes | bytearray:
        if self._socket is None:
            return await self._stream.receive_some(max_bytes)
        return await self._receive_when_readable(self._socket, max_bytes or RECEIVE_BYTES)

    async def _receive_when_readable(self, socket: trio.socket.SocketType, max_bytes: int) -> bytes:
        """Asks when there is something to read, and not before: mostly there is not."""
        while True:
            if socket.fileno() < 0:
                raise trio.ClosedResourceError("the socket was closed here")
            await trio.lowlevel.wait_readable(socket)
            try:
                return os.read(socket.fileno(), max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError(f"socket connection broken: {error}") from error

    def _sort(self, data: bytes | bytearray) -> None:
        if self._inbox is None:
            self._aside = data
            return
        begun = self._heads.begun
        rest = self._inbox.sort(data[begun:] if begun else data)
        self._aside = data[:begun] + rest if begun else rest
        if self._aside:
            self._library_looks.fire()

    def take(self) -> str | bytes | None:
        """The oldest message that has come, if there is one."""
        if self._inbox is None or not self._inbox.messages:
            return None
        if self._is_full:
            self._library_looks.fire()
        return self._inbox.messages.popleft()

    @property
    def holds(self) -> bool:
        """Whether a message has come and was not taken."""
        return self._inbox is not None and bool(self._inbox.messages)

    @property
    def _is_full(self) -> bool:
        return self._inbox is not None and len(self._inbox.messages) >= _QUEUE

    @property
    def passes_on(self) -> bool:
        """Whether what comes next is to be had from trio-websocket."""
        return self._inbox is None or self._inbox.passes_on or self.ended is not None

    def _watch(self, data: bytes | bytearray) -> None:
        self.fault = self._heads.pass_over(data)
        if self.fault is not None:
            raise trio.BrokenResourceError(self.fault)
        if self._heads.refused:
            self.on_refusal()

    async def aclose(self) -> None:
        self._end("the stream was closed here")  # which trio-websocket does on a bad request, to wait for a good one
        await self._stream.aclose()

    def _end(self, how: str) -> None:
        if self.ended is None:
            self.ended = how
            self.on_end()
            self._library_looks.fire()
            self._taker_looks.fire()
