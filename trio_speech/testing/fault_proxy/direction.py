"""One direction of a proxied connection: bytes wait for their latency, and leave at the configured bandwidth."""

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
"""The most bytes to read at once."""
_BUFFER = 262_144
"""Bytes that may wait in the proxy. At this bound nothing more is read, so that backpressure passes through."""
_STRIDE = 0.02
"""Seconds of bandwidth to write at once. A timer that fires late is made up for by at most this much."""


class ProxiedDirection:
    """One direction. One task runs `read`, which sets the time at which each chunk is due; another runs `write`."""

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
        self._next_write = 0.0
        self._changed = trio.lowlevel.ParkingLot()

    async def read(self) -> None:
        """Reads until the end of the stream, which is queued as an empty chunk."""
        data = b"?"
        while data:
            while self._held >= _BUFFER:
                await self._changed.park()
            data = bytes(await self._source.receive_some(CHUNK))
            delay = self.shape.latency + self._chance.uniform(0.0, self.shape.jitter) + self._resent()
            # Jitter must not reorder a byte stream: no chunk is due before the one ahead of it.
            self._latest = max(self._latest, trio.current_time() + delay)
            self._waiting.append((self._latest, data))
            self._held += len(data)
            self._changed.unpark_all()

    def _resent(self) -> float:
        """Returns the seconds that it takes to send a chunk again, as often as it is lost."""
        seconds, resend_after = 0.0, self.shape.resend_after
        while self.shape.loss and self._chance.random() < self.shape.loss:
            seconds += resend_after
            resend_after *= 2
        return seconds

    async def write(
        self, room: Callable[[Direction], Awaitable[float]], passed: Callable[[Direction, int], None]
    ) -> None:
        """Writes each chunk when it is due, until the end of the stream.

        `room` is awaited before each write, and returns how many bytes may be written. `passed` is called after it,
        with the number of bytes that were written.
        """
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
                passed(self.direction, len(piece))
                if self.shape.bandwidth is not None:
                    earliest = trio.current_time() - _STRIDE
                    self._next_write = max(self._next_write, earliest) + len(piece) / self.shape.bandwidth
                    await trio.sleep_until(self._next_write)
            self._waiting.popleft()
            self._held -= len(data)
            self._changed.unpark_all()
            if not data:
                await room(self.direction)
                await self._sink.send_eof()
                return

    def sever(self) -> None:
        """Resets the connection that this direction reads from."""
        sever(self._source)

    @property
    def _stride(self) -> float:
        return math.inf if self.shape.bandwidth is None else max(1.0, self.shape.bandwidth * _STRIDE)
