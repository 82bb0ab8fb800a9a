"""Watches one connection's health: looks when the health machine says so, pings, and reports what it decides."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Protocol

import trio

from ..._core.liveness.health import Ask, Cleared, Dead, Health, Rest, Seen, SendQueue, Suspect
from ..._core.retry.causes import Silent
from ..concurrency.wakeup import Wakeup
from .lifetime import LinkDown


class Watched(Protocol):
    """What is watched: a `Connection`, or one generation's part of it."""

    @property
    def received_at(self) -> float: ...
    @property
    def send_queue(self) -> SendQueue | None: ...
    async def pong(self) -> float: ...
    def abort(self, why: str) -> None: ...


class HealthWatch:
    """One connection's watch. The callbacks are called from its task, and may not wait.

    `busy_until`: until when the service may be busy with what it was sent. `ponged`: a ping was answered after so many
    seconds. `suspected`: nothing comes although it was asked for. `cleared`: the suspect is alive.
    """

    def __init__(
        self,
        connection: Watched,
        health: Health,
        *,
        ponged: Callable[[float], None],
        suspected: Callable[[], None],
        cleared: Callable[[], None],
        busy_until: Callable[[], float] = lambda: -math.inf,
    ) -> None:
        self._connection = connection
        self._health = health
        self._ponged = ponged
        self._suspected = suspected
        self._cleared = cleared
        self._busy_until = busy_until
        self._owed_since = math.inf
        self._is_given_up = False
        self._wake = Wakeup()

    def owes(self, owing: bool) -> None:
        """Tells whether the peer owes anything. Returns at once; cheap where that is no news."""
        if owing != (self._owed_since < math.inf):
            self._owed_since = trio.current_time() if owing else math.inf
            if owing:
                self._wake.fire()

    def ask(self) -> None:
        """Asks the peer at once whether it is there."""
        self._health.ask()
        self._wake.fire()

    def give_up(self) -> None:
        """Waits no longer for a suspect: `run` ends its connection. Returns at once."""
        self._is_given_up = True
        self._wake.fire()

    async def run(self, nursery: trio.Nursery) -> None:
        """Watches until the peer is dead or given up; then drops the connection, and raises `LinkDown`.

        Pings run in `nursery`, whose owner ends them.
        """
        silent_since = trio.current_time()
        while not self._is_given_up:
            now = trio.current_time()
            match self._health.next(now, self._seen()):
                case Ask():
                    nursery.start_soon(self._ping)
                case Suspect(seconds):
                    silent_since = now - seconds
                    self._suspected()
                case Cleared():
                    self._cleared()
                case Dead():
                    break
                case Rest(until):
                    await self._wake.wait_until(until)
        cause = Silent("pong", round(trio.current_time() - silent_since, 1))
        self._connection.abort(str(cause))
        raise LinkDown(cause)

    def _seen(self) -> Seen:
        return Seen(
            self._connection.received_at,
            self._owed_since,
            self._busy_until(),
            self._connection.send_queue,
            _seconds_suspended(),
        )

    async def _ping(self) -> None:
        try:
            seconds = await self._connection.pong()
        except LinkDown:
            return  # whoever reads finds out too, and tells why
        self._health.answered(seconds)
        self._wake.fire()
        self._ponged(seconds)


if sys.platform == "linux":

    def _seconds_suspended() -> float:
        """For how many seconds the machine has slept since it was started: only one of the two clocks goes on then."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)

elif sys.platform == "darwin":

    def _seconds_suspended() -> float:
        """For how many seconds the machine has slept since it was started: only one of the two clocks goes on then."""
        return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)

else:

    def _seconds_suspended() -> float:
        """Unknown on this system."""
        return 0.0
