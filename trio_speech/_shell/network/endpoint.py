"""Holds the state of one endpoint that all sessions of a client share: its retry bucket and its queue of dials."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from ..._core.liveness.health import FalseAlarms
from ..._core.liveness.round_trip import RoundTrip
from ..._core.retry.breaker import Breaker
from ..._core.retry.budget import RetryBucket
from ..._core.retry.causes import Broken, Cause, EndpointDown, Silent, Unreachable
from ...policy import RetryPolicy
from ..connection import LinkDown

_Made = TypeVar("_Made")

CREDENTIAL = "credential from the token provider"
"""Names what a dial waits for first, in `Silent` causes."""


def lacks_credential(cause: Cause) -> bool:
    """Whether a dial ended because the token provider gave no credential in time: the endpoint was not even asked."""
    return isinstance(cause, Silent) and cause.what == CREDENTIAL


_ROUNDING = 1e-6  # seconds by which sums of moments may differ


class NoCredential(LinkDown):
    """The token provider raised `error`, which is re-raised unchanged in the session that asked for the dial."""

    def __init__(self, error: Exception) -> None:
        super().__init__(Unreachable(f"the token provider raised {type(error).__name__}"))
        self.error = error


class EndpointState:
    """The state of one endpoint, shared by all sessions and the pool of a client."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.retries = RetryBucket(policy)
        self.breaker = Breaker(policy.max_concurrent_dials)
        self.has_warned = False
        """True once the user was warned that credentials for this endpoint are sent unencrypted."""
        self.false_alarms = FalseAlarms()
        """Wrong suspicions of the pool's connections to this endpoint. Each recognition counts its own."""
        self.standby_from = -math.inf
        """When, on trio's clock, a standby may be dialed again: not for a while after the service refused one."""
        self.dial_times = RoundTrip()
        """How long recent dials took until they were answered."""
        self.credential_times = RoundTrip()
        """How long the token provider took, in recent dials."""
        self.credential_hangs = False
        """Whether the token provider was left the last time because it took too long."""
        self._line = trio.lowlevel.ParkingLot()
        self._impatient: dict[trio.CancelScope, tuple[float, float]] = {}
        """Dials under way: when each began, and its patience, which is infinite where there is no other backend."""

    def take_room(self) -> bool:
        """Counts a dial beside another as begun, if a turn is free and nobody waits for it; returns whether it did.

        Call `end_dial` when that dial is over.
        """
        now = trio.current_time()
        if self._line or self.breaker.dials_at(now) > now:
            return False
        self.breaker.began(now)
        return True

    def end_dial(self) -> None:
        """Call when a dial is over, however it ended: lets the next in the queue begin."""
        self.breaker.ended()
        self._line.unpark(count=max(1, self.breaker.free))

    def is_down(self, patience: float) -> bool:
        """Whether no dial has succeeded for `patience` seconds, and at least one has failed."""
        now = trio.current_time()
        return self.breaker.is_down and self.breaker.gives_way_at(now, patience) <= now + _ROUNDING

    async def in_turn(self, dial: Callable[[], Awaitable[_Made]], *, patience: float = math.inf) -> _Made:
        """Makes a dial once it is its turn, and returns what it made. Turns are taken in order of arrival.

        Raises `LinkDown` if it has to wait for its turn while no session's dials succeed for `patience` seconds.
        Cancelling leaves the queue, or cancels the dial.
        """
        await self._wait(patience)
        self.breaker.began(trio.current_time())
        try:
            made = await dial()
        except LinkDown as down:
            self._learn_from(down)
            raise
        else:
            self._answers(trio.current_time())
            return made
        finally:
            self.end_dial()

    async def while_it_answers(self, dial: Callable[[], Awaitable[_Made]], *, patience: float) -> _Made:
        """Makes a dial, and returns what it made.

        Raises `LinkDown` if no session's dials succeed for `patience` seconds. Cancelling cancels the dial.
        """
        began = trio.current_time()
        scope = trio.CancelScope(deadline=self.breaker.given_up_at(began, patience))
        self._impatient[scope] = began, patience
        try:
            with scope:
                return await dial()
        finally:
            del self._impatient[scope]
        raise LinkDown(EndpointDown(trio.current_time() - began))

    async def _wait(self, patience: float) -> None:
        arrived = now = trio.current_time()
        others_wait = bool(self._line)
        try:
            while (begins := self.breaker.dials_at(now)) > now or others_wait:
                others_wait = False  # once it is woken, it is its turn
                leaves = self.breaker.gives_way_at(arrived, patience)
                with trio.move_on_at(min(begins if begins > now else math.inf, leaves)):
                    await self._line.park()
                now = trio.current_time()
                if self.breaker.gives_way_at(arrived, patience) <= now:
                    self.breaker.failed(arrived)  # so that others learn it at once, even if no dial has failed yet
                    raise LinkDown(EndpointDown(now - arrived))
        except BaseException:
            self._line.unpark()  # if it was woken, wakes another in its place
            raise

    def _learn_from(self, down: LinkDown) -> None:
        now = trio.current_time()
        if isinstance(down, NoCredential) or lacks_credential(down.cause):
            return
        if isinstance(down.cause, EndpointDown):
            self.breaker.failed(now - down.cause.waited)
        elif _is_unreachable(down.cause):
            self.breaker.failed(now)
        else:
            self._answers(now)

    def _answers(self, now: float) -> None:
        self.breaker.succeeded(now)
        for scope, waits in self._impatient.items():
            scope.deadline = self.breaker.given_up_at(*waits)


def _is_unreachable(cause: Cause) -> bool:
    """Whether another session's dial would probably fail too: not after a refusal, which concerns one session only."""
    return isinstance(cause, (Broken, Silent)) or (isinstance(cause, Unreachable) and not cause.permanent)
