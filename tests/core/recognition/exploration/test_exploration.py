"""Histories of a truthful service, explored completely up to a bound: in none is a word lost, doubled or waited for."""

from __future__ import annotations

import os

import pytest

from .cases import KINDS, RICH, case, every
from .copies import exact_key, frozen, thawed
from .keys import key
from .script import Script
from .search import Report, explore
from .whole import BOUNDS
from .world import Case, World

SLICE = 0.5
SECONDS = float(os.environ.get("TRIO_SPEECH_EXPLORE_SECONDS", SLICE))
"""For each search; what is found within it is a slice, unless the search is complete by then."""
WHOLE = pytest.mark.skipif(SECONDS <= SLICE, reason="takes hours: set TRIO_SPEECH_EXPLORE_SECONDS")
SHORT = Script((2, 1), at_once=True)


def test_a_copy_is_the_same_state_and_goes_its_own_way() -> None:
    world = World(case("span", (1,)))
    copy = frozen(world)
    thawed(copy).act(("capture",))
    assert frozen(world) == copy
    assert exact_key(frozen(thawed(copy)), world.now) == exact_key(copy, world.now)
    assert key(thawed(copy)) == key(world)


def test_states_that_differ_in_the_time_of_day_alone_are_one() -> None:
    same = case("span", (1,))
    early, late = World(same), World(same)
    late.now += 5.0
    early.next_capture, late.next_capture = early.now + 1.0, late.now + 1.0
    assert exact_key(frozen(early), early.now) != exact_key(frozen(late), late.now)
    early.link = late.link = None
    early.service = late.service = None
    assert exact_key(frozen(early), early.now) == exact_key(frozen(late), late.now)
    assert key(early) == key(late)


def test_the_same_search_finds_the_same_states() -> None:
    one, other = (explore(case("span, no finalize", (1,))) for _ in range(2))
    assert one.complete
    assert (one.states, one.transitions, one.actions) == (other.states, other.transitions, other.actions)


@pytest.mark.parametrize("one", list(every("core", (1,), faults=1)), ids=str)
def test_one_utterance_and_one_fault_break_nothing(one: Case) -> None:
    check(explore(one, seconds=SECONDS, stop_at=()), complete=SECONDS > SLICE)


@pytest.mark.parametrize("one", list(every("rich", (1,), faults=1, liberties=1)), ids=str)
def test_one_utterance_and_one_liberty_break_nothing(one: Case) -> None:
    check(explore(one, seconds=SECONDS, stop_at=()), complete=SECONDS > SLICE)


@pytest.mark.parametrize("one", list(every("core", (1,), faults=1, suspicions=1)), ids=str)
def test_a_suspect_and_its_standby_speaking_in_any_order_break_nothing(one: Case) -> None:
    check(explore(one, seconds=SECONDS, stop_at=()), complete=False)


@WHOLE
@pytest.mark.parametrize("bound", ["core", "faults", "rich", "beside"])
@pytest.mark.parametrize("kind", KINDS)
def test_larger_bounds_break_nothing(kind: str, bound: str) -> None:
    """What is searched in the time given, and whether that is all, is printed: see `whole`."""
    report = explore(BOUNDS[bound](kind), seconds=SECONDS, stop_at=())
    print(f"{bound}: {report}")
    check(report, complete=False)


def check(report: Report, *, complete: bool) -> None:
    assert not report.violations, report
    assert report.complete or not complete, report


def test_every_row_of_the_grammar_is_taken() -> None:
    """Each message of the rich alphabet, over searches of words and of sounds; in core, just before a deadline too."""
    words = explore(case("span", (2, 1), rows=RICH, script=SHORT, faults=0, liberties=2), most=350, stop_at=())
    sounds = explore(case("span", (0,), rows=RICH, faults=1, liberties=3), most=500, stop_at=())
    marks = explore(case("watermark", (1,)), most=300, stop_at=())
    closes = explore(case("span, no finalize", (1,)), most=900, stop_at=())
    taken = words.actions + sounds.actions + marks.actions + closes.actions
    assert [row for row in RICH if not taken[f"say {row}"]] == []
    early = ("onset", "interim", "final", "answer", "early end")
    assert [row for row in early if not (marks.actions + closes.actions)[f"just before {row}"]] == []
    beside = explore(case("span", (1,), suspicions=1), most=1_000, stop_at=()).actions
    standby = (
        "suspect",
        "stand by",
        "standby says onset",
        "standby says interim",
        "standby says final",
        "clear",
        "dead",
    )
    assert [what for what in (*standby, "take over", "drop standby") if not beside[what]] == []
    assert [
        what for what in ("capture", "pass", "drop", "dial", "early close frame", "end input") if not taken[what]
    ] == []
