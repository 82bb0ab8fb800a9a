"""Seeded sessions with truthful and untidy services: no word lost in silence, none doubled, no wait without an end.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` runs a thousand of each family.
"""

from __future__ import annotations

import pytest

from .conftest import Tally
from .sounds import SOUNDS
from .test_chaos import FULL, RUNS
from .untidy import FAMILIES, session, sound


@pytest.mark.parametrize("seed", range(RUNS if RUNS >= FULL else max(6, RUNS // 4)))
@pytest.mark.parametrize("family", FAMILIES)
def test_a_truthful_service_costs_no_word_and_no_wait(family: str, seed: int, tally: Tally) -> None:
    outcome = session(seed, FAMILIES[family])
    tally.add(family, [], faults=len(outcome.hit), wrong=bool(outcome.wrong), **outcome.sums)
    assert not outcome.wrong, outcome


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("deepgram", [False, True], ids=["LiveKit", "Deepgram"])
def test_sounds_that_are_no_speech_cost_no_gap_and_next_to_no_audio(name: str, deepgram: bool) -> None:
    outcome = sound(SOUNDS[name](600.0 if RUNS >= FULL else 90.0), deepgram=deepgram)
    assert not outcome.wrong, outcome.wrong
