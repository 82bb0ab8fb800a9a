"""Seeded chaos for a service of turns, which cannot be asked for a final: Deepgram Flux, by its own codec and wire.

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
TABLE = [cell for cell in CELLS if cell.fault != "session closed"]  # which this service has no message for
MODEL = "flux-general-en"


def flux(gateway: ScriptedGateway) -> ts.Backend:
    return gateway.in_place_of(ts.Deepgram("key"))


FLUX = Family(TURNS, backend=flux, model=MODEL, mute=False)  # silence that is filled in would cut words


@pytest.mark.parametrize("seed", range(max(4, RUNS // 5)))
def test_nothing_is_lost_or_doubled_by_a_service_of_turns(seed: int, tally: Tally) -> None:
    result = run(seed, FLUX, cells_of(seed, CELLS_PER_RUN, TABLE))
    count(tally, "turns", result)
    assert result.good, result
    assert result.gaps == 0, result
    ends = [event.end for event in result.events if isinstance(event, ts.TurnEnded)]
    assert ends == sorted(set(ends)), result
