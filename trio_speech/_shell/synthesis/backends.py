"""Which voice speaks next: see `order`. The pool makes ready what a session returns to, between two sentences."""

from __future__ import annotations

from collections.abc import Sequence

from ...providers._codec import TtsProvider
from ..network.dialer import Dialer
from ..network.failover import Failover
from ..pool.lease import VoiceRoute
from ..pool.pool import Pool


class VoiceBackends(Failover[TtsProvider]):
    """The voices of one session."""

    def __init__(self, network: Dialer, pool: Pool, voices: Sequence[VoiceRoute]) -> None:
        super().__init__(network, [voice.provider for voice in voices])
        self._pool = pool
        self._voices = voices
        self._better: int | None = None

    @property
    def current(self) -> VoiceRoute:
        """Whose turn it is."""
        return self._voices[self._preference.current]

    def next(self) -> VoiceRoute:
        """For the next lease: a better one that was found meanwhile, or the current one."""
        if (better := self._better_ready()) is not None:
            self._return_to(better)
        return self.current

    def _better_ready(self) -> int | None:
        return self._better

    def _return_to(self, index: int) -> None:
        super()._return_to(index)
        self._better = None

    async def _is_ready(self, index: int) -> bool:
        self._better = None  # if one was ready, it may be no longer
        if await self._pool.warm(self._voices[index], 1):
            self._better = index
        return self._better is not None
