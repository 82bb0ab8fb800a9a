"""What is committed by what: row by row of the table of `evidence`. A sample is a millisecond."""

from __future__ import annotations

from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    Acknowledged,
    FinalizeAnswered,
    SpeechOnset,
    SpeechOver,
)
from trio_speech._core.recognition.commands import SendFinalize
from trio_speech.events import InterimTranscript, SpeechEnded, SpeechStarted

from .one_link import ORDERED, SPANS, UNTRUSTED, Run, interim, loud, quiet, result

# ---------------------------------------------------------------- what is committed by what


def test_a_watermark_commits_what_lies_before_it() -> None:
    run = Run(replace(SPANS, acknowledges="watermark"))
    run.capture(loud(500))
    run.says(interim(0.0, 0.3), Acknowledged(0.4))
    assert run.committed == 400


def test_an_ordered_final_commits_what_lies_before_its_end_but_for_what_is_owed() -> None:
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(result(0.2, 0.3))
    assert run.committed == 300
    run.says(interim(0.4, 0.5), interim(0.6, 0.9, "two"))
    run.says(result(0.6, 0.9, "two"), now=0.1)
    run.at(1.1)
    assert run.committed == 400
    run.says(result(0.4, 0.5), now=1.2)
    assert run.committed == 900


def test_an_unordered_final_commits_nothing_behind_sound_of_which_nothing_was_said() -> None:
    run = Run(SPANS)
    run.capture(quiet(200) + loud(100) + quiet(200) + loud(300))
    run.says(result(0.5, 0.8, "two"))
    assert run.committed == 200
    run.says(result(0.2, 0.3))
    assert run.committed == 800
    assert run.texts() == ["two", "one"]


def test_where_speakers_overlap_a_final_commits_nothing() -> None:
    run = Run(replace(ORDERED, overlapping=True))
    run.capture(loud(1_000))
    run.says(result(0.1, 0.9))
    assert run.committed == 0
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(result(0.1, 0.9, speaker="S1"))
    assert run.committed == 0


def test_an_answered_request_commits_what_lies_before_it_once_nothing_is_open_there() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(100) + quiet(100))
    run.session.finalize()
    assert run.at(0.1) == [SendFinalize()]
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 0, "something loud was sent, and nothing was said of it"
    run.says(result(0.0, 0.1), now=0.3)
    assert run.committed == 200


def test_a_final_before_the_answer_speaks_for_the_audio_before_the_last_pause_that_had_been_sent() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200) + quiet(300))
    run.at(0.0)
    run.says(result(0.0, 0.0))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 500


def test_a_late_final_does_not_speak_for_a_word_that_no_pause_had_followed() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200) + quiet(300) + loud(200))
    run.at(0.0)
    run.says(result(0.0, 0.0))  # of the first word
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 500
    run.says(result(0.0, 0.0), now=0.3)
    assert run.committed == 700


def test_a_final_that_was_asked_for_speaks_for_what_was_asked_about_even_in_mid_sound() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(0.0)
    run.capture(loud(200))
    run.at(0.1)
    run.says(result(0.0, 0.0), now=0.2)
    run.says(FinalizeAnswered(), now=0.3)
    assert run.committed == 200


def test_a_shown_word_keeps_an_answer_from_committing_it() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(200))
    run.says(interim(0.05, 0.15))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 50
    run.says(interim(0.05, 0.15, ""), now=0.3)
    assert run.committed == 200
    assert [type(event) for event in run.told()] == [SpeechStarted, InterimTranscript, SpeechEnded]


def test_where_no_message_answers_a_final_that_reaches_the_place_does() -> None:
    run = Run(replace(SPANS, answers_finalize=False))
    run.capture(quiet(100) + loud(100))
    run.session.finalize()
    run.at(0.1)
    run.says(result(0.1, 0.2), now=0.2)
    assert run.committed == 200


def test_an_answer_ends_speech_of_which_nothing_is_owed() -> None:
    run = Run(ORDERED)
    run.capture(loud(200) + quiet(100))
    run.says(result(0.0, 0.2))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.told()[-1] == SpeechEnded(0.3)


def test_a_speech_onset_is_owed_until_speech_is_over() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(300))
    run.says(SpeechOnset(0.1))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.committed == 100
    run.says(SpeechOver(0.3), now=0.3)
    assert run.committed == 300


# ---------------------------------------------------------------- words that may be said again


def test_words_behind_an_answered_place_are_looked_for_on_the_next_link() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(100))
    run.session.finalize()
    run.at(0.1)
    run.capture(loud(100), 0.2)
    run.says(result(0.0, 0.0), result(0.0, 0.0, "two"), FinalizeAnswered(), now=0.3)
    assert run.committed == 100
    run = run.again(1.0)
    run.at(1.0)
    run.says(result(0.0, 0.0, "two three"), now=1.1)
    assert run.texts() == ["one", "two", "three"]


def test_words_that_an_answer_covers_may_be_said_again() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(100))
    run.session.finalize()
    run.at(0.1)
    run.says(result(0.0, 0.0), FinalizeAnswered(), now=0.3)
    run = run.again(1.0)
    run.capture(loud(100), 1.0)
    run.says(result(0.0, 0.0), now=1.1)
    assert run.texts() == ["one", "one"]


def test_words_that_a_replay_has_not_come_to_are_still_known_when_it_is_answered_on_its_way() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(3_000))
    run.says(result(0.0, 0.0, "one two three"), now=0.1)
    run.profile = replace(UNTRUSTED, replay_speed=1.0)
    run = run.again(10.0)
    run.at(10.0)
    sent = run.session.log.sent
    assert sent < 3_000
    run.link._evidence.requests.asked(sent, 10.0)
    run.says(result(0.0, 0.0), FinalizeAnswered(), now=10.1)
    assert run.committed == sent
    run = run.again(20.0)
    run.at(20.0)
    run.says(result(0.0, 0.0, "two three four"), now=20.1)
    assert run.texts() == ["one two three", "four"]
