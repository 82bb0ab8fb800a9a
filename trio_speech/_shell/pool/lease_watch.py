"""The health of one connection of the pool: idle ones are given time, one that a session waits for is given up soon."""

from __future__ import annotations

from collections.abc import Callable

import trio

from ..._core.liveness.health import FalseAlarms, Health
from ...policy import LivenessPolicy
from ..connection import HealthWatch
from .multiplexed import FrameChannel


class LeaseWatch:
    """`alarms`: how often connections to this endpoint were suspected lately. `ponged` is told each round trip."""

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
        """A lease begins. The connection may have died unnoticed while it was idle."""
        self._is_proven = False

    def asked(self) -> None:
        """Speech was asked for. A ping beside the first text tells sooner than the speech whether the peer is there."""
        self._is_waited_for = True
        if not self._is_proven:
            self._is_proven = True
            self._watch.ask()
        self._watch.owes(True)

    def served(self) -> None:
        """All that was asked for has come, or nobody waits for it any more."""
        self._is_waited_for = False
        self._watch.owes(False)

    async def run(self, nursery: trio.Nursery) -> None:
        """Watches until the connection is dead; see `HealthWatch.run`."""
        await self._watch.run(nursery)

    def _suspected(self) -> None:
        """While a session waits, a suspect is given up: another connection says the sentence."""
        if self._is_waited_for:
            self._alarms.alarmed(trio.current_time())
            self._watch.give_up()
