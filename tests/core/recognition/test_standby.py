"""A second link beside a suspect one: when it takes over, what it brings along, and what is not told until then."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import Closed, Failure, Opened, SpeechOnset, SttMessage, Unknown
from trio_speech._core.recognition.commands import SendAudio, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.recognition.standby import MOST_KEPT, Standby
from trio_speech._core.retry.causes import Ended, Reported
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, SpeechStarted, Word
from trio_speech.policy import ReplayPolicy

from .one_link import SPANS, UNTRUSTED, Run, interim, loud, quiet, result


def suspect(profile: Any = SPANS, audio: bytes = loud(1_000) + quiet(1_000), **policy: Any) -> Run:
    """A link that was sent `audio`, and is suspect."""
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=0.0, **policy))
    run = Run(profile, session)
    run.capture(audio)
    run.link.hold()
    return run


def beside(run: Run, *, now: float = 0.0, profile: Any = None) -> Standby:
    """A standby that was sent all audio so far."""
    standby = Standby(run.session, profile or run.profile, now)
    pump(standby, now)
    return standby


def pump(standby: Standby, now: float = 0.0) -> bytes:
    sent = b""
    while isinstance(step := standby.next(now), SendAudio):
        sent += step.pcm
    return sent


def says(standby: Standby, *messages: SttMessage) -> None:
    for message in messages:
        assert standby.receive(message) is None


def take_over(run: Run, standby: Standby) -> LinkMachine:
    run.link.lost()
    link = LinkMachine(run.session, run.profile, 0.0, patience=10.0, progress_timeout=None, standby=standby)
    link.take_over(standby, 0.0)
    return link


def texts(run: Run) -> list[str]:
    return [event.text for event in run.told() if isinstance(event, FinalTranscript)]


def test_a_held_link_sends_no_audio_until_it_may_go_on() -> None:
    run = suspect()
    sent = run.session.log.sent
    run.capture(loud(500))
    assert run.session.log.sent == sent
    run.session.finalize()
    assert run.at(0.0) == []
    run.link.go_on()
    run.at(0.0)
    assert run.session.log.sent == sent + 500


def test_it_is_sent_what_is_not_committed_and_then_what_is_captured() -> None:
    run = suspect()
    run.says(result(0.0, 1.0))
    standby = Standby(run.session, SPANS, 0.0)
    assert pump(standby) == quiet(1_000)
    run.session.capture(loud(99))
    assert standby.next(7.0) == Wait(7.1)
    run.session.capture(loud(1))
    assert pump(standby) == loud(100)
    run.session.capture(loud(30))
    assert pump(standby) == b""
    run.session.end_input()
    assert pump(standby) == loud(30)


def test_it_paces_its_backlog_as_a_link_does() -> None:
    run = suspect(burst=0.5, speed=2.0)
    standby = Standby(run.session, SPANS, 10.0)
    assert len(pump(standby, 10.0)) == 2 * 500
    assert standby.next(10.0) == Wait(10.05)
    assert len(pump(standby, 10.25)) == 2 * 500


@pytest.mark.parametrize(("captured", "sent"), [(500, 500), (700, 500)])
def test_by_default_it_is_paced_as_its_profile_says_from_its_own_first_sample_on(captured: int, sent: int) -> None:
    profile = replace(SPANS, replay_speed=2.0, burst=0.5)
    run = suspect(profile, loud(1_000))
    run.says(result(0.0, 1.0))
    run.session.capture(loud(captured))
    standby = Standby(run.session, profile, 10.0)
    assert standby.sent == 1_000
    assert len(pump(standby, 10.0)) == 2 * sent
    run.session.capture(loud(100))
    assert bool(pump(standby, 10.0)) is (captured == sent), "a backlog that is sent at once is live from then on"


def test_the_last_sample_of_the_input_is_sent_too() -> None:
    run = suspect()
    standby = beside(run)
    run.session.capture(loud(1))
    assert pump(standby) == b""
    run.session.end_input()
    assert pump(standby) == loud(1)


def test_where_the_service_must_say_that_it_is_ready_no_audio_goes_before() -> None:
    run = suspect()
    standby = Standby(run.session, replace(SPANS, waits_for_opened=True), 0.0)
    assert pump(standby) == b""
    says(standby, Opened())
    assert len(pump(standby)) == 2 * 2_000


def test_the_user_hears_nothing_of_it_and_the_suspects_books_stay_as_they_are() -> None:
    run = suspect()
    log = run.session.log
    before = (log.sent, log.committed, log.settled)
    standby = beside(run)
    says(standby, SpeechOnset(0.0), interim(0.0, 1.0), result(0.0, 1.0))
    assert run.told() == []
    assert (log.sent, log.committed, log.settled) == before
    assert (log.taken, log.replayed) == (4_000, 2_000)


@pytest.mark.parametrize("kind", ["interim", "final"])
def test_a_transcript_of_words_that_were_not_delivered_proves_it_better(kind: Any) -> None:
    standby = beside(suspect())
    says(standby, result(0.0, 1.0, kind=kind))
    assert standby.proved


@pytest.mark.parametrize(
    "message",
    [SpeechOnset(0.0), Unknown("new"), interim(0.0, 0.0, ""), result(0.0, 1.0, ""), interim(0.0, 0.4)],
    ids=["an onset", "a message unknown", "an interim taken back", "an empty final", "an interim of old words"],
)
def test_nothing_else_does(message: SttMessage) -> None:
    run = suspect()
    run.says(result(0.0, 0.4))
    standby = Standby(run.session, SPANS, 0.0)
    standby.timeline.sent(0, 2_000)  # as if it had been sent the delivered word, too
    says(standby, message)
    assert not standby.proved


def test_one_new_word_among_old_ones_is_enough() -> None:
    run = suspect()
    run.says(result(0.6, 0.9, "two"))
    standby = beside(run)
    words = (Word("one", 0.1, 0.4), Word("two", 0.6, 0.9))
    says(standby, result(0.1, 0.9, "one two", kind="interim", words=words[1:]))
    assert not standby.proved
    says(standby, result(0.1, 0.9, "one two", kind="interim", words=words))
    assert standby.proved


@pytest.mark.parametrize(("known", "news"), [(0.61, False), (0.59, True)])
def test_a_word_is_new_where_most_of_it_lies_in_no_final(known: float, news: bool) -> None:
    run = suspect()
    run.says(result(0.4, known, "half"))
    standby = beside(run)
    says(standby, interim(0.4, 0.8, "half-way"))
    assert standby.proved is news


def test_once_it_has_brought_new_words_old_ones_change_nothing() -> None:
    run = suspect()
    run.says(result(0.2, 0.4))
    standby = beside(run)
    says(standby, interim(0.5, 0.9, "two"), interim(0.2, 0.4))
    assert standby.proved


def test_spans_that_cannot_be_trusted_tell_nothing_and_a_transcript_without_one_is_told_by_its_words() -> None:
    run = suspect(UNTRUSTED)
    run.says(result(0.0, 0.0, "one two"))
    standby = beside(run)
    says(standby, interim(0.0, 1.0, "one two"))
    assert not standby.proved
    standby = beside(suspect(SPANS))
    says(standby, interim(0.5, 0.5))
    assert standby.proved


def test_a_word_without_a_span_of_its_own_is_not_looked_at() -> None:
    standby = beside(suspect())
    says(standby, result(0.2, 0.9, "one two", kind="interim", words=(Word("one", 0.2, 0.2), Word("two", 0.5, 0.9))))
    assert standby.proved


def test_without_times_more_words_than_may_be_repetitions_are_new() -> None:
    run = suspect(UNTRUSTED)
    run.says(result(0.0, 0.0, "one two"))
    standby = beside(run)
    says(standby, interim(0.0, 0.0, "one two"))
    assert not standby.proved
    says(standby, interim(0.0, 0.0, "one two three"))
    assert standby.proved


def test_its_messages_are_bounded_and_whoever_says_so_much_is_alive() -> None:
    run = suspect()
    standby = beside(run)
    for _ in range(MOST_KEPT // 200 + 1):
        says(standby, SpeechOnset(0.0))
    assert standby.proved
    assert len(standby.messages) * 100 < MOST_KEPT


def test_so_is_whoever_repeats_old_words_without_end() -> None:
    run = suspect()
    run.says(result(0.2, 0.4, "old " * 1_000))
    standby = beside(run)
    told = 0
    while not standby.proved:
        says(standby, interim(0.2, 0.4, "old " * 1_000))
        told += 1
    assert 100 < told < MOST_KEPT / 4_000 + 1


@pytest.mark.parametrize("message", [Closed(), Failure(message="no more seats", code=429)])
def test_where_its_service_ends_it_it_says_why(message: SttMessage) -> None:
    cause = beside(suspect()).receive(message)
    assert cause == (Ended() if isinstance(message, Closed) else Reported(message))


def test_once_the_suspect_has_brought_anything_it_is_void() -> None:
    run = suspect()
    standby = beside(run)
    says(standby, interim(0.0, 1.0))
    assert standby.proved
    run.says(result(0.0, 1.0))
    assert standby.is_void
    assert not standby.proved


@pytest.mark.parametrize("stays", [False, True])
def test_one_without_new_words_is_useless_once_its_time_is_over_unless_it_may_stay(stays: bool) -> None:
    run = suspect()
    standby = Standby(run.session, replace(SPANS, replay_speed=None), 0.0, within=2.5)
    pump(standby, 1.0)
    if stays:
        standby.stay()
    assert not standby.is_useless(3.4)
    assert standby.is_useless(3.5) is not stays


def test_where_it_takes_over_all_it_has_said_is_told_and_no_audio_is_sent_twice() -> None:
    run = suspect()
    standby = beside(run)
    says(standby, SpeechOnset(0.0), interim(0.0, 1.0), result(0.0, 1.0))
    link = take_over(run, standby)
    assert [type(event) for event in run.told()][:2] == [SpeechStarted, FinalTranscript]
    assert run.session.log.sent == standby.sent == 2_000
    assert run.session.log.committed == 1_000
    assert link.replayed == 2.0
    assert run.session.tally.links == 2


def test_audio_that_only_the_standby_was_sent_is_not_replayed() -> None:
    run = suspect()
    standby = Standby(run.session, SPANS, 0.0)
    run.session.capture(loud(500))
    pump(standby)
    assert take_over(run, standby).replayed == 2.0
    assert (run.session.log.taken, run.session.log.replayed) == (4_500, 2_000)


def test_a_request_that_the_suspect_did_not_answer_is_made_again() -> None:
    run = suspect()
    run.session.finalize()
    run.at(0.0)
    link = take_over(run, beside(run))
    assert type(link.next(0.0)).__name__ == "SendFinalize"


def test_each_message_is_judged_by_the_audio_that_was_sent_when_it_came() -> None:
    run = suspect(UNTRUSTED, loud(500) + quiet(500))
    standby = beside(run)
    says(standby, result(0.0, 0.0, "one"))
    run.session.capture(loud(500) + quiet(500))
    pump(standby)
    link = take_over(run, standby)
    run.session.end_input()
    link.next(0.0)
    assert texts(run) == ["one"]
    assert run.session.first_possible_speech(500, 2_000, 0) == 1_000


def test_audio_evicted_that_the_suspect_was_not_sent_is_lost_and_the_standby_void() -> None:
    run = suspect(limit=2.0)
    standby = Standby(run.session, SPANS, 0.0)
    run.session.capture(loud(500))  # evicts half a second that the suspect may still recognize
    pump(standby)
    assert not standby.is_void
    run.session.capture(loud(2_000))  # evicts half a second, too, that it was not sent
    assert standby.is_void
    run.says(result(0.0, 2.0))
    run.link.go_on()
    assert run.gaps() == [(2.0, 2.5, "overflow")]
