"""Round trips are smoothed as RFC 6298 says: its equations 2.2 and 2.3, and what follows from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.liveness.round_trip import RoundTrip


def of(*seconds: float) -> RoundTrip:
    trip = RoundTrip()
    for each in seconds:
        trip.measured(each)
    return trip


def test_before_the_first_answer_nothing_is_known() -> None:
    assert of().smoothed is None
    assert of().longest(2.5) == 2.5


def test_the_first_answer_counts_with_half_of_itself_as_deviation() -> None:
    assert of(0.2).smoothed == 0.2
    assert of(0.2).longest(9.0) == pytest.approx(0.2 + 4 * 0.1)


def test_later_answers_count_by_an_eighth_and_their_deviation_by_a_quarter() -> None:
    trip = of(0.2, 0.4)
    assert trip.smoothed == pytest.approx(0.2 * 7 / 8 + 0.4 / 8)
    assert trip.longest(9.0) == pytest.approx(trip.smoothed + 4 * (0.1 * 3 / 4 + 0.2 / 4))


@given(st.lists(st.floats(0.001, 10.0), min_size=1))
def test_the_mean_stays_among_the_answers_and_below_what_is_expected(answers: list[float]) -> None:
    trip = of(*answers)
    assert trip.smoothed is not None
    assert min(answers) * (1 - 1e-9) <= trip.smoothed <= max(answers) * (1 + 1e-9)
    assert trip.longest(0.0) >= trip.smoothed


@given(st.floats(0.001, 10.0))
def test_answers_that_take_the_same_time_leave_no_doubt(seconds: float) -> None:
    assert of(*[seconds] * 60).longest(0.0) == pytest.approx(seconds, rel=1e-5)
