"""Watches the health of one pooled connection, by `HealthWatch`, and says what its lease makes urgent.

An idle connection that does not answer is given the whole ``ping_timeout``. One that a session waits for is given up as
soon as it is suspect, so that another connection can speak the sentence.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from ..._core.liveness.health import FalseAlarms, Health
from ...policy import LivenessPolicy
from ..connection import HealthWatch
from .multiplexed import FrameChannel


class LeaseWatch:
    """The health watch of one pooled connection.

    `alarms`: the recent suspicions of connections to this endpoint. `ponged` is called with the seconds of each round
    trip.
    """

    def __init__(
        self,
        channel: FrameChannel,
        liveness: LivenessPolicy,
        *,
        alarms: FalseAlarms,
        ponged: Callable[[float], None],
    ) -> None:
        self._alarms = alarms
        self._is_proven = True
        self._is_waited_for = False
        self._watch = HealthWatch(
            channel,
            Health(liveness, channel.opened_at, alarms),
            ponged=ponged,
            suspected=self._suspected,
            cleared=lambda: None,
        )

    def leased(self) -> None:
        """Call when a lease begins. The connection may have died unnoticed while it was idle."""
        self._is_proven = False

    def asked(self) -> None:
        """Call when speech is asked for.

        Pings along with the first text of a lease: a pong comes sooner than speech.
        """
        self._is_waited_for = True
        if not self._is_proven:
            self._is_proven = True
            self._watch.ask()
        self._watch.owes(True)

    def served(self) -> None:
        """Call when all speech that was asked for has come, or nobody waits for it any more."""
        self._is_waited_for = False
        self._watch.owes(False)

    async def run(self, nursery: trio.Nursery) -> None:
        """Watches until the connection is dead or given up, then raises `LinkDown`; see `HealthWatch.run`."""
        await self._watch.run(nursery)

    def _suspected(self) -> None:
        """Called when the connection is suspect. Gives it up if a session waits for speech on it."""
        if self._is_waited_for:
            self._alarms.alarmed(trio.current_time())
            self._watch.give_up()
