"""Which of a session's backends serves.

Laws
    1. The first backend that will serve is used; one is given up when its budget is spent or its refusal is final.
    2. A better one than the current is tried again every ``return_after`` seconds, by a real dial: not before the
       moment that it named, and not at all once it has refused for good.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import trio

from ..._core.retry.budget import RetryBudget
from ..._core.retry.failover import Preference
from ..._core.retry.verdict import Verdict, judge
from ...providers._codec import SttProvider, TtsProvider
from ..connection import LinkDown
from ..observability import log
from .dialer import Dialer

P = TypeVar("P", bound=SttProvider | TtsProvider)


class Failover(ABC, Generic[P]):
    """The backends of one session, in order of preference."""

    def __init__(self, network: Dialer, providers: Sequence[P]) -> None:
        self._network = network
        self._providers = providers
        self._preference = Preference(len(providers))
        self._budget: RetryBudget | None = None

    @property
    def provider(self) -> P:
        """The one whose turn it is."""
        return self._providers[self._preference.current]

    @property
    def budget(self) -> RetryBudget:
        """The session's patience with it."""
        if self._budget is None:
            self._budget = self._network.budget(self.provider.endpoint)
        return self._budget

    @property
    def attempt(self) -> int:
        """The number of the attempt to reach it that is to be made, or was the last to be made: the first is 1."""
        return max(1, self.budget.attempts)

    @property
    def has_others(self) -> bool:
        """Whether there is more than one backend."""
        return len(self._providers) > 1

    def fail_over(self, verdict: Verdict) -> bool:
        """Gives the current one up, for as long as `verdict` says; says whether there is another.

        That is a better one, if it is ready.
        """
        if (better := self._better_ready()) is not None:
            self._preference.refused(self._preference.current, _shut_until(verdict))
            self._return_to(better)
            return True
        if not self._preference.fail_over(trio.current_time(), _shut_until(verdict)):
            return False
        self._budget = None
        return True

    @property
    def wait(self) -> float:
        """Seconds until the one whose turn it is will serve, as far as it said."""
        return self._preference.wait(trio.current_time())

    async def watch_for_better(self, found: Callable[[], None]) -> None:
        """Tries every ``return_after`` seconds to return to a better backend; `found` is told when one is ready."""
        period = self._network.retry.return_after
        while period is not None:
            await trio.sleep(period)
            for index in self._preference.better(trio.current_time()):
                if await self._answers(index):
                    found()
                    break

    async def _answers(self, index: int) -> bool:
        try:
            return await self._is_ready(index)
        except LinkDown as down:
            verdict = judge(down.cause, self._providers[index].profile)
            self._preference.refused(index, _shut_until(verdict))
            return False

    @abstractmethod
    def _better_ready(self) -> int | None:
        """One before the current that was found ready and not turned to yet."""

    @abstractmethod
    async def _is_ready(self, index: int) -> bool:
        """Tries to have a connection ready; says whether one is. Raises `LinkDown`."""

    def _return_to(self, index: int) -> None:
        self._preference.current = index
        self._budget = None
        log.returned_to(self.provider.endpoint)


def _shut_until(verdict: Verdict) -> float:
    return math.inf if verdict.fate == "fatal" else trio.current_time() + verdict.not_before
