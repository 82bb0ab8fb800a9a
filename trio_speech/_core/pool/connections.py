"""The connections of a pool: the state of each, and how long it may stay in it.

Laws
    1. A connection counts toward `max_size` in every state: dialing, idle, leased, draining, closing.
    2. An idle connection ends after `max_idle_age`. Every connection ends after `max_age`, shortened by jitter, but
       never while it is leased.
    3. A connection whose generation was abandoned is drained for as long as the last dial took, at most `PATIENCE`:
       waiting longer than that would be slower than a new dial.
    4. When a ping on one connection fails, every idle connection that has shown no sign of life since that ping was
       sent is suspect: what broke one path has probably broken the others.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from random import Random

from ...policy import PoolPolicy
from .actions import PooledEntry, State

SHARE_OF_CAP = 0.9
"""The share of the service's own age limit during which a connection is leased, so that the last lease has time to
end."""

PATIENCE = 1.0
"""The most seconds to wait for the end of an abandoned generation."""


class Connections:
    """All connections from the start of their dials until they are gone, by number.

    Times are in seconds from any origin.
    """

    def __init__(self, policy: PoolPolicy, random: Random) -> None:
        self._policy = policy
        self._random = random
        self._entries: dict[int, PooledEntry] = {}
        self._dial_time = 0.0
        self.newest = 0
        """The number of the connection that was dialed last."""

    @property
    def room(self) -> int:
        """How many more connections `max_size` allows."""
        return self._policy.max_size - len(self._entries)

    def all(self) -> list[PooledEntry]:
        """Returns all connections, in the order of their dials."""
        return list(self._entries.values())

    def among(self, *states: State) -> list[PooledEntry]:
        """Returns the connections in any of `states`."""
        return [entry for entry in self._entries.values() if entry.state in states]

    def idle(self, key: Hashable, now: float) -> list[PooledEntry]:
        """Returns the idle connections for `key` that are not too old."""
        entries = self._entries.values()
        return [entry for entry in entries if entry.state == "idle" and entry.key == key and now < entry.until]

    def count(self, key: Hashable, state: State) -> int:
        """Returns how many connections for `key` are in `state`."""
        return sum(entry.key == key and entry.state == state for entry in self._entries.values())

    def find(self, number: int, state: State) -> PooledEntry | None:
        """Returns connection `number` if it is in `state`; else ``None``."""
        entry = self._entries.get(number)
        return entry if entry and entry.state == state else None

    # ------------------------------------------------------------ changes of state

    def dial(self, key: Hashable, ticket: int | None, now: float) -> int:
        """Adds a connection that is being dialed, for the request `ticket` or for none. Returns its number."""
        self.newest += 1
        self._entries[self.newest] = PooledEntry(number=self.newest, key=key, ticket=ticket, begun=now, since=now)
        return self.newest

    def dialed(self, number: int, now: float, opened: float | None, cap: float | None = None) -> PooledEntry:
        """Call when the dial of connection `number` has succeeded. Returns the connection.

        `opened`: when its websocket was opened, where it shares one that was open already; ``None``: just now. `cap`:
        the age in seconds at which the service closes that websocket; ``None``: no limit is known.
        """
        entry = self._entries[number]
        self._dial_time = now - entry.begun
        age = self._policy.max_age * (1.0 - self._random.uniform(0.0, self._policy.age_jitter))
        if cap is not None:
            age = min(age, cap * SHARE_OF_CAP)
        entry.proved = now
        entry.ends = (now if opened is None else opened) + age
        return entry

    def become(self, entry: PooledEntry, state: State, now: float) -> None:
        """Changes the state of `entry`."""
        entry.state, entry.since = state, now
        entry.until = self._end_of(entry)

    def reserved(self, number: int) -> None:
        """Makes connection `number` a mere placeholder, which counts toward `max_size` until `gone` is called."""
        self.closing(self._entries[number])

    def closing(self, entry: PooledEntry) -> None:
        """Call when `entry` is being closed. It counts toward `max_size` until it is gone."""
        entry.state, entry.until = "closing", math.inf

    def retire(self, number: int) -> None:
        """Makes a connection count as too old, so that it is not leased again."""
        entry = self._entries.get(number)
        if entry:
            entry.ends = -math.inf
            entry.until = self._end_of(entry)

    def proved(self, number: int, now: float) -> None:
        """Call when the connection has shown that it is alive."""
        if number in self._entries:
            self._entries[number].proved = now

    def gone(self, number: int) -> PooledEntry | None:
        """Removes a connection, and returns it; ``None`` where it was removed before."""
        return self._entries.pop(number, None)

    # ------------------------------------------------------------ what is to be closed

    def over(self, now: float) -> list[PooledEntry]:
        """Returns the connections that must be closed now."""
        return [entry for entry in self._entries.values() if now >= entry.until]

    def due(self) -> float:
        """Returns the earliest moment at which a connection must be closed; infinite where there is none."""
        return min([entry.until for entry in self._entries.values()], default=math.inf)

    def suspects(self, sent: float) -> list[PooledEntry]:
        """Returns the idle connections that have shown no sign of life since the moment `sent`."""
        return [entry for entry in self._entries.values() if entry.state == "idle" and entry.proved < sent]

    def _end_of(self, entry: PooledEntry) -> float:
        if entry.state == "draining":
            return entry.since + min(self._dial_time, PATIENCE)
        return min(entry.ends, entry.since + self._policy.max_idle_age) if entry.state == "idle" else math.inf
