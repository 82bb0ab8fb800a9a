"""Seeded chaos for services that are asked for finals by commits, by their own codecs and wires: OpenAI, and what looks
like it, and ElevenLabs' Scribe.

A commit cuts the audio. So the source never stops in mid-word, where the session would take that for a pause.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` (or ``nox -s chaos``) runs 200 of each provider.
"""

from __future__ import annotations

import pytest

import trio_speech as ts
from trio_speech.testing import Manner, ScriptedGateway

from .cells import CELLS, cells_of
from .conftest import Tally
from .runs import CELLS_PER_RUN, Family, run
from .test_chaos import FULL, RUNS, count

MANNERS = (Manner(word_times=False), Manner(word_times=False, interim=0.4), Manner(word_times=False, endpointing=0.5))
TABLE = [cell for cell in CELLS if cell.fault != "session closed"]  # which some of them have no message for
LOCAL = "http://localhost:8000/v1"


def openai(gateway: ScriptedGateway) -> ts.Backend:
    return gateway.in_place_of(ts.OpenAI("key"))


def speaches(gateway: ScriptedGateway) -> ts.Backend:
    return gateway.in_place_of(ts.OpenAI(url=LOCAL, dialect="speaches"))


def vllm(gateway: ScriptedGateway) -> ts.Backend:
    return gateway.in_place_of(ts.OpenAI(url=LOCAL, dialect="vllm"))


def scribe(gateway: ScriptedGateway) -> ts.Backend:
    return gateway.in_place_of(ts.ElevenLabs("key"))


FAMILIES = {
    "OpenAI, asked": Family(MANNERS, backend=openai, mute=False, rates=(24_000,)),
    "OpenAI, by itself": Family(MANNERS, backend=openai, model="gpt-transcribe", mute=False, rates=(24_000,)),
    "speaches": Family(MANNERS, backend=speaches, model="whisper", mute=False, rates=(24_000,)),
    "vLLM": Family(MANNERS, backend=vllm, model="voxtral", mute=False, rates=(16_000,)),
    "Scribe": Family(MANNERS, backend=scribe, mute=False, rates=(8_000, 16_000)),
}


@pytest.mark.parametrize("seed", range(RUNS // 5 if RUNS >= FULL else 2))
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_lost_and_what_is_doubled_is_marked(family: str, seed: int, tally: Tally) -> None:
    result = run(seed, FAMILIES[family], cells_of(seed, CELLS_PER_RUN, TABLE))
    count(tally, family, result)
    assert (result.lost, result.hangs, result.failure, result.gaps, result.complaints) == (0, 0, None, 0, []), result
    assert result.doubled_unmarked() == [], result
