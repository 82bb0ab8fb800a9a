"""Histories of a truthful service, explored completely up to a bound: in none is a word lost, doubled or waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trio_speech._core.recognition.reconciliation import TimedSeam
from trio_speech._core.recognition.replay_log import ReplayLog
from trio_speech._core.recognition.session import RecognitionMachine

from .cases import KINDS, case
from .copies import frozen, key, thawed
from .search import explore
from .world import World


def test_a_copy_is_the_same_state_and_goes_its_own_way() -> None:
    world = World(case("span", (1,)))
    copy = frozen(world)
    thawed(copy).act(("capture",))
    assert frozen(world) == copy
    assert key(frozen(thawed(copy)), world.now) == key(copy, world.now)


def test_states_that_differ_in_the_time_of_day_alone_are_one() -> None:
    same = case("span", (1,))
    early, late = World(same), World(same)
    late.now += 5.0
    assert key(frozen(early), early.now) != key(frozen(late), early.now)
    early.next_capture, late.next_capture = early.now + 1.0, late.now + 1.0
    early.link = late.link = None
    early.service = late.service = None
    assert key(frozen(early), early.now) == key(frozen(late), late.now)


def test_the_same_search_finds_the_same_states() -> None:
    one, other = (explore(case("span, ends by close", (1,))) for _ in range(2))
    assert one.complete
    assert (one.states, one.transitions, one.actions) == (other.states, other.transitions, other.actions)


@pytest.mark.parametrize(
    ("part", "name", "instead", "law"),
    [
        (ReplayLog, "rewind", lambda log, _: log.sent, "lost"),
        (TimedSeam, "repeated", lambda *_: 0, "doubled"),
        (RecognitionMachine, "_disown", lambda *_: None, "lost"),
    ],
)
def test_it_shows_when_a_part_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, part: type, name: str, instead: Callable[..., Any], law: str
) -> None:
    monkeypatch.setattr(part, name, instead)
    rows = ("onset", "interim", "final", "answer", "end")
    report = explore(case("span, lead-in", (1, 1), rows=rows), seconds=60, stop_at=[law])
    assert law in report.violations, report


@pytest.mark.parametrize("kind", ["span, ends by close"])
def test_one_utterance_and_one_fault_break_nothing(kind: str) -> None:
    report = explore(case(kind, (1,)))
    assert report.complete
    assert not report.violations, report


def test_every_kind_of_profile_has_a_case() -> None:
    assert {case(kind).profile.acknowledges for kind in KINDS} == {"span", "watermark", "finalize"}
