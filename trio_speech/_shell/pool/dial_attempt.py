"""One dial for the pool: from the handshake to a connection that is ready, unless it is called off before."""

from __future__ import annotations

import trio

from ..concurrency.one_exception import Guard
from ..connection import LinkDown
from ..network.dialer import Dialer
from .lease import VoiceRoute
from .multiplexed import FrameChannel, Multiplexer
from .pooled_connection import PoolCallbacks, PooledConnection


class DialAttempt:
    """Made when it is decided on, and run by a task."""

    def __init__(self, number: int, voice: VoiceRoute) -> None:
        self._number = number
        self._voice = voice
        self._scope = trio.CancelScope()
        self.failure: LinkDown | None = None

    def call_off(self, why: str) -> None:
        """Its place is needed: `connect` returns without a connection, or has come to its end."""
        self._scope.cancel(reason=why)

    async def connect(
        self, network: Dialer, lines: Multiplexer, guard: Guard, landlord: PoolCallbacks
    ) -> PooledConnection | None:
        """Returns ``None`` where it was called off. Raises `LinkDown`, and `trio.ClosedResourceError` once the client
        is closed.
        """
        resident: PooledConnection | None = None
        try:
            with self._scope:
                carrier = lines.seat(self._voice.key) or await self._carrier(network, lines, guard)
                resident = PooledConnection(self._number, self._voice.provider, carrier, network.liveness, landlord)
                await resident.open()
        except LinkDown as down:
            self.failure = down
            raise
        if resident is not None and self._scope.cancel_called:
            resident.abort("it was called off")
            return None
        return resident

    async def _carrier(self, network: Dialer, lines: Multiplexer, guard: Guard) -> FrameChannel:
        connection = await network.dial(guard.nursery, self._voice.provider, self._voice.connector)
        seats = self._voice.provider.profile.generations
        if seats == 1:
            return connection
        line = lines.open(self._voice.key, connection, seats)
        guard.start_soon(line.run)
        return line.join()
