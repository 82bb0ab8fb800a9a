"""What one link has made final is known when it is said again, and nothing else is taken for it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import RecognitionResult
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.finals_of_link import FinalsOfLink
from trio_speech.events import Word

EXACT = SttProfile(acknowledges="span", drift=0.05)
UNTRUSTED = replace(EXACT, acknowledges="finalize")


def final(start: float, end: float, *words: tuple[str, float, float], **fields: Any) -> RecognitionResult:
    timed = tuple(Word(*word) for word in words)
    return RecognitionResult(kind="final", text="x", start=start, end=end, words=timed, **fields)


ONE_TWO = final(1.0, 2.0, ("one", 1.0, 1.4), ("two", 1.5, 2.0))


def finals(*told: RecognitionResult, profile: SttProfile = EXACT) -> FinalsOfLink:
    known = FinalsOfLink(profile)
    for each in told:
        known.add(each)
    return known


@pytest.mark.parametrize(
    ("again", "old"),
    [
        (final(1.0, 2.0, ("one", 1.0, 1.4), ("two", 1.5, 2.0)), [True, True]),
        (final(1.5, 3.0, ("two", 1.5, 2.0), ("six", 2.4, 3.0)), [True, False]),
        (final(1.0, 2.0, ("won", 1.04, 1.44)), [True]),  # a better guess of the same word
        (final(1.0, 2.0, ("one", 1.06, 1.46)), [False]),
        (final(1.0, 2.0, ("one", 1.0, 1.46)), [False]),
        (final(1.0, 2.0, ("one", 0.9, 1.4)), [False]),
    ],
)
def test_words_are_the_same_if_their_times_are(again: RecognitionResult, old: list[bool]) -> None:
    assert finals(ONE_TWO).words_in(again) == old


def test_a_word_of_another_speaker_is_another_word() -> None:
    told = finals(final(1.0, 1.4, ("one", 1.0, 1.4), speaker="A"))
    again = final(1.0, 1.4, ("one", 1.0, 1.4))
    assert told.words_in(replace(again, speaker="A")) == [True]
    assert told.words_in(replace(again, speaker="B")) == [False]


def test_where_times_cannot_be_trusted_a_guess_is_old_by_time_and_text_and_a_final_never() -> None:
    told = finals(ONE_TWO, profile=UNTRUSTED)
    same, other = final(1.0, 1.4, ("One,", 1.0, 1.4)), final(1.0, 1.4, ("six", 1.0, 1.4))
    assert told.words_in(replace(same, kind="interim")) == [True]
    assert told.words_in(replace(other, kind="interim")) == [False]
    assert told.words_in(same) == [False]


@pytest.mark.parametrize(
    ("again", "repeated"),
    [
        (final(1.0, 2.0), True),
        (final(1.009, 1.991), True),
        (final(1.0, 2.011), False),
        (final(1.0, 1.9), False),
        (final(1.0, 2.0, speaker="A"), False),
        (final(0.0, 0.0), False),
        (final(5.0, 6.0, id="f"), True),
        (final(5.0, 6.0, id="g"), False),
    ],
)
def test_without_word_times_a_final_is_the_same_by_its_identity_or_its_span(
    again: RecognitionResult, repeated: bool
) -> None:
    assert finals(final(1.0, 2.0, id="f")).repeated_by(again) is repeated


def test_a_span_that_cannot_be_trusted_is_no_identity() -> None:
    assert not finals(final(1.0, 2.0), profile=UNTRUSTED).repeated_by(final(1.0, 2.0))


@pytest.mark.parametrize(
    ("guess", "covered", "covered_where_speakers_overlap"),
    [
        (final(1.2, 1.8), True, False),
        (final(0.991, 2.009), True, True),
        (final(0.98, 1.5), False, False),
        (final(1.5, 2.02), False, False),
    ],
)
def test_a_guess_within_a_final_is_old(
    guess: RecognitionResult, covered: bool, covered_where_speakers_overlap: bool
) -> None:
    told = finals(final(1.0, 2.0))
    assert told.cover(guess, overlaps=False) is covered
    assert told.cover(guess, overlaps=True) is covered_where_speakers_overlap


@pytest.mark.parametrize(
    ("result", "passed_by"),
    [
        (final(2.0, 2.5), True),
        (final(1.99, 2.5), False),
        (final(2.1, 2.5, ("one", 1.9, 2.5)), False),
        (final(2.1, 2.5, id="f"), False),
        (final(2.1, 2.5, id="g"), True),
    ],
)
def test_what_lies_behind_all_finals_is_new(result: RecognitionResult, passed_by: bool) -> None:
    assert finals(final(1.0, 2.0, id="f"), final(0.1, 0.5)).is_passed_by(result) is passed_by


def test_what_tells_no_time_may_be_anything() -> None:
    assert not finals().is_passed_by(final(0.0, 0.0))
