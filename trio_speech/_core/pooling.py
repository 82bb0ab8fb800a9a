"""What a pool of connections remembers, what it is told to do, and what it has seen."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal, TypeAlias

from msgspec import Struct

from .causes import Cause

State: TypeAlias = Literal["dialling", "idle", "leased", "draining", "closing"]


class Entry(Struct, kw_only=True):
    """One connection, from its dial on. Moments are in seconds, on the roster's clock."""

    number: int
    key: Hashable
    state: State = "dialling"
    ticket: int | None
    """Who asked for the dial."""
    begun: float
    """When the dial began."""
    since: float
    """When the current state began."""
    ends: float = 0.0
    """The end of its age."""
    until: float = math.inf
    """When it is to be closed unless its state changes."""
    proved: float = 0.0
    """The last proof of life."""
    used: bool = False


class Waiter(Struct, frozen=True):
    """Somebody who waits for a connection; `fresh`: for one numbered above `after`, and that nobody has used."""

    ticket: int
    key: Hashable
    fresh: bool
    after: int

    def takes(self, entry: Entry, now: float) -> bool:
        """Whether `entry` will do."""
        if entry.state != "idle" or entry.key != self.key or now >= entry.ends:
            return False
        return not self.fresh or (not entry.used and entry.number > self.after)


class Dial(Struct, frozen=True):
    """Dial for `key`, once goodbye is said to `former` if there is one; the outcome is reported as `connection`."""

    connection: int
    key: Hashable
    former: int | None = None


class Grant(Struct, frozen=True):
    """The waiter `ticket` has the lease of `connection`."""

    ticket: int
    connection: int


class Refuse(Struct, frozen=True):
    """The dial that was made for the waiter `ticket` has failed."""

    ticket: int
    cause: Cause


class Close(Struct, frozen=True):
    """Say goodbye to `connection`, or call its dial off; the end of that is reported."""

    connection: int
    why: str


Action: TypeAlias = Dial | Grant | Refuse | Close


class PoolStatistics(Struct, frozen=True, kw_only=True):
    """A client's pool of speech connections: how it stands, and what it has seen."""

    idle: int
    leased: int
    dialling: int
    draining: int
    """Returned in the middle of a generation, whose end is being waited for."""
    waiting: int
    """Sessions that wait for a connection."""
    dialled: int
    dials_failed: int
    reused: int
    """Leases of a connection that had served before."""
    drained: int
    """Connections kept because an abandoned generation ended soon."""
    dead_found: int
    """Idle connections found dead, by a close, a reset or a ping, before anybody needed them."""
    doubted: int
    """Idle connections closed because a ping on another one had failed."""
    expired: int
    evicted: int
    """Idle connections closed to make room for another kind."""
    ping: float | None
    """Seconds that the last answered ping took; ``None`` before there was one."""
    ping_worst: float | None


class Counts(Struct):
    """The part of the statistics that only grows."""

    dialled: int = 0
    dials_failed: int = 0
    reused: int = 0
    drained: int = 0
    dead_found: int = 0
    doubted: int = 0
    expired: int = 0
    evicted: int = 0
    ping: float | None = None
    ping_worst: float | None = None
