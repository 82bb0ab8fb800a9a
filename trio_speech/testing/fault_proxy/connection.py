"""One proxied connection: it relays bytes in both directions and takes the steps of its schedule.

Laws
    1. Bytes are relayed unchanged and in order. A step that waits for N bytes is taken after exactly N, unless a write
       was already in progress when the step before it was taken.
    2. What waits in the proxy is bounded: while one end does not read, the other end is not read from.
    3. Each end sees what the other does (data, FIN, reset), except for what the schedule adds or holds back.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from random import Random

import trio

from ..streams import sever
from .direction import CHUNK, ByteStream, ProxiedDirection
from .plan import Direction, End, FreezeConnection, Garbage, HalfOpen, Last, RefuseDials, Reset, Schedule, Shape, Step

_FIN_TIMEOUT = 60.0
"""Seconds in which both ends must close after a FIN; then they get a reset."""
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class ProxiedConnection:
    """Relays the connection of `client`, and takes the steps of `schedule`.

    `chance` returns the random numbers for a purpose. `say` is called with what was done, in words. `refuse` is called
    with the seconds for which dials are to be refused.
    """

    def __init__(
        self,
        client: ByteStream,
        schedule: Schedule,
        chance: Callable[[str], Random],
        *,
        say: Callable[[str], object],
        refuse: Callable[[float], object],
    ) -> None:
        self._client = client
        self._schedule = schedule
        self._chance = chance
        self._say = say
        self._refuse = refuse
        self._directions: dict[Direction, ProxiedDirection] = {}
        self._shapes: dict[Direction, Shape] = {"up": Shape(), "down": Shape()}
        self._last: Last | None = None
        self._relaying = trio.CancelScope()
        self._frozen_until = -math.inf
        self._moved = trio.Event()

    async def run(self, dial: Callable[[], Awaitable[ByteStream]]) -> None:
        """Runs until both ends have closed, or the schedule ends the connection. `dial` connects to the service.

        A failed dial resets the client and is reported by `say`. Cancelling resets both ends.
        """
        ends = [self._client]
        try:
            self._play()
            if self._last is None:
                ends.append(await dial())
                await self._relay(*ends)
            await self._close(ends)
        except OSError as error:
            self._say(f"reset: the service was not reached: {error.strerror or error}")
        except UnicodeError:
            self._say("reset: the name of the service is not a valid host name")
        finally:
            for end in ends:
                sever(end)

    async def _relay(self, client: ByteStream, service: ByteStream) -> None:
        self._directions = {
            "up": ProxiedDirection("up", client, service, self._chance("up")),
            "down": ProxiedDirection("down", service, client, self._chance("down")),
        }
        for name, direction in self._directions.items():
            direction.shape = self._shapes[name]
        sources: dict[Direction, str] = {"up": "client", "down": "service"}
        sinks: dict[Direction, str] = {"up": "service", "down": "client"}
        with self._relaying:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_clock)
                async with trio.open_nursery() as both:
                    for name, direction in self._directions.items():
                        write = partial(direction.write, self._room, self._passed)
                        both.start_soon(self._until_gone, direction.read, sources[name])
                        both.start_soon(self._until_gone, write, sinks[name])
                nursery.cancel_scope.cancel(reason="both ends have left")

    async def _until_gone(self, work: Callable[[], Awaitable[None]], end: str) -> None:
        try:
            await work()
        except _GONE:
            if self._last is None:
                self._finish(Reset(), f"broken by the {end}")

    async def _close(self, ends: list[ByteStream]) -> None:
        """Ends the connection as the last step says. Ends that are left in the list are reset by the caller."""
        match self._last:
            case None:
                self._say(f"closed by both ends{self._so_far}")
            case Reset():
                return
            case HalfOpen(seconds=seconds):
                await _swallow(ends, math.inf if seconds is None else seconds)
            case last:
                await self._end(ends, last)
                await _swallow(ends, _FIN_TIMEOUT)
        while ends:
            await ends.pop().aclose()

    async def _end(self, ends: list[ByteStream], last: End | Garbage) -> None:
        for end in ends:
            with suppress(*_GONE):
                if isinstance(last, Garbage) and end is self._client:
                    await end.send_all(_garbage(last.size, self._chance("garbage")))
                await end.send_eof()

    async def _watch_clock(self) -> None:
        while True:
            with trio.move_on_at(self._schedule.alarm):
                await self._moved.wait()
            self._play()

    async def _room(self, direction: Direction) -> float:
        """Returns how many bytes may be written now. Waits while the connection is frozen."""
        if trio.current_time() < self._frozen_until:
            await trio.sleep_until(self._frozen_until)
            return await self._room(direction)
        return self._schedule.room(direction)

    def _passed(self, direction: Direction, count: int) -> None:
        self._schedule.passed(direction, count)
        self._play()

    def _play(self) -> None:
        taken = list(self._schedule.due(trio.current_time()))
        for step in taken:
            self._take(step)
        if taken:
            self._moved.set()
            self._moved = trio.Event()

    def _take(self, step: Step) -> None:
        match step:
            case Shape(direction=direction):
                for name in ("up", "down") if direction == "both" else (direction,):
                    self._shapes[name] = step
                    if name in self._directions:
                        self._directions[name].shape = step
                self._say(f"shaped, {direction}: {_shape(step)}")
            case FreezeConnection(seconds=seconds):
                self._frozen_until = trio.current_time() + seconds
                self._say(f"frozen for {seconds:g} s{self._so_far}")
            case RefuseDials(seconds=seconds):
                self._refuse(seconds)
                self._say(f"dials are refused for {seconds:g} s{self._so_far}")
            case _:
                self._finish(step, _DONE[type(step)])

    def _finish(self, last: Last, what: str) -> None:
        self._last = last
        if isinstance(last, Reset):
            for direction in self._directions.values():
                direction.sever()
        self._relaying.cancel(reason=what)
        self._say(what + self._so_far)

    @property
    def _so_far(self) -> str:
        counts = " and ".join(f"{direction.passed} {name}" for name, direction in self._directions.items())
        return f" after {counts} bytes" if counts else ""


_DONE: dict[type[Step], str] = {
    Reset: "reset",
    End: "ended by a FIN",
    HalfOpen: "half-open",
    Garbage: "ended by garbage",
}


def _shape(shape: Shape) -> str:
    bandwidth = "" if shape.bandwidth is None else f", {shape.bandwidth:g} bytes/s"
    loss = f", {shape.loss:.0%} lost" if shape.loss else ""
    return f"{shape.latency:g} to {shape.latency + shape.jitter:g} s late{bandwidth}{loss}"


def _garbage(size: int, chance: Random) -> bytes:
    """Returns random bytes that begin neither a TLS record (RFC 8446, section 5.1: 20 to 23) nor an HTTP message."""
    return bytes(chance.randrange(128, 256) for _ in range(size))


async def _swallow(ends: list[ByteStream], seconds: float) -> None:
    """Reads and discards until all ends have closed. Those that have not after `seconds` are reset."""
    with trio.move_on_after(seconds) as scope:
        async with trio.open_nursery() as nursery:
            for end in ends:
                nursery.start_soon(_swallow_one, end)
    if scope.cancelled_caught:
        for end in ends:
            sever(end)


async def _swallow_one(end: ByteStream) -> None:
    with suppress(*_GONE):
        while await end.receive_some(CHUNK):
            pass
