"""Seeded chaos of speech for the voices of each provider, by its own codecs and wires.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` (or ``nox -s chaos``) runs 200 of each.
"""

from __future__ import annotations

import pytest

import trio_speech as ts
from trio_speech.testing import Delivery

from .cells import cells_of
from .conftest import Tally
from .speech_cells import CELLS
from .speech_runs import CELLS_PER_RUN, Provider, run
from .test_speech_chaos import FULL, RUNS, count

TABLE = [cell for cell in CELLS if cell.fault != "session closed"]  # which some of them have no message for
WITHOUT_NOISE = [cell for cell in TABLE if cell.fault != "garbled message"]
"""For services whose audio comes in binary messages: to them, a message of noise is audio."""
ALIGNED = (
    Delivery(variation=0.4),
    Delivery(speed=2.0, latency=0.3, variation=0.4),
    Delivery(chunk=0.37, variation=0.2),
)
BARE = (
    Delivery(alignment=None, variation=0.4),
    Delivery(alignment=None, speed=3.0, chunk=0.07, variation=0.2),
    Delivery(alignment=None, chunk=0.37, latency=0.2),
)
SPACED = tuple(Delivery(spaced=True, chunk=chunk, variation=0.3) for chunk in (0.1, 0.37))

PROVIDERS = {
    "Deepgram": Provider(ts.Deepgram("key"), BARE),
    "ElevenLabs": Provider(ts.ElevenLabs("key"), BARE, {"voice": "ann"}),
    "ElevenLabs, aligned": Provider(
        ts.ElevenLabs("key"), SPACED, {"voice": "ann", "options": {"sync_alignment": True}}
    ),
    "Cartesia": Provider(ts.Cartesia("key"), ALIGNED, {"voice": "ann"}),
    "Cartesia, not aligned": Provider(ts.Cartesia("key"), BARE, {"voice": "ann", "options": {"add_timestamps": False}}),
    "LiveKit": Provider(ts.LiveKit("http://host/v1", "key", "secret"), ALIGNED, {"model": "cartesia/sonic-3"}),
}


@pytest.mark.parametrize("seed", range(RUNS // 5 if RUNS >= FULL else 2))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_word_is_spoken_once_by_each_provider(provider: str, seed: int, speech_tally: Tally) -> None:
    table = WITHOUT_NOISE if provider == "Deepgram" else TABLE
    result = run(seed, cells=cells_of(seed, CELLS_PER_RUN, table), provider=PROVIDERS[provider])
    count(speech_tally, provider, result)
    assert result.good, result
