"""What audio a link is given, and when. A sample is a millisecond, and a frame fifty."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.provider.requests import Change
from trio_speech._core.recognition.outgoing_audio import OutgoingAudio
from trio_speech._core.recognition.progress_watch import ProgressWatch
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.recognition.timeline import Timeline
from trio_speech.audio import AudioFormat
from trio_speech.policy import ReplayPolicy

EXACT = SttProfile(chunk=0.05, replay_speed=None)
LANGUAGE = Change(language="de")


def recognition(**policy: Any) -> RecognitionMachine:
    return RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(**policy))


def feed(
    session: RecognitionMachine, profile: SttProfile = EXACT, *, progress_timeout: float | None = None
) -> OutgoingAudio:
    base, _ = session.resume(profile)
    return OutgoingAudio(session, profile, Timeline(base, 1_000), ProgressWatch(progress_timeout), 0.0)


def numbered(start: int, samples: int) -> bytes:
    """Samples that say where they stand."""
    return array("h", range(start, start + samples)).tobytes()


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def given_in_frames(feed: OutgoingAudio, now: float = 0.0) -> list[int]:
    """How long the frames are that go out until none may."""
    lengths: list[int] = []
    while frame := feed.frame(now):
        lengths.append(len(frame) // 2)
    return lengths


# ---------------------------------------------------------------- in order, in frames


@given(st.lists(st.integers(1, 700)), st.sampled_from([None, 0.05, 0.12, 0.25]), st.sampled_from([None, 0.05]))
def test_what_is_due_at_once_goes_out_in_messages_as_long_as_the_service_takes(
    pushes: list[int], longest: float | None, policy: float | None
) -> None:
    session = recognition(frame_length=policy)
    fed = feed(session, replace(EXACT, longest_frame=longest))
    most = 50 if policy or longest is None else round(1_000 * longest) // 50 * 50
    for push in pushes:
        session.capture(numbered(session.log.captured % 20_000, push))
        frames = session.log.unsent // 50
        given = [len(frame) // 2 for frame in fed.frames(0.0, 100)]
        assert sum(given) == 50 * frames
        assert given[:-1] == [most] * (len(given) - 1)
        assert all(length <= most and length % 50 == 0 for length in given)


@pytest.mark.parametrize("length", [0.02, 0.1, 0.2])
def test_frames_are_as_long_as_the_policy_says(length: float) -> None:
    fed = feed(session := recognition(frame_length=length))
    session.capture(bytes(2 * 450))
    samples = round(1_000 * length)
    assert given_in_frames(fed) == [samples] * (450 // samples)
    assert fed.next_wakeup_at_sample() == session.log.sent + samples


def test_audio_goes_out_in_order_in_frames_of_one_length() -> None:
    fed = feed(session := recognition())
    session.capture(numbered(0, 45))
    session.capture(numbered(45, 75))
    assert [fed.frame(0.0), fed.frame(0.0), fed.frame(0.0)] == [numbered(0, 50), numbered(50, 50), b""]
    assert session.log.unsent == 20


def test_a_chunk_is_one_sample_at_least() -> None:
    fed = feed(session := recognition(), replace(EXACT, chunk=0.0001))
    session.capture(bytes(4))
    assert given_in_frames(fed) == [1, 1]


def test_a_short_frame_carries_what_comes_before_a_mark_or_the_end() -> None:
    fed = feed(session := recognition())
    session.capture(bytes(2 * 70))
    session.change(LANGUAGE)
    session.capture(bytes(2 * 10))
    assert [len(fed.frame(0.0)) // 2 for _ in range(3)] == [50, 20, 0]
    assert session.due_mark() is not None
    session.end_input()
    assert given_in_frames(fed) == [10]


def test_when_it_was_given_last_is_known() -> None:
    fed = feed(session := recognition())
    session.capture(bytes(2 * 150))
    assert fed.last_given == 0.0
    fed.frame(3.0)
    assert fed.last_given == 3.0
    fed.frames(4.0, 9)
    assert fed.last_given == 4.0
    assert fed.frame(5.0) == b""
    assert fed.last_given == 4.0


OPERATIONS = st.one_of(
    st.tuples(st.just("capture"), st.integers(0, 130)),
    st.tuples(st.just("frame"), st.just(1)),
    st.tuples(st.just("frames"), st.integers(1, 4)),
    st.tuples(st.just("mark"), st.just(0)),
    st.tuples(st.just("say"), st.just(0)),
)


@given(operations=st.lists(OPERATIONS, max_size=40))
def test_whatever_is_asked_when_all_goes_out_once_and_short_frames_end_at_marks(
    operations: list[tuple[str, int]],
) -> None:
    fed = feed(session := recognition())
    marks: set[int] = set()
    went: list[bytes] = []
    for operation, amount in operations:
        match operation:
            case "capture":
                session.capture(numbered(session.log.captured, amount))
            case "frame":
                went.append(fed.frame(0.0))
            case "frames":
                went += fed.frames(0.0, amount)
            case "mark":
                session.change(LANGUAGE)
                marks.add(session.log.captured)
            case _:
                session.due_mark()
        at = sum(map(len, went)) // 2
        assert b"".join(went) == numbered(0, at)
        assert not went or len(went[-1]) in (0, 100) or at in marks
        assert at == session.log.sent


# ---------------------------------------------------------------- between two looks


def test_between_two_looks_only_whole_frames_are_news() -> None:
    fed = feed(session := recognition())
    assert fed.next_wakeup_at_sample() == 50
    assert fed.frames(0.0, 9) == []
    session.capture(numbered(0, 170))
    assert fed.frames(0.1, 2) == [numbered(0, 50), numbered(50, 50)]
    assert fed.frames(0.1, 2) == [numbered(100, 50)]
    assert fed.frames(0.1, 2) == []
    assert fed.next_wakeup_at_sample() == 200


@pytest.mark.parametrize("ask", [RecognitionMachine.finalize, RecognitionMachine.end_input])
def test_what_is_asked_for_is_news_and_not_left_to_the_short_way(ask: Callable[[RecognitionMachine], None]) -> None:
    fed = feed(session := recognition())
    session.capture(bytes(2 * 100))
    assert len(fed.frames(0.0, 1)) == 1
    ask(session)
    assert fed.next_wakeup_at_sample() == 51
    assert len(fed.frames(0.0, 9)) == 1
    assert fed.frames(0.0, 9) == []


def test_the_short_way_ends_where_something_is_to_be_said() -> None:
    fed = feed(session := recognition())
    session.capture(bytes(2 * 120))
    session.finalize()
    session.capture(bytes(2 * 60))
    assert len(fed.frames(0.0, 9)) == 2
    assert len(fed.frame(0.0)) == 2 * 20
    assert fed.frames(0.0, 9) == [], "though a whole frame waits"
    assert session.due_mark() is not None
    assert len(fed.frames(0.0, 9)) == 1


def test_a_log_that_fills_is_news_though_no_frame_is_whole() -> None:
    fed = feed(session := recognition(limit=0.99))  # of which four fifths are 792 samples
    session.capture(bytes(2 * 790))
    given_in_frames(fed)
    assert fed.next_wakeup_at_sample() == 792
    assert not fed.is_full
    session.capture(bytes(2 * 2))
    assert fed.is_full


def test_a_result_that_is_owed_from_now_on_is_news_at_once() -> None:
    fed = feed(session := recognition(), progress_timeout=4.0)
    session.capture(loud(100))
    assert not fed.new_result_expected
    assert fed.frames(0.0, 1) == [loud(50)]
    assert fed.new_result_expected
    assert fed.next_wakeup_at_sample() == 50, "though all that is whole was sent"
    assert fed.frames(0.0, 1) == [loud(50)]
    assert fed.new_result_expected, "until somebody looks"
    fed.new_result_expected = False
    assert fed.next_wakeup_at_sample() == 150


def test_of_what_is_acknowledged_nothing_need_be_said() -> None:
    session = recognition()
    session.capture(loud(50) + bytes(2 * 50))
    first = feed(session)
    given_in_frames(first)
    session.commit(75)
    session.link_lost([])
    fed = feed(session, progress_timeout=4.0)
    while session.log.sent < 100:
        assert fed.frame(0.0)
    assert not fed.new_result_expected


def test_a_feed_that_is_closed_gives_nothing() -> None:
    fed = feed(session := recognition())
    session.capture(bytes(2 * 100))
    assert fed.due(7.0) == 7.0
    fed.closed = True
    assert (fed.frame(0.0), fed.frames(0.0, 9), fed.due(7.0)) == (b"", [], math.inf)
    assert session.log.sent == 0


# ---------------------------------------------------------------- the catch-up


def reconnected(
    speed: float | None, policy: float | None = None, *, backlog: int = 2_000, chunk: float = 0.05
) -> OutgoingAudio:
    session = recognition(speed=policy, lead_in=0.0)
    feed(session)
    session.link_lost([])
    session.capture(bytes(2 * backlog))
    return feed(session, replace(EXACT, replay_speed=speed, chunk=chunk))


def test_a_backlog_is_paced() -> None:
    fed = reconnected(2.0)
    assert given_in_frames(fed) == 10 * [50]
    assert fed.due(0.0) == pytest.approx(0.125), "a lump of it"
    assert given_in_frames(fed, 0.1251) == 5 * [50]
    assert fed.catch_up() == 1.25
    assert sum(given_in_frames(fed, 10.0)) == 1_250
    assert fed.catch_up() == 0.0


def test_of_a_backlog_goes_out_at_once_what_may() -> None:
    fed = reconnected(2.0)
    given_in_frames(fed)
    assert fed.frames(0.0249, 9) == []
    assert len(fed.frames(0.0501, 9)) == 2
    assert len(fed.frames(0.5, 9)) == 9


def test_while_a_backlog_waits_for_its_moment_more_audio_is_no_news() -> None:
    fed = reconnected(2.0)
    given_in_frames(fed)
    assert fed.next_wakeup_at_sample() > 3_000
    given_in_frames(fed, 10.0)
    assert fed.next_wakeup_at_sample() == 2_050


def test_a_backlog_of_less_than_a_frame_is_not_waited_for() -> None:
    session = recognition(lead_in=0.0)
    feed(session)
    session.link_lost([])
    session.capture(bytes(2 * 550))
    fed = feed(session, replace(EXACT, replay_speed=2.0, chunk=0.3))
    assert given_in_frames(fed) == [300]
    assert fed.next_wakeup_at_sample() == 600
    session.capture(bytes(2 * 50))
    assert fed.due(0.0) == pytest.approx(0.05)
    assert given_in_frames(fed, 0.0501) == [300]
    assert fed.next_wakeup_at_sample() == 900


def test_the_first_link_has_nothing_to_catch_up_with() -> None:
    session = recognition()
    session.capture(bytes(2 * 2_000))
    assert sum(given_in_frames(feed(session, replace(EXACT, replay_speed=2.0)))) == 2_000


@pytest.mark.parametrize(("speed", "policy"), [(None, None), (1.0, math.inf)])
def test_a_backlog_goes_out_at_once_where_nothing_is_said_against_it(speed: float | None, policy: float | None) -> None:
    assert sum(given_in_frames(reconnected(speed, policy))) == 2_000


def test_the_policy_s_pace_goes_before_the_profile_s() -> None:
    fed = reconnected(2.0, 4.0)
    assert sum(given_in_frames(fed)) == 500
    assert fed.due(0.0) == pytest.approx(0.0625)
