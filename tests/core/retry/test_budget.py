"""The verdict table, the laws of a session's retry budget, and the bucket that sessions share."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import RetryPolicy
from trio_speech._core.provider.messages import Failure
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.retry.budget import RetryBucket, RetryBudget
from trio_speech._core.retry.causes import (
    QUOTA_TYPE,
    Broken,
    Cause,
    Ended,
    Malformed,
    PeerClosed,
    Refused,
    Reported,
    Silent,
    Unreachable,
)
from trio_speech._core.retry.verdict import Verdict, judge

PROFILE = SttProfile(
    failure_fates={"BAD": "fatal", 4_000: "fatal", 401: "retry"},
    close_reason_fates={"no new input": "retry", "quota": "fatal"},
)
RETRY = Verdict("retry")

TABLE: list[tuple[Cause, Verdict]] = [
    *[(Refused(status), Verdict("fatal")) for status in (301, 400, 401, 402, 403, 404, 410, 418)],
    *[(Refused(status), RETRY) for status in (408, 425, 429, 499, 500, 502, 503, 504)],
    (Refused(429, QUOTA_TYPE), Verdict("fatal")),
    (Refused(503, retry_after=9.0), Verdict("retry", 9.0)),
    *[(PeerClosed(code), Verdict("fatal")) for code in (1002, 1003, 1007, 1008, 1009, 1010)],
    *[(PeerClosed(code), RETRY) for code in (1000, 1001, 1011, 1012, 1013, 4_999)],
    (PeerClosed(1008, "There was No New Input for 20 s"), RETRY),
    (PeerClosed(1008, "bad key"), Verdict("fatal")),
    (PeerClosed(1011, "Quota used up"), Verdict("fatal")),
    (Reported(Failure(message="", code="BAD")), Verdict("fatal")),
    (Reported(Failure(message="", code=4_000, retryable=True)), Verdict("fatal")),
    (Reported(Failure(message="", code=401, retryable=False)), RETRY),
    (Reported(Failure(message="", code=403, retryable=True)), Verdict("fatal")),
    *[(Reported(Failure(message="", code=code)), Verdict("fatal")) for code in (400, 404, 498)],
    (Reported(Failure(message="", code=399)), RETRY),
    (Reported(Failure(message="", code=404, retryable=True)), RETRY),
    (Reported(Failure(message="", code=500, retryable=False)), Verdict("fatal")),
    (Reported(Failure(message="", code=429, retry_after=3.0)), Verdict("retry", 3.0)),
    (Reported(Failure(message="", code=500)), RETRY),
    (Reported(Failure(message="")), RETRY),
    (Unreachable("no such host"), Verdict("retry", unreached=True)),
    (Unreachable("an expired certificate", permanent=True), Verdict("fatal")),
    *[(cause, RETRY) for cause in (Broken(""), Ended())],
    (Silent("pong", 4.0), Verdict("retry", silent_for=4.0)),
    (Malformed(""), Verdict("retry", silent_for=math.inf)),
]


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("retryable", [None, False, True])
def test_a_refused_credential_is_fatal_whatever_the_service_says(code: int, retryable: bool | None) -> None:
    refused = Reported(Failure(message="", code=code, retryable=retryable))
    assert judge(refused, SttProfile()) == Verdict("fatal")


@pytest.mark.parametrize(("cause", "verdict"), TABLE, ids=str)
def test_the_verdict_on(cause: Cause, verdict: Verdict) -> None:
    assert judge(cause, PROFILE) == verdict


def budget(endpoint: RetryBucket | None = None, **fields: float | None) -> RetryBudget:
    policy = RetryPolicy(**{"deadline": None, **fields})  # type: ignore[arg-type]
    return RetryBudget(policy, endpoint or RetryBucket(policy), Random(1))


def test_a_link_that_fails_alone_is_redialed_at_once() -> None:
    assert budget().failed(0.0, RETRY) == 0.0


def test_links_that_fail_together_spread_their_dials() -> None:
    policy = RetryPolicy()
    shared = RetryBucket(policy)
    delays = [RetryBudget(policy, shared, Random(n)).failed(5.0, RETRY) for n in range(400)]
    assert delays[0] == 0.0
    late = [delay for delay in delays if delay is not None and delay > 1.0]
    assert len(late) > 150, "hundreds of dials must not come within a second"
    assert max(delay or 0.0 for delay in delays) <= policy.base_delay * 400 / policy.max_concurrent_dials


@given(seed=st.integers(), base=st.floats(0.01, 2), most=st.floats(2, 60))
def test_delays_have_full_jitter_up_to_max_delay(seed: int, base: float, most: float) -> None:
    policy = RetryPolicy(base_delay=base, max_delay=most, deadline=None, max_attempts=None)
    patience = RetryBudget(policy, RetryBucket(policy), Random(seed))
    now = 0.0
    for attempt in range(30):
        delay = patience.failed(now, RETRY)
        assert delay is not None
        assert 0.0 <= delay <= min(most, base * 2.0**attempt if attempt else 0.0)
        now += delay + 2.0


class Longest(Random):
    """Waits for as long as it may."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_the_longest_delay_doubles_up_to_max_delay() -> None:
    policy = RetryPolicy(base_delay=0.5, max_delay=10.0, deadline=None, max_attempts=None)
    patience = RetryBudget(policy, RetryBucket(policy), Longest())
    assert [patience.failed(100.0 * n, RETRY) for n in range(1, 8)] == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


UNREACHED = Verdict("retry", unreached=True)


def dials_in_outage(seconds: float, patience: RetryBudget) -> tuple[int, float]:
    """How many dials an outage takes, and how long after its end the first one comes that succeeds."""
    now, dials = 0.0, 0
    while now < seconds:
        delay = patience.failed(now, UNREACHED)
        assert delay is not None
        now, dials = now + delay, dials + 1
    return dials, now - seconds


@pytest.mark.parametrize("outage", [0.5, 3.0, 10.0, 60.0])
def test_whoever_is_alone_is_back_soon_after_an_outage(outage: float) -> None:
    policy = RetryPolicy()
    taken = [dials_in_outage(outage, RetryBudget(policy, RetryBucket(policy), Random(n))) for n in range(99)]
    assert all(late <= 0.75 * max(0.25, outage / 4) for _, late in taken), "three quarters of the longest wait"
    assert sorted(late for _, late in taken)[49] <= max(0.125, outage / 15)
    assert all(dials <= 80 for dials, _ in taken)


def test_many_back_off_as_ever() -> None:
    policy = RetryPolicy()
    shared = RetryBucket(policy)
    budgets = [RetryBudget(policy, shared, Longest()) for _ in range(100)]
    delays = [[patience.failed(at, UNREACHED) for patience in budgets][-1] for at in (0.0, 0.4, 0.8)]
    assert delays[1:] == [0.5, 1.0]


def test_counted_attempts_are_not_spent_on_a_short_outage() -> None:
    policy = RetryPolicy(max_attempts=5)
    patience = RetryBudget(policy, RetryBucket(policy), Longest())
    assert [patience.failed(at, UNREACHED) for at in (0.0, 0.1, 0.6)] == [0.0, 0.5, 1.0]


def test_a_crowd_spreads_over_the_time_its_dials_take_less_the_last_eighth() -> None:
    policy = RetryPolicy(base_delay=0.5, max_concurrent_dials=2)
    shared = RetryBucket(policy)
    delays = [RetryBudget(policy, shared, Longest()).failed(5.0, RETRY) for _ in range(5)]
    assert delays == [0.0, *(window * 7 / 8 for window in (0.5, 0.75, 1.0, 1.25))]


def test_retry_after_is_never_undercut() -> None:
    patience = budget()
    assert patience.failed(0.0, Verdict("retry", 30.0)) == 30.0


def test_a_session_has_max_attempts() -> None:
    patience = budget(max_attempts=3)
    assert [patience.failed(10.0 * n, RETRY) is None for n in range(5)] == [False, False, False, True, True]
    assert patience.attempts == 3


def test_an_outage_has_a_deadline() -> None:
    patience = budget(deadline=10.0, max_attempts=None, base_delay=0.001)
    for began in (0.0, 100.0):
        assert patience.failed(began, RETRY) is not None
        assert patience.failed(began + 9.0, RETRY) is not None
        assert patience.failed(began + 10.5, RETRY) is None
        patience.progressed(began + 50.0)


@pytest.mark.parametrize(("asked", "delay"), [(9.9, 9.9), (10.0, None)])
def test_a_wait_that_would_end_at_the_deadline_is_not_begun(asked: float, delay: float | None) -> None:
    assert budget(deadline=10.0).failed(5.0, Verdict("retry", asked)) == delay


def test_the_deadline_counts_from_when_the_first_connection_was_wanted() -> None:
    patience = budget(deadline=20.0)
    assert patience.wanted(5.0) == 25.0
    assert patience.wanted(9.0) == 25.0
    assert patience.failed(24.0, RETRY) is not None
    assert patience.wanted(24.5) == 25.0
    assert patience.failed(25.5, RETRY) is None


def test_the_deadline_counts_from_the_loss_once_there_was_a_connection() -> None:
    patience = budget(deadline=20.0)
    patience.wanted(0.0)
    patience.opened(15.0)
    assert patience.failed(18.0, RETRY) is not None
    assert patience.wanted(19.0) == 38.0


def test_without_a_deadline_a_connection_is_wanted_for_ever() -> None:
    assert budget(deadline=None).wanted(5.0) == math.inf


def test_a_handshake_refills_nothing() -> None:
    patience = budget(max_attempts=3)
    for n in range(3):
        assert patience.failed(5.0 * n, RETRY) is not None
        patience.opened(5.0 * n + 1.0)
    assert patience.failed(16.0, RETRY) is None


def test_a_link_up_for_stable_after_refills_the_budget() -> None:
    patience = budget(max_attempts=1, stable_after=10.0)
    assert patience.failed(0.0, RETRY) == 0.0
    patience.opened(1.0)
    assert patience.failed(11.0, RETRY) == 0.0
    patience.opened(12.0)
    assert patience.failed(21.9, RETRY) is None


def test_time_of_silence_does_not_count_as_stable() -> None:
    patience = budget(max_attempts=1, stable_after=10.0)
    silent = Verdict("retry", silent_for=10.0)
    assert patience.failed(0.0, silent) == 0.0
    patience.opened(1.0)
    assert patience.failed(15.0, silent) is None
    patience.opened(20.0)
    assert patience.failed(41.0, silent) == 0.0


def test_progress_refills_the_budget_and_a_repeated_commit_does_not() -> None:
    patience = budget(max_attempts=1)
    patience.committed(100, 0.0)
    assert patience.failed(0.0, RETRY) == 0.0
    patience.committed(100, 1.0)
    assert patience.attempts == 1
    patience.committed(101, 2.0)
    assert patience.attempts == 0
    assert patience.failed(10.0, RETRY) == 0.0


def test_the_first_commit_is_no_progress() -> None:
    patience = budget()
    patience.failed(0.0, RETRY)
    patience.committed(0, 1.0)
    assert patience.attempts == 1
    patience.committed(1, 2.0)
    assert patience.attempts == 0


def test_the_bucket_is_shared_and_refills_with_time_and_with_progress() -> None:
    endpoint = RetryBucket(RetryPolicy(bucket=2))
    assert [endpoint.spend(50.0) for _ in range(4)] == [0.0, 0.0, 1.0, 2.0]
    endpoint.proved_stable(50.0)
    assert endpoint.spend(50.0) == 2.0
    assert endpoint.spend(51.0) == 2.0
    assert [endpoint.spend(100.0) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_a_progress_after_failures_gives_a_retry_back() -> None:
    policy = RetryPolicy(bucket=1, deadline=None)
    endpoint = RetryBucket(policy)
    patience = RetryBudget(policy, endpoint, Random(1))
    patience.failed(0.0, RETRY)
    assert endpoint.spend(0.0) == 1.0
    patience.progressed(0.0)
    assert endpoint.spend(0.0) == 1.0, "one came back, and one was spent"
    patience.progressed(0.0)
    assert endpoint.spend(0.0) == 2.0, "without a failure before it, nothing comes back"


def test_old_losses_do_not_count_as_a_crowd() -> None:
    endpoint = RetryBucket(RetryPolicy())
    assert [endpoint.lost(now) for now in (0.0, 0.5, 1.0, 1.4, 3.0)] == [1, 2, 3, 3, 1]


def test_a_crowd_is_counted_up_to_a_bound() -> None:
    endpoint = RetryBucket(RetryPolicy())
    assert max(endpoint.lost(0.0) for _ in range(2_000)) == 1_024
