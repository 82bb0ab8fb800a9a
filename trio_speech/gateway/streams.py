"""A pair of streams in memory, with a bound on what is under way: the wire of an in-process gateway."""

from __future__ import annotations

import trio

_CHUNK = 65_536
_CHUNKS_UNDER_WAY = 4


class _SendEnd(trio.abc.SendStream):
    def __init__(self, channel: trio.MemorySendChannel[bytes]) -> None:
        self._channel = channel

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            await self._channel.send(bytes(view[start : start + _CHUNK]))
        if not view:
            await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await self._channel.aclose()


class _ReceiveEnd(trio.abc.ReceiveStream):
    def __init__(self, channel: trio.MemoryReceiveChannel[bytes]) -> None:
        self._channel = channel
        self._rest = b""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._rest:
            await trio.lowlevel.checkpoint()
        else:
            try:
                self._rest = await self._channel.receive()
            except trio.EndOfChannel:
                return b""
        count = len(self._rest) if max_bytes is None else max_bytes
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    async def aclose(self) -> None:
        await self._channel.aclose()


Stream = trio.StapledStream[trio.abc.SendStream, trio.abc.ReceiveStream]


def stream_pair() -> tuple[Stream, Stream]:
    """Two ends of one connection. A sender waits while 256 KiB are on their way."""
    there, here = trio.open_memory_channel[bytes](_CHUNKS_UNDER_WAY), trio.open_memory_channel[bytes](_CHUNKS_UNDER_WAY)
    return (
        trio.StapledStream(_SendEnd(there[0]), _ReceiveEnd(here[1])),
        trio.StapledStream(_SendEnd(here[0]), _ReceiveEnd(there[1])),
    )
