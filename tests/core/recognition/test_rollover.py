from __future__ import annotations

import math

from trio_speech._core.recognition.rollover import RolloverSchedule


def test_without_a_cap_it_is_never_due() -> None:
    schedule = RolloverSchedule(None, 5.0)
    assert (schedule.at, schedule.by) == (math.inf, math.inf)


def test_a_cap_leaves_a_tenth_of_it_to_find_a_pause_and_is_never_reached() -> None:
    schedule = RolloverSchedule(100.0, 5.0)
    assert (schedule.at, schedule.by) == (95.0, 102.0)


def test_the_moments_are_shares_of_the_limit() -> None:
    schedule = RolloverSchedule(100.0, 5.0)
    assert (schedule.barren_from, schedule.barren_by) == (55.0, 80.0)
    assert (schedule.at, schedule.by) == (95.0, 102.0)


def test_the_earliest_that_was_asked_for_counts() -> None:
    schedule = RolloverSchedule(100.0, 5.0)
    schedule.ask(50.0, 200.0)
    schedule.ask(60.0, 70.0)
    assert (schedule.at, schedule.by) == (50.0, 70.0)
