"""The connections of a pool: in which state each of them is, and until when it may be.

Laws
    1. One that is dialed, leased, draining or being closed takes up room as one that is idle does.
    2. An idle one ends after `max_idle_age`; all end after `max_age`, shortened by jitter, but none while it is leased.
    3. One that was left in mid-speech is drained for as long as a dial takes, at most `PATIENCE`.
    4. When a ping fails, those idle are in doubt that were not proved alive since it was sent.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from random import Random

from ...policy import PoolPolicy
from .actions import PooledEntry, State

PATIENCE = 1.0
"""Seconds at most that the end of an abandoned generation is waited for."""


class Connections:
    """All that have been dialed and are not gone, by number. Times are in seconds from any origin."""

    def __init__(self, policy: PoolPolicy, random: Random) -> None:
        self._policy = policy
        self._random = random
        self._entries: dict[int, PooledEntry] = {}
        self._dial_time = 0.0
        self.newest = 0
        """The number of the last one dialed."""

    @property
    def room(self) -> int:
        """How many more may be dialed."""
        return self._policy.max_size - len(self._entries)

    def all(self) -> list[PooledEntry]:
        """Every connection, in the order in which they were dialed."""
        return list(self._entries.values())

    def among(self, *states: State) -> list[PooledEntry]:
        """Those in one of these states."""
        return [entry for entry in self._entries.values() if entry.state in states]

    def idle(self, key: Hashable, now: float) -> list[PooledEntry]:
        """Those of this kind that wait to be used, and whose time for that has not passed."""
        entries = self._entries.values()
        return [entry for entry in entries if entry.state == "idle" and entry.key == key and now < entry.until]

    def count(self, key: Hashable, state: State) -> int:
        """How many there are of this kind in this state."""
        return sum(entry.key == key and entry.state == state for entry in self._entries.values())

    def find(self, number: int, state: State) -> PooledEntry | None:
        """The one of this number, if it is in this state."""
        entry = self._entries.get(number)
        return entry if entry and entry.state == state else None

    # ------------------------------------------------------------ what becomes of them

    def dial(self, key: Hashable, ticket: int | None, now: float) -> int:
        """Begins with a new one, for the waiter `ticket` if for any; returns its number."""
        self.newest += 1
        self._entries[self.newest] = PooledEntry(number=self.newest, key=key, ticket=ticket, begun=now, since=now)
        return self.newest

    def dialed(self, number: int, now: float, opened: float | None) -> PooledEntry:
        """It is open: its age begins, or did when it was `opened`."""
        entry = self._entries[number]
        self._dial_time = now - entry.begun
        age = self._policy.max_age * (1.0 - self._random.uniform(0.0, self._policy.age_jitter))
        entry.proved = now
        entry.ends = (now if opened is None else opened) + age
        return entry

    def become(self, entry: PooledEntry, state: State, now: float) -> None:
        """It passes into another state."""
        entry.state, entry.since = state, now
        entry.until = self._end_of(entry)

    def closing(self, entry: PooledEntry) -> None:
        """It is told goodbye; until that is over it keeps its place."""
        entry.state, entry.until = "closing", math.inf

    def retire(self, number: int) -> None:
        """It is too old from now on."""
        entry = self._entries.get(number)
        if entry:
            entry.ends = -math.inf
            entry.until = self._end_of(entry)

    def proved(self, number: int, now: float) -> None:
        """It is alive."""
        if number in self._entries:
            self._entries[number].proved = now

    def gone(self, number: int) -> PooledEntry | None:
        """It is no more; what it was until now."""
        return self._entries.pop(number, None)

    # ------------------------------------------------------------ which are to be closed

    def over(self, now: float) -> list[PooledEntry]:
        """Those whose time in their state has passed."""
        return [entry for entry in self._entries.values() if now >= entry.until]

    def due(self) -> float:
        """When the next one is `over`."""
        return min([entry.until for entry in self._entries.values()], default=math.inf)

    def doubtful(self, sent: float) -> list[PooledEntry]:
        """Those idle and not proved alive since the moment `sent`."""
        return [entry for entry in self._entries.values() if entry.state == "idle" and entry.proved < sent]

    def _end_of(self, entry: PooledEntry) -> float:
        if entry.state == "draining":
            return entry.since + min(self._dial_time, PATIENCE)
        return min(entry.ends, entry.since + self._policy.max_idle_age) if entry.state == "idle" else math.inf
