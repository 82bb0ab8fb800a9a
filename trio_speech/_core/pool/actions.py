"""The records of the pool: its connections, who waits for one, and the actions that the shell is to carry out."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal, TypeAlias

from msgspec import Struct

from ..retry.causes import Cause

State: TypeAlias = Literal["dialing", "idle", "leased", "draining", "closing"]


class PooledEntry(Struct, kw_only=True):
    """One connection, from the start of its dial. Moments are in seconds on the roster's clock."""

    number: int
    key: Hashable
    state: State = "dialing"
    ticket: int | None
    """The request that it was dialed for, if for any."""
    begun: float
    """When the dial began."""
    since: float
    """When the current state began."""
    ends: float = 0.0
    """When it is too old to be leased (`PoolPolicy.max_age`)."""
    until: float = math.inf
    """When it must be closed, unless its state changes before."""
    proved: float = 0.0
    """When it was last known to be alive: dialed, or answered a ping."""
    used: bool = False
    """It has been leased before."""


class Waiter(Struct, frozen=True):
    """A request that waits for a connection. A `fresh` one only takes a connection that was dialed after the request
    (its number is above `after`) and was never leased.
    """

    ticket: int
    key: Hashable
    fresh: bool
    after: int

    def takes(self, entry: PooledEntry, now: float) -> bool:
        """Whether `entry` can be granted to this request."""
        if entry.state != "idle" or entry.key != self.key or now >= entry.ends:
            return False
        return not self.fresh or (not entry.used and entry.number > self.after)


class DialConnection(Struct, frozen=True):
    """Dial for `key`, after `former` (if any) is closed. The outcome is to be reported for the number `connection`."""

    connection: int
    key: Hashable
    former: int | None = None


class GrantLease(Struct, frozen=True):
    """The request `ticket` is answered with a lease of `connection`."""

    ticket: int
    connection: int


class RefuseLease(Struct, frozen=True):
    """The request `ticket` is answered with a failure: the dial made for it failed of `cause`."""

    ticket: int
    cause: Cause


class CloseConnection(Struct, frozen=True):
    """Close `connection`, or call its dial off. Report it with `Roster.closed` when that is done."""

    connection: int
    why: str


Action: TypeAlias = DialConnection | GrantLease | RefuseLease | CloseConnection


class PoolCounts(Struct):
    """The part of `PoolStatistics` that is counted; the rest follows from the connections' states."""

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
