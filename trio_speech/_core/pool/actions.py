"""What a pool of connections remembers, what it is told to do, and what it has seen."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal, TypeAlias

from msgspec import Struct

from ..retry.causes import Cause

State: TypeAlias = Literal["dialing", "idle", "leased", "draining", "closing"]


class PooledEntry(Struct, kw_only=True):
    """One connection, from its dial on. Moments are in seconds, on the roster's clock."""

    number: int
    key: Hashable
    state: State = "dialing"
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

    def takes(self, entry: PooledEntry, now: float) -> bool:
        """Whether `entry` will do."""
        if entry.state != "idle" or entry.key != self.key or now >= entry.ends:
            return False
        return not self.fresh or (not entry.used and entry.number > self.after)


class DialConnection(Struct, frozen=True):
    """Dial for `key`, once goodbye is said to `former` if there is one; the outcome is reported as `connection`."""

    connection: int
    key: Hashable
    former: int | None = None


class GrantLease(Struct, frozen=True):
    """The waiter `ticket` has the lease of `connection`."""

    ticket: int
    connection: int


class RefuseLease(Struct, frozen=True):
    """The dial that was made for the waiter `ticket` has failed."""

    ticket: int
    cause: Cause


class CloseConnection(Struct, frozen=True):
    """Say goodbye to `connection`, or call its dial off; the end of that is reported."""

    connection: int
    why: str


Action: TypeAlias = DialConnection | GrantLease | RefuseLease | CloseConnection


class PoolCounts(Struct):
    """The part of the statistics that only grows."""

    dialed: int = 0
    dials_failed: int = 0
    reused: int = 0
    drained: int = 0
    dead_found: int = 0
    doubted: int = 0
    expired: int = 0
    evicted: int = 0
    ping: float | None = None
    ping_worst: float | None = None
