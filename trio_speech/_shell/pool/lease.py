"""What a session and the pool have between them: the voice that is asked for, the waiting, the lease."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from msgspec import Struct

from ..._core.retry.causes import Cause
from ...providers._codec import Connector, Frame, TtsCodec, TtsProvider
from ..concurrency.wakeup import Wakeup
from .pooled_connection import LeaseHolder, PooledConnection


class VoiceRoute(Struct, frozen=True):
    """A provider, and how its backend is reached. Equal `key`s share connections."""

    provider: TtsProvider
    connector: Connector | None

    @property
    def key(self) -> Hashable:
        return (self.provider.endpoint, self.provider.pool_key, self.connector)


class PendingLease:
    """Who has asked for a connection: answered once it has the lease, or a failure."""

    def __init__(self, ticket: int, key: Hashable, tenant: LeaseHolder) -> None:
        self.ticket = ticket
        self.key = key
        self.tenant = tenant
        self.setback: Cause | None = None
        """The last dial of this kind that has failed meanwhile, for whomever it was made."""
        self.lease: Lease | None = None
        self.failure: Exception | None = None
        self.news = Wakeup()

    @property
    def is_answered(self) -> bool:
        return self.lease is not None or self.failure is not None

    def fail(self, failure: Exception) -> None:
        """The first failure counts."""
        self.failure = self.failure or failure
        self.news.fire()


class LeaseOwner(Protocol):
    """The pool, as a lease sees it."""

    def give_back(self, resident: PooledConnection) -> None: ...
    def abandon(self, resident: PooledConnection) -> None: ...


class Lease:
    """A connection that is somebody's alone until one of the last three methods is called, each of which returns at
    once."""

    def __init__(self, lessor: LeaseOwner, resident: PooledConnection, *, reused: bool) -> None:
        self._lessor = lessor
        self._resident = resident
        self.reused = reused
        """The connection was there before it was asked for, and may have died unnoticed."""

    @property
    def codec(self) -> TtsCodec:
        return self._resident.codec

    @property
    def endpoint(self) -> str:
        """The service that speaks."""
        return self._resident.provider.endpoint

    def send_nowait(self, *frames: Frame) -> bool:
        """See `PooledConnection.send_nowait`."""
        return self._resident.send_nowait(*frames)

    async def flush(self) -> None:
        """See `PooledConnection.flush`."""
        await self._resident.flush()

    def give_back(self) -> None:
        """Nothing that was asked for is outstanding."""
        self._lessor.give_back(self._resident)

    def abandon(self) -> None:
        """A generation is under way, and nobody wants it."""
        self._lessor.abandon(self._resident)

    def condemn(self, why: str) -> None:
        """The connection is of no use to anybody."""
        self._resident.tenant = None
        self._resident.abort(why)
