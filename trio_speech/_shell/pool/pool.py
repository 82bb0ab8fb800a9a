"""Pools the client's connections for synthesis: dials, leases, pings and closes them as `_core.pool.roster` decides.

Each event (a connection was dialed, returned, died) is passed to the roster. It returns actions, which are carried out
at once, or in a task if they take time. No lock is held while waiting.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from functools import partial
from random import Random

import trio

from ..._core.pool.actions import Action, CloseConnection, DialConnection, GrantLease, RefuseLease
from ..._core.pool.roster import Roster
from ..._core.retry.causes import Broken, Cause, Silent
from ...policy import PoolPolicy
from ...statistics import PoolStatistics
from ..concurrency.one_exception import Guard
from ..concurrency.wakeup import Wakeup
from ..connection import LinkDown
from ..network.dialer import Dialer, closed
from ..network.endpoint import NoCredential
from ..network.hedge import Release
from ..observability import log
from .callbacks import LeaseHolder
from .dial_attempt import DialAttempt
from .lease import PendingLease, RouteTable, VoiceRoute, exhausted
from .multiplexed import Multiplexer
from .pooled_connection import PooledConnection


class Pool:
    """The client's pool of connections for synthesis. Its tasks run in the client's nursery."""

    _guard: Guard

    def __init__(self, dialer: Dialer, policy: PoolPolicy, random: Random) -> None:
        self._dialer = dialer
        self._policy = policy
        self._roster = Roster(policy, random)
        self._attempts: dict[int, DialAttempt] = {}
        self._connections: dict[int, PooledConnection] = {}
        self._pending: dict[int, PendingLease] = {}
        self._routes = RouteTable(self._roster.keys)
        self._multiplexer = Multiplexer()
        self._tickets = 0
        self._closing = 0
        self._changed = Wakeup()
        self._next_tick: float | None = None
        self._tick_sooner = Wakeup()

    def open(self, guard: Guard) -> None:
        """Starts the pool's timer. Call it once, before anything else."""
        self._guard = guard
        guard.start_soon(self._keep_time)

    # ------------------------------------------------------------ for sessions

    async def lease(
        self, route: VoiceRoute, holder: LeaseHolder, *, fresh: bool = False, until: float = math.inf
    ) -> PooledConnection:
        """Leases a connection to `holder`, which gets its messages from now on; if `fresh`, a newly dialed one.

        Checkpoints only if it must wait. Raises `LinkDown` if the dial made for this lease fails, what a token provider
        raised, and `trio.ClosedResourceError` once the client is closed. If none is free within ``acquire_timeout``, it
        raises `LinkDown` if a dial for the same key failed meanwhile (the service is down), else `LinkError` (the pool
        is full). It raises `LinkDown`, too, if a dial for the key is still under way at the moment `until`. Cancelling
        it gives a connection back that was just granted.
        """
        self._dialer.check_open()
        pending = self._ask(route, route.key, holder, trio.current_time(), fresh=fresh)
        if not pending.is_answered:
            await self._until_answered(pending, until)
        if isinstance(pending.failure, NoCredential):
            raise pending.failure.error
        if pending.failure is not None:
            raise pending.failure
        if pending.connection is None:
            if pending.setback is None:
                raise exhausted(self._policy, self.statistics(), route.provider.endpoint)
            raise LinkDown(pending.setback)
        return pending.connection

    def lease_nowait(self, route: VoiceRoute, holder: LeaseHolder) -> PooledConnection | None:
        """Leases an idle connection to `holder`, or returns ``None`` if there is none. Returns at once."""
        key, now = route.key, trio.current_time()
        if not self._roster.has_idle(key, now):
            return None
        return self._ask(route, key, holder, now, fresh=False).connection

    async def warm(self, route: VoiceRoute, count: int) -> bool:
        """Dials until `count` connections for `route` are idle, as far as ``max_size`` allows, and pings the new ones.

        Returns whether at least one is idle. Idle connections for other routes are closed to make room. A session that
        waits for a connection meanwhile gets one first. Checkpoints. Raises `LinkDown` if one of its dials failed, and
        `trio.ClosedResourceError` once the client is closed. Cancelling it does not cancel the dials.
        """
        await trio.lowlevel.checkpoint()
        key = route.key
        self._routes.add(key, route)
        dials = self._roster.warm(key, count, trio.current_time())
        self._carry_out(dials)
        attempts = {dial.connection: self._attempts[dial.connection] for dial in dials}
        while self._roster.dialing().intersection(attempts):
            await self._changed.wait()
            self._dialer.check_open()
        for number, attempt in attempts.items():
            if attempt.failure is not None:
                raise attempt.failure
            if number in self._connections:
                await self._connections[number].ping()
        return self._roster.has_idle(key, trio.current_time())

    def statistics(self) -> PoolStatistics:
        """Returns how many connections are in which state, and the counts so far."""
        return self._roster.statistics()

    async def aclose(self) -> None:
        """Closes all connections, each within ``close_timeout``, and stops all dialing.

        Sessions that wait for a lease fail with `trio.ClosedResourceError`.
        """
        self._dialer.close()
        for pending in list(self._pending.values()):
            self._withdraw(pending)
            pending.fail(closed())
        self._carry_out(self._roster.end())
        while self._closing:
            await self._changed.wait()

    # ------------------------------------------------------------ what connections report (see `PoolCallbacks`)

    def returned(self, connection: PooledConnection) -> None:
        """Call when a lease has ended with nothing outstanding: the connection is idle."""
        self._carry_out(self._roster.returned(connection.number, trio.current_time()))

    def abandoned(self, connection: PooledConnection) -> None:
        """Call when a lease has ended in the middle of a generation: the connection is kept until that has ended."""
        self._guard.start_soon(connection.cancel_generation)
        self._carry_out(self._roster.abandoned(connection.number, trio.current_time()))

    def drained(self, connection: PooledConnection) -> None:
        """Call when an abandoned generation has ended: the connection is idle."""
        self._carry_out(self._roster.drained(connection.number, trio.current_time()))

    def ponged(self, connection: PooledConnection, seconds: float) -> None:
        """Call when a ping was answered after `seconds`."""
        self._roster.ponged(connection.number, seconds, trio.current_time())
        self._dialer.telemetry.measure("ping", seconds, connection.endpoint)

    def retiring(self, connection: PooledConnection) -> None:
        """Call when the connection may not be leased again, as when the service has announced that it will end it."""
        self._roster.retire(connection.number)
        self._carry_out(self._roster.tick(trio.current_time()))

    def died(self, connection: PooledConnection, cause: Cause) -> None:
        """Call when the connection has ended by itself, because of `cause`."""
        self._connections.pop(connection.number, None)
        if not connection.is_leased:
            log.idle_ended(connection.endpoint, cause)
        self._carry_out(self._roster.died(connection.number, cause, trio.current_time()))

    # ------------------------------------------------------------ carrying out what the roster decides

    async def _keep_time(self) -> None:
        while True:
            self._next_tick = due = self._roster.due()
            await self._tick_sooner.wait_until(due)
            if due is not None and trio.current_time() >= due:
                self._carry_out(self._roster.tick(trio.current_time()))

    def _carry_out(self, actions: Iterable[Action], *, new: int | None = None, failed: LinkDown | None = None) -> None:
        for action in actions:
            match action:
                case DialConnection(number, key, former):
                    self._attempts[number] = DialAttempt(number, self._routes[key])
                    replaced = None if former is None else self._take_out(former)
                    self._guard.start_soon(partial(self._dial, number, self._routes[key], replaced))
                case GrantLease(ticket, number):
                    self._grant(self._pending.pop(ticket), self._connections[number], reused=number != new)
                case RefuseLease(ticket, cause):
                    self._pending.pop(ticket).fail(failed or LinkDown(cause))
                case CloseConnection(number, why) if number in self._attempts:
                    self._attempts[number].call_off(why)
                case CloseConnection(number, why):
                    self._guard.start_soon(partial(self._close, self._take_out(number), why))
        self._changed.fire()
        # The timer sleeps until the time that was due before: wake it only if the new one is earlier.
        due = self._roster.due()
        if due is not None and (self._next_tick is None or due < self._next_tick):
            self._tick_sooner.fire()

    def _grant(self, pending: PendingLease, connection: PooledConnection, *, reused: bool) -> None:
        connection.lease_to(pending.holder, reused=reused)
        pending.grant(connection)

    async def _dial(self, number: int, route: VoiceRoute, replaced: PooledConnection | None) -> None:
        if replaced is not None:
            await self._close(replaced, "it made room for another")
        began = trio.current_time()
        try:
            connection = await self._connect(number)
        except LinkDown as down:
            self._note_setback(route, down.cause)
            self._carry_out(self._roster.failed(number, down.cause, trio.current_time()), failed=down)
        except trio.ClosedResourceError as gone:  # the client is closing: `aclose` has failed the sessions that waited
            self._carry_out(self._roster.failed(number, Broken(str(gone)), trio.current_time()))
        else:
            self._dialed(number, connection, began)

    async def _connect(self, number: int) -> PooledConnection | None:
        try:
            return await self._attempts[number].connect(
                self._dialer, self._multiplexer, self._guard, self, permit=self._reserve
            )
        finally:
            del self._attempts[number]

    def _reserve(self) -> Release | None:
        number = self._roster.reserve(trio.current_time())
        if number is None:
            return None
        return lambda: self._carry_out(self._roster.closed(number, trio.current_time()))

    def _dialed(self, number: int, connection: PooledConnection | None, began: float) -> None:
        now = trio.current_time()
        if connection is None:
            self._carry_out(self._roster.closed(number, now))
            return
        self._connections[number] = connection
        self._guard.start_soon(connection.run)
        # A stream of a shared connection that was open before counts as reused: that connection may be dead.
        new = number if connection.opened_at >= began else None
        cap = connection.provider.profile.session_cap
        self._carry_out(self._roster.dialed(number, now, opened=connection.opened_at, cap=cap), new=new)

    def _note_setback(self, route: VoiceRoute, cause: Cause) -> None:
        for pending in self._pending.values():
            if pending.key == route.key:
                pending.setback = cause

    def _take_out(self, number: int) -> PooledConnection:
        """Removes and returns a connection that is about to be closed, and counts the close as under way."""
        self._closing += 1
        return self._connections.pop(number)

    async def _close(self, connection: PooledConnection, why: str) -> None:
        try:
            await connection.close(why)
        finally:
            self._closing -= 1
            self._carry_out(self._roster.closed(connection.number, trio.current_time()))

    # ------------------------------------------------------------ requests for leases

    def _ask(self, route: VoiceRoute, key: Hashable, holder: LeaseHolder, now: float, *, fresh: bool) -> PendingLease:
        self._tickets += 1
        pending = self._pending[self._tickets] = PendingLease(self._tickets, key, holder)
        self._routes.add(key, route)
        self._carry_out(self._roster.ask(pending.ticket, key, now, fresh=fresh))
        return pending

    async def _until_answered(self, pending: PendingLease, until: float) -> None:
        """Waits until the request is answered, for at most ``acquire_timeout``; withdraws it if it is not.

        From the moment `until` on, it does not wait for a dial any more.
        """
        answered, began = False, trio.current_time()
        try:
            with trio.move_on_after(self._policy.acquire_timeout):
                with trio.move_on_at(until):
                    await pending.wait()
                if not pending.is_answered and self._is_dialing(pending.key):
                    pending.setback = Silent("connection", round(trio.current_time() - began, 1))
                else:
                    await pending.wait()
            answered = pending.is_answered
        finally:
            if not answered:
                self._withdraw(pending)

    def _is_dialing(self, key: Hashable) -> bool:
        return any(attempt.route.key == key for attempt in self._attempts.values())

    def _withdraw(self, pending: PendingLease) -> None:
        self._pending.pop(pending.ticket, None)
        self._roster.withdraw(pending.ticket)
        if pending.connection is not None:
            pending.connection.give_back()
