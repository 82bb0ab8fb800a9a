"""After a failed connection: dial again, move to the next backend, or end with an error that the user can act on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

import trio_speech as ts
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.retry.budget import RetryBucket, RetryBudget
from trio_speech._core.retry.causes import QUOTA_TYPE, Broken, Cause, EndpointDown, PeerClosed, Refused
from trio_speech._core.retry.verdict import Verdict
from trio_speech._shell.network.reconnect import delay_after

GONE = Broken("gone")


@dataclass
class Provider:
    endpoint: str
    profile: SttProfile = field(default_factory=SttProfile)


class Backends:
    """Stands for the backends of a session, each with a budget of its own."""

    def __init__(self, *endpoints: str, **policy: int) -> None:
        self._policy = ts.RetryPolicy(**policy)
        self._providers = [Provider(endpoint) for endpoint in endpoints]
        self.turns: list[bool] = []
        self.budget = self._fresh()
        self.wait = 0.0
        self.is_down = False
        self.patience = math.inf
        self.fail_over_after = 2.0

    @property
    def has_alternative(self) -> bool:
        return len(self._providers) > 1

    def go_back(self, verdict: Verdict) -> bool:
        return False

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


def after(cause: Cause, backends: Any) -> float:
    return delay_after(cause, backends, "a/model")


async def test_a_transient_cause_is_dialed_again() -> None:
    backends = Backends("ws://one")
    assert after(GONE, backends) == 0.0
    assert after(Refused(503, "busy", retry_after=7.0), backends) == 7.0
    assert (backends.budget.attempts, backends.turns) == (2, [])


async def test_a_spent_budget_ends_the_session() -> None:
    backends = Backends("ws://one", max_attempts=1)
    after(GONE, backends)
    with pytest.raises(ts.RetriesExhausted, match="gave up after 1 attempt to reconnect") as caught:
        after(GONE, backends)
    error = caught.value
    assert (error.endpoint, error.model, error.attempts) == ("ws://one", "a/model", 1)
    assert isinstance(error.__cause__, ts.LinkError)
    assert backends.turns == [False]


@pytest.mark.parametrize("cause", [Refused(503), Refused(429, retry_after=7.0), PeerClosed(1011)])
async def test_the_last_error_of_a_spent_budget_is_retryable(cause: Cause) -> None:
    with pytest.raises(ts.RetriesExhausted) as caught:
        after(cause, Backends("ws://one", max_attempts=0))
    last = caught.value.__cause__
    assert isinstance(last, ts.ProviderError)
    assert last.retryable


@pytest.mark.parametrize("cause", [Refused(401), Refused(429, QUOTA_TYPE), PeerClosed(1008)])
async def test_the_error_of_a_final_refusal_is_not_retryable(cause: Cause) -> None:
    with pytest.raises(ts.ProviderError) as caught:
        after(cause, Backends("ws://one"))
    assert not caught.value.retryable


async def test_a_final_refusal_ends_the_session_at_once() -> None:
    backends = Backends("ws://one")
    with pytest.raises(ts.AuthenticationError) as caught:
        after(Refused(401, "no"), backends)
    assert (caught.value.endpoint, caught.value.attempt) == ("ws://one", None)
    assert backends.turns == [True]


@pytest.mark.parametrize(("cause", "for_good"), [(Refused(401, "no"), True), (GONE, False)])
async def test_the_next_backend_is_dialed_at_once(cause: Cause, for_good: bool) -> None:
    backends = Backends("ws://one", "ws://two", max_attempts=0)
    assert after(cause, backends) == 0.0
    assert backends.turns == [for_good]
    assert backends.provider.endpoint == "ws://two"
    assert backends.budget.attempts == 0


async def test_an_outage_that_would_last_longer_than_the_patience_is_left_at_once() -> None:
    backends = Backends("ws://one", "ws://two")
    backends.patience = 2.0
    assert after(Refused(503, retry_after=1.5), backends) == 1.5
    assert backends.provider.endpoint == "ws://one"
    assert after(Refused(503, retry_after=2.5), backends) == 0.0
    assert backends.provider.endpoint == "ws://two"


@pytest.mark.parametrize("cause", [GONE, EndpointDown(1.0)])
async def test_from_an_endpoint_that_is_down_a_session_goes_over_at_once(cause: Cause) -> None:
    backends = Backends("ws://one", "ws://two")
    backends.is_down = cause is GONE
    assert after(cause, backends) == 0.0
    assert backends.provider.endpoint == "ws://two"


async def test_the_last_backend_is_dialed_again_however_long_it_is_down() -> None:
    backends = Backends("ws://one")
    backends.is_down = True
    after(GONE, backends)
    assert backends.budget.attempts == 1
