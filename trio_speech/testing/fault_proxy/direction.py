"""One direction of a connection through a fault proxy: bytes wait until they are due, and leave at the line's pace."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeAlias

import trio

from ..streams import MemoryStream, sever
from .plan import Direction, Shape

ByteStream: TypeAlias = MemoryStream | trio.SocketStream

CHUNK = 16_384
"""Bytes read at once, at most."""
_BUFFER = 262_144
"""Bytes that wait, at most, before no more are read."""
_STRIDE = 0.02
"""Seconds of bandwidth in one write, and how much of what a timer came late is made up for."""


class ProxiedDirection:
    """One direction. `take` reads what comes and dates it; `give` writes what is due."""

    def __init__(self, direction: Direction, source: ByteStream, sink: ByteStream, chance: Random) -> None:
        self.direction: Direction = direction
        self.shape = Shape()
        self.passed = 0
        self._source = source
        self._sink = sink
        self._chance = chance
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._held = 0
        self._latest = 0.0
        self._free = 0.0
        self._changed = trio.lowlevel.ParkingLot()

    async def take(self) -> None:
        """Until the end of the stream, which is passed on like data."""
        data = b"?"
        while data:
            while self._held >= _BUFFER:
                await self._changed.park()
            data = bytes(await self._source.receive_some(CHUNK))
            delay = self.shape.latency + self._chance.uniform(0.0, self.shape.jitter)
            self._latest = max(self._latest, trio.current_time() + delay)
            self._waiting.append((self._latest, data))
            self._held += len(data)
            self._changed.unpark_all()

    async def give(self, room: Callable[[Direction], Awaitable[float]], tell: Callable[[Direction, int], None]) -> None:
        """Writes no more at once than there is `room` for, and tells of all that was written."""
        while True:
            while not self._waiting:
                await self._changed.park()
            due, data = self._waiting[0]
            await trio.sleep_until(due)
            left = memoryview(data)
            while left:
                piece = left[: int(min(await room(self.direction), self._stride, len(left)))]
                await self._sink.send_all(piece)
                self.passed += len(piece)
                left = left[len(piece) :]
                tell(self.direction, len(piece))
                if self.shape.bandwidth is not None:
                    self._free = max(self._free, trio.current_time() - _STRIDE) + len(piece) / self.shape.bandwidth
                    await trio.sleep_until(self._free)
            self._waiting.popleft()
            self._held -= len(data)
            self._changed.unpark_all()
            if not data:
                await room(self.direction)
                await self._sink.send_eof()
                return

    def sever(self) -> None:
        """Breaks the connection that it reads from."""
        sever(self._source)

    @property
    def _stride(self) -> float:
        return math.inf if self.shape.bandwidth is None else max(1.0, self.shape.bandwidth * _STRIDE)
