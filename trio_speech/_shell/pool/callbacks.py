"""Whom a pooled connection reports to: the holder of its lease, and the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..._core.provider.messages import TtsMessage
from ..._core.retry.causes import Cause

if TYPE_CHECKING:
    from .pooled_connection import PooledConnection


class LeaseHolder(Protocol):
    """Who uses a leased connection. Both methods are called from the connection's reader, and may not wait."""

    def heard(self, message: TtsMessage, now: float) -> bool:
        """Takes a message that arrived at `now`. Returns whether other tasks are to run before more is read."""
        ...

    def lost(self, cause: Cause) -> None:
        """The connection has ended. Nothing else will come."""
        ...


class PoolCallbacks(Protocol):
    """What a connection reports to its pool. None of these waits."""

    def returned(self, connection: PooledConnection) -> None: ...
    def abandoned(self, connection: PooledConnection) -> None: ...
    def ponged(self, connection: PooledConnection, seconds: float) -> None: ...
    def retiring(self, connection: PooledConnection) -> None: ...
    def drained(self, connection: PooledConnection) -> None: ...
    def died(self, connection: PooledConnection, cause: Cause) -> None: ...
