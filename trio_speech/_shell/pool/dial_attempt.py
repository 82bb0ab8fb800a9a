"""One dial for the pool: from the handshake to a connection that is ready for a lease."""

from __future__ import annotations

import trio

from ..concurrency.one_exception import Guard
from ..connection import LinkDown
from ..network.dialer import Dialer
from ..network.hedge import Permit
from .callbacks import PoolCallbacks
from .lease import VoiceRoute
from .multiplexed import FrameChannel, Multiplexer
from .pooled_connection import PooledConnection


class DialAttempt:
    """One dial that the roster (the pool's decisions) has asked for. `connect` runs in a task of its own."""

    def __init__(self, number: int, route: VoiceRoute) -> None:
        self._number = number
        self.route = route
        self._scope = trio.CancelScope()
        self.failure: LinkDown | None = None
        """Why the dial failed, if it did."""

    def call_off(self, why: str) -> None:
        """Makes `connect` return ``None``, unless it has already returned. Returns at once."""
        self._scope.cancel(reason=why)

    async def connect(
        self, dialer: Dialer, multiplexer: Multiplexer, guard: Guard, pool: PoolCallbacks, *, permit: Permit
    ) -> PooledConnection | None:
        """Dials, and sends the frames that the protocol begins with. Returns ``None`` if it was called off.

        A provider that allows several generations on one connection may get a part of an open one instead of a dial.
        Raises `LinkDown` if the dial fails, and `trio.ClosedResourceError` once the client is closed.
        """
        connection: PooledConnection | None = None
        try:
            with self._scope:
                channel = multiplexer.join(self.route.key) or await self._dial(dialer, multiplexer, guard, permit)
                provider = self.route.provider
                alarms = dialer.endpoint(provider.endpoint).false_alarms
                connection = PooledConnection(self._number, provider, channel, dialer.liveness, pool, alarms=alarms)
                await connection.open()
        except LinkDown as down:
            self.failure = down
            raise
        if connection is not None and self._scope.cancel_called:
            connection.abort("it was called off")
            return None
        return connection

    async def _dial(self, dialer: Dialer, multiplexer: Multiplexer, guard: Guard, permit: Permit) -> FrameChannel:
        route = self.route
        connection = await dialer.dial(
            guard.nursery, route.provider, route.connector, has_alternative=route.has_alternative, permit=permit
        )
        capacity = route.provider.profile.generations
        if capacity == 1:
            return connection
        shared = multiplexer.add(route.key, connection, capacity)
        guard.start_soon(shared.run)
        return shared.join()
