"""Chooses which of a session's backends serves, and tries the better ones again from time to time.

Laws
    1. Backends are used in order of preference. One is given up when its refusal is final, when its outage lasts for
       longer than ``fail_over_after`` or answers nobody's dials. The last one gives way to a better one, too, where it
       has to be waited for as long. A session ends when the retry budgets of all are spent.
    2. Those before the current one are tried again every ``return_after`` seconds by a real dial, but not before the
       moment that a Retry-After named, and never after a final refusal.
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
    """The backends of one session, in order of preference. Subclasses say how a backend is tried."""

    def __init__(self, dialer: Dialer, providers: Sequence[P]) -> None:
        self._dialer = dialer
        self._providers = providers
        self._preference = Preference(len(providers))
        self._budgets: dict[int, RetryBudget] = {}

    @property
    def provider(self) -> P:
        """The provider of the current backend."""
        return self._providers[self._preference.current]

    @property
    def budget(self) -> RetryBudget:
        """The session's retry budget with the current backend. It is kept until another backend has made progress."""
        current = self._preference.current
        if current not in self._budgets:
            self._budgets[current] = self._dialer.budget(self.provider.endpoint)
        return self._budgets[current]

    @property
    def attempt(self) -> int:
        """The number of the current attempt to reach the backend, counted from 1."""
        return max(1, self.budget.attempts)

    @property
    def has_others(self) -> bool:
        """Whether there is more than one backend."""
        return len(self._providers) > 1

    @property
    def is_down(self) -> bool:
        """Whether the current backend has answered nobody's dials for some time."""
        return self._dialer.is_down(self.provider.endpoint)

    @property
    def fail_over_after(self) -> float:
        """``RetryPolicy.fail_over_after``."""
        return self._dialer.retry.fail_over_after

    @property
    def patience(self) -> float:
        """Seconds that an outage of the current backend may last before `fail_over`; infinite if it is alone."""
        return self.fail_over_after if self.has_alternative else math.inf

    @property
    def has_alternative(self) -> bool:
        """Whether another backend is open, or a later one available soon."""
        soon = trio.current_time() + self.fail_over_after
        return self._better_ready() is not None or self._preference.has_next_by(soon)

    def go_back(self, verdict: Verdict) -> bool:
        """Switches from the last backend to the best one that may be tried again, if there is one.

        Returns False if all are unavailable, or have spent their retry budgets.
        """
        self._forget_past_outages()
        now, current = trio.current_time(), self._preference.current
        budgets = {index: self._budgets.get(index) for index in self._preference.better(now)}
        able = [index for index, budget in budgets.items() if budget is None or not budget.is_spent(now)]
        if not able:
            return False
        self._preference.refused(current, _unavailable_until(verdict))
        self._preference.current = able[0]
        return True

    def fail_over(self, verdict: Verdict) -> bool:
        """Marks the current backend unavailable until `verdict` allows it, and switches to another one.

        It switches to a better one if a connection to that is open, else to the next. Returns False if none is left.
        """
        if (better := self._better_ready()) is not None:
            self._preference.refused(self._preference.current, _unavailable_until(verdict))
            self._return_to(better)
            return True
        self._forget_past_outages()
        return self._preference.fail_over(trio.current_time(), _unavailable_until(verdict))

    @property
    def wait(self) -> float:
        """Seconds until the current backend may be dialed: its Retry-After, or 0."""
        return self._preference.wait(trio.current_time())

    async def watch_for_better(self, found: Callable[[], None]) -> None:
        """Tries better backends every ``return_after`` seconds, for ever; calls `found` each time one is ready."""
        period = self._dialer.retry.return_after
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
            self._preference.refused(index, _unavailable_until(verdict))
            return False

    @abstractmethod
    def _better_ready(self) -> int | None:
        """Returns the index of a better backend to which a connection is open but not yet used, or ``None``."""

    @abstractmethod
    async def _is_ready(self, index: int) -> bool:
        """Tries to connect to a backend.

        Returns whether a connection to it is open. Raises `LinkDown` if a dial fails.
        """

    def _forget_past_outages(self) -> None:
        """Drops the budgets of outages that were over when the current backend last made progress."""
        since = self.budget.progressed_at
        self._budgets = {index: budget for index, budget in self._budgets.items() if budget.out_since > since}

    def _return_to(self, index: int) -> None:
        self._preference.current = index
        self._budgets.clear()
        log.returned_to(self.provider.endpoint)


def _unavailable_until(verdict: Verdict) -> float:
    return math.inf if verdict.fate == "fatal" else trio.current_time() + verdict.not_before
