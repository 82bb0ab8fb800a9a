"""A client's connection and a server's, over memory streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from trio_speech._core.retry.causes import Cause
from trio_speech._shell.connection import Connection, LinkDown, accept_connection, open_connection
from trio_speech.testing import MemoryStream, memory_stream_pair
from trio_speech.testing.streams import BreakableStream

URL = "ws://speech.test:81/v1/stt?model=a%2Fb"
HEADERS = (("Authorization", "Bearer secret"), ("User-Agent", "test"))
HELLO = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: nonsense\r\n\r\n"
)


class Pair:
    """A client's connection and a server's."""

    def __init__(self, nursery: trio.Nursery, capacity: int) -> None:
        self.nursery = nursery
        self.ours, self.theirs = memory_stream_pair(capacity)
        self.line = BreakableStream(self.theirs)
        self.client: Connection
        self.server: Connection

    async def connect(self) -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return self.ours

    async def open(self, **options: Any) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.accept)
            self.client = await open_connection(
                self.nursery, URL, HEADERS, timeout=5.0, connect=self.connect, **options
            )

    async def accept(self) -> None:
        handshake = await accept_connection(self.nursery, self.line, timeout=5.0)
        self.server = await handshake.accept()


@asynccontextmanager
async def a_pair(capacity: int = 65_536, **options: Any) -> AsyncGenerator[Pair, None]:
    """`options` are those of `open_connection`."""
    async with trio.open_nursery() as nursery:
        pair = Pair(nursery, capacity)
        await pair.open(**options)
        yield pair
        nursery.cancel_scope.cancel()


async def cause_of(waiting: Awaitable[object]) -> Cause:
    with pytest.raises(LinkDown) as caught:
        await waiting
    assert caught.value.__cause__ is None
    return caught.value.cause


async def dial(serve: Callable[[MemoryStream], Awaitable[None]], timeout: float = 5.0) -> Cause:  # noqa: ASYNC109
    """What becomes of a dial to a server that does as told."""
    ours, theirs = memory_stream_pair()

    async def connect() -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return ours

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, theirs)
        cause = await cause_of(open_connection(nursery, URL, HEADERS, timeout=timeout, connect=connect))
        with pytest.raises(trio.ClosedResourceError):
            await ours.send_all(b"")
        nursery.cancel_scope.cancel()
    return cause
