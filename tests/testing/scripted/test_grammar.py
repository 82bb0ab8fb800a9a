"""The grammar of what a truthful recognizer may say: each row when it may be said, and nothing that is not so."""

from __future__ import annotations

from random import Random

import pytest

from trio_speech._core.provider.messages import (
    Acknowledged,
    Closed,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
)
from trio_speech.events import Word
from trio_speech.testing.scripted.account import Account, Diction
from trio_speech.testing.scripted.grammar import GHOST, GRAMMAR, Choice, say, sayable

A, B, C = (Word(text, at, at + 0.5) for text, at in (("a", 1.0), ("b", 2.0), ("c", 4.0)))


def account(**diction: object) -> Account:
    """Two words in one utterance, one in the next, and a sound."""
    made = Account(Diction(**diction))  # type: ignore[arg-type]
    made.hear((A,), by=1.5)
    made.hear((B,), by=2.5)
    made.pause()
    made.hear((C,), by=4.5)
    made.pause()
    made.sound(6.0, 6.5, by=6.5)
    made.position = 7.0
    return made


def texts(said: object) -> list[str]:
    assert isinstance(said, RecognitionResult)
    assert said.text == " ".join(word.text for word in said.words) or not said.words
    return said.text.split()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_said_each_word_is_final_once_unless_it_is_restated(seed: int) -> None:
    random = Random(seed)
    service = account(ordered=bool(seed % 2))
    service.request(7.0)
    told: list[str] = []
    rows = [row for row in GRAMMAR if row not in ("doubled final", "restated final", "early end", "end")]
    while choices := sayable(service, rows):
        said = say(service, random.choice(choices))
        told += texts(said) if isinstance(said, RecognitionResult) and said.kind == "final" else []
    assert sorted(told) == ["a", "b", "c"]
    assert service.owed() == []


@pytest.mark.parametrize("row", GRAMMAR)
def test_every_row_may_be_said_at_some_time(row: str) -> None:
    for seed in range(200):
        random, service = Random(seed), account()
        service.request(7.0)
        if seed % 2:
            service.leave(7.0)
        while choices := sayable(service, [name for name in GRAMMAR if name != "early end"]):
            if found := sayable(service, [row]):
                assert say(service, found[0]) is not None
                return
            say(service, random.choice(choices))
    pytest.fail(f"{row} was never to be said")


def test_what_is_owed_is_what_was_heard_to_its_end_or_asked_for() -> None:
    service = Account(Diction())
    service.hear((A,), by=1.5)
    assert service.owed() == []
    service.pause()
    assert service.owed() == [(("final", 0), 1.5)]
    service.request(3.0)
    assert service.owed() == [(("final", 0), 1.5), (("answer", 0), 3.0)]
    say(service, ("answer", 0))
    say(service, ("final", 0))
    assert service.owed() == []


def test_the_end_is_owed_when_nothing_else_is() -> None:
    service = account()
    service.leave(7.0)
    assert ("end", 0) not in [choice for choice, _ in service.owed()]
    assert sayable(service, ["end"]) == []
    say(service, ("final", 0))
    say(service, ("final", 1))
    assert service.owed() == [(("end", 0), 7.0)]
    assert say(service, ("end", 0)) == Closed()
    assert sayable(service, GRAMMAR) == []


def test_what_is_shown_of_a_sound_has_to_be_taken_back() -> None:
    service = Account(Diction())
    service.sound(1.0, 1.5, by=2.0)
    assert service.owed() == []
    assert texts(say(service, ("ghost", 0))) == [GHOST]
    assert service.owed() == [(("retraction", 0), 2.0)]
    assert texts(say(service, ("retraction", 0))) == []
    assert service.owed() == []


def test_finals_come_in_order_where_they_are_ordered() -> None:
    assert sayable(account(), ["final", "crossed final"]) == [("final", 0), ("crossed final", 1)]
    assert sayable(account(ordered=True), ["final", "crossed final"]) == [("final", 0)]


def finals_after(*choices: Choice) -> list[list[str]]:
    service = account()
    return [texts(say(service, choice)) for choice in choices]


def test_finals_are_split_joined_doubled_and_restated() -> None:
    assert finals_after(("partial final", 0), ("final", 0)) == [["a"], ["b"]]
    assert finals_after(("joined final", 0)) == [["a", "b", "c"]]
    assert finals_after(("partial final", 0), ("joined final", 0)) == [["a"], ["b", "c"]]
    assert finals_after(("final", 0), ("doubled final", 0)) == [["a", "b"], ["a", "b"]]
    assert finals_after(("final", 0), ("restated final", 0)) == [["a", "b"], ["a", "b", "c"]]


def test_a_final_said_again_has_the_identity_that_it_had() -> None:
    service = account(identified=True)
    one, other = say(service, ("final", 0)), say(service, ("doubled final", 0))
    assert isinstance(one, RecognitionResult)
    assert one == other
    assert one.id is not None


def test_news_of_what_is_final_comes_late_and_once() -> None:
    service = account()
    assert sayable(service, ["late interim", "late onset"]) == []
    say(service, ("final", 0))
    assert sayable(service, ["late interim", "late onset"]) == [("late interim", 0), ("late onset", 0)]
    assert texts(say(service, ("late interim", 0))) == ["a", "b"]
    assert sayable(service, ["late interim", "late onset"]) == []


def test_a_watermark_is_no_farther_than_the_first_word_that_is_not_final() -> None:
    service = account()
    assert say(service, ("watermark", 0)) == Acknowledged(1.0)
    assert sayable(service, ["watermark"]) == []
    say(service, ("crossed final", 1))
    assert sayable(service, ["watermark"]) == []
    say(service, ("partial final", 0))
    assert say(service, ("watermark", 0)) == Acknowledged(2.0)
    say(service, ("final", 0))
    assert say(service, ("watermark", 0)) == Acknowledged(7.0)


def test_times_are_told_as_the_diction_has_it() -> None:
    exact, zero, billed = account(), account(times="zero"), account(times="billed")
    assert say(exact, ("onset", 0)) == SpeechOnset(1.0)
    assert say(zero, ("onset", 0)) == SpeechOnset(None)
    assert say(exact, ("speech over", 0)) == SpeechOver(2.5)
    spans = [say(service, ("final", 0)) for service in (exact, zero, billed)]
    assert [(said.start, said.end) for said in spans if isinstance(said, RecognitionResult)] == [
        (1.0, 2.5),
        (0.0, 0.0),
        (0.0, 7.0),
    ]
    again = say(billed, ("final", 1))
    assert isinstance(again, RecognitionResult)
    assert (again.start, again.end) == (0.0, 0.0)


def test_a_request_is_answered_before_or_after_its_finals_or_not_at_all() -> None:
    service, mute = account(), account(answers=False)
    for each in (service, mute):
        each.request(7.0)
    assert say(service, sayable(service, ["answer"])[0]) == FinalizeAnswered()
    assert sayable(service, ["answer"]) == []
    assert sayable(mute, ["answer"]) == []
    assert ("answer", 0) not in [choice for choice, _ in mute.owed()]
