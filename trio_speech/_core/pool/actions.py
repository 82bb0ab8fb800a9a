"""The pool's data types: its connections, the requests that wait for one, and the actions for the shell, which does the
I/O, to carry out.

A connection's *key* says what it was dialed for; requests with equal keys share connections. A *ticket* is the number
of a request for a connection. A *lease* is the use of a connection by one request at a time.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal, TypeAlias

from msgspec import Struct

from ..retry.causes import Cause

State: TypeAlias = Literal["dialing", "idle", "leased", "draining", "closing"]


class PooledEntry(Struct, kw_only=True):
    """One connection, from the start of its dial. Moments are in seconds from the same origin as the roster's."""

    number: int
    key: Hashable
    state: State = "dialing"
    ticket: int | None
    """The request that it was dialed for; ``None``: it was dialed ahead of need."""
    begun: float
    """When the dial began."""
    since: float
    """When the current state began."""
    ends: float = 0.0
    """From when on it is too old to be leased (`PoolPolicy.max_age`)."""
    until: float = math.inf
    """When it must be closed, unless its state changes first; infinite: never."""
    proved: float = 0.0
    """When it was last known to be alive: dialed, or answered a ping."""
    used: bool = False
    """Whether it has been leased before."""


class Waiter(Struct, frozen=True):
    """A request that waits for a connection.

    `fresh`: it takes only a connection that was never leased and was dialed after the request, which means that its
    number is above `after`.
    """

    ticket: int
    key: Hashable
    fresh: bool
    after: int

    def takes(self, entry: PooledEntry, now: float) -> bool:
        """Whether the connection `entry` can be leased to this request."""
        if entry.state != "idle" or entry.key != self.key or now >= entry.ends:
            return False
        return not self.fresh or (not entry.used and entry.number > self.after)


class DialConnection(Struct, frozen=True):
    """Dial a connection for `key`, after closing the connection `former`, if that is given.

    Report the outcome by `Roster.dialed` or `Roster.failed`, with the number `connection`.
    """

    connection: int
    key: Hashable
    former: int | None = None


class GrantLease(Struct, frozen=True):
    """Give the request `ticket` a lease of `connection`."""

    ticket: int
    connection: int


class RefuseLease(Struct, frozen=True):
    """Tell the request `ticket` that the dial made for it failed because of `cause`."""

    ticket: int
    cause: Cause


class CloseConnection(Struct, frozen=True):
    """Close `connection`, or cancel its dial. Call `Roster.closed` when that is done. `why`: for logs."""

    connection: int
    why: str


Action: TypeAlias = DialConnection | GrantLease | RefuseLease | CloseConnection


class PoolCounts(Struct):
    """The counts of `PoolStatistics`. Its other fields are computed from the states of the connections."""

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
