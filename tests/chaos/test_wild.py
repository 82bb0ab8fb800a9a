"""Over a network whose round trips are anything, few connections are suspected wrongly, and dead ones soon.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` runs twenty sessions of ten minutes each.
"""

from __future__ import annotations

import pytest

from .test_chaos import FULL, RUNS
from .wild import flight

SEEDS = 20
IS_FULL = RUNS >= FULL


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("first", range(0, SEEDS if IS_FULL else 3, 5))
def test_a_wild_network_costs_no_word_and_few_dials(first: int) -> None:
    minutes, seeds = (10.0, range(first, first + 5)) if IS_FULL else (2.0, range(3))
    flights = [flight(seed, 60.0 * minutes) for seed in seeds]
    assert [(each.lost.total(), each.doubled.total(), each.gaps) for each in flights] == [(0, 0, 0)] * len(seeds)
    # In its first minute, a session learns from its first wrong suspicion what the network is like.
    assert sum(len(each.dials) for each in flights) <= len(seeds) * (0.5 * minutes if IS_FULL else 0.5 * minutes + 1)


@pytest.mark.parametrize("seed", range(SEEDS if IS_FULL else 6))
def test_a_line_that_is_half_open_in_it_is_noticed_within_five_seconds(seed: int) -> None:
    at = 7.0 + 0.7 * seed
    flown = flight(seed, at + 14.0, half_open=at)
    assert any(at <= dialed <= at + 5.0 for dialed in flown.dials)
    assert (flown.lost.total(), flown.doubled.total(), flown.gaps) == (0, 0, 0)
