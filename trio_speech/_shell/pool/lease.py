"""What a session and the pool say to each other: which voice is asked for, and the request for a lease."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct

from ..._core.retry.causes import Cause
from ...errors import LinkError
from ...policy import PoolPolicy
from ...providers._codec import Connector, TtsProvider
from ...statistics import PoolStatistics
from ..concurrency.wakeup import Wakeup
from .callbacks import LeaseHolder
from .pooled_connection import PooledConnection

_MANY_ROUTES = 64


class VoiceRoute(Struct, frozen=True):
    """A voice, and how its service is reached: `connector` opens the byte stream, or ``None`` for plain TCP."""

    provider: TtsProvider
    connector: Connector | None

    @property
    def key(self) -> Hashable:
        """Sessions whose routes have equal keys share connections."""
        return (self.provider.endpoint, self.provider.pool_key, self.connector)


class RouteTable:
    """The routes by key. Beyond `_MANY_ROUTES`, those that `in_use` no longer names are forgotten."""

    def __init__(self, in_use: Callable[[], set[Hashable]]) -> None:
        self._in_use = in_use
        self._routes: dict[Hashable, VoiceRoute] = {}

    def __len__(self) -> int:
        return len(self._routes)

    def __getitem__(self, key: Hashable) -> VoiceRoute:
        return self._routes[key]

    def add(self, key: Hashable, route: VoiceRoute) -> None:
        """Remembers `route`, whose key is `key`."""
        if len(self._routes) > _MANY_ROUTES:
            in_use = self._in_use()
            self._routes = {each: old for each, old in self._routes.items() if each in in_use}
        self._routes[key] = route


class PendingLease:
    """A session's request for a connection, until the pool grants a lease or reports a failure."""

    def __init__(self, ticket: int, key: Hashable, holder: LeaseHolder) -> None:
        self.ticket = ticket
        self.key = key
        self.holder = holder
        self.setback: Cause | None = None
        """Why the most recent dial for this key failed while the request waited, whichever request it was for."""
        self.connection: PooledConnection | None = None
        """The leased connection, once there is one."""
        self.failure: Exception | None = None
        self.answered = Wakeup()

    @property
    def is_answered(self) -> bool:
        """Whether a connection or a failure is there."""
        return self.connection is not None or self.failure is not None

    def grant(self, connection: PooledConnection) -> None:
        """Answers with a leased connection."""
        self.connection = connection
        self.answered.fire()

    def fail(self, failure: Exception) -> None:
        """Answers with `failure`, unless an earlier one was reported."""
        self.failure = self.failure or failure
        self.answered.fire()


def exhausted(policy: PoolPolicy, now: PoolStatistics, endpoint: str) -> LinkError:
    """The error where no connection became free in time."""
    return LinkError(
        f"no speech connection became free within {policy.acquire_timeout:g} s (PoolPolicy.acquire_timeout): "
        f"{now.leased} are in use and {now.dialing} being dialed, of {policy.max_size} at most; leave sessions that "
        "are done, or raise PoolPolicy.max_size",
        endpoint=endpoint,
    )
