"""When a dial may begin, while an endpoint answers, refuses to answer, or comes back."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.retry.breaker import Breaker


def test_no_more_dials_than_the_limit_are_under_way() -> None:
    breaker = Breaker(2)
    assert breaker.dials_at(0.0) == 0.0
    breaker.began(0.0)
    assert breaker.dials_at(0.0) == 0.0
    breaker.began(0.0)
    assert breaker.dials_at(5.0) == math.inf
    breaker.ended()
    assert breaker.dials_at(5.0) == 5.0


def test_while_it_is_down_one_probe_a_second_begins_beside_others() -> None:
    breaker = Breaker(8)
    breaker.began(0.0)
    breaker.failed(10.0)
    breaker.ended()
    assert breaker.is_down
    assert breaker.dials_at(10.0) == 10.0, "with none under way there is nothing to wait for"
    breaker.began(10.0)
    assert breaker.dials_at(10.2) == 11.0
    assert breaker.dials_at(12.0) == 12.0
    breaker.succeeded(12.5)
    assert not breaker.is_down
    assert breaker.dials_at(12.5) == 12.5


def test_who_has_another_backend_waits_a_second_without_success() -> None:
    breaker = Breaker(1)
    assert breaker.gives_way_at(100.0, 1.0) == 101.0
    breaker.succeeded(100.8)
    assert breaker.gives_way_at(100.0, 1.0) == 101.8
    breaker.failed(105.0)
    breaker.failed(107.0)
    assert breaker.gives_way_at(100.0, 1.0) == 101.8
    assert breaker.gives_way_at(200.0, 1.0) == 106.0, "it is down for long already"


def test_a_dial_is_given_its_time_though_the_endpoint_has_been_down_for_long() -> None:
    breaker = Breaker(2)
    breaker.failed(5.0)
    assert breaker.given_up_at(100.0, 1.5) == 101.5
    breaker.succeeded(101.0)
    assert breaker.given_up_at(100.0, 1.5) == 102.5


def test_a_dial_made_before_the_last_success_says_nothing_of_the_time_before_that() -> None:
    breaker = Breaker(2)
    breaker.succeeded(5.0)
    breaker.failed(3.0)
    assert breaker.gives_way_at(9.0, 1.0) == 6.0


@given(st.lists(st.sampled_from(["begin", "succeed", "fail"])), st.integers(1, 4))
def test_whatever_happens_a_dial_may_begin_once_none_is_under_way(history: list[str], limit: int) -> None:
    breaker, now = Breaker(limit), 0.0
    for step in history:
        now += 0.3
        if step == "begin":
            if breaker.dials_at(now) <= now:
                breaker.began(now)
        elif breaker.dialing:
            (breaker.succeeded if step == "succeed" else breaker.failed)(now)
            breaker.ended()
        assert 0 <= breaker.dialing <= limit
    while breaker.dialing:
        breaker.ended()
    assert breaker.dials_at(now) == now
