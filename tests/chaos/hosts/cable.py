"""The cable between two hosts: it loses, delays and reorders packets by a seed, and can be cut."""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass, field
from random import Random

import trio

_PACKET = 65_536
_MOST = 1_000
"""Packets under way in one direction; those beyond are lost, as at a router."""


@dataclass(frozen=True)
class Weather:
    """What a packet meets. With jitter, packets overtake each other."""

    loss: float = 0.0
    """The share of packets that never arrive."""
    delay: float = 0.0
    """Seconds, each way."""
    jitter: float = 0.0
    """Seconds at most, on top."""


@dataclass
class Cable:
    """`ends` are the files of two TUN devices."""

    ends: tuple[int, int]
    weather: Weather
    whole: bool = True
    carried: int = 0
    lost: int = 0
    random: Random = field(default_factory=lambda: Random(0))

    async def run(self) -> None:
        for end in self.ends:
            os.set_blocking(end, False)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_Way(self, *self.ends).run)
            nursery.start_soon(_Way(self, *reversed(self.ends)).run)

    def dropped(self) -> bool:
        """Whether the next packet is lost."""
        lost = not self.whole or self.random.random() < self.weather.loss
        self.lost += lost
        self.carried += not lost
        return lost


class _Way:
    """One direction."""

    def __init__(self, cable: Cable, source: int, sink: int) -> None:
        self._cable = cable
        self._source = source
        self._sink = sink
        self._under_way: list[tuple[float, int, bytes]] = []
        self._put = trio.Event()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take)
            nursery.start_soon(self._give)

    async def _take(self) -> None:
        weather, random = self._cable.weather, self._cable.random
        number = 0
        while True:
            await trio.lowlevel.wait_readable(self._source)
            packet = os.read(self._source, _PACKET)
            if len(self._under_way) < _MOST and not self._cable.dropped():
                number += 1
                due = trio.current_time() + weather.delay + random.uniform(0.0, weather.jitter)
                heapq.heappush(self._under_way, (due, number, packet))
                self._put.set()

    async def _give(self) -> None:
        while True:
            due = self._under_way[0][0] if self._under_way else float("inf")
            with trio.move_on_at(due):
                await self._put.wait()
                self._put = trio.Event()
                continue
            _, _, packet = heapq.heappop(self._under_way)
            if self._cable.whole:
                os.write(self._sink, packet)
