"""The ledger: every captured sample is settled, or named by one gap, or still to be had. A sample is a millisecond."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import RecognitionResult
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.provider.requests import Change
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.queued_commands import QueuedCommand
from trio_speech._core.recognition.reconciliation import ComparedWord
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.recognition.transcript import PlacedTranscript
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, TranscriptEvent
from trio_speech.policy import ReplayPolicy

EXACT = SttProfile()
ONE, TWO = ComparedWord("one"), ComparedWord("two")


def recognition(**policy: Any) -> RecognitionMachine:
    return RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(**{"lead_in": 0.0, **policy}))


def dropping(seconds: float) -> RecognitionMachine:
    return recognition(limit=seconds, overflow="drop_oldest")


def quiet(samples: int) -> bytes:
    return bytes(2 * samples)


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def link(session: RecognitionMachine, *, sent: int | None = None) -> tuple[int, int]:
    """A link opens, and hears so many samples: all there are if not told."""
    base, cut = session.resume(EXACT)
    session.log.take(session.log.unsent if sent is None else sent)
    return base, cut


def said(start: int, end: int, text: str = "one") -> PlacedTranscript:
    return PlacedTranscript(RecognitionResult(kind="final", text=text, start=0.0, end=0.0), start, end, ())


def deliver(session: RecognitionMachine, placed: PlacedTranscript, *, seam: bool, upto: int | None) -> None:
    """A final comes, which settles all before `upto` if its times can be trusted."""
    span = None if upto is None else (placed.start, placed.end)
    if upto is not None:
        session.gaps.committed(upto)
    session.speaking = True  # that somebody speaks is no news here
    session.deliver(placed, (), seam=seam, span=span)


def told(session: RecognitionMachine) -> list[TranscriptEvent]:
    return [session.take() for _ in range(len(session.event_queue))]


def gaps(session: RecognitionMachine) -> list[tuple[float, float, str]]:
    return [(gap.start, gap.end, gap.reason) for gap in told(session) if isinstance(gap, Gap)]


# ---------------------------------------------------------------- law 1: settled, or a gap, or unacknowledged


def test_what_is_captured_is_unacknowledged_until_what_covers_it_is_taken() -> None:
    session = recognition()
    session.capture(loud(300))
    link(session)
    deliver(session, said(0, 200), seam=False, upto=200)
    session.commit(200)
    assert session.log.unacknowledged() == (0, loud(300))
    session.take()
    assert session.log.unacknowledged() == (200, loud(100))
    assert session.taken == 1


def test_an_acknowledged_silence_is_settled_at_once() -> None:
    session = recognition()
    session.capture(quiet(300))
    link(session)
    assert session.commit(200)
    assert not session.commit(200)
    assert session.log.unacknowledged() == (200, quiet(100))


def test_room_is_what_the_limit_leaves() -> None:
    session = recognition(limit=0.5)
    assert session.room == 500
    session.recover(quiet(600))  # whatever the limit
    assert session.room == -100
    assert session.log.kept == 0


def test_what_overflows_unsent_is_a_gap() -> None:
    session = dropping(0.3)
    session.capture(quiet(400))
    assert gaps(session) == []  # it may still grow
    session.capture(quiet(50))
    link(session)
    session.commit(200)
    assert gaps(session) == [(0.0, 0.15, "overflow")]
    assert session.gaps.total == 150


def test_what_overflows_after_it_was_sent_shares_the_fate_of_its_link() -> None:
    heard, unheard = dropping(0.3), dropping(0.3)
    for session in (heard, unheard):
        session.capture(loud(200))
        link(session)
        session.capture(loud(200))
        assert (session.gaps.total, session.log.kept) == (0, 100)
    deliver(heard, said(0, 200), seam=False, upto=200)
    heard.commit(200)
    heard.link_lost(())
    unheard.link_lost(())
    for session in (heard, unheard):
        session.end()
    assert gaps(heard) == []
    assert gaps(unheard) == [(0.0, 0.1, "overflow")]
    assert unheard.log.sent == 100


def test_only_so_much_is_paid_for_twice() -> None:
    session = recognition(max_replayed=0.1)
    session.capture(loud(400))
    link(session, sent=300)
    session.link_lost(())
    assert link(session) == (200, 200)
    assert (session.log.taken, session.log.replayed, session.tally.links) == (500, 100, 2)
    session.end()
    assert gaps(session) == [(0.0, 0.2, "replay-limit")]


def test_what_is_heard_again_is_counted() -> None:
    session = recognition()
    session.capture(loud(300))
    link(session, sent=200)
    session.link_lost(())
    assert LinkMachine(session, EXACT, 0.0, patience=10.0, progress_timeout=None).replayed == 0.2
    session.log.take(150)
    session.link_lost(())
    assert LinkMachine(session, EXACT, 0.0, patience=10.0, progress_timeout=None).replayed == 0.2
    assert (session.log.taken, session.log.replayed) == (350, 150)
    session.link_lost(())
    link(session)
    assert (session.log.taken, session.log.replayed) == (650, 350)


# ---------------------------------------------------------------- law 2: the commit point


def test_a_new_link_starts_at_the_commit_point_less_a_lead_in() -> None:
    session = recognition(lead_in=0.1)
    session.capture(loud(600))
    assert link(session) == (0, 0)
    session.delivered_words.delivered((), (0, 400))
    session.commit(400)
    session.commit(300)
    session.link_lost(())
    assert session.log.sent == 400
    assert link(session) == (300, 400)


def test_a_stream_may_begin_anywhere() -> None:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(), start=1_000, ordinal=7)
    session.recover(loud(200))
    assert link(session) == (1_000, 1_000)
    deliver(session, said(1_000, 1_200), seam=True, upto=1_200)
    (final,) = told(session)
    assert isinstance(final, FinalTranscript)
    assert (final.id, final.start, final.end, final.seam, session.taken) == ("f8", 1.0, 1.2, True, 8)


def test_it_is_finished_once_the_input_has_ended_and_all_is_accounted_for() -> None:
    session = recognition()
    session.capture(quiet(100))
    link(session)
    session.commit(100)
    assert not session.finished
    session.capture(quiet(50))
    session.end_input()
    assert not session.finished
    session.commit(150)
    assert session.finished


@pytest.mark.parametrize(
    ("audio", "upto", "first"),
    [
        (quiet(200), 200, None),
        (loud(200), 200, 0),
        (quiet(100) + loud(100), 100, None),
        (quiet(100) + loud(100), 200, 100),
        (loud(200), 0, None),
    ],
)
def test_what_is_louder_than_noise_may_be_speech(audio: bytes, upto: int, first: int | None) -> None:
    session = recognition()
    session.capture(audio)
    assert session.first_possible_speech(0, upto, 0) == first


def test_what_a_final_covers_is_no_longer_to_be_looked_at_nor_is_a_margin_beside_it() -> None:
    session = recognition()
    session.capture(loud(400))
    deliver(session, said(0, 100), seam=False, upto=100)
    session.recognized(0, 100)
    assert session.first_possible_speech(0, 400, 0) == 100
    assert session.first_possible_speech(0, 400, 40) == 140
    session.recognized(200, 300)
    assert session.first_possible_speech(120, 200, 0) == 120
    assert session.first_possible_speech(100, 400, 60) == 300
    assert session.first_possible_speech(100, 300, 60) is None


def test_what_can_no_longer_be_looked_at_may_have_been_speech() -> None:
    session = dropping(0.1)
    session.capture(quiet(100))
    link(session)
    session.capture(quiet(50))
    assert session.first_possible_speech(0, 100, 0) == 0


@pytest.mark.parametrize(("quiet_for", "is_pause"), [(300, True), (299, False)])
def test_a_pause_is_three_tenths_of_a_second_of_quiet_audio(quiet_for: int, is_pause: bool) -> None:
    session = recognition()
    session.capture(loud(100) + quiet(quiet_for) + loud(10))
    link(session, sent=100 + quiet_for)
    assert session.is_pause() is is_pause


def test_without_as_much_audio_there_is_no_pause() -> None:
    session = recognition()
    session.capture(quiet(299))
    link(session)
    assert not session.is_pause()


@pytest.mark.parametrize(
    ("audio", "begins"),
    [
        (loud(100) + quiet(300), 400),
        (loud(100) + quiet(320) + loud(100), 420),
        (loud(100) + quiet(320) + loud(100) + quiet(100), 420),
        (loud(100) + quiet(320) + loud(100) + quiet(100) + loud(40), 420),
        (loud(100) + quiet(280) + loud(100), 0),
        (loud(100), 0),
    ],
)
def test_the_last_sound_begins_behind_the_last_pause(audio: bytes, begins: int) -> None:
    session = recognition()
    session.capture(audio)
    link(session)
    assert session.last_sound_from() == begins


# ---------------------------------------------------------------- words that were shown, and no final


def heard() -> RecognitionMachine:
    session = recognition()
    session.capture(loud(300))
    link(session)
    return session


def test_words_that_a_link_answered_for_without_their_final_become_a_gap_when_the_next_answers_too() -> None:
    session = heard()
    session.left_open.add(100, 200)
    session.give_up_left_open(150, 0)
    assert session.gaps.total == 0
    session.left_open.add(100, 200)
    session.give_up_left_open(200, 0)
    session.commit(300)
    session.end()
    assert gaps(session) == [(0.1, 0.2, "doubt")]


@pytest.mark.parametrize(("covered", "spoken_for"), [((100, 160), 0), ((0, 1), 150), ((0, 1), 300)])
def test_but_not_where_a_final_covers_most_of_them(covered: tuple[int, int], spoken_for: int) -> None:
    session = heard()
    session.left_open.add(100, 200)
    session.recognized(*covered)
    session.give_up_left_open(200, spoken_for)
    assert session.gaps.total == 0


def test_whoever_speaks_when_the_stream_ends_has_ended_with_it() -> None:
    session = heard()
    session.speech_started(250)
    session.end()
    assert told(session) == [SpeechStarted(0.25), SpeechEnded(0.3)]


def test_an_interim_that_is_taken_back_is_followed_by_an_empty_one() -> None:
    session = heard()
    session.speech_started(100)
    for text in ("one", ""):
        result = RecognitionResult(kind="interim", text=text, start=0.1, end=0.2)
        placed = PlacedTranscript(result, 100, 200, ())
        session.show(placed) if text else session.take_back(placed)
    session.take_back(placed)
    assert [getattr(event, "text", None) for event in told(session)] == [None, "", None]


# ---------------------------------------------------------------- law 4: stream order


def test_a_gap_is_told_before_the_final_behind_it() -> None:
    session = dropping(0.3)
    session.capture(loud(400))
    link(session)
    deliver(session, said(150, 300), seam=False, upto=300)
    assert [type(event) for event in told(session)] == [Gap, FinalTranscript]


@pytest.mark.parametrize(("start", "kinds"), [(150, [Gap, FinalTranscript]), (149, [FinalTranscript])])
def test_a_gap_lies_before_a_final_where_it_ends_no_later_than_that_begins(start: int, kinds: list[type]) -> None:
    session = dropping(0.3)
    session.capture(quiet(50))
    link(session)
    session.commit(50)
    session.capture(loud(400))
    for number in (1, 2):
        deliver(session, said(start, 300), seam=False, upto=None)
        assert session.tally.finals == number
    events = told(session)
    assert [type(event) for event in events[:-1]] == kinds
    session.end()
    assert [event for event in (*events, *told(session)) if isinstance(event, Gap)] == [Gap(0.05, 0.15, "overflow")]


def test_a_gap_of_undecided_fate_holds_back_those_behind_it() -> None:
    session = dropping(0.2)
    session.capture(loud(100))
    link(session)
    session.capture(loud(300))  # 0 to 100 was sent, 100 to 200 was not
    deliver(session, said(250, 300), seam=False, upto=None)
    assert [type(event) for event in told(session)] == [FinalTranscript]
    session.link_lost(())
    session.end()
    assert gaps(session) == [(0.0, 0.2, "overflow")]


# ---------------------------------------------------------------- law 5: speech state


def test_speech_starts_and_ends_once() -> None:
    session = recognition()
    session.speech_ended(50)
    session.speech_started(100)
    session.speech_started(150)
    session.link_lost(())
    session.speech_started(160)
    session.speech_ended(90)  # of an utterance before this one
    session.speech_ended(100)
    session.speech_ended(200)
    session.speech_ended(210)
    session.speech_started(500, since=300)
    session.speech_ended(350)
    assert told(session) == [SpeechStarted(0.1), SpeechEnded(0.2), SpeechStarted(0.5), SpeechEnded(0.35)]


# ---------------------------------------------------------------- marks


def test_marks_stand_in_their_place_in_the_audio() -> None:
    session = recognition()
    session.resume(EXACT)
    session.capture(loud(100))
    assert session.sendable() == (100, False)
    session.finalize()
    session.capture(loud(100))
    change = Change(language="de")
    session.change(change)
    assert session.sendable() == (100, True)
    session.log.take(200)
    assert session.sendable() == (0, False)
    assert [session.due_mark() for _ in range(3)] == [QueuedCommand(100), QueuedCommand(200, change), None]
    session.capture(loud(50))
    session.end_input()
    assert session.sendable() == (50, True)
    session.log.take(50)
    assert session.due_mark() == QueuedCommand(250)
    assert session.sendable() == (0, True)


def test_the_next_link_is_asked_what_the_last_did_not_answer_and_for_the_end() -> None:
    session = recognition()
    session.capture(loud(300))
    session.end_input()
    link(session)
    session.commit(100)
    session.link_lost([50, 200])
    link(session)
    assert [session.due_mark() for _ in range(3)] == [QueuedCommand(200), QueuedCommand(300), None]


def test_keyterms_wait_while_somebody_speaks() -> None:
    session = recognition()
    session.resume(EXACT)
    session.speech_started(0)
    session.change(Change(keyterms=("trio",)))
    assert session.due_mark() is None
    session.speech_ended(1)
    assert session.due_mark() == QueuedCommand(0, Change(keyterms=("trio",)))


def test_no_lead_in_is_kept_where_none_is_played() -> None:
    for lead_in, kept in ((0.0, 3_000), (0.5, 1_500)):
        session = recognition(lead_in=lead_in)
        session.capture(quiet(3_000))
        session.resume(replace(EXACT, max_lead_in=0.0))
        session.commit(3_000)
        assert session.log.kept == kept


def test_an_end_that_was_asked_for_on_a_lost_link_is_asked_for_again() -> None:
    session = recognition()
    session.capture(loud(300))
    session.end_input()
    for _ in range(2):
        link(session)
        assert [session.due_mark() for _ in range(2)] == [QueuedCommand(300), None]
        session.link_lost(())


def test_a_mark_is_due_once_all_before_it_is_sent() -> None:
    session = recognition()
    session.resume(EXACT)
    assert not session.has_due_mark
    session.capture(loud(100))
    session.finalize()
    assert not session.has_due_mark
    session.log.take(100)
    assert session.has_due_mark


# ---------------------------------------------------------------- the short way of audio


def test_audio_goes_straight_into_the_log_while_there_is_room_for_sure() -> None:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=0.5), start=1_000)
    assert session.room_until == 1_500
    session.capture(quiet(50))
    link(session)
    session.commit(1_040)
    assert session.room_until == 1_500
    session.capture(quiet(10))
    assert (session.room_until, session.room) == (1_540, 480)
    session.end_input()
    assert session.room_until < 0


@pytest.mark.parametrize("more", [100, 300])
def test_while_there_is_room_the_lead_in_is_kept(more: int) -> None:
    session = recognition(limit=0.3, lead_in=0.1, overflow="drop_oldest")
    for _ in range(10):
        session.capture(quiet(200))
        link(session)
        session.commit(session.log.captured)
    kept = session.log.kept
    session.capture(quiet(more))
    assert 0 < kept == session.log.kept
    session.capture(quiet(301 - more))
    assert session.log.kept > kept


def test_no_more_may_come_above_the_bound_and_another_link_below_half_of_it() -> None:
    session = recognition(max_unread_bytes=2**16)
    session.capture(loud(100))
    states = [(session.is_full_of_unread, session.may_open_link)]
    for _ in range(5):
        deliver(session, said(0, 100, text="x" * 15_000), seam=False, upto=100)
        states.append((session.is_full_of_unread, session.may_open_link))
    assert states == [*[(False, True)] * 3, *[(False, False)] * 2, (True, False)]
    for _ in range(3):
        while not isinstance(session.take(), FinalTranscript):
            pass
    assert (session.is_full_of_unread, session.may_open_link) == (False, True)


# ---------------------------------------------------------------- what is heard again, and what is not


@pytest.mark.parametrize("steps", [[1], [1, 1, 1], [100, 100]])
def test_what_was_sent_in_steps_is_to_be_heard_again_as_a_whole(steps: list[int]) -> None:
    session = recognition()
    session.capture(loud(300))
    session.resume(EXACT)
    for samples in steps:
        session.log.take(samples)
    session.link_lost(())
    assert session.log.furthest == sum(steps)


def test_what_is_acknowledged_without_a_final_was_never_lost() -> None:
    session = dropping(0.3)
    session.capture(quiet(200))
    link(session)
    session.capture(quiet(200))
    session.commit(150)
    session.link_lost(())
    session.end()
    assert gaps(session) == []


def test_words_without_times_are_forgotten_with_the_audio_that_they_may_belong_to() -> None:
    untrusted = replace(EXACT, acknowledges="finalize", exact_times=False, word_times=False)
    for later, delivered_words in (((), False), ((TWO,), True)):
        session = recognition(lead_in=0.5)
        session.capture(loud(300))
        link(session)
        session.delivered_words.delivered((ONE, TWO), None)
        session.commit(100, later=later)
        assert (session.delivered_words.seam(untrusted, 100, 100, overlapping=False) is not None) is delivered_words
