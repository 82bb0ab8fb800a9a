"""Which voice speaks next: the order of a synthesis's backends.

Laws
    1. The first backend that will serve is used; one is given up when its budget is spent or its refusal is final.
    2. A better one than the current is tried again every ``return_after`` seconds, by a connection that the pool makes
       ready; the session returns to it between two sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from .._core.preference import Preference
from .._core.retry import Budget
from ..errors import SpeechError
from ..providers._codec import TtsProvider
from . import log
from .endpoints import Network
from .leasing import Voice
from .pool import Pool


class Voices:
    """The backends of one session, in order of preference."""

    def __init__(self, network: Network, pool: Pool, voices: Sequence[Voice]) -> None:
        self._network = network
        self._pool = pool
        self._voices = voices
        self._preference = Preference(len(voices))
        self._better: int | None = None
        self._budget: Budget | None = None

    @property
    def provider(self) -> TtsProvider:
        """The one whose turn it is."""
        return self.current.provider

    @property
    def current(self) -> Voice:
        """Whose turn it is."""
        return self._voices[self._preference.current]

    @property
    def budget(self) -> Budget:
        """The session's patience with the current one."""
        if self._budget is None:
            self._budget = self._network.budget(self.provider.endpoint)
        return self._budget

    @property
    def has_others(self) -> bool:
        """Whether there is more than one backend."""
        return len(self._voices) > 1

    def next(self) -> Voice:
        """For the next lease: a better one that was found meanwhile, or the current one."""
        if self._better is not None:
            self._turn_to(self._better)
            log.returned_to(self.provider.endpoint)
        return self.current

    def fail_over(self, *, for_good: bool) -> bool:
        """Gives the current backend up, if need be without return; says whether there is another."""
        if not self._preference.fail_over(for_good=for_good):
            return False
        self._turn_to(self._preference.current)
        return True

    async def watch_for_better(self, found: Callable[[], None]) -> None:
        """Tries every ``return_after`` seconds to return to a better backend; `found` is told when one is ready."""
        period = self._network.retry.return_after
        while period is not None:
            await trio.sleep(period)
            for index in self._preference.better():
                if await self._is_ready(self._voices[index]):
                    self._better = index
                    found()
                    break

    async def _is_ready(self, voice: Voice) -> bool:
        try:
            return await self._pool.prewarm(voice, 1)
        except SpeechError:
            return False

    def _turn_to(self, index: int) -> None:
        self._preference.current = index
        self._better = self._budget = None
