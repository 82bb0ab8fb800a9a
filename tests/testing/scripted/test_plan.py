"""A plan of faults: cut into acts, played step by step."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech.errors import ConfigurationError
from trio_speech.testing.scripted.faults import (
    Await,
    BlackHole,
    Close,
    Delay,
    DialFault,
    Drop,
    Fault,
    Freeze,
    Hear,
    Idle,
    Lapse,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Send,
    Speak,
    Step,
    Trigger,
)
from trio_speech.testing.scripted.plan import RECOVERABLE, Script, acts, random_plan


def due(script: Script, now: float = 0.0, last_message: float = 0.0) -> list[Fault]:
    return list(script.due(now, last_message))


def script(*steps: Step) -> Script:
    made = Script(steps, 0.0)
    made.sample_rate = 1_000
    return made


def test_a_plan_is_cut_into_what_each_dial_meets() -> None:
    plan = [Hear(3.0), Drop(), Refuse(503), Hear(1.0), Delay(0.1), Hear(2.0), Close(1011), NeverAnswer(), Hear(9.0)]
    assert list(acts(plan)) == [
        (Hear(3.0), Drop()),
        (Refuse(503),),
        (Hear(1.0), Delay(0.1), Hear(2.0), Close(1011)),
        (NeverAnswer(),),
        (Hear(9.0),),
    ]
    assert list(acts([])) == []


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (Drop, "such as Hear"),
        ("Drop", "such as Hear"),
        ([Drop()], "such as Hear"),
        (Hear(cast(Any, "3")), "Expected `float`, got `str`"),
        (Close(cast(Any, "1011")), "Expected `int`, got `str`"),
        (Await(cast(Any, "bogus")), "Invalid enum value 'bogus'"),
        (Hear(-1.0), "Expected `float` >= 0.0"),
        (Delay(float("nan")), "Expected `float` >= 0.0"),
        (Close(99_999), "Expected `int` <= 4999"),
        (Refuse(42), "Expected `int` >= 200"),
    ],
)
def test_an_invalid_step_is_refused_when_it_is_planned(step: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        list(acts([Hear(1.0), step]))


def test_a_refusal_applies_to_the_next_dial() -> None:
    assert list(acts([Hear(3.0), Refuse(503)])) == [(Hear(3.0),), (Refuse(503),)]


@given(st.integers(0, 500), st.integers(0, 12))
def test_acts_keep_every_step_in_order_and_end_with_the_fault_that_ends_them(seed: int, count: int) -> None:
    plan = random_plan(seed, acts=count)
    cut = list(acts(plan))
    assert tuple(chain.from_iterable(cut)) == plan
    lasting = Delay | Freeze | Send
    assert not [step for act in cut for step in act[:-1] if not isinstance(step, Trigger | lasting)]
    assert plan == random_plan(seed, acts=count)


def test_random_plans_differ_and_have_all_faults() -> None:
    steps = [step for seed in range(300) for step in random_plan(seed)]
    assert {type(step) for step in steps if not isinstance(step, Trigger)} == set(RECOVERABLE)
    assert sum(isinstance(step, DialFault) for step in random_plan(1, acts=20, faults=(Refuse,))) == 20
    assert all(
        step.seconds <= 2.0 for seed in range(50) for step in random_plan(seed, hears=2.0) if isinstance(step, Hear)
    )


def test_hearing_is_counted_from_step_to_step() -> None:
    played = script(Hear(0.3), Delay(0.1), Hear(0.2), Drop())
    assert played.room("heard") == 300
    assert played.room("spoken") == math.inf
    played.count("heard", 299)
    assert due(played) == []
    assert played.room("heard") == 1
    played.count("heard", 1)
    assert due(played) == [Delay(0.1)]
    assert played.room("heard") == 200
    played.count("heard", 200)
    assert due(played) == [Drop()]
    assert played.step is None
    assert played.room("heard") == math.inf


def test_speaking_is_counted() -> None:
    played = script(Speak(0.5), Drop())
    assert played.room("spoken") == 500
    assert played.room("heard") == math.inf
    played.count("spoken", 500)
    assert due(played) == [Drop()]


def test_faults_with_no_trigger_between_them_strike_together() -> None:
    assert due(script(Freeze(1.0), Delay(0.1), Await("final"), Drop())) == [Freeze(1.0), Delay(0.1)]


def test_what_happens_while_a_fault_strikes_counts_for_the_next() -> None:
    played = script(Await("final"), Delay(0.1), Await("final"), Drop())
    played.count("final")
    struck: list[Fault] = []
    for fault in played.due(0.0):
        struck.append(fault)
        played.count("final")
    assert struck == [Delay(0.1), Drop()]


def test_moments_are_counted_from_the_step_that_awaits_them() -> None:
    played = script(Hear(0.1), Await("final", 2), Drop())
    played.count("final", 5)
    played.count("heard", 100)
    assert due(played) == []
    played.count("final")
    played.count("interim", 3)
    assert due(played) == []
    played.count("final")
    assert due(played) == [Drop()]


def test_mid_word_waits_for_seconds_of_a_word() -> None:
    played = script(MidWord(2, 0.1), Drop())
    assert played.room("heard") == 5
    for begun, into in ((0, 0.0), (1, 0.3), (1, 0.0), (2, 0.05)):
        played.word(begun, into)
        assert due(played) == []
    played.word(2, 0.1)
    assert due(played) == [Drop()]


def test_a_word_too_short_for_its_middle_counts_when_the_next_begins() -> None:
    played = script(MidWord(1, 0.5), Drop())
    played.word(1, 0.2)
    assert due(played) == []
    played.word(2, 0.0)
    assert due(played) == [Drop()]


def test_a_lapse_runs_from_the_last_step() -> None:
    played = script(Lapse(2.0), Delay(0.1), Lapse(3.0), Drop())
    assert played.alarm(0.0) == 2.0
    assert due(played, 1.9) == []
    assert due(played, 2.5) == [Delay(0.1)]
    assert played.alarm(0.0) == 5.5
    assert due(played, 5.5) == [Drop()]
    assert played.alarm(0.0) == math.inf


def test_idleness_runs_from_the_last_message() -> None:
    played = script(Idle(2.0), Drop())
    assert played.alarm(7.0) == 9.0
    assert due(played, 8.0, 7.0) == []
    assert due(played, 9.0, 7.0) == [Drop()]


def test_leading_network_faults_happen_while_dialing() -> None:
    played = script(Freeze(1.0), BlackHole(), Hear(1.0), Drop())
    assert list(played.at_once()) == [Freeze(1.0), BlackHole()]
    assert played.step == Hear(1.0)
    assert list(script(Outage(1.0)).at_once()) == []


def test_a_dial_fault_never_strikes_a_conversation() -> None:
    assert due(script(Refuse(503))) == []


def test_random_plans_take_only_faults_that_can_be_drawn() -> None:
    with pytest.raises(KeyError):
        random_plan(1, faults=(Hear,))
