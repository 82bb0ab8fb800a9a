"""One verdict for both kinds of session: dial again, move on, or end with what the user can act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

import trio_speech as ts
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.retry.budget import RetryBucket, RetryBudget
from trio_speech._core.retry.causes import QUOTA_TYPE, Broken, Cause, PeerClosed, Refused
from trio_speech._core.retry.verdict import Verdict
from trio_speech._shell.network.reconnect import delay_after

GONE = Broken("gone")


@dataclass
class Provider:
    endpoint: str
    profile: SttProfile = field(default_factory=SttProfile)


class Order:
    """So many backends, each with a patience of its own."""

    def __init__(self, *endpoints: str, **policy: int) -> None:
        self._policy = ts.RetryPolicy(**policy)
        self._providers = [Provider(endpoint) for endpoint in endpoints]
        self.turns: list[bool] = []
        self.budget = self._fresh()
        self.wait = 0.0

    @property
    def provider(self) -> Provider:
        return self._providers[0]

    def fail_over(self, verdict: Verdict) -> bool:
        self.turns.append(verdict.fate == "fatal")
        if len(self._providers) == 1:
            return False
        del self._providers[0]
        self.budget = self._fresh()
        return True

    def _fresh(self) -> RetryBudget:
        return RetryBudget(self._policy, RetryBucket(self._policy), Random(1))


def after(cause: Cause, order: Any) -> float:
    return delay_after(cause, order, "a/model")


async def test_what_may_pass_is_dialed_again() -> None:
    order = Order("ws://one")
    assert after(GONE, order) == 0.0
    assert after(Refused(503, "busy", retry_after=7.0), order) == 7.0
    assert (order.budget.attempts, order.turns) == (2, [])


async def test_patience_that_is_spent_ends_the_session() -> None:
    order = Order("ws://one", max_attempts=1)
    after(GONE, order)
    with pytest.raises(ts.RetriesExhausted, match="gave up after 1 attempt to reconnect") as caught:
        after(GONE, order)
    error = caught.value
    assert (error.endpoint, error.model, error.attempts) == ("ws://one", "a/model", 1)
    assert isinstance(error.__cause__, ts.LinkError)
    assert order.turns == [False]


@pytest.mark.parametrize("cause", [Refused(503), Refused(429, retry_after=7.0), PeerClosed(1011)])
async def test_what_patience_ran_out_over_may_be_tried_again(cause: Cause) -> None:
    with pytest.raises(ts.RetriesExhausted) as caught:
        after(cause, Order("ws://one", max_attempts=0))
    last = caught.value.__cause__
    assert isinstance(last, ts.ProviderError)
    assert last.retryable


@pytest.mark.parametrize("cause", [Refused(401), Refused(429, QUOTA_TYPE), PeerClosed(1008)])
async def test_what_was_refused_for_good_may_not(cause: Cause) -> None:
    with pytest.raises(ts.ProviderError) as caught:
        after(cause, Order("ws://one"))
    assert not caught.value.retryable


async def test_a_refusal_for_good_ends_it_at_once() -> None:
    order = Order("ws://one")
    with pytest.raises(ts.AuthenticationError) as caught:
        after(Refused(401, "no"), order)
    assert (caught.value.endpoint, caught.value.attempt) == ("ws://one", None)
    assert order.turns == [True]


@pytest.mark.parametrize(("cause", "for_good"), [(Refused(401, "no"), True), (GONE, False)])
async def test_where_there_is_another_it_is_asked_at_once(cause: Cause, for_good: bool) -> None:
    order = Order("ws://one", "ws://two", max_attempts=0)
    assert after(cause, order) == 0.0
    assert order.turns == [for_good]
    assert order.provider.endpoint == "ws://two"
    assert order.budget.attempts == 0
