"""Seeded chaos: whole sessions on virtual time, each fault in each phase, and not one word lost or doubled.

A slice runs with the tests; ``TRIO_SPEECH_CHAOS_RUNS=1000`` (or ``nox -s chaos``) runs it in full. What a failure
prints is all there is to it: the same seed fails again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from trio_speech._core.recognition.finals_of_link import FinalsOfLink
from trio_speech._core.recognition.reconciliation import TimedSeam
from trio_speech._core.recognition.replay_log import ReplayLog
from trio_speech.testing import Manner

from .cells import CELLS, ONCE, PHASES, Cell, cells_of
from .conftest import Tally
from .overflows import overflow
from .runs import DRIFTING_FAR, FAMILIES, Family, Run, run

RUNS = int(os.environ.get("TRIO_SPEECH_CHAOS_RUNS", "24"))
FULL = 1_000


def count(tally: Tally, family: str, result: Run) -> None:
    tally.add(
        family,
        result.hit,
        faults=result.faults,
        lost=result.lost,
        doubled=result.doubled,
        hangs=result.hangs,
        gaps=result.gaps,
    )


@pytest.mark.parametrize("seed", range(RUNS))
def test_nothing_is_lost_or_doubled(seed: int, tally: Tally) -> None:
    result = run(seed)
    count(tally, "exact times", result)
    assert result.good, result
    assert result.gaps == 0, result


@pytest.mark.parametrize("seed", range(max(4, RUNS // 10)))
@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "exact times"])
def test_nothing_is_lost_or_doubled_by_other_kinds_of_services(family: str, seed: int, tally: Tally) -> None:
    result = run(seed, FAMILIES[family])
    count(tally, family, result)
    assert result.good, result
    assert result.gaps == 0, result


@pytest.mark.parametrize("seed", range(max(4, RUNS // 10)))
def test_where_times_drift_far_nothing_is_lost_and_what_is_doubled_is_marked(seed: int, tally: Tally) -> None:
    result = run(seed, DRIFTING_FAR)
    count(tally, "drifting far", result)
    assert (result.lost, result.hangs, result.failure, result.gaps) == (0, 0, None, 0), result
    assert result.doubled_unmarked() == [], result


@pytest.mark.parametrize("seed", range(max(8, RUNS // 8)))
def test_a_recognizer_that_hangs_once_costs_no_word(seed: int, tally: Tally) -> None:
    phase = list(PHASES)[seed % len(PHASES)]
    hang, others = Cell(ONCE, phase), cells_of(seed, 2)
    result = run(seed, cells=[hang, *others] if seed % 2 else [*others, hang])
    count(tally, "hangs once", result)
    assert result.good, result
    assert result.gaps == 0, result


@pytest.mark.parametrize("seed", range(max(8, RUNS // 4)))
def test_what_is_lost_is_what_had_to_be(seed: int, tally: Tally) -> None:
    result = overflow(seed)
    tally.add("overflowing logs", result.hit, faults=result.faults, gaps=len(result.told), wrong=not result.good)
    assert result.good, result


@pytest.mark.skipif(RUNS < FULL, reason=f"needs {FULL} runs")
def test_each_fault_struck_often_in_each_phase(tally: Tally) -> None:
    assert tally.fewest() >= 10, tally.lines()


# ---------------------------------------------------------------- the suite must be able to turn red


def nothing(*_: object, **__: object) -> None:
    return None


def never(*_: object) -> bool:
    return False


def none_of_them(_: object, words: Sequence[object]) -> list[bool]:
    return [False] * len(words)


def nothing_said(finals: object, result: Any) -> list[bool]:
    return [False] * len(result.words)


def stay(log: ReplayLog, _: int) -> int:
    return log.sent


SABOTAGE: list[tuple[type, str, Callable[..., object], str]] = [
    (ReplayLog, "rewind", stay, "lost"),
    (ReplayLog, "commit", nothing, "doubled"),
    (TimedSeam, "repeated", none_of_them, "doubled"),
    (FinalsOfLink, "words_in", nothing_said, "doubled"),
]


@pytest.mark.parametrize(("where", "what", "instead", "figure"), SABOTAGE)
def test_it_shows_when_a_part_is_switched_off(
    where: type, what: str, instead: Callable[..., object], figure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, what, instead)
    drops = [Cell("reset", "mid-word"), Cell("reset", "mid-frame"), Cell("reset", "after final")]
    results = [run(seed, Family((Manner(twice=True),)), drops) for seed in range(4)]
    assert any(getattr(result, figure) or result.hangs or result.failure for result in results)
    assert not all(result.good for result in results)


def test_the_table_names_each_cell_once() -> None:
    assert len(set(CELLS)) == len(CELLS)
