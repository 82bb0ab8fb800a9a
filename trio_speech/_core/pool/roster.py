"""The decisions of a connection pool: which connection is dialed, leased to a request, or closed, and when.

Nothing here waits or does I/O: the shell calls a method for each event, and carries out the actions that it returns.
The terms (*key*, *ticket*, *lease*) are defined in `actions`.

Laws
    1. A state changes when the decision is made: a connection that is granted to a request is leased from that moment.
    2. Dialing, idle, leased, draining and closing connections together never exceed `max_size`.
    3. A request takes whichever connection is ready first, one that is returned or one that is dialed. The oldest
       request is served first, with the connection that became idle last.
    4. A request for a fresh connection gets one that was dialed after the request and was never leased.
    5. Requests with equal keys share connections. Where `max_size` leaves no room for a request, the connection that
       has been idle longest is closed; where none is idle, a dial that no request waits for is cancelled.
    6. A connection is closed when it is too old, and when a failed ping on another one makes it suspect (see
       `connections`).
    7. Spares are dialed only for keys in use, and not for a while after a failed dial (see `spares`).

    event                      the connection becomes              after every event, repeated as long as it applies
    ────────────────────────   ────────────────────────────────    ─────────────────────────────────────────────────
    dialed                     idle                                a request waits, one is idle → GrantLease
    dial failed                gone; its request is refused        … none is idle, but room     → DialConnection
    returned                   idle                                … no room, but one idle     → CloseConnection
    abandoned in mid-speech    draining, see `connections`         too few spares, and room     → DialConnection
    drained                    idle                                too old, or drained too long → CloseConnection
    closing begins             closing: counts until it is closed
    replaced by a dial         gone: the dial begins once it is closed
    closed                     gone
    died                       gone; those that are suspect are closing
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from operator import attrgetter
from random import Random

from ...policy import PoolPolicy
from ...statistics import PoolStatistics
from ..retry.causes import Cause, Silent
from .actions import Action, CloseConnection, DialConnection, GrantLease, PoolCounts, PooledEntry, RefuseLease, Waiter
from .connections import Connections
from .spares import Spares

_since = attrgetter("since")


class Roster:
    """Decides which request gets which connection. Times are in seconds from any origin."""

    def __init__(self, policy: PoolPolicy, random: Random) -> None:
        self._connections = Connections(policy, random)
        self._waiters: dict[int, Waiter] = {}
        self._spares = Spares(policy, self._count_spares)
        self._counts = PoolCounts()

    # ------------------------------------------------------------ requests

    def ask(self, ticket: int, key: Hashable, now: float, *, fresh: bool = False) -> list[Action]:
        """Call when a session requests a connection for `key`. `fresh`: see `Waiter`."""
        self._waiters[ticket] = Waiter(ticket, key, fresh, self._connections.newest)
        return self._settle(now)

    def withdraw(self, ticket: int) -> None:
        """Call when the request is given up. A dial that was made for it goes on, and may serve another request."""
        self._waiters.pop(ticket, None)

    def warm(self, key: Hashable, count: int, now: float) -> list[DialConnection]:
        """Dials until `count` spares for `key` are idle or being dialed. Returns the dials.

        Where `max_size` leaves no room, idle connections for other keys are closed instead.
        """
        missing = max(count - self._count_spares(key), 0)
        room = min(missing, self._connections.room)
        others = sorted((entry for entry in self._connections.among("idle") if entry.key != key), key=_since)
        dials = [self._dial(key, None, now) for _ in range(room)]
        return [*dials, *(self._dial_instead(entry, key, now) for entry in others[: missing - room])]

    # ------------------------------------------------------------ connections

    def dialed(self, number: int, now: float, *, opened: float | None = None, cap: float | None = None) -> list[Action]:
        """Call when a dial has succeeded.

        `opened`: when the connection was opened, where it shares an older one. `cap`: the age in seconds at which the
        service ends it; ``None``: no limit is known.
        """
        self._counts.dialed += 1
        return self._make_idle(self._connections.dialed(number, now, opened, cap), now)

    def failed(self, number: int, cause: Cause, now: float) -> list[Action]:
        """Call when a dial has failed because of `cause`."""
        entry = self._connections.gone(number)
        self._counts.dials_failed += 1
        self._spares.pause(now)
        if entry is None or entry.ticket is None or self._waiters.pop(entry.ticket, None) is None:
            return self._settle(now)
        return [RefuseLease(entry.ticket, cause), *self._settle(now)]

    def returned(self, number: int, now: float) -> list[Action]:
        """Call when a lease has ended and no generation is under way on the connection."""
        entry = self._connections.find(number, "leased")
        return self._make_idle(entry, now) if entry else []

    def abandoned(self, number: int, now: float) -> list[Action]:
        """Call when a lease has ended in the middle of a generation."""
        entry = self._connections.find(number, "leased")
        if entry:
            self._connections.become(entry, "draining", now)
        return self._settle(now)

    def drained(self, number: int, now: float) -> list[Action]:
        """Call when an abandoned generation has ended: the connection can be leased again."""
        entry = self._connections.find(number, "draining")
        if entry is None:
            return []
        self._counts.drained += 1
        return self._make_idle(entry, now)

    def reserve(self, now: float) -> int | None:
        """Takes a place in the pool for a second dial beside one under way; ``None`` where there is no room.

        It is taken until `closed` is called with the number that is returned.
        """
        if self._connections.room <= 0:
            return None
        number = self._connections.dial(None, None, now)
        self._connections.reserved(number)
        return number

    def closed(self, number: int, now: float) -> list[Action]:
        """Call when a connection that was to be closed is closed, or a dial that was to be cancelled has ended."""
        self._connections.gone(number)
        return self._settle(now)

    def end(self) -> list[Action]:
        """Call when the client is closing and no request will come any more: closes all open connections."""
        self._spares.end()
        open_ones = self._connections.among("idle", "leased", "draining")
        return [self._close(entry, "the client was closed") for entry in open_ones]

    def died(self, number: int, cause: Cause, now: float) -> list[Action]:
        """Call when a connection has ended by itself, in any state, because of `cause`.

        Where a ping failed on it, the suspect connections are closed too.
        """
        entry = self._connections.gone(number)
        if entry and entry.state == "idle":
            self._counts.dead_found += 1
            if not entry.used:
                self._spares.pause(entry.since)
        suspects = self._close_suspects(now - cause.seconds) if entry and isinstance(cause, Silent) else []
        return [*suspects, *self._settle(now)]

    def retire(self, number: int) -> None:
        """Makes a connection count as too old, so that it is not leased again."""
        self._connections.retire(number)

    def ponged(self, number: int, seconds: float, now: float) -> None:
        """Call when a ping is answered, `seconds` after it was sent."""
        self._connections.proved(number, now)
        self._counts.ping = seconds
        self._counts.ping_worst = max(seconds, self._counts.ping_worst or 0.0)

    # ------------------------------------------------------------ time

    def due(self) -> float | None:
        """Returns when `tick` must be called, unless another event comes first; ``None``: not at all."""
        moment = self._connections.due()
        if self._connections.room > 0:
            moment = min(moment, self._spares.due())
        return None if moment == math.inf else moment

    def tick(self, now: float) -> list[Action]:
        """Call at the moment that `due` has returned: closes old connections, and dials spares."""
        return self._settle(now)

    def statistics(self) -> PoolStatistics:
        """Returns how many connections are in each state, and the counts so far."""
        states = [entry.state for entry in self._connections.all()]
        return PoolStatistics(
            idle=states.count("idle"),
            leased=states.count("leased"),
            dialing=states.count("dialing"),
            draining=states.count("draining"),
            waiting=len(self._waiters),
            **{name: getattr(self._counts, name) for name in PoolCounts.__struct_fields__},
        )

    def keys(self) -> set[Hashable]:
        """Returns all keys that have connections or waiting requests, or were used lately."""
        connected = {entry.key for entry in self._connections.all()}
        return connected | {waiter.key for waiter in self._waiters.values()} | self._spares.keys

    def has_idle(self, key: Hashable, now: float) -> bool:
        """Whether a connection for `key` is idle, so that a request for it is granted at once."""
        return bool(self._connections.idle(key, now))

    def dialing(self) -> set[int]:
        """Returns the numbers of the connections that are being dialed."""
        return {entry.number for entry in self._connections.among("dialing")}

    # ------------------------------------------------------------ decisions

    def _make_idle(self, entry: PooledEntry, now: float) -> list[Action]:
        self._connections.become(entry, "idle", now)
        return self._settle(now, returned=entry)

    def _settle(self, now: float, returned: PooledEntry | None = None) -> list[Action]:
        actions: list[Action] = list(self._expire(now, returned))
        lacking: dict[Hashable, int] = {}
        without_room = 0
        for waiter in list(self._waiters.values()):
            ready = [entry for entry in self._connections.all() if waiter.takes(entry, now)]
            if ready:
                actions.append(self._grant(waiter, max(ready, key=_since), now))
                continue
            lacking[waiter.key] = lacking.get(waiter.key, 0) + 1
            if self._is_dialed_for(waiter, lacking[waiter.key]):
                continue
            if self._connections.room > 0:
                actions.append(self._dial(waiter.key, waiter.ticket, now))
            else:
                without_room += 1
                actions += self._make_room(without_room)
        # A connection that is too old by now was still good enough for a request that waited for it.
        if returned is not None and now >= returned.until:
            actions.append(self._expire_one(returned))
        return [*actions, *self._dial_spares(now)]

    def _grant(self, waiter: Waiter, entry: PooledEntry, now: float) -> GrantLease:
        del self._waiters[waiter.ticket]
        self._counts.reused += entry.used
        entry.used = True
        self._connections.become(entry, "leased", now)
        self._spares.used(entry.key, now)
        return GrantLease(waiter.ticket, entry.number)

    def _dial(self, key: Hashable, ticket: int | None, now: float) -> DialConnection:
        return DialConnection(self._connections.dial(key, ticket, now), key)

    def _dial_instead(self, idle: PooledEntry, key: Hashable, now: float) -> DialConnection:
        self._connections.gone(idle.number)
        self._counts.evicted += 1
        return DialConnection(self._connections.dial(key, None, now), key, idle.number)

    def _is_dialed_for(self, waiter: Waiter, lacking: int) -> bool:
        # Any dial for the key will do, one for each request. But a fresh request waits for the dial made for it.
        if not waiter.fresh:
            return self._connections.count(waiter.key, "dialing") >= lacking
        return any(each.ticket == waiter.ticket for each in self._connections.among("dialing"))

    def _make_room(self, wanted: int) -> Iterator[CloseConnection]:
        """Closes one connection to make room for a request, unless `wanted` connections are being closed already."""
        if len(self._connections.among("closing")) >= wanted:
            return
        if idle := self._connections.among("idle"):
            self._counts.evicted += 1
            yield self._close(min(idle, key=_since), "it made room for another")
        elif dials := [entry for entry in self._connections.among("dialing") if self._is_needless(entry)]:
            yield self._close(dials[-1], "a session waited for another")

    def _is_needless(self, dial: PooledEntry) -> bool:
        return dial.ticket not in self._waiters and self._count_spares(dial.key) > 0

    def _dial_spares(self, now: float) -> Iterator[DialConnection]:
        while self._connections.room > 0 and (key := self._spares.lacking(now)) is not None:
            yield self._dial(key, None, now)

    def _count_spares(self, key: Hashable) -> int:
        wanted = sum(waiter.key == key for waiter in self._waiters.values())
        return self._connections.count(key, "idle") + self._connections.count(key, "dialing") - wanted

    def _expire(self, now: float, returned: PooledEntry | None = None) -> Iterator[CloseConnection]:
        for entry in self._connections.over(now):
            if entry is not returned:
                yield self._expire_one(entry)
        self._spares.expire(now, lambda key: self._connections.count(key, "leased"))

    def _expire_one(self, entry: PooledEntry) -> CloseConnection:
        self._counts.expired += entry.state == "idle"
        return self._close(entry, "it was too old" if entry.state == "idle" else "its generation went on")

    def _close_suspects(self, sent: float) -> list[Action]:
        suspects = self._connections.suspects(sent)
        self._counts.doubted += len(suspects)
        return [self._close(entry, "a ping on another connection failed") for entry in suspects]

    def _close(self, entry: PooledEntry, why: str) -> CloseConnection:
        self._connections.closing(entry)
        return CloseConnection(entry.number, why)
