"""Chooses the backend that speaks next for a synthesis session, by the laws of `failover`.

A session moves to another backend between two sentences only, where no audio is under way. When a better backend is
tried again, the pool opens a connection to it first, so that moving back to it needs no wait for a dial.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...providers._codec import TtsProvider
from ..network.dialer import Dialer
from ..network.failover import Failover
from ..pool.lease import VoiceRoute
from ..pool.pool import Pool


class VoiceBackends(Failover[TtsProvider]):
    """The voices of one session, in order of preference."""

    def __init__(self, dialer: Dialer, pool: Pool, routes: Sequence[VoiceRoute]) -> None:
        super().__init__(dialer, [route.provider for route in routes])
        self._pool = pool
        self._routes = routes
        self._better: int | None = None

    @property
    def current(self) -> VoiceRoute:
        """The voice that is in use."""
        return self._routes[self._preference.current]

    def next(self) -> VoiceRoute:
        """Returns the voice for the next lease: a better one if a connection to it is open by now, else the current."""
        if (better := self._better_ready()) is not None:
            self._return_to(better)
        return self.current

    def _better_ready(self) -> int | None:
        return self._better

    def _return_to(self, index: int) -> None:
        super()._return_to(index)
        self._better = None

    async def _is_ready(self, index: int) -> bool:
        self._better = None  # the connection that was found ready last time may be gone
        if await self._pool.warm(self._routes[index], 1):
            self._better = index
        return self._better is not None
