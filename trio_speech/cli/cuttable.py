"""A backend whose connections can be broken at will. The demo uses it to show a lost connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import trio

import trio_speech as ts

T = TypeVar("T")


class CuttableBackend:
    """Acts as `backend`. `cut` breaks its open connections; later ones work."""

    def __init__(self, backend: ts.Local) -> None:
        self._backend = backend
        self._streams: list[_CuttableStream] = []
        self.recognizer = backend.recognizer
        self.voice = backend.voice

    def cut(self) -> None:
        """Breaks every open connection in both directions at once, without a close frame."""
        for stream in self._streams:
            stream.cut()
        self._streams.clear()

    def transport(self) -> AbstractAsyncContextManager[Callable[[Any], Awaitable[trio.abc.Stream]]]:
        """Opens the backend's own transport, with streams that `cut` can break."""
        return self._transport()

    @asynccontextmanager
    async def _transport(self) -> AsyncGenerator[Callable[[Any], Awaitable[trio.abc.Stream]]]:
        async with self._backend.transport() as connect:

            async def connect_cuttable(dial: Any) -> trio.abc.Stream:
                stream = _CuttableStream(await connect(dial))
                self._streams.append(stream)
                return stream

            yield connect_cuttable


class _CuttableStream(trio.abc.Stream):
    """A stream whose operations, present and future, raise `trio.BrokenResourceError` once it is cut."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._whole = True
        self._in_use: set[trio.CancelScope] = set()

    def cut(self) -> None:
        """Breaks the stream: operations that are going on raise at once, and so do later ones."""
        self._whole = False
        for scope in self._in_use:
            scope.cancel()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._while_whole(self._stream.send_all, data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._while_whole(self._stream.wait_send_all_might_not_block)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._while_whole(self._stream.receive_some, max_bytes)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def _while_whole(self, operate: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        if self._whole:
            with trio.CancelScope() as scope:
                self._in_use.add(scope)
                try:
                    return await operate(*arguments)
                finally:
                    self._in_use.discard(scope)
        raise trio.BrokenResourceError("the connection was cut")
