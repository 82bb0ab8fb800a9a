"""A byte stream, watched and shared: what lies between a websocket library and the network."""

from __future__ import annotations

from collections.abc import Callable

import trio


class Tap(trio.abc.Stream):
    """The byte stream, shared by trio-websocket's frames and ours, one at a time; it tells when it has ended, which
    nobody else would during a handshake."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._turn = trio.StrictFIFOLock()
        self.ended: str | None = None
        self.on_end: Callable[[], object] = lambda: None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._end(str(error.__cause__ or error) or "the stream is closed")
            raise
        finally:
            self._turn.release()

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            data = await self._stream.receive_some(max_bytes)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._end(str(error.__cause__ or error) or "the stream is closed")
            raise
        if not data:
            self._end("the peer ended the stream without a close frame")
        return data

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _end(self, how: str) -> None:
        if self.ended is None:
            self.ended = how
            self.on_end()
