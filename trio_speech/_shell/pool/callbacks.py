"""The interfaces through which a pooled connection reports events: to the holder of its lease, and to the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..._core.provider.messages import TtsMessage
from ..._core.retry.causes import Cause

if TYPE_CHECKING:
    from .pooled_connection import PooledConnection


class LeaseHolder(Protocol):
    """The user of a leased connection. Both methods are called from the connection's tasks, and may not wait."""

    def heard(self, message: TtsMessage, now: float) -> bool:
        """Call when a message arrived, at `now`. Returns whether other tasks should run before the next one is read."""
        ...

    def lost(self, cause: Cause) -> None:
        """Call when the connection has ended, because of `cause`. `heard` is not called any more."""
        ...


class PoolCallbacks(Protocol):
    """What a connection reports to its pool; see `Pool` for each event. None of these waits."""

    def returned(self, connection: PooledConnection) -> None: ...
    def abandoned(self, connection: PooledConnection) -> None: ...
    def ponged(self, connection: PooledConnection, seconds: float) -> None: ...
    def retiring(self, connection: PooledConnection) -> None: ...
    def drained(self, connection: PooledConnection) -> None: ...
    def died(self, connection: PooledConnection, cause: Cause) -> None: ...
