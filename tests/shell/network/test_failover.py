"""Which of a session's backends serves, and when a better one is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.retry.budget import RetryBucket, RetryBudget
from trio_speech._core.retry.causes import Broken, Cause, Refused
from trio_speech._core.retry.verdict import Verdict
from trio_speech._shell.connection import LinkDown
from trio_speech._shell.network.failover import Failover

GONE, NEVER = Verdict("retry"), Verdict("fatal")


@dataclass
class Provider:
    endpoint: str
    profile: SttProfile = field(default_factory=SttProfile)


class Network:
    def __init__(self, return_after: float | None) -> None:
        self.retry = ts.RetryPolicy(return_after=return_after)

    def budget(self, endpoint: str) -> RetryBudget:
        return RetryBudget(self.retry, RetryBucket(self.retry), Random(1))


class Three(Failover[Any]):
    """Three backends; `answer` gives a cause, or whether a connection is ready, to who tries one of them again."""

    def __init__(self, answer: Callable[[int], Cause | bool], *, return_after: float | None = 10.0) -> None:
        network: Any = Network(return_after)
        super().__init__(network, [Provider(name) for name in ("one", "two", "three")])
        self.answer = answer
        self.ready: int | None = None
        self.tried: list[tuple[float, int]] = []

    async def _is_ready(self, index: int) -> bool:
        self.tried.append((trio.current_time(), index))
        answer = self.answer(index)
        if not isinstance(answer, bool):
            raise LinkDown(answer)
        if answer:
            self._return_to(index)
        return answer

    def _better_ready(self) -> int | None:
        return self.ready

    async def watched(self, seconds: float) -> list[tuple[float, int]]:
        """What is tried meanwhile, and when, from now on."""
        began = trio.current_time()
        with trio.move_on_after(seconds):
            await self.watch_for_better(lambda: None)
        return [(round(at - began, 6), index) for at, index in self.tried]


@pytest.fixture(autouse=True)
def _on_virtual_time(autojump_clock: Any) -> None:
    pass


async def test_each_backend_has_a_budget_of_its_own() -> None:
    order = Three(lambda _: False)
    assert order.has_others
    assert order.provider.endpoint == "one"
    budget = order.budget
    budget.failed(0.0, GONE)
    assert order.budget is budget
    assert order.attempt == 1
    budget.failed(0.0, GONE)
    assert order.attempt == 2
    assert order.fail_over(GONE)
    assert (order.provider.endpoint, order.budget.attempts, order.attempt) == ("two", 0, 1)
    assert order.fail_over(GONE)
    assert not order.fail_over(GONE)
    assert order.provider.endpoint == "three"


async def test_better_backends_are_tried_best_first_until_one_is_ready() -> None:
    order = Three(lambda index: index == 1)
    order.fail_over(GONE)
    order.fail_over(GONE)
    assert await order.watched(25.0) == [(10.0, 0), (10.0, 1), (20.0, 0)]
    assert order.provider.endpoint == "two"


async def test_no_worse_backend_is_tried_once_one_is_ready() -> None:
    order = Three(lambda _: True)
    order.fail_over(GONE)
    order.fail_over(GONE)
    assert await order.watched(100.0) == [(10.0, 0)]


async def test_a_broken_backend_is_tried_again_and_one_that_refused_for_good_is_not() -> None:
    causes: dict[int, Cause] = {0: Broken("gone"), 1: Refused(401, "no")}
    order = Three(causes.__getitem__)
    order.fail_over(GONE)
    order.fail_over(GONE)
    assert await order.watched(35.0) == [(10.0, 0), (10.0, 1), (20.0, 0), (30.0, 0)]


async def test_a_better_backend_is_not_tried_before_its_retry_after() -> None:
    order = Three(lambda _: Refused(503, "busy", retry_after=25.0))
    order.fail_over(Verdict("retry", not_before=15.0))
    assert await order.watched(55.0) == [(20.0, 0), (50.0, 0)]


async def test_a_backend_that_refused_for_good_is_never_tried_again() -> None:
    order = Three(lambda _: True)
    order.fail_over(NEVER)
    assert await order.watched(100.0) == []


async def test_no_better_backend_is_tried_without_return_after() -> None:
    order = Three(lambda _: True, return_after=None)
    order.fail_over(GONE)
    await order.watch_for_better(lambda: None)
    assert order.tried == []


async def test_failing_over_from_the_last_goes_to_a_better_backend_that_is_ready() -> None:
    order = Three(lambda _: False)
    order.fail_over(GONE)
    order.fail_over(GONE)
    order.ready = 1
    assert order.fail_over(NEVER)
    assert (order.provider.endpoint, order.wait) == ("two", 0.0)
    order.ready = None
    assert not order.fail_over(GONE), "the third has refused for good"


async def test_a_retry_after_of_the_last_backend_is_waited_for() -> None:
    order = Three(lambda _: False)
    order.fail_over(GONE)
    order.fail_over(GONE)
    order.ready = 1
    order.fail_over(Verdict("retry", not_before=30.0))
    assert (order.provider.endpoint, order.wait) == ("two", 0.0)
    order.ready = None
    order.fail_over(GONE)
    assert (order.provider.endpoint, order.wait) == ("three", 30.0)
