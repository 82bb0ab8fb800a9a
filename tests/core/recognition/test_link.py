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
    FinalizeAnswered,
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
from trio_speech._core.retry.causes import Ended, Rollover, Silent, Unread
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap, SpeechEnded, SpeechStarted
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
    link.receive(FinalizeAnswered(), 3.0)
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


# ---------------------------------------------------------------- leaving


def speaking(session: RecognitionMachine, profile: SttProfile = CAPPED, **fields: Any) -> LinkMachine:
    """A link in the middle of speech, with nothing acknowledged."""
    link = open_machine(session, profile, **fields)
    session.capture(loud(100))
    written(link)
    link.receive(SpeechOnset(0.0), 1.0)
    return link


def test_a_link_with_nothing_outstanding_is_left_at_once() -> None:
    assert steps(open_machine(recognition(), CAPPED), 90.0) == [EndLink(Rollover())]


def test_the_cap_counts_from_when_the_connection_was_made() -> None:
    assert open_machine(recognition(), CAPPED, now=50.0).next(50.0) == Wait(140.0)
    assert open_machine(recognition(), CAPPED, now=50.0, opened_at=20.0).next(50.0) == Wait(110.0)


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


def test_a_service_that_ends_before_the_input_has_does_not_end_well() -> None:
    session = recognition()
    link = open_machine(session)
    assert link.receive(Closed(), 0.0) == Ended()
    session.capture(quiet(100))
    session.end_input()
    assert link.receive(Closed(), 0.0) == Ended()  # what was captured meanwhile was not sent


IDLE = replace(EXACT, idle_codes=(1011, "idle"))


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
