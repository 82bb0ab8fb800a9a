"""Over a network whose round trips are anything, few connections are suspected wrongly, and dead ones soon.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` runs twenty sessions of ten minutes each.
"""

from __future__ import annotations

import pytest

from .test_chaos import FULL, RUNS
from .wild import flight

SEEDS = 20
IS_FULL = RUNS >= FULL


def test_a_wild_network_costs_no_word_and_few_dials() -> None:
    seconds, seeds = (600.0, SEEDS) if IS_FULL else (120.0, 3)
    flights = [flight(seed, seconds) for seed in range(seeds)]
    assert [(each.lost.total(), each.doubled.total(), each.gaps) for each in flights] == [(0, 0, 0)] * seeds
    dials = sum(len(each.dials) for each in flights)
    # A session learns what the network is like from its first suspicions, in its first minute.
    assert dials <= 0.5 * seeds * seconds / 60.0 + (0 if IS_FULL else seeds)


@pytest.mark.parametrize("seed", range(SEEDS if IS_FULL else 6))
def test_a_line_that_is_half_open_in_it_is_noticed_within_five_seconds(seed: int) -> None:
    at = 7.0 + 0.7 * seed
    flown = flight(seed, at + 14.0, half_open=at)
    assert any(at <= dialed <= at + 5.0 for dialed in flown.dials)
    assert (flown.lost.total(), flown.doubled.total(), flown.gaps) == (0, 0, 0)
