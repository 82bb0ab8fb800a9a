"""Watches whether the peer of one connection is still there: pings it, and reports what `Health` concludes.

The peer *owes* something while a result, an answer or speech is expected of it. It is *suspect* when nothing has come
for too long since a ping, and *cleared* when something comes after all.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Protocol

import trio

from ..._core.liveness.health import Ask, Cleared, Dead, Health, Rest, Seen, SendQueue, Suspect
from ..._core.retry.causes import Silent
from ..concurrency.wakeup import Alarm, Wakeup
from .lifetime import LinkDown


class Watched(Protocol):
    """What is watched: a `Connection`, or a `Stream` of a shared one."""

    @property
    def received_at(self) -> float: ...
    @property
    def send_queue(self) -> SendQueue | None: ...
    async def pong(self) -> float: ...
    def abort(self, why: str) -> None: ...


class HealthWatch:
    """Watches one connection. The callbacks are called from the task in `run`, and may not wait.

    `busy_until` returns the time, on trio's clock, until which the service may be too busy to answer a ping. `ponged`
    is called with the seconds of each round trip, `suspected` when the peer is suspect, `cleared` when it is alive.
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
        self._alarm = Alarm(self._wake)

    def owes(self, owing: bool) -> None:
        """Call with whether the peer owes anything now, as often as convenient. Returns at once."""
        if owing != (self._owed_since < math.inf):
            self._owed_since = trio.current_time() if owing else math.inf
            if owing and self._health.is_asking:  # the silence allowed after the ping is shorter now
                self._wake.fire()
        if not self._health.is_asking:
            self._alarm.move(self._health.looks_again_at(self._connection.received_at, self._owed_since))

    def ask(self) -> None:
        """Makes `run` ping the peer at once."""
        self._health.ask()
        self._wake.fire()

    def give_up(self) -> None:
        """Makes `run` end the connection without waiting any longer for a sign of life. Returns at once."""
        self._is_given_up = True
        self._wake.fire()

    async def run(self, nursery: trio.Nursery) -> None:
        """Watches until the peer is dead or was given up; then drops the connection, and raises `LinkDown`.

        Pings run in `nursery`; its owner must cancel them.
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
                    await self._alarm.wait_until(until)
        cause = Silent("pong", round(trio.current_time() - silent_since, 1))
        self._connection.abort(str(cause))
        raise LinkDown(cause)

    def _seen(self) -> Seen:
        return Seen(
            self._connection.received_at,
            self._owed_since,
            self._busy_until(),
            self._connection.send_queue if self._health.is_asking else None,  # asking the kernel takes two calls
            _seconds_suspended(),
        )

    async def _ping(self) -> None:
        try:
            seconds = await self._connection.pong()
        except LinkDown:
            return  # the reader notices it too, and reports why
        self._health.answered(seconds)
        self._wake.fire()
        self._ponged(seconds)


if sys.platform == "linux":

    def _seconds_suspended() -> float:
        """Returns for how many seconds the machine has slept since it was started: one of the two clocks stops then."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)

elif sys.platform == "darwin":

    def _seconds_suspended() -> float:
        """Returns for how many seconds the machine has slept since it was started: one of the two clocks stops then."""
        return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)

else:

    def _seconds_suspended() -> float:
        """Returns 0: this system does not tell."""
        return 0.0
