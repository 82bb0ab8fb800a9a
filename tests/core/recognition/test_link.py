"""One link's part: what is sent and when, and for what a link is given up. A sample is a millisecond."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    Going,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    Unknown,
)
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.provider.requests import Change
from trio_speech._core.recognition.commands import (
    Command,
    EndLink,
    SendAudio,
    SendChange,
    SendFinalize,
    SendKeepalive,
    Wait,
)
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.retry.causes import Cause, Ended, Reported, Rollover, Silent, Unread
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, Word
from trio_speech.policy import ReplayPolicy

EXACT = SttProfile(chunk=0.05, replay_speed=None)
ASKED = replace(EXACT, finalizes_itself=False, endpoint_after=0.3)
UNTRUSTED = replace(EXACT, acknowledges="finalize", exact_times=False, word_times=False)
CAPPED = replace(EXACT, session_cap=100.0)  # to be left at 90 s, by 97 s
LANGUAGE = Change(language="de")


def recognition(**policy: Any) -> RecognitionMachine:
    return RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(**policy))


def open_machine(
    session: RecognitionMachine, profile: SttProfile = EXACT, *, now: float = 0.0, **fields: Any
) -> LinkMachine:
    return LinkMachine(session, profile, now, **{"patience": 10.0, "progress_timeout": None, **fields})


def quiet(samples: int) -> bytes:
    return bytes(2 * samples)


def numbered(start: int, samples: int) -> bytes:
    """Samples that say where they stand."""
    return array("h", range(start, start + samples)).tobytes()


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def written(link: LinkMachine, now: float = 0.0) -> list[Command]:
    """Steps up to one that ends the writing for now, which is left out."""
    return steps(link, now)[:-1]


def steps(link: LinkMachine, now: float = 0.0) -> list[Command]:
    taken: list[Command] = []
    while not taken or not isinstance(taken[-1], Wait | EndLink):
        taken.append(link.next(now))
    return taken


def frames(link: LinkMachine, now: float = 0.0) -> list[int]:
    return [len(step.pcm) // 2 for step in written(link, now) if isinstance(step, SendAudio)]


def woken(link: LinkMachine, now: float = 0.0) -> float | None:
    """When the link wants to be asked again, with nothing to do until then."""
    step = link.next(now)
    assert isinstance(step, Wait)
    return step.until


def texts(session: RecognitionMachine) -> list[str]:
    """What the finals say that were delivered."""
    events = [session.take() for _ in range(len(session.event_queue))]
    return [event.text for event in events if isinstance(event, FinalTranscript)]


def transcript(end: float, *, kind: Any = "final", text: str = "one", start: float = 0.0) -> RecognitionResult:
    return RecognitionResult(kind=kind, text=text, start=start, end=end)


# ---------------------------------------------------------------- what is sent


def test_a_frame_is_cut_at_a_mark_and_what_it_asks_comes_next() -> None:
    session = recognition()
    link = open_machine(session)
    session.capture(quiet(70))
    session.change(LANGUAGE)
    session.capture(quiet(10))
    session.finalize()
    session.capture(quiet(60))
    lengths = [len(step.pcm) // 2 if isinstance(step, SendAudio) else step for step in written(link)]
    assert lengths == [50, 20, SendChange(LANGUAGE), 10, SendFinalize(), 50]


def test_the_end_of_input_sends_the_rest_and_is_finalized() -> None:
    session = recognition()
    link = open_machine(session)
    session.capture(quiet(60))
    session.end_input()
    assert frames(link) == [50, 10]
    assert session.marks.next_stop(0) is None


def test_an_empty_stream_is_done_at_once() -> None:
    session = recognition()
    session.end_input()
    assert open_machine(session).next(0.0) == EndLink()


def test_keepalives_are_due_where_nothing_else_was_said() -> None:
    session = recognition()
    link = open_machine(session, replace(EXACT, keepalive=5.0))
    assert link.next(4.9) == Wait(5.0)
    assert written(link, 5.0) == [SendKeepalive()]
    session.capture(quiet(50))
    assert frames(link, 9.0) == [50]
    assert link.next(13.9) == Wait(14.0)
    assert open_machine(recognition()).next(1e6) == Wait()


def test_all_that_is_written_counts_against_a_keepalive() -> None:
    session = recognition()
    link = open_machine(session, replace(EXACT, keepalive=5.0))
    session.capture(quiet(50))
    session.finalize()
    assert written(link, 3.0) == [SendAudio(quiet(50)), SendFinalize()]
    assert link.next(7.9) == Wait(8.0)
    session.capture(quiet(50))
    assert link.feed.frames(7.9, 9) == [quiet(50)]
    assert link.next(12.8) == Wait(12.9)
    session.capture(quiet(100))
    assert link.feed.frames(12.8, 9) == [quiet(50), quiet(50)]
    assert link.next(17.7) == Wait(17.8)


# ---------------------------------------------------------------- between two looks


def test_a_log_that_fills_is_news_though_no_frame_is_whole() -> None:
    session = recognition(limit=0.99)  # of which four fifths are 792 samples
    link = open_machine(session)
    session.capture(quiet(790))
    written(link, 6.0)
    assert link.feed.next_wakeup_at_sample() == 792
    session.capture(quiet(2))
    assert written(link, 6.0) == [SendFinalize()]


def test_a_result_that_is_owed_from_now_on_is_news_once() -> None:
    session = recognition()
    link = open_machine(session, progress_timeout=4.0)
    session.capture(loud(100))
    link.next(0.0)
    assert link.feed.frames(0.0, 9) == [loud(50)]
    assert link.feed.next_wakeup_at_sample() == 100, "now, though all is sent that was captured"
    assert link.next(0.0) == Wait(2.0)
    assert link.feed.next_wakeup_at_sample() == 150


def test_a_link_that_is_about_to_be_left_sends_no_more_the_short_way() -> None:
    link = open_machine(session := recognition(), CAPPED)
    session.capture(loud(100))
    written(link)
    assert written(link, 97.0) == [SendFinalize()]
    session.capture(loud(100))
    assert link.feed.frames(97.0, 9) == []


def reconnected() -> LinkMachine:
    session = recognition(lead_in=0.0)
    open_machine(session).lost()
    session.capture(quiet(2_000))
    return open_machine(session, replace(EXACT, replay_speed=2.0))


def test_a_backlog_is_paced_and_its_next_lump_waited_for() -> None:
    link = reconnected()
    assert sum(frames(link)) == 500
    assert woken(link) == pytest.approx(0.125)
    assert frames(link, 0.1251) == 5 * [50]


# ---------------------------------------------------------------- what a session asks of itself


def test_a_log_that_fills_without_progress_is_finalized() -> None:
    session = recognition(limit=1.0)
    link = open_machine(session)
    session.capture(quiet(799))
    assert SendFinalize() not in written(link, 9.0)
    session.capture(quiet(1))
    assert written(link, 9.0) == [SendAudio(quiet(50)), SendFinalize()]


def test_a_full_log_waits_for_half_of_the_patience() -> None:
    session = recognition(limit=1.0)
    link = open_machine(session)
    session.capture(quiet(800))
    assert SendFinalize() not in written(link, 1.0)
    assert link.next(1.0) == Wait(5.0)
    link.receive(transcript(0.1, kind="interim"), 4.0)  # which is no progress
    assert link.next(4.9) == Wait(5.0)
    assert written(link, 5.0) == [SendFinalize()]


@given(now=st.floats(0.0, 1e9), keepalive=st.floats(0.1, 60.0))
def test_a_keepalive_is_due_at_the_very_moment_that_was_waited_for(now: float, keepalive: float) -> None:
    link = open_machine(recognition(), replace(EXACT, keepalive=keepalive), now=now)
    until = woken(link, now)
    assert until is not None
    assert written(link, until) == [SendKeepalive()]


@given(now=st.floats(0.0, 1e9), patience=st.floats(1.0, 60.0))
def test_a_full_log_is_finalized_at_the_very_moment_that_was_waited_for(now: float, patience: float) -> None:
    session = recognition(limit=1.0)
    link = open_machine(session, now=now, patience=patience)
    session.capture(quiet(800))
    written(link, now)
    until = woken(link, now)
    assert until is not None
    assert written(link, until) == [SendFinalize()]


def test_progress_grants_a_full_log_more_time() -> None:
    session = recognition(limit=1.0)
    link = open_machine(session)
    session.capture(quiet(1_000))
    written(link, 1.0)
    assert link.receive(transcript(0.1), 4.0) is None
    assert link.next(4.0) == Wait(9.0)


def test_a_guess_that_stands_is_asked_to_be_final_where_nobody_else_will() -> None:
    session = recognition()
    link = open_machine(session, ASKED)
    session.capture(quiet(200))
    written(link)
    link.receive(transcript(0.1, kind="interim"), 1.0)
    link.receive(transcript(0.1, kind="interim"), 1.2)
    assert link.next(1.2) == Wait(1.3)
    link.receive(transcript(0.2, kind="interim", text="one two"), 1.25)
    assert link.next(1.3) == Wait(1.55)
    assert written(link, 1.55) == [SendFinalize()]
    link.receive(transcript(0.2, text="one two"), 1.6)
    link.receive(transcript(0.2, kind="interim", text=""), 1.7)
    assert SendFinalize() not in written(link, 9.0)


def test_while_one_answer_is_awaited_no_other_is_asked_for() -> None:
    session = recognition()
    link = open_machine(session, ASKED)
    session.capture(quiet(100))
    written(link)
    link.receive(transcript(0.1, kind="interim"), 1.0)
    session.finalize()
    assert written(link, 1.2) == [SendFinalize()]
    session.capture(quiet(50))
    link.receive(FinalizeAnswered(), 1.3)
    link.receive(transcript(0.1, kind="interim"), 1.4)
    assert frames(link, 1.4) == [50]
    assert written(link, 4.29) == []  # the answer, of which a final is still owed
    assert written(link, 4.3) == [SendFinalize()]


def test_a_service_that_ends_utterances_itself_is_not_asked_to() -> None:
    session = recognition()
    link = open_machine(session)
    session.capture(quiet(100))
    written(link)
    link.receive(transcript(0.1, kind="interim"), 1.0)
    assert link.next(1.0) == Wait()


def test_a_guess_about_audio_that_is_settled_or_asked_about_wakes_nobody() -> None:
    session = recognition()
    link = open_machine(session, ASKED)
    session.capture(quiet(100))
    written(link)
    link.receive(transcript(0.1), 1.0)
    link.receive(transcript(0.1, kind="interim"), 2.0)
    assert link.next(2.0) == Wait()
    session.capture(loud(100))
    session.finalize()
    written(link, 3.0)
    link.receive(transcript(0.2, kind="interim", text="two"), 3.1)
    assert link.next(3.1) == Wait(33.1)


def test_speech_of_which_nothing_is_said_is_asked_for_and_then_given_up() -> None:
    session = recognition()
    link = open_machine(session, progress_timeout=4.0)
    session.capture(loud(100))
    written(link, 1.0)
    assert link.next(1.0) == Wait(3.0)
    assert written(link, 3.0) == [SendFinalize()]
    dead = EndLink(Silent("result, though speech is being sent,", 4.0))
    assert link.next(5.0) == dead
    assert session.gaps.total == 0
    link.lost()
    again = open_machine(session, progress_timeout=4.0, now=6.0)
    written(again, 6.0)
    assert written(again, 8.0) == []  # for it was asked for at once
    assert again.next(10.0) == dead
    session.end()
    assert session.take() == Gap(0.0, 0.1, "unanswered")


@pytest.mark.parametrize(
    ("audio", "owed"),
    [
        (quiet(100), False),
        (loud(1) + quiet(99), True),
        (quiet(99) + loud(1), True),
        (quiet(50) + loud(1) + quiet(49), True),
    ],
)
def test_of_each_sample_that_may_be_speech_a_result_is_owed(audio: bytes, owed: bool) -> None:
    session = recognition()
    link = open_machine(session, progress_timeout=4.0)
    session.capture(audio)
    written(link, 1.0)
    assert link.next(1.0) == Wait(3.0 if owed else None)


@pytest.mark.parametrize(
    ("messages", "due"),
    [
        ([], 2.0),
        ([transcript(0.1, kind="interim")], 3.0),
        ([transcript(0.1, kind="preflight")], 3.0),
        ([transcript(0.1, kind="interim", text="")], None),
        ([transcript(0.1)], None),
        ([SpeechOnset(0.0)], None),
        ([transcript(0.2), transcript(0.2, kind="interim")], None),
    ],
)
def test_what_a_message_says_is_owed(messages: list[Any], due: float | None) -> None:
    session = recognition()
    link = open_machine(session, progress_timeout=4.0)
    session.capture(loud(200))
    written(link)
    for message in messages:
        assert link.receive(message, 1.0) is None
    assert link.next(1.0) == Wait(due)


def test_an_answer_pays_for_a_guess_that_came_after_it() -> None:
    session = recognition()
    link = open_machine(session, progress_timeout=4.0)
    session.capture(loud(100))
    session.finalize()
    written(link)
    link.receive(FinalizeAnswered(), 1.0)
    link.receive(transcript(0.1, kind="interim"), 1.5)
    assert written(link, 4.0) == []
    assert link.next(4.5) == Wait()
    assert session.log.committed == 100


def test_nothing_need_be_said_of_what_is_acknowledged() -> None:
    session = recognition(lead_in=0.1)
    session.capture(loud(100))
    first = open_machine(session)
    written(first)
    first.receive(transcript(0.1), 0.0)
    first.lost()
    link = open_machine(session, progress_timeout=4.0)
    assert not link.retiring
    assert sum(frames(link)) == 100
    assert link.next(1e6) == Wait()


# ---------------------------------------------------------------- answers


def test_an_answered_finalize_acknowledges_what_was_sent_when_it_was_asked() -> None:
    session = recognition()
    link = open_machine(session, UNTRUSTED)
    session.capture(loud(100))
    session.finalize()
    written(link, 1.0)
    session.capture(loud(50))
    written(link, 1.1)
    link.receive(transcript(0.1), 1.2)
    link.receive(FinalizeAnswered(), 1.3)
    assert link.next(1.3) == Wait(1.8)
    link.next(1.8)
    assert session.log.committed == 100


def answered(session: RecognitionMachine) -> LinkMachine:
    """The link behind one that was asked in mid-speech, and has said "one", and then "two"."""
    first = open_machine(session, UNTRUSTED)
    session.capture(loud(100))
    session.finalize()
    written(first, 1.0)
    session.capture(loud(50))
    written(first, 1.1)
    for text in ("one", "two"):
        first.receive(transcript(0.05, text=text), 1.2)
    first.next(9.0)
    assert session.log.committed == 100
    first.lost()
    second = open_machine(session, UNTRUSTED, now=10.0)
    written(second, 10.0)
    return second


def test_words_that_may_lie_behind_what_was_answered_are_looked_for_on_the_next_link() -> None:
    session = recognition()
    second = answered(session)
    second.receive(RecognitionResult(kind="final", text="two one", start=0.0, end=0.05), 10.1)
    assert texts(session) == ["one", "two", "one"]


def test_words_that_a_replay_has_not_come_to_are_still_known_when_it_is_answered_on_its_way() -> None:
    session = recognition()
    first = open_machine(session, UNTRUSTED)
    session.capture(loud(3_000))
    written(first, 1.0)
    first.receive(transcript(3.0, text="one two three"), 1.2)
    first.lost()
    second = open_machine(session, replace(UNTRUSTED, replay_speed=1.0), now=10.0)
    replayed = sum(frames(second, 10.0))
    second.retire(10.0, 10.0)
    assert written(second, 10.0) == [SendFinalize()]
    second.receive(transcript(0.05, text="one"), 10.1)
    assert second.next(19.0) == EndLink(Rollover())
    assert session.log.committed == replayed < 3_000
    second.lost()
    third = open_machine(session, UNTRUSTED, now=20.0)
    written(third, 20.0)
    third.receive(transcript(0.1, text="two three four"), 20.1)
    assert texts(session) == ["one two three", "four"]


def test_words_that_a_whole_replay_did_not_bring_again_may_be_said_again() -> None:
    session = recognition()
    first = open_machine(session, UNTRUSTED)
    session.capture(loud(150))
    written(first, 1.0)
    first.receive(transcript(0.15, text="one two"), 1.2)
    first.lost()
    second = open_machine(session, UNTRUSTED, now=10.0)
    session.finalize()
    written(second, 10.0)
    second.receive(transcript(0.15, text=""), 10.1)
    second.next(19.0)
    assert session.log.committed == 150
    second.lost()
    session.capture(loud(100))
    third = open_machine(session, UNTRUSTED, now=20.0)
    written(third, 20.0)
    third.receive(transcript(0.1, text="one two"), 20.1)
    assert texts(session) == ["one two", "", "one two"]


def test_words_that_an_answer_covers_may_be_said_again() -> None:
    session = recognition()
    second = answered(session)
    second.receive(transcript(0.05, text="one"), 10.1)
    assert texts(session) == ["one", "two", "one"]


def test_an_answer_says_nothing_of_words_where_these_have_their_own_times() -> None:
    session = recognition(lead_in=0.05)
    first = open_machine(session)
    session.capture(loud(100))
    session.finalize()
    written(first)
    first.receive(transcript(0.08), 1.0)
    first.receive(FinalizeAnswered(), 1.0)
    first.next(9.0)
    assert session.log.committed == 100
    first.lost()
    second = open_machine(session, now=10.0)  # which hears from 0.05 s on
    session.capture(loud(100))
    written(second, 10.0)
    two = RecognitionResult(kind="final", text="two", start=0.0, end=0.1, words=(Word("two", 0.035, 0.055),))
    second.receive(two, 10.1)
    assert texts(session) == ["one", "two"]


def test_an_answer_may_take_as_long_as_what_it_is_to_settle() -> None:
    session = recognition()
    link = open_machine(session)
    session.capture(loud(200))
    written(link)
    link.receive(transcript(0.1), 0.0)
    session.finalize()
    written(link)
    link.receive(transcript(0.2, kind="interim"), 2.0)
    assert link.next(2.0) == Wait(30.1)


def test_a_finalize_that_is_not_answered_condemns_its_link_and_the_second_time_its_audio() -> None:
    session = recognition()
    session.capture(loud(100))
    session.finalize()
    vain = EndLink(Silent("answer to finalize", 30.0))
    first = open_machine(session)
    assert written(first)[-1] == SendFinalize()
    assert steps(first, 99.0) == [vain]
    assert session.gaps.total == 0
    first.lost()
    second = open_machine(session, now=100.0)
    assert written(second, 100.0)[-1] == SendFinalize()
    assert steps(second, 199.0) == [vain]
    second.lost()
    session.end()
    assert session.take() == Gap(0.0, 0.1, "unanswered")


def test_what_is_not_answered_but_acknowledged_meanwhile_is_no_failure() -> None:
    session = recognition()
    link = open_machine(session, replace(EXACT, acknowledges="watermark"))
    session.capture(loud(100))
    session.finalize()
    written(link)
    link.receive(Acknowledged(0.1), 1.0)
    link.receive(transcript(0.1, kind="interim"), 2.0)
    assert link.next(2.0) == Wait(30.1)
    assert link.next(30.1) == Wait()


# ---------------------------------------------------------------- leaving


def speaking(session: RecognitionMachine, profile: SttProfile = CAPPED, **fields: Any) -> LinkMachine:
    """A link in the middle of speech, with nothing acknowledged."""
    link = open_machine(session, profile, **fields)
    session.capture(loud(100))
    written(link)
    link.receive(SpeechOnset(0.0), 1.0)
    return link


def test_a_link_is_left_at_the_first_pause_and_finalized_before() -> None:
    session = recognition()
    link = speaking(session)
    assert link.next(89.0) == Wait(90.0)
    assert link.next(91.0) == Wait(97.0)
    link.receive(SpeechOver(0.1), 92.0)
    assert link.retiring is False
    assert link.next(92.0) == SendFinalize()
    assert link.retiring is True
    session.change(LANGUAGE)
    assert written(link, 92.0) == []
    session.capture(loud(100))
    session.finalize()
    assert written(link, 92.0) == []  # all that comes now is the next link's
    link.receive(transcript(0.1), 92.5)
    assert steps(link, 95.5) == [EndLink(Rollover())]
    assert session.log.unsent == 100


def test_a_link_is_left_in_mid_speech_if_there_is_no_pause() -> None:
    link = speaking(recognition())
    assert written(link, 96.9) == []
    assert written(link, 97.0) == [SendFinalize()]
    assert link.retiring


def test_a_link_that_is_left_in_its_catch_up_waits_for_its_answer_alone() -> None:
    link = reconnected()
    link.retire(0.0, 0.0)
    assert written(link)[-1] == SendFinalize()
    assert (woken(link) or 0.0) > 1.0


def test_a_link_with_nothing_outstanding_is_left_at_once() -> None:
    assert steps(open_machine(recognition(), CAPPED), 90.0) == [EndLink(Rollover())]


def test_the_cap_counts_from_when_the_connection_was_made() -> None:
    assert open_machine(recognition(), CAPPED, now=50.0).next(50.0) == Wait(140.0)
    assert open_machine(recognition(), CAPPED, now=50.0, opened_at=20.0).next(50.0) == Wait(110.0)


def test_who_is_told_to_go_goes_at_a_pause_or_after_half_of_the_time() -> None:
    link = speaking(recognition(), EXACT)
    link.receive(Going(20.0), 5.0)
    assert link.next(5.0) == Wait(15.0)
    assert written(link, 15.0) == [SendFinalize()]


def test_a_later_notice_grants_no_more_time() -> None:
    link = open_machine(recognition())
    link.retire(10.0, 20.0)
    link.retire(15.0, 30.0)
    assert link.next(0.0) == Wait(10.0)


# ---------------------------------------------------------------- the service's own end


def ended(session: RecognitionMachine, audio: bytes, profile: SttProfile = EXACT) -> LinkMachine:
    """A link that has sent all, of a stream whose input has ended."""
    link = open_machine(session, profile)
    session.capture(audio)
    session.end_input()
    assert written(link)[-1] == SendFinalize()
    return link


@pytest.mark.parametrize(
    ("audio", "messages", "cause"),
    [
        (loud(100), [transcript(0.1)], None),
        (loud(100), [transcript(0.05)], None),  # an answer, if not of all
        (loud(100), [FinalizeAnswered()], None),
        (quiet(100), [], None),
        (loud(100), [], Ended()),
        (loud(100), [transcript(0.1, kind="interim")], Ended()),
        (quiet(100), [transcript(0.1, kind="interim")], Ended()),
        (loud(100), [FinalizeAnswered(), transcript(0.1, kind="interim")], Ended()),
    ],
)
def test_a_service_ends_well_if_it_owes_nothing(audio: bytes, messages: list[Any], cause: Cause | None) -> None:
    session = recognition()
    link = ended(session, audio)
    for message in messages:
        assert link.receive(message, 0.1) is None
    assert link.receive(Closed(), 0.2) == cause
    assert session.finished is (cause is None)


def test_a_service_that_ends_before_the_input_has_does_not_end_well() -> None:
    session = recognition()
    link = open_machine(session)
    assert link.receive(Closed(), 0.0) == Ended()
    session.capture(quiet(100))
    session.end_input()
    assert link.receive(Closed(), 0.0) == Ended()  # what was captured meanwhile was not sent


def test_audio_of_which_two_links_end_saying_nothing_is_given_up() -> None:
    session = recognition()
    link = ended(session, loud(100))
    assert link.receive(Closed(), 0.0) == Ended()
    link.lost()
    again = open_machine(session)
    written(again)
    assert again.receive(Closed(), 0.0) is None
    session.end()
    assert session.take() == Gap(0.0, 0.1, "unanswered")


IDLE = replace(EXACT, idle_codes=(1011, "idle"))


@pytest.mark.parametrize(("code", "well"), [(1000, True), (1011, True), (1006, False)])
def test_a_close_frame_may_be_the_end_that_was_asked_for(code: int, well: bool) -> None:
    assert ended(recognition(), quiet(100), IDLE).ends_well(code) is well
    assert not open_machine(recognition(), IDLE).ends_well(code)


def test_a_failure_is_one_unless_it_only_says_that_nothing_was_sent() -> None:
    idle, other = Failure(message="idle", code="idle"), Failure(message="boom", code="boom")
    session = recognition()
    link = ended(session, quiet(100), IDLE)
    assert link.receive(other, 0.0) == Reported(other)
    assert link.receive(idle, 0.0) is None
    assert open_machine(recognition(), IDLE).receive(idle, 0.0) == Reported(idle)


# ---------------------------------------------------------------- what is received


def test_what_the_service_says_reaches_the_session() -> None:
    session = recognition()
    link = open_machine(session, replace(EXACT, acknowledges="watermark"))
    session.capture(loud(200))
    written(link)
    for message in (
        Opened("s"),
        Unknown("new"),
        Unknown("newer"),
        SpeechOnset(0.0),
        transcript(0.1),
        SpeechOver(0.1),
        Acknowledged(0.2),
    ):
        assert link.receive(message, 1.0) is None
    events = [session.take() for _ in range(len(session.event_queue))]
    assert events[::2] == [SpeechStarted(0.0), SpeechEnded(0.1)]
    assert isinstance(events[1], FinalTranscript)
    assert (session.tally.unknown_messages, session.log.committed) == (2, 200)


def test_what_a_lost_link_did_not_answer_is_asked_of_the_next() -> None:
    session = recognition()
    session.capture(loud(100))
    session.finalize()
    link = open_machine(session)
    assert written(link)[-1] == SendFinalize()
    link.lost()
    assert session.log.sent == 0
    assert written(open_machine(session))[-1] == SendFinalize()


def test_the_final_with_which_too_much_is_unread_is_kept_and_ends_the_link() -> None:
    session = recognition(max_unread_bytes=1_000_000)
    session.capture(loud(1_000))
    link = open_machine(session)
    written(link)
    cause = None
    for number in range(2):
        said = RecognitionResult(kind="final", text="x" * 600_000, start=number / 10, end=number / 10 + 0.1)
        assert cause is None
        cause = link.receive(said, 1.0)
    assert isinstance(cause, Unread)
    assert str(cause) == "1.1 MiB of transcripts wait to be read"
    assert session.tally.finals == 2
