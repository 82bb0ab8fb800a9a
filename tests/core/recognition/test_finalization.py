from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.finalization import Finalization, FinalizeAnswer
from trio_speech._core.recognition.reconciliation import ComparedWord

SPANS = SttProfile(quiet_after_final=3.0, quiet_after_finalized=0.5, quiet_unanswered=30.0)
PROFILE = replace(SPANS, acknowledges="finalize")
ONE, TWO, THREE = ComparedWord("one"), ComparedWord("two"), ComparedWord("three")


def loud(upto: int) -> bool:
    return upto < 0


def silent(upto: int) -> bool:
    return upto >= 0


def asked_once() -> Finalization:
    settlement = Finalization(PROFILE)
    settlement.asked(1_000, 0.0, unsettled=1.0)
    return settlement


def decided(settlement: Finalization, is_silence: Callable[[int], bool] = loud) -> tuple[float, FinalizeAnswer]:
    """When the oldest request has an outcome where nothing more comes, and which: the same however late one looks."""
    late = deepcopy(settlement).outcome(math.inf, is_silence)
    for _ in range(3):
        at = settlement.deadline()
        assert at is not None
        assert settlement.outcome(at - 0.001, is_silence) is None
        if (outcome := settlement.outcome(at, is_silence)) is not None:
            assert outcome == late
            return at, outcome
    raise AssertionError("no outcome")


def test_nothing_is_awaited_where_nothing_was_asked() -> None:
    settlement = Finalization(PROFILE)
    settlement.final(1.0)
    settlement.finalized(1.0)
    assert not settlement.pending
    assert not settlement.newest_answered
    assert (settlement.newest, settlement.deadline()) == (-1, None)
    assert settlement.outcome(99.0, silent) is None


def test_the_answer_speaks_of_no_sample_after_the_request() -> None:
    settlement = asked_once()
    settlement.asked(2_000, 0.1, unsettled=2.0)
    assert (settlement.pending, settlement.newest, settlement.unanswered) == (True, 2_000, [1_000, 2_000])
    settlement.finalized(1.0)
    assert decided(settlement) == (1.5, FinalizeAnswer(1_000, answered=True))
    assert settlement.pending
    settlement.finalized(2.0)
    assert decided(settlement) == (2.5, FinalizeAnswer(2_000, answered=True))
    assert not settlement.pending


@pytest.mark.parametrize(
    ("messages", "at"),
    [
        (["finalized 1"], 1.5),
        (["final 0.9", "finalized 1"], 1.5),
        (["finalized 1", "final 1.2"], 1.7),  # a trailing final
        (["interim 0.9", "finalized 1"], 4.0),  # whose final is owed
        (["interim 0.9", "finalized 1", "final 2"], 2.5),
        (["finalized 1", "final 1.4", "final 1.8", "final 2.2", "final 2.6", "final 3", "final 3.4", "final 3.8"], 4.0),
        (["final 1"], 4.0),
        (["final 1", "final 3.5"], 6.5),
        (["final 1", "interim 3.5"], 6.5),
        (["final 1", "interim 3.5", "final 5"], 8.0),
    ],
)
def test_an_answer_counts_once_all_is_quiet(messages: list[str], at: float) -> None:
    settlement = asked_once()
    for message in messages:
        kind, _, now = message.partition(" ")
        assert settlement.outcome(float(now), loud) is None
        {"final": settlement.final, "finalized": settlement.finalized, "interim": settlement.interim}[kind](float(now))
    assert decided(settlement) == (at, FinalizeAnswer(1_000, answered=True))


@pytest.mark.parametrize("message", ["final", "interim"])
def test_finals_that_leave_speech_unacknowledged_are_no_answer(message: str) -> None:
    settlement = Finalization(SPANS)
    settlement.asked(1_000, 0.0, unsettled=1.0)
    settlement.final(0.5)
    getattr(settlement, message)(1.0)
    assert decided(settlement) == (31.0, FinalizeAnswer(1_000, answered=False))


def test_finals_that_leave_but_silence_are_an_answer() -> None:
    settlement = Finalization(SPANS)
    settlement.asked(1_000, 0.0, unsettled=1.0)
    settlement.final(0.5)
    assert decided(settlement, silent) == (3.5, FinalizeAnswer(1_000, answered=True))


def test_no_answer_about_silence_is_an_answer() -> None:
    assert decided(asked_once(), silent) == (3.0, FinalizeAnswer(1_000, answered=True))


def test_no_answer_about_speech_is_none() -> None:
    assert decided(asked_once(), loud) == (30.0, FinalizeAnswer(1_000, answered=False))


def test_a_guess_with_nothing_after_it_is_no_answer() -> None:
    settlement = asked_once()
    settlement.interim(0.5)
    assert decided(settlement, silent) == (30.5, FinalizeAnswer(1_000, answered=False))


@pytest.mark.parametrize(("message", "answered"), [("interim", False), ("final", True)])
def test_waiting_is_bounded_whatever_comes(message: str, answered: bool) -> None:
    settlement = asked_once()
    for tenth in range(1, 310):
        assert settlement.outcome(tenth / 10, loud) is None
        getattr(settlement, message)(tenth / 10)
    assert decided(settlement) == (31.0, FinalizeAnswer(1_000, answered=answered))


def test_speech_after_the_service_s_own_word_does_not_hold_it_up() -> None:
    settlement = asked_once()
    settlement.finalized(1.0)
    for tenth in range(11, 40):
        settlement.interim(tenth / 10)
    assert decided(settlement) == (4.0, FinalizeAnswer(1_000, answered=True))


def test_a_final_counts_for_all_that_wait() -> None:
    settlement = asked_once()
    settlement.asked(2_000, 0.1, unsettled=2.0)
    settlement.final(1.0)
    assert decided(settlement) == (4.0, FinalizeAnswer(1_000, answered=True))
    assert decided(settlement) == (4.0, FinalizeAnswer(2_000, answered=True))


def test_the_newest_request_is_the_last_that_was_written() -> None:
    settlement = Finalization(PROFILE)
    for upto in (1_000, 2_000, 3_000):
        settlement.asked(upto, 0.0, unsettled=1.0)
        assert settlement.newest == upto


def test_any_answer_since_it_was_asked_may_be_the_newest_request_s() -> None:
    settlement = asked_once()
    assert not settlement.newest_answered
    settlement.final(1.0)
    assert settlement.newest_answered
    settlement.asked(2_000, 2.0, unsettled=2.0)
    assert not settlement.newest_answered
    settlement.finalized(2.0)  # which answers the older one
    assert not settlement.newest_answered
    settlement.finalized(2.1)
    assert settlement.newest_answered


def test_words_after_the_service_s_own_word_may_belong_to_later_audio() -> None:
    settlement = asked_once()
    settlement.final(0.5, [ONE])
    settlement.finalized(1.0)
    settlement.final(1.2, [TWO])
    assert decided(settlement)[1] == FinalizeAnswer(1_000, True, (TWO,))


def test_words_of_a_lone_answer_belong_to_it() -> None:
    settlement = asked_once()
    settlement.final(0.5, [ONE])
    assert decided(settlement)[1] == FinalizeAnswer(1_000, True, (ONE,), answer=1)


def test_words_of_more_finals_may_belong_to_later_audio() -> None:
    settlement = asked_once()
    settlement.final(0.5, [ONE])
    settlement.final(0.7, [TWO])
    assert decided(settlement)[1] == FinalizeAnswer(1_000, True, (ONE, TWO), answer=1)


def test_words_between_two_answers_may_belong_to_either() -> None:
    settlement = asked_once()
    settlement.asked(2_000, 0.1, unsettled=2.0)
    settlement.final(0.5, [ONE])
    settlement.finalized(0.6)
    settlement.final(0.7, [TWO])
    settlement.finalized(0.8)
    settlement.final(0.9, [THREE])
    assert decided(settlement)[1] == FinalizeAnswer(1_000, True, (TWO, THREE))
    assert decided(settlement)[1] == FinalizeAnswer(2_000, True, (THREE,))


events = st.lists(
    st.tuples(st.sampled_from(["ask", "interim", "final", "finalized", "look"]), st.floats(0.0, 4.0)), max_size=60
)


@given(events, st.booleans())
def test_every_request_has_one_outcome_in_order_and_in_time(history: list[tuple[str, float]], quiet: bool) -> None:
    settlement, now, asked, outcomes = Finalization(PROFILE), 0.0, [], []

    def look() -> None:
        while (outcome := settlement.outcome(now, lambda _: quiet)) is not None:
            outcomes.append(outcome.upto)
        deadline = settlement.deadline()
        assert (deadline is not None) == settlement.pending
        assert deadline is None or now < deadline <= max(at for _, at in asked) + 1.0 + 30.0

    for kind, seconds in history:
        now += seconds
        match kind:
            case "ask":
                look()
                asked.append((len(asked), now))
                settlement.asked(len(asked) - 1, now, unsettled=1.0)
            case "look":
                look()
            case message:
                getattr(settlement, message)(now)
    while settlement.pending:
        now = max(now, settlement.deadline() or 0.0)
        look()
    assert outcomes == [number for number, _ in asked]
