"""What a session and the pool have between them: the voice that is asked for, the waiting, the lease."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

import trio
from msgspec import Struct

from ..providers._codec import Connector, Frame, TtsCodec, TtsProvider
from .resident import Resident, Tenant


class Voice(Struct, frozen=True):
    """A provider, and how its backend is reached. Equal `key`s share connections."""

    provider: TtsProvider
    connector: Connector | None

    @property
    def key(self) -> Hashable:
        return (self.provider.endpoint, self.provider.pool_key, self.connector)


class Waiting:
    """One call of `Pool.lease`, until it is over."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.over = trio.Event()
        self.resident: Resident | None = None
        self.reused = False
        self.failure: Exception | None = None


class Lessor(Protocol):
    """The pool, as a lease sees it."""

    def give_back(self, resident: Resident) -> None: ...
    def abandon(self, resident: Resident) -> None: ...


class Lease:
    """A connection that is somebody's alone until one of the last three methods is called, each of which returns at
    once."""

    def __init__(self, lessor: Lessor, resident: Resident, *, reused: bool) -> None:
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

    async def send(self, *frames: Frame) -> None:
        """See `Resident.send`."""
        await self._resident.send(*frames)

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
