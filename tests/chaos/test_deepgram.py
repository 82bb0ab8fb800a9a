"""Seeded chaos for Deepgram, by its own codecs and wires: for Flux, a service of turns that takes no request for a
final, and for changes that no running connection can make.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` (or ``nox -s chaos``) runs 200.
"""

from __future__ import annotations

import pytest

import trio_speech as ts
from trio_speech.testing import Drift, Manner, ScriptedGateway

from .cells import CELLS, cells_of
from .conftest import Tally
from .runs import CELLS_PER_RUN, Family, run
from .test_chaos import RUNS, count

TURNS = (Manner(), Manner(held=0.7), Manner(endpointing=0.6), Manner(drift=Drift(0.05)))
TABLE = [cell for cell in CELLS if cell.fault != "session closed"]  # which these services have no message for
MODEL = "flux-general-en"


def deepgram(gateway: ScriptedGateway) -> ts.Backend:
    return gateway.in_place_of(ts.Deepgram("key"))


FLUX = Family(TURNS, backend=deepgram, model=MODEL, mute=False)  # silence that is filled in would cut words


@pytest.mark.parametrize("seed", range(max(4, RUNS // 5)))
def test_nothing_is_lost_or_doubled_by_a_service_of_turns(seed: int, tally: Tally) -> None:
    result = run(seed, FLUX, cells_of(seed, CELLS_PER_RUN, TABLE))
    count(tally, "turns", result)
    assert result.good, result
    assert result.gaps == 0, result


MOVES = Family((Manner(), Manner(held=0.7), Manner(longest=2.5)), backend=deepgram, model="nova-3", moves=True)


@pytest.mark.parametrize("seed", range(max(4, RUNS // 5)))
def test_nothing_is_lost_or_doubled_by_moves_to_fresh_connections(seed: int, tally: Tally) -> None:
    result = run(seed, MOVES, cells_of(seed, CELLS_PER_RUN, TABLE))
    count(tally, "moves", result)
    assert result.good, result
    assert result.gaps == 0, result
