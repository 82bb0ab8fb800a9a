"""What each message means for the session, and what is old news. A sample is a millisecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    FinalizeAnswered,
    SpeechOnset,
    Unheard,
)
from trio_speech._core.provider.profile import SttProfile
from trio_speech.events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, Word

from .one_link import ORDERED, SPANS, UNTRUSTED, Run, interim, loud, quiet, result

# ---------------------------------------------------------------- old news


def test_a_late_interim_of_what_is_final_is_ignored() -> None:
    run = Run(ORDERED)
    run.capture(loud(500))
    words = (Word("one", 0.1, 0.3),)
    run.says(interim(0.1, 0.3, words=words), result(0.1, 0.3, words=words, ends_speech=True))
    run.told()
    run.says(interim(0.1, 0.3, words=words), interim(0.1, 0.2, "on"))
    assert run.told() == []
    assert not run.link._evidence.owed


@pytest.mark.parametrize(("text", "old"), [("One", True), ("two", False)])
def test_where_times_mean_nothing_a_late_interim_is_known_by_its_words_too(text: str, old: bool) -> None:
    run = Run(replace(UNTRUSTED, word_times=True))
    run.capture(loud(500))
    run.says(result(0.1, 0.3, words=(Word("one", 0.1, 0.3),)))
    run.told()
    run.says(interim(0.1, 0.3, text, words=(Word(text, 0.1, 0.3),)))
    assert (run.told() == []) is old


@pytest.mark.parametrize(("end", "old"), [(0.3, True), (0.4, False)])
def test_without_words_a_late_interim_is_known_by_its_span(end: float, old: bool) -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(500))
    run.says(result(0.1, 0.3))
    run.told()
    run.says(interim(0.1, end))
    assert (run.told() == []) is old


def test_a_joined_final_brings_only_what_is_new_of_it() -> None:
    run = Run(replace(ORDERED, exact_times=False, drift=0.05))
    run.capture(loud(1_000))
    one, two = Word("one", 0.1, 0.3), Word("two,", 0.34, 0.5)
    run.says(result(0.1, 0.3, "one", words=(one,)))
    run.says(result(0.13, 0.5, "one two,", words=(replace(one, start=0.13, end=0.34), two)), now=0.1)
    run.says(result(0.1, 0.3, "one", words=(one,)), now=0.2)
    assert run.texts() == ["one", "two,"]
    assert run.session.tally.repeated_finals == 1


def test_an_empty_final_without_times_is_not_delivered_and_ends_speech() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(SpeechOnset(0.0), result(0.0, 0.0, ""))
    assert run.told() == [SpeechStarted(0.0), SpeechEnded(0.2)]


def test_times_of_nought_are_bounded_by_the_streams_own_clock() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.0), result(0.0, 0.0, words=(Word("one", 0.0, 0.0),), ends_speech=True))
    run.capture(loud(200))
    run.says(interim(0.0, 0.0, "two"), result(0.0, 0.0, "two", ends_speech=True))
    started, final, ended, again, second, over = run.told()
    assert (started, ended, again, over) == (
        SpeechStarted(0.0),
        SpeechEnded(0.2),
        SpeechStarted(0.2),
        SpeechEnded(0.4),
    )
    assert (final.start, final.end, final.words, second.start, second.end) == (0.0, 0.2, (), 0.2, 0.4)


def test_words_with_times_place_a_final_that_has_none() -> None:
    run = Run(ORDERED)
    run.capture(loud(500))
    run.says(result(0.0, 0.0, words=(Word("one", 0.1, 0.3),)))
    (final,) = [event for event in run.told() if isinstance(event, FinalTranscript)]
    assert (final.start, final.end) == (0.1, 0.3)


def test_speakers_of_two_links_are_the_same_only_by_a_word_heard_again() -> None:
    run = Run(replace(ORDERED, overlapping=True), None)
    run.capture(loud(1_000))
    run.says(result(0.1, 0.5, "so I", speaker="A", words=(Word("so", 0.1, 0.2, None, "A"), Word("I", 0.3, 0.5))))
    run = run.again(1.0)
    run.at(1.0)
    run.says(
        result(0.1, 0.8, "so go", speaker="X", words=(Word("so", 0.1, 0.2, None, "X"), Word("go", 0.6, 0.8))), now=1.1
    )
    run.says(result(0.6, 0.8, "no", speaker="A", words=(Word("no", 0.6, 0.8),)), now=1.2)
    told = [(event.text, event.speaker) for event in run.told() if isinstance(event, FinalTranscript)]
    assert told == [("so I", "A"), ("go", "A"), ("no", "A.2")]


# ---------------------------------------------------------------- what the service gives up on


FATES = st.lists(st.sampled_from(["final", "unheard", "reset"]), min_size=1, max_size=8)


@given(FATES, st.sampled_from([SPANS, ORDERED]))
def test_each_utterance_ends_in_its_final_or_in_one_gap_whatever_drops(fates: list[str], profile: SttProfile) -> None:
    run, at, given_up = Run(profile), 0, list[tuple[float, float, str]]()
    for number, fate in enumerate(fates):
        run.capture(quiet(100) + loud(200), number)
        start, end = at + 0.1, at + 0.3
        if fate == "reset":
            run.says(interim(start - run.base, end - run.base), now=number)
            run = run.again(number)
            run.at(number)
        said = result(start - run.base, end - run.base, f"w{number}")
        run.says(said if fate != "unheard" else Unheard(said.start, said.end), now=number)
        given_up += [(start, end, "unheard")] if fate == "unheard" else []
        at = end
    run.end(len(fates))
    run.says(FinalizeAnswered(), now=len(fates))
    assert run.committed == run.session.log.captured
    run.session.end()
    told = run.told()
    assert [each.text for each in told if isinstance(each, FinalTranscript)] == [
        f"w{number}" for number, fate in enumerate(fates) if fate != "unheard"
    ]
    gaps = [(gap.start, gap.end, gap.reason) for gap in told if isinstance(gap, Gap)]
    assert gaps == [(pytest.approx(start), pytest.approx(end), why) for start, end, why in given_up]


def test_a_final_that_is_said_again_while_it_is_held_back_is_delivered_once() -> None:
    run = Run(SPANS)
    run.capture(loud(400) + quiet(200) + loud(300) + quiet(100))
    words = (Word("two", 0.6, 0.9),)
    run.says(interim(0.1, 0.4), result(0.6, 0.9, "two", words=words), result(0.6, 0.9, "two", words=words))
    assert run.texts() == []
    run.at(1.0)
    assert run.texts() == ["two"]
    assert run.session.tally.repeated_finals == 1


# ---------------------------------------------------------------- finals of an earlier link


def crossed(**fields: object) -> Run:
    """Utterances at 0.1 and 0.6 s: the second is final on the first link, and the first is shown."""
    run = Run(replace(SPANS, **fields))
    run.capture(loud(400) + quiet(200) + loud(300) + quiet(100))
    run.says(result(0.6, 0.9, "two", ends_speech=True), interim(0.1, 0.4))
    assert [type(event) for event in run.told()].count(SpeechStarted) == 2
    again = run.again()
    again.capture(b"")
    return again


@pytest.mark.parametrize(("first", "ended"), [("one", True), ("", False)])
def test_a_final_that_comes_again_ends_speech_only_where_all_before_it_is_final(first: str, ended: bool) -> None:
    run = crossed()
    run.says(*([result(0.1, 0.4, first)] if first else []), result(0.6, 0.9, "two", ends_speech=True))
    assert run.session.speaking is not ended


@pytest.mark.parametrize(("end", "shown"), [(0.9, False), (0.95, True)])
def test_an_interim_of_what_another_link_made_final_is_not_shown(end: float, shown: bool) -> None:
    run = crossed(word_times=False)
    run.says(result(0.1, 0.4))
    run.told()
    run.says(interim(0.6, end, "two"))
    assert bool(run.told()) is shown


def test_a_final_that_another_link_has_made_is_not_delivered_again_whatever_came_before_it() -> None:
    run = crossed(word_times=False)
    run.says(result(0.1, 0.4, "one"), result(0.6, 0.9, "two", ends_speech=True))
    assert run.texts() == ["one"]
    assert run.session.tally.repeated_finals == 1
    run.says(result(0.6, 0.95, "two"))
    assert run.texts() == ["two"], "it reaches further than what is known"


def test_the_pause_between_two_utterances_that_were_only_shown_is_no_gap() -> None:
    run = Run(replace(ORDERED, finalizes=False, ends_by="close"))
    run.capture(loud(400) + quiet(200) + loud(300) + quiet(100))
    run.says(interim(0.0, 0.4), interim(0.6, 0.9, "two"))
    run.end()
    assert run.link.peer_closed(1000, 0.0) is not None
    again = run.again()
    again.end()
    again.says(result(0.0, 0.4), result(0.6, 0.9, "two"))
    assert again.link.peer_closed(1000, 0.0) is not None
    assert again.gaps() == []
