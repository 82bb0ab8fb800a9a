from __future__ import annotations

import math

import pytest

from trio_speech._core.recognition.rollover import RolloverSchedule


def test_without_a_cap_it_is_never_due() -> None:
    retirement = RolloverSchedule(None, 5.0)
    assert (retirement.at, retirement.by) == (math.inf, math.inf)
    assert not retirement.is_due(1e9, speaking=False)


@pytest.mark.parametrize(
    ("now", "speaking", "due"),
    [(94.9, False, False), (95.0, False, True), (95.0, True, False), (101.9, True, False), (102.0, True, True)],
)
def test_it_is_due_in_a_pause_and_before_the_cap_in_any_case(now: float, speaking: bool, due: bool) -> None:
    assert RolloverSchedule(100.0, 5.0).is_due(now, speaking=speaking) is due


def test_the_earliest_that_was_asked_for_counts() -> None:
    retirement = RolloverSchedule(100.0, 5.0)
    retirement.ask(50.0, 200.0)
    retirement.ask(60.0, 70.0)
    assert (retirement.at, retirement.by) == (50.0, 70.0)
