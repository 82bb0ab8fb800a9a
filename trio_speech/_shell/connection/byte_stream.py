"""Byte streams that can also write without waiting, so that any task can send without waking a writer task.

Laws
    1. Bytes are written in the order in which they were given, whether by `send_nowait` or by `send_all`.
    2. `send_nowait` never raises if the network is full or broken. The next `send_all` waits, or raises.
"""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from typing import Protocol, runtime_checkable

import trio

from ..._core.liveness.health import SendQueue
from .send_queue import send_queue_of

RECEIVE_BYTES = 65_536
"""The most bytes that one read returns."""

_SOCKETS_ARE_FILES = sys.platform != "win32"


class ByteStream(trio.abc.Stream):
    """A trio stream with `send_nowait`. One task at a time may be in `send_all`, and one in `receive_some`."""

    @property
    @abstractmethod
    def has_unsent(self) -> bool:
        """True if `send_nowait` left something for the next `send_all`."""

    @abstractmethod
    def send_nowait(self, data: bytes) -> bool:
        """Writes as much of `data` as the network takes at once, and keeps the rest for the next `send_all`.

        Returns True if everything was written. No checkpoint. May be called during another task's `send_all`.
        """

    @property
    def send_queue(self) -> SendQueue | None:
        """The kernel's figures about bytes not delivered yet; ``None`` if there is no socket, or it does not tell."""
        return None


@runtime_checkable
class TellsSendQueue(Protocol):
    """A stream, such as one of a test, that has a send queue without a socket."""

    def send_queue(self) -> SendQueue | None: ...


def as_byte_stream(stream: trio.abc.Stream) -> ByteStream:
    """Returns `stream` itself if it is a `ByteStream`, else a wrapper that owns it."""
    if isinstance(stream, ByteStream):
        return stream
    if isinstance(stream, trio.SocketStream) and _SOCKETS_ARE_FILES:
        return SocketByteStream(stream)
    return BufferedByteStream(stream)


class BufferedByteStream(ByteStream):
    """Wraps any stream. It cannot write without waiting, so `send_nowait` keeps all data for the next `send_all`."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._unsent = b""

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    @property
    def send_queue(self) -> SendQueue | None:
        return self._stream.send_queue() if isinstance(self._stream, TellsSendQueue) else None

    def send_nowait(self, data: bytes) -> bool:
        self._unsent += data
        return not self._unsent

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._unsent:
            data, self._unsent = self._unsent + data, b""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self._stream.aclose()


class SocketByteStream(BufferedByteStream):
    """Wraps a TCP stream, and reads and writes its socket directly."""

    def __init__(self, stream: trio.SocketStream) -> None:
        super().__init__(stream)
        self._socket = stream.socket
        self._is_sending = False

    @property
    def send_queue(self) -> SendQueue | None:
        return send_queue_of(self._socket)

    def send_nowait(self, data: bytes) -> bool:
        if self._unsent or self._is_sending:
            return super().send_nowait(data)
        try:
            written = os.write(self._socket.fileno(), data)
        except OSError:  # full, or broken: the next `send_all` waits, or raises
            written = 0
        if written == len(data):
            return True
        self._unsent = data[written:]
        return False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        self._is_sending = True
        try:
            await super().send_all(data)
        finally:
            self._is_sending = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Waits first, then reads. trio's own stream tries to read first: a call that nearly always fails."""
        while True:
            if self._socket.fileno() < 0:
                raise trio.ClosedResourceError("the socket was closed here")
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return os.read(self._socket.fileno(), max_bytes or RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError(f"socket connection broken: {error}") from error
