"""Seeded chaos of speech: whole syntheses on virtual time, each fault in each phase, and each word said exactly once.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` runs it in full. The same seed fails again.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from trio_speech._core.synthesis.playback_ledger import PlaybackLedger
from trio_speech._core.synthesis.rendition import Rendition
from trio_speech._core.synthesis.session import SynthesisMachine
from trio_speech._core.synthesis.text_alignment import Reached

from .cells import Cell
from .conftest import Tally
from .speech_cells import CELLS
from .speech_runs import Run, run
from .speech_storms import storm

RUNS = int(os.environ.get("TRIO_SPEECH_CHAOS_RUNS", "12"))
FULL = 1_000


def count(tally: Tally, family: str, result: Run, **figures: int) -> None:
    tally.add(
        family,
        result.hit,
        syntheses=len(result.said),
        faults=result.faults,
        drops=result.drops,
        lost=result.lost,
        doubled=result.doubled,
        disordered=result.disordered,
        hangs=result.hangs,
        complaints=len(result.complaints),
        **figures,
    )


@pytest.mark.parametrize("seed", range(RUNS))
def test_each_word_is_spoken_once(seed: int, speech_tally: Tally) -> None:
    result = run(seed)
    count(speech_tally, f"by {result.resume}", result)
    assert result.good, result


@pytest.mark.parametrize("seed", range(max(2, RUNS // 8)))
@pytest.mark.parametrize("resume", ["restart", "never"])
def test_who_asked_for_less_gets_that(resume: str, seed: int, speech_tally: Tally) -> None:
    result = run(seed, resume)
    count(speech_tally, resume, result, errors=sum(said.error is not None for said in result.said))
    assert result.good, result


@pytest.mark.parametrize("seed", range(max(3, RUNS // 5)))
def test_storms_of_barge_ins(seed: int, speech_tally: Tally) -> None:
    result = storm(seed)
    count(speech_tally, "storms", result, clears=result.clears)
    assert result.good, result


@pytest.mark.skipif(RUNS < FULL, reason=f"needs {FULL} runs")
def test_each_fault_struck_speech_often_in_each_phase(speech_tally: Tally) -> None:
    assert speech_tally.fewest() >= 10, speech_tally.lines()


# ---------------------------------------------------------------- the suite must be able to turn red


def nothing(*_: object, **__: object) -> None:
    return None


def onwards(machine: SynthesisMachine) -> bool:
    """Goes on with the next segment: what was being spoken is never finished."""
    goes_on = _lost(machine)
    if machine._spoken is not None:
        machine._queue.advance()
        machine._spoken = None
    return goes_on


def uncut(rendition: Rendition, *known: object) -> None:
    """Cuts nothing off what is said again."""
    _begin(rendition, *known)  # type: ignore[arg-type]
    rendition._known, rendition._known_samples, rendition._next = Reached(), 0, 0


_lost, _begin = SynthesisMachine.lost, Rendition.__init__

DROPS = [Cell("reset", "mid-sentence"), Cell("reset", "mid-word"), Cell("reset", "mid-sentence")]
SABOTAGE: list[tuple[tuple[type, str, Callable[..., object]], str, str]] = [
    ((Rendition, "__init__", uncut), "aligned, slow", "doubled"),
    ((Rendition, "__init__", uncut), "steady, slow", "doubled"),
    ((SynthesisMachine, "lost", onwards), "bare", "hangs"),
]


@pytest.mark.parametrize(("part", "voice", "figure"), SABOTAGE)
def test_it_shows_when_the_cut_is_switched_off(
    part: tuple[type, str, Callable[..., object]], voice: str, figure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(1, "word", DROPS, voice).good
    monkeypatch.setattr(*part)
    assert getattr(run(1, "word", DROPS, voice), figure)


def test_it_shows_when_a_barge_in_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(storm(seed, []).good for seed in range(3))
    monkeypatch.setattr(PlaybackLedger, "rewind", nothing)
    assert not all(storm(seed, []).good for seed in range(3))


def test_the_table_of_speech_names_each_cell_once() -> None:
    assert len(set(CELLS)) == len(CELLS)
