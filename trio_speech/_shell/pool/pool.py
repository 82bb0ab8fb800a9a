"""The client's speech connections: dialed, lent, watched, closed. What is decided is decided in `_core.roster`.

No lock is held across any wait: each event asks the roster, whose actions are carried out at once or by a task.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import partial
from random import Random

import trio

from ..._core.pool.actions import Action, CloseConnection, DialConnection, GrantLease, RefuseLease
from ..._core.pool.roster import Roster
from ..._core.retry.causes import Broken, Cause
from ...errors import LinkError
from ...policy import PoolPolicy
from ...statistics import PoolStatistics
from ..concurrency.one_exception import Guard
from ..concurrency.wakeup import Wakeup
from ..connection import LinkDown
from ..network.dialer import Dialer, NoCredential, closed
from ..observability import log
from .dial_attempt import DialAttempt
from .lease import Lease, PendingLease, VoiceRoute
from .multiplexed import Multiplexer
from .pooled_connection import LeaseHolder, PooledConnection

_FEW_KINDS = 64


class Pool:
    """Owned by the client; its tasks live in the client's nursery."""

    _guard: Guard

    def __init__(self, network: Dialer, policy: PoolPolicy, random: Random) -> None:
        self._network = network
        self._policy = policy
        self._roster = Roster(policy, random)
        self._attempts: dict[int, DialAttempt] = {}
        self._residents: dict[int, PooledConnection] = {}
        self._waiting: dict[int, PendingLease] = {}
        self._voices: dict[Hashable, VoiceRoute] = {}
        self._lines = Multiplexer()
        self._tickets = 0
        self._goodbyes = 0
        self._changed = Wakeup()
        self._awaited: float | None = None
        self._sooner = Wakeup()

    def open(self, guard: Guard) -> None:
        """Goes to work; call it once, before anything else."""
        self._guard = guard
        guard.start_soon(self._keep)

    # ------------------------------------------------------------ for sessions

    async def lease(self, voice: VoiceRoute, tenant: LeaseHolder, *, fresh: bool = False) -> Lease:
        """A connection for `tenant`, who hears from it from now on; `fresh`: one that is newly dialed.

        A checkpoint only where it must wait. Raises `LinkDown` where the dial made for it fails, what a token provider
        raises, and `trio.ClosedResourceError` once the client is closed. Where none is free within ``acquire_timeout``,
        it is `LinkDown` if dials of its kind have failed meanwhile, for then the service is out, else `LinkError`.
        Cancelling gives back what may have been granted.
        """
        self._network.check_open()
        waiting = self._ask(voice, voice.key, tenant, trio.current_time(), fresh=fresh)
        if not waiting.is_answered:
            await self._until_answered(waiting)
        if isinstance(waiting.failure, NoCredential):
            raise waiting.failure.error
        if waiting.failure is not None:
            raise waiting.failure
        if waiting.lease is None:
            raise self._exhausted(voice) if waiting.setback is None else LinkDown(waiting.setback)
        return waiting.lease

    def lease_nowait(self, voice: VoiceRoute, tenant: LeaseHolder) -> Lease | None:
        """That of an idle connection, if there is one. No checkpoint."""
        key, now = voice.key, trio.current_time()
        return self._ask(voice, key, tenant, now, fresh=False).lease if self._roster.has_idle(key, now) else None

    async def warm(self, voice: VoiceRoute, count: int) -> bool:
        """Makes `count` connections ready, as far as ``max_size`` allows, and pings them. Returns whether any is ready.

        Idle ones of other kinds make room; what somebody waits for meanwhile comes first. A checkpoint. Raises the
        `LinkDown` of a dial that failed, if one of these did, and `trio.ClosedResourceError` once the client is closed.
        Cancelling it leaves the dials under way.
        """
        await trio.lowlevel.checkpoint()
        key = voice.key
        self._know(key, voice)
        dials = self._roster.warm(key, count, trio.current_time())
        self._do(dials)
        attempts = {dial.connection: self._attempts[dial.connection] for dial in dials}
        while self._roster.dialing().intersection(attempts):
            await self._changed.wait()
            self._network.check_open()
        for number, attempt in attempts.items():
            if attempt.failure is not None:
                raise attempt.failure
            if number in self._residents:
                await self._residents[number].ping()
        return self._roster.has_idle(key, trio.current_time())

    def statistics(self) -> PoolStatistics:
        """How the pool stands, and what it has seen."""
        return self._roster.statistics()

    def give_back(self, resident: PooledConnection) -> None:
        """See `Lease.give_back`."""
        resident.tenant = None
        self._do(self._roster.returned(resident.number, trio.current_time()))

    def abandon(self, resident: PooledConnection) -> None:
        """See `Lease.abandon`."""
        resident.tenant = None
        if resident.provider.profile.quiet_after_done:
            resident.abort("the end of its generation cannot be known")
            return
        resident.draining = True
        self._guard.start_soon(resident.cancel)
        self._do(self._roster.abandoned(resident.number, trio.current_time()))

    async def aclose(self) -> None:
        """Says goodbye to all connections, within ``close_timeout``. Nothing is dialed any more; who waits is told."""
        self._network.close()
        for waiting in list(self._waiting.values()):
            self._withdraw(waiting)
            waiting.fail(closed())
        self._do(self._roster.end())
        while self._goodbyes:
            await self._changed.wait()

    # ------------------------------------------------------------ for residents

    def ponged(self, resident: PooledConnection, seconds: float) -> None:
        """A ping was answered."""
        self._roster.ponged(resident.number, seconds, trio.current_time())
        self._network.telemetry.measure("ping", seconds, resident.provider.endpoint)

    def retiring(self, resident: PooledConnection) -> None:
        """The service is going to end the connection."""
        self._roster.retire(resident.number)
        self._do(self._roster.tick(trio.current_time()))

    def drained(self, resident: PooledConnection) -> None:
        """An abandoned generation is over."""
        resident.draining = False
        self._do(self._roster.drained(resident.number, trio.current_time()))

    def died(self, resident: PooledConnection, cause: Cause) -> None:
        """The connection is gone."""
        self._residents.pop(resident.number, None)
        if resident.tenant is None:
            log.idle_ended(resident.provider.endpoint, cause)
        self._do(self._roster.died(resident.number, cause, trio.current_time()))

    # ------------------------------------------------------------ carrying out

    async def _keep(self) -> None:
        while True:
            self._awaited = due = self._roster.due()
            await self._sooner.wait_until(due)
            if due is not None and trio.current_time() >= due:
                self._do(self._roster.tick(trio.current_time()))

    def _do(self, actions: Iterable[Action], *, new: int | None = None, failed: LinkDown | None = None) -> None:
        for action in actions:
            match action:
                case DialConnection(number, key, former):
                    self._attempts[number] = DialAttempt(number, self._voices[key])
                    leaving = None if former is None else self._parting(former)
                    self._guard.start_soon(partial(self._dial, number, self._voices[key], leaving))
                case GrantLease(ticket, number):
                    self._grant(self._waiting.pop(ticket), self._residents[number], reused=number != new)
                case RefuseLease(ticket, cause):
                    self._waiting.pop(ticket).fail(failed or LinkDown(cause))
                case CloseConnection(number, why) if number in self._attempts:
                    self._attempts[number].call_off(why)
                case CloseConnection(number, why):
                    self._guard.start_soon(partial(self._say_goodbye, self._parting(number), why))
        self._changed.fire()
        due = self._roster.due()
        if due is not None and (self._awaited is None or due < self._awaited):
            self._sooner.fire()

    def _grant(self, waiting: PendingLease, resident: PooledConnection, *, reused: bool) -> None:
        resident.tenant = waiting.tenant
        waiting.lease = Lease(self, resident, reused=reused)
        waiting.news.fire()

    async def _dial(self, number: int, voice: VoiceRoute, former: PooledConnection | None) -> None:
        if former is not None:
            await self._say_goodbye(former, "it made room for another")
        began = trio.current_time()
        try:
            resident = await self._connect(number)
        except LinkDown as down:
            self._set_back(voice, down.cause)
            self._do(self._roster.failed(number, down.cause, trio.current_time()), failed=down)
        except trio.ClosedResourceError as gone:  # the client's block is being left: whoever waited has been told
            self._do(self._roster.failed(number, Broken(str(gone)), trio.current_time()))
        else:
            self._dialed(number, resident, began)

    async def _connect(self, number: int) -> PooledConnection | None:
        try:
            return await self._attempts[number].connect(self._network, self._lines, self._guard, self)
        finally:
            del self._attempts[number]

    def _dialed(self, number: int, resident: PooledConnection | None, began: float) -> None:
        now = trio.current_time()
        if resident is None:
            self._do(self._roster.closed(number, now))
            return
        self._residents[number] = resident
        self._guard.start_soon(resident.run)
        new = number if resident.opened_at >= began else None
        self._do(self._roster.dialed(number, now, opened=resident.opened_at), new=new)

    def _set_back(self, voice: VoiceRoute, cause: Cause) -> None:
        for waiting in self._waiting.values():
            if waiting.key == voice.key:
                waiting.setback = cause

    def _parting(self, number: int) -> PooledConnection:
        """Who is to be said goodbye to."""
        self._goodbyes += 1
        return self._residents.pop(number)

    async def _say_goodbye(self, resident: PooledConnection, why: str) -> None:
        try:
            await resident.goodbye(why)
        finally:
            self._goodbyes -= 1
            self._do(self._roster.closed(resident.number, trio.current_time()))

    # ------------------------------------------------------------ details

    def _ask(self, voice: VoiceRoute, key: Hashable, tenant: LeaseHolder, now: float, *, fresh: bool) -> PendingLease:
        self._tickets += 1
        waiting = self._waiting[self._tickets] = PendingLease(self._tickets, key, tenant)
        self._know(key, voice)
        self._do(self._roster.ask(waiting.ticket, key, now, fresh=fresh))
        return waiting

    async def _until_answered(self, waiting: PendingLease) -> None:
        """For ``acquire_timeout`` at most."""
        answered = False
        try:
            with trio.move_on_after(self._policy.acquire_timeout):
                while not waiting.is_answered:
                    await waiting.news.wait()
            answered = waiting.is_answered
        finally:
            if not answered:
                self._withdraw(waiting)

    def _withdraw(self, waiting: PendingLease) -> None:
        self._waiting.pop(waiting.ticket, None)
        self._roster.withdraw(waiting.ticket)
        if waiting.lease is not None:
            waiting.lease.give_back()

    def _know(self, key: Hashable, voice: VoiceRoute) -> None:
        if len(self._voices) > _FEW_KINDS:
            known = self._roster.keys()
            self._voices = {each: kind for each, kind in self._voices.items() if each in known}
        self._voices[key] = voice

    def _exhausted(self, voice: VoiceRoute) -> LinkError:
        policy, now, endpoint = self._policy, self._roster.statistics(), voice.provider.endpoint
        return LinkError(
            f"no speech connection was to be had within {policy.acquire_timeout:g} s: {now.leased} are in use and "
            f"{now.dialing} being dialed, of {policy.max_size} at most; leave sessions that are done, or raise "
            "PoolPolicy.max_size",
            endpoint=endpoint,
        )
