"""Silence that is filled in, and audio that waits for a service to open. A sample is a millisecond."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.messages import Acknowledged, Closed, Going, Opened, RecognitionResult
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.commands import Command, EndLink, SendAudio, SendClose, SendFinalize, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import NEVER, RecognitionMachine
from trio_speech._core.recognition.timeline import Timeline
from trio_speech._core.retry.causes import Broken, Cause, PeerClosed, Rollover, Silent
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript
from trio_speech.policy import ReplayPolicy

FILLED = SttProfile(
    chunk=0.1, replay_speed=None, ordered=True, finalizes=False, ends_by="close", filler=0.5, keepalive=5.0
)
GUESSED = replace(FILLED, filler=None, keepalive=None, ends_with_guess=True)
WAITING = SttProfile(chunk=0.1, replay_speed=None, waits_for_opened=True, answer_within=8.0)
TURNS = st.lists(st.tuples(st.sampled_from(["audio", "filler", "skip"]), st.integers(1, 50)), min_size=1, max_size=10)


def recognition() -> RecognitionMachine:
    return RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=0.0))


def opened(profile: SttProfile, session: RecognitionMachine) -> LinkMachine:
    return LinkMachine(session, profile, 0.0, patience=10.0, progress_timeout=None)


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def steps(link: LinkMachine, now: float) -> list[Command]:
    """What the link does at a moment, but for the wait at the end."""
    done: list[Command] = []
    while not done or not isinstance(done[-1], Wait | EndLink):
        done.append(link.next(now))
    return done if isinstance(done[-1], EndLink) else done[:-1]


def sounds(link: LinkMachine, now: float) -> list[int]:
    """The samples of each frame that goes out, less than nothing for silence."""
    frames = [step.pcm for step in steps(link, now) if isinstance(step, SendAudio)]
    return [len(pcm) // 2 * (1 if any(pcm) else -1) for pcm in frames]


def test_before_the_service_is_open_no_audio_wakes_the_link() -> None:
    session = recognition()
    link = opened(WAITING, session)
    session.capture(loud(300))
    steps(link, 0.0)
    assert link.feed.next_wakeup_at_sample() == NEVER
    link.receive(Opened(), 0.1)
    assert link.feed.next_wakeup_at_sample() < NEVER


# ---------------------------------------------------------------- the clock


@given(st.integers(0, 1_000), TURNS)
def test_the_clock_of_the_stream_stands_still_while_filler_is_sent(base: int, turns: list[tuple[str, int]]) -> None:
    timeline, at, local = Timeline(base, 100), base, list[int]()
    for kind, samples in turns:
        if kind == "skip":
            at += samples
        elif kind == "filler":
            timeline.filled(samples)
            local += [-1] * samples
        else:
            timeline.sent(at, at + samples)
            local += range(at, at + samples)
            at += samples
    assert timeline.heard == len(local)
    last = base
    for position, sample in enumerate(local):
        if sample >= 0:
            assert timeline.start_at(position / 100) == sample
            assert timeline.end_at((position + 1) / 100) == sample + 1
            last = sample + 1
        else:
            assert timeline.end_at((position + 1) / 100) == last
    moments = [timeline.start_at(position / 100) for position in range(len(local) + 1)]
    assert moments == sorted(moments)
    assert timeline.spans([(0.0, 1e6)]) == [(timeline.start_at(0.0), max(timeline.start_at(0.0), timeline.end_at(1e6)))]


# ---------------------------------------------------------------- when it is sent


def test_a_pause_of_the_source_is_filled_until_all_is_acknowledged() -> None:
    session = recognition()
    link = opened(FILLED, session)
    assert sounds(link, 0.0) == []
    session.capture(loud(1_000))
    assert sounds(link, 0.0) == [100] * 10
    assert sounds(link, 0.4) == []
    assert [sounds(link, 0.5 * number) for number in range(1, 4)] == [[-500]] * 3
    link.receive(RecognitionResult(kind="final", text="one", start=0.0, end=0.9), 1.6)
    link.receive(Acknowledged(2.2), 1.6)
    assert session.log.committed == 1_000
    assert [sounds(link, now) for now in (2.0, 3.0, 6.4, 6.5, 11.4, 11.5)] == [[], [], [], [-500], [], [-500]]
    assert session.tally.filler == 2_500


def test_audio_goes_on_with_the_clock_behind_the_filler() -> None:
    session = recognition()
    link = opened(FILLED, session)
    session.capture(loud(1_000))
    sounds(link, 0.0)
    sounds(link, 0.5)
    session.capture(loud(1_000))
    sounds(link, 0.7)
    link.receive(RecognitionResult(kind="final", text="two", start=1.6, end=2.0), 1.0)
    [final] = [event for _ in range(len(session.event_queue)) if isinstance(event := session.take(), FinalTranscript)]
    assert (final.start, final.end) == (1.1, 1.5)


def test_what_is_too_short_for_a_frame_goes_out_before_the_filler() -> None:
    session = recognition()
    link = opened(FILLED, session)
    session.capture(loud(130))
    assert sounds(link, 0.0) == [100]
    [filled] = [step.pcm for step in steps(link, 0.5) if isinstance(step, SendAudio)]
    assert filled == loud(30) + bytes(1_000)
    assert session.log.sent == 130


def test_filler_is_not_sent_again_to_another_link() -> None:
    session = recognition()
    link = opened(FILLED, session)
    session.capture(loud(1_000))
    sounds(link, 0.0)
    sounds(link, 0.5)
    link.lost()
    assert sounds(opened(FILLED, session), 1.0) == [100] * 10
    assert session.log.replayed == 1_000


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8))
def test_a_request_for_a_final_has_as_much_audio_as_the_service_wants(pieces: list[int]) -> None:
    session = recognition()
    link = opened(replace(FILLED, finalizes=True, filler=None, keepalive=None, least_finalized=0.3), session)
    heard, at = 0, 0
    for piece in pieces:
        session.capture(loud(piece))
        session.finalize()
        for step in steps(link, 0.0):
            if isinstance(step, SendAudio):
                heard += len(step.pcm) // 2
            elif isinstance(step, SendFinalize):
                assert heard >= 300
                heard, at = 0, at + 1
        assert session.log.sent == session.log.captured
    assert at >= sum(1 for piece in pieces if piece)


# ---------------------------------------------------------------- the end


def test_the_last_guess_is_final_where_the_service_ends_with_it() -> None:
    session = recognition()
    link = opened(GUESSED, session)
    session.capture(loud(1_000))
    session.end_input()
    assert steps(link, 0.0)[-1] == SendClose()
    link.receive(RecognitionResult(kind="interim", text="so", start=0.0, end=0.5), 0.1)
    link.receive(RecognitionResult(kind="preflight", text="so far", start=0.0, end=0.9), 0.2)
    end = link.peer_closed(1000, 0.3)
    assert end == EndLink()
    finals = [event for _ in range(len(session.event_queue)) if isinstance(event := session.take(), FinalTranscript)]
    assert [(final.text, final.end) for final in finals] == [("so far", 0.9)]


@pytest.mark.parametrize("cause", [Broken("the peer ended the stream without a close frame"), PeerClosed(1011)])
@pytest.mark.parametrize("told", [True, False])
def test_any_end_is_the_services_own_once_it_has_said_that_all_was_heard(cause: Cause, told: bool) -> None:
    session = recognition()
    link = opened(GUESSED, session)
    session.capture(loud(1_000))
    session.end_input()
    link.receive(Going(60.0), 0.0)  # before the close message, it means no more than that
    steps(link, 0.0)
    link.receive(RecognitionResult(kind="interim", text="so", start=0.0, end=1.0), 0.1)
    if told:
        link.receive(Going(0.0), 0.2)
    assert link.went(cause, 0.3) == (EndLink() if told else None)
    assert session.tally.finals == (1 if told else 0)


def test_a_guess_that_was_taken_back_is_no_final() -> None:
    session = recognition()
    link = opened(GUESSED, session)
    session.capture(bytes(2_000))
    session.end_input()
    steps(link, 0.0)
    link.receive(RecognitionResult(kind="interim", text="uh", start=0.0, end=0.5), 0.1)
    link.receive(RecognitionResult(kind="interim", text="", start=0.0, end=0.5), 0.2)
    assert link.receive(Closed(), 0.3) is None
    assert session.tally.finals == 0


def test_a_guess_is_no_final_where_the_service_was_not_asked_to_end() -> None:
    session = recognition()
    link = opened(GUESSED, session)
    session.capture(loud(1_000))
    steps(link, 0.0)
    link.receive(RecognitionResult(kind="interim", text="so", start=0.0, end=0.5), 0.1)
    link.receive(Closed(), 0.2)
    assert (session.tally.finals, session.log.committed) == (0, 0)


def test_a_move_in_a_pause_makes_the_last_guess_final() -> None:
    session = recognition()
    link = opened(GUESSED, session)
    session.capture(loud(1_000) + bytes(1_000))
    steps(link, 0.0)
    link.receive(RecognitionResult(kind="interim", text="so", start=0.0, end=1.0), 0.1)
    link.retire(0.2, 30.0)
    assert steps(link, 0.2) == [SendClose()]
    assert link.receive(Closed(), 0.3) == Rollover()
    assert (session.tally.finals, session.log.committed) == (1, 1_500)


# ---------------------------------------------------------------- the opening


def test_no_audio_goes_out_before_the_service_is_open() -> None:
    session = recognition()
    link = opened(WAITING, session)
    session.capture(loud(1_000))
    session.finalize()
    assert steps(link, 0.0) == []
    assert link.feed.frames(0.0, 16) == []
    link.receive(Opened(), 1.0)
    assert sounds(link, 1.0) == [100] * 10


@given(st.lists(st.sampled_from(["capture", "finalize", "ask", "open"]), max_size=20))
def test_all_audio_goes_out_in_order_and_none_before_the_opening(moves: list[str]) -> None:
    session = recognition()
    link = opened(WAITING, session)
    is_open, sent = False, b""
    captured = b""
    for number, move in enumerate([*moves, "open", "end"]):
        if move == "capture":
            captured += loud(100 + number)
            session.capture(loud(100 + number))
        elif move == "finalize":
            session.finalize()
        elif move == "open":
            link.receive(Opened(), 1.0)
            is_open = True
        elif move == "end":
            session.end_input()
        taken = [step.pcm for step in steps(link, 1.0) if isinstance(step, SendAudio)]
        assert is_open or not taken
        sent += b"".join(taken)
    assert sent == captured


def test_a_service_that_does_not_open_is_given_up() -> None:
    session = recognition()
    link = opened(WAITING, session)
    assert link.next(0.0) == Wait(8.0)
    session.capture(loud(1_000))
    assert link.next(8.0) == EndLink(Silent("opening of the session", 8.0))


def test_one_that_has_opened_is_not() -> None:
    session = recognition()
    link = opened(WAITING, session)
    link.receive(Opened(), 1.0)
    assert link.next(8.0) == Wait(None)
