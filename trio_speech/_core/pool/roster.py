"""The decisions of a connection pool. Nothing here waits: each event returns what the shell is to do.

Laws
    1. State moves with the decision: a connection that is promised to a waiter is leased from that moment on.
    2. A permit comes before a dial. Dialing, idle, leased and draining connections together never exceed `max_size`.
    3. Late binding: a waiter takes whichever comes first, a connection that is returned or one that is dialed. Who has
       waited longest is served first; the connection used last goes first.
    4. Who asks for a fresh connection gets one that was dialed since, and that nobody has used.
    5. Equal keys share connections. At `max_size`, the one that has been idle longest makes room for another key, for
       who waits or to be made ready; where none is idle, a dial that nobody waits for makes room for who does.
    6. Connections end with their ages (see `connections`), and when a ping fails, with those that it casts doubt on.
    7. Spares are dialed for keys in use alone; not before `SPARE_PAUSE` after a failed dial, or after one that opened
       and died before anybody used it.

    event                      the connection becomes            and then, after every event, while it holds:
    ────────────────────────   ──────────────────────────────    ────────────────────────────────────────────
    dialed                    idle                              one is idle, one waits         → Grant
    dial failed                gone; who asked for it: Refuse    one waits, and there is room   → Dial
    returned                   idle                              … no room, but one idle        → Close, Dial
    abandoned in mid-speech    draining, for as long as a        too few spares, and room       → Dial
                               dial takes, at most `PATIENCE`    too old, or drained too long   → Close
    drained                    idle
    told to Close              closing: it takes its place until it is closed
    to be dialed instead      gone: its place is the other's, which is dialed once it is closed
    closed                     gone
    died                       gone, and the doubtful are closing
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

SPARE_PAUSE = 5.0
"""Seconds without a dial for spares after one that was in vain."""

_since = attrgetter("since")


class Roster:
    """Who has which connection. Times are in seconds from any origin; tickets and connections are numbers."""

    def __init__(self, policy: PoolPolicy, random: Random) -> None:
        self._policy = policy
        self._keeps_spares = policy.min_idle > 0 and policy.max_idle_age > 0
        self._connections = Connections(policy, random)
        self._waiters: dict[int, Waiter] = {}
        self._in_use: dict[Hashable, float] = {}
        self._no_spares_before = 0.0
        self._counts = PoolCounts()

    # ------------------------------------------------------------ waiters

    def ask(self, ticket: int, key: Hashable, now: float, *, fresh: bool = False) -> list[Action]:
        """Somebody waits for a connection."""
        self._waiters[ticket] = Waiter(ticket, key, fresh, self._connections.newest)
        return self._settle(now)

    def withdraw(self, ticket: int) -> None:
        """Who waited no longer does. A dial under way for it goes on, and serves whom it can."""
        self._waiters.pop(ticket, None)

    def warm(self, key: Hashable, count: int, now: float) -> list[DialConnection]:
        """Makes idle connections ready, up to `count` and to what `max_size` and those in use leave."""
        missing = max(count - self._spares(key), 0)
        room = min(missing, self._connections.room)
        others = sorted((entry for entry in self._connections.among("idle") if entry.key != key), key=_since)
        dials = [self._dial(key, None, now) for _ in range(room)]
        return [*dials, *(self._dial_instead(entry, key, now) for entry in others[: missing - room])]

    # ------------------------------------------------------------ connections

    def dialed(self, number: int, now: float, *, opened: float | None = None) -> list[Action]:
        """A dial has succeeded; `opened`: when the connection was, if it is shared and older."""
        self._counts.dialed += 1
        return self._rest(self._connections.dialed(number, now, opened), now)

    def failed(self, number: int, cause: Cause, now: float) -> list[Action]:
        """A dial has failed."""
        entry = self._connections.gone(number)
        self._counts.dials_failed += 1
        self._no_spares_before = now + SPARE_PAUSE
        if entry is None or entry.ticket is None or self._waiters.pop(entry.ticket, None) is None:
            return self._settle(now)
        return [RefuseLease(entry.ticket, cause), *self._settle(now)]

    def returned(self, number: int, now: float) -> list[Action]:
        """A lease has ended with nothing outstanding."""
        entry = self._connections.find(number, "leased")
        return self._rest(entry, now) if entry else []

    def abandoned(self, number: int, now: float) -> list[Action]:
        """A lease has ended in the middle of a generation."""
        entry = self._connections.find(number, "leased")
        if entry:
            self._connections.become(entry, "draining", now)
        return self._settle(now)

    def drained(self, number: int, now: float) -> list[Action]:
        """The generation that was abandoned is over."""
        entry = self._connections.find(number, "draining")
        if entry is None:
            return []
        self._counts.drained += 1
        return self._rest(entry, now)

    def closed(self, number: int, now: float) -> list[Action]:
        """The goodbye that was asked for is over."""
        self._connections.gone(number)
        return self._settle(now)

    def end(self) -> list[Action]:
        """Nobody will ask for a connection any more, and no spare is needed."""
        self._in_use.clear()
        open_ones = self._connections.among("idle", "leased", "draining")
        return [self._close(entry, "the client is done") for entry in open_ones]

    def died(self, number: int, cause: Cause, now: float) -> list[Action]:
        """A connection is gone, whoever had it."""
        entry = self._connections.gone(number)
        if entry and entry.state == "idle":
            self._counts.dead_found += 1
            if not entry.used:
                self._no_spares_before = max(self._no_spares_before, entry.since + SPARE_PAUSE)
        doubtful = self._doubt(now - cause.seconds) if entry and isinstance(cause, Silent) else []
        return [*doubtful, *self._settle(now)]

    def retire(self, number: int) -> None:
        """A connection is to serve nobody after its present lease."""
        self._connections.retire(number)

    def ponged(self, number: int, seconds: float, now: float) -> None:
        """A ping was answered, `seconds` after it was sent."""
        self._connections.proved(number, now)
        self._counts.ping = seconds
        self._counts.ping_worst = max(seconds, self._counts.ping_worst or 0.0)

    # ------------------------------------------------------------ time

    def due(self) -> float | None:
        """When `tick` is to be called next."""
        moment = self._connections.due()
        if self._keeps_spares and self._connections.room > 0 and any(map(self._lacks_spares, self._in_use)):
            moment = min(moment, self._no_spares_before)
        return None if moment == math.inf else moment

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        return self._settle(now)

    def statistics(self) -> PoolStatistics:
        """How the pool stands, and what it has seen."""
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
        """All keys that have connections, waiters or spares."""
        connected = {entry.key for entry in self._connections.all()}
        return connected | {waiter.key for waiter in self._waiters.values()} | set(self._in_use)

    def has_idle(self, key: Hashable, now: float) -> bool:
        """Whether a connection of this kind waits to be used: who asks for any has it at once."""
        return bool(self._connections.idle(key, now))

    def dialing(self) -> set[int]:
        """The connections being dialed."""
        return {entry.number for entry in self._connections.among("dialing")}

    # ------------------------------------------------------------ decisions

    def _rest(self, entry: PooledEntry, now: float) -> list[Action]:
        self._connections.become(entry, "idle", now)
        return self._settle(now, rested=entry)

    def _settle(self, now: float, rested: PooledEntry | None = None) -> list[Action]:
        actions: list[Action] = list(self._expire(now, rested))
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
        if rested is not None and now >= rested.until:
            actions.append(self._expire_one(rested))
        return [*actions, *self._dial_spares(now)]

    def _grant(self, waiter: Waiter, entry: PooledEntry, now: float) -> GrantLease:
        del self._waiters[waiter.ticket]
        self._counts.reused += entry.used
        entry.used = True
        self._connections.become(entry, "leased", now)
        self._in_use[entry.key] = now
        return GrantLease(waiter.ticket, entry.number)

    def _dial(self, key: Hashable, ticket: int | None, now: float) -> DialConnection:
        return DialConnection(self._connections.dial(key, ticket, now), key)

    def _dial_instead(self, idle: PooledEntry, key: Hashable, now: float) -> DialConnection:
        self._connections.gone(idle.number)
        self._counts.evicted += 1
        return DialConnection(self._connections.dial(key, None, now), key, idle.number)

    def _is_dialed_for(self, waiter: Waiter, lacking: int) -> bool:
        if not waiter.fresh:
            return self._connections.count(waiter.key, "dialing") >= lacking
        return any(each.ticket == waiter.ticket for each in self._connections.among("dialing"))

    def _make_room(self, wanted: int) -> Iterator[CloseConnection]:
        if len(self._connections.among("closing")) >= wanted:
            return
        if idle := self._connections.among("idle"):
            self._counts.evicted += 1
            yield self._close(min(idle, key=_since), "it made room for another")
        elif dials := [entry for entry in self._connections.among("dialing") if self._is_needless(entry)]:
            yield self._close(dials[-1], "somebody waited for another")

    def _is_needless(self, dial: PooledEntry) -> bool:
        return dial.ticket not in self._waiters and self._spares(dial.key) > 0

    def _dial_spares(self, now: float) -> Iterator[DialConnection]:
        if not self._keeps_spares or now < self._no_spares_before:
            return
        for key in self._in_use:
            while self._connections.room > 0 and self._lacks_spares(key):
                yield self._dial(key, None, now)

    def _lacks_spares(self, key: Hashable) -> bool:
        return self._spares(key) < self._policy.min_idle

    def _spares(self, key: Hashable) -> int:
        wanted = sum(waiter.key == key for waiter in self._waiters.values())
        return self._connections.count(key, "idle") + self._connections.count(key, "dialing") - wanted

    def _expire(self, now: float, rested: PooledEntry | None = None) -> Iterator[CloseConnection]:
        for entry in self._connections.over(now):
            if entry is not rested:
                yield self._expire_one(entry)
        for key, used in list(self._in_use.items()):
            if now >= used + self._policy.max_idle_age and not self._connections.count(key, "leased"):
                del self._in_use[key]

    def _expire_one(self, entry: PooledEntry) -> CloseConnection:
        self._counts.expired += entry.state == "idle"
        return self._close(entry, "it was too old" if entry.state == "idle" else "its generation went on")

    def _doubt(self, sent: float) -> list[Action]:
        doubtful = self._connections.doubtful(sent)
        self._counts.doubted += len(doubtful)
        return [self._close(entry, "a ping on another connection failed") for entry in doubtful]

    def _close(self, entry: PooledEntry, why: str) -> CloseConnection:
        self._connections.closing(entry)
        return CloseConnection(entry.number, why)
