"""What a session asks the pool for (a voice), and the request by which it waits for a lease.

A lease is the exclusive use of a pooled connection by one session, until the session gives it back.
"""

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
    """A voice, and how to reach its service: `connector` opens the byte stream; ``None`` means TCP and TLS.

    `has_alternative`: whether its sessions have another backend, so that a dial that nobody answers is soon given up.
    """

    provider: TtsProvider
    connector: Connector | None
    has_alternative: bool = False

    @property
    def key(self) -> Hashable:
        """Identifies connections that serve this route: sessions whose routes have equal keys share connections."""
        return (self.provider.endpoint, self.provider.pool_key, self.connector)


class RouteTable:
    """The routes by key.

    If it holds more than `_MANY_ROUTES`, `add` drops those whose keys `in_use` does not return.
    """

    def __init__(self, in_use: Callable[[], set[Hashable]]) -> None:
        self._in_use = in_use
        self._routes: dict[Hashable, VoiceRoute] = {}

    def __len__(self) -> int:
        return len(self._routes)

    def __getitem__(self, key: Hashable) -> VoiceRoute:
        return self._routes[key]

    def add(self, key: Hashable, route: VoiceRoute) -> None:
        """Stores `route` under `key`, which is its key."""
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
        """Whether the pool has granted a connection or reported a failure."""
        return self.connection is not None or self.failure is not None

    async def wait(self) -> None:
        """Returns once the request is answered."""
        while not self.is_answered:
            await self.answered.wait()

    def grant(self, connection: PooledConnection) -> None:
        """Call when `connection` was leased for this request. Wakes the session."""
        self.connection = connection
        self.answered.fire()

    def fail(self, failure: Exception) -> None:
        """Call when the request failed. Wakes the session. Only the first failure is kept."""
        self.failure = self.failure or failure
        self.answered.fire()


def exhausted(policy: PoolPolicy, now: PoolStatistics, endpoint: str) -> LinkError:
    """Returns the error to raise if no connection became free within ``acquire_timeout``."""
    return LinkError(
        f"no speech connection became free within {policy.acquire_timeout:g} s (PoolPolicy.acquire_timeout): "
        f"{now.leased} are in use and {now.dialing} being dialed, of {policy.max_size} at most; leave sessions that "
        "are done, or raise PoolPolicy.max_size",
        endpoint=endpoint,
    )
