"""How long a service is waited for: at the end of the input, and when patience ends. A sample is a millisecond."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    SpeechOnset,
)
from trio_speech._core.recognition.commands import EndLink, SendClose, SendFinalize
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.retry.causes import Ended, Reported, Rollover, Silent
from trio_speech.audio import AudioFormat
from trio_speech.policy import ReplayPolicy

from .one_link import BY_CLOSE, IDLE, ORDERED, SPANS, UNTRUSTED, Run, interim, loud, quiet, result

# ---------------------------------------------------------------- the end of input


def test_the_end_is_told_by_finalize_and_by_the_close_message_once_that_is_answered() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    assert run.end(0.1) == [SendFinalize()]
    run.says(result(0.0, 0.2), FinalizeAnswered(), now=0.2)
    assert run.at(0.2) == [SendClose()]
    assert run.link.closing
    assert run.wakes(0.2) == pytest.approx(0.7), "it owes nothing: its own end is not waited for as long"
    assert run.link.receive(Closed(), 0.3) is None
    assert run.at(0.3) == [EndLink()]


def test_what_comes_before_the_services_own_end_is_delivered() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(200))
    run.end(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    run.at(0.2)
    run.says(result(0.0, 0.0), now=1.9)
    assert run.at(2.3) == []
    assert run.at(4.0) == [EndLink()]
    assert run.texts() == ["one"]


def test_a_service_that_ends_by_its_close_message_is_sent_that_alone() -> None:
    run = Run(BY_CLOSE)
    run.capture(loud(200))
    assert run.end(0.1) == [SendClose()]
    run.says(result(0.0, 0.2), now=0.2)
    assert run.link.receive(Closed(), 0.3) is None
    assert run.at(0.3) == [EndLink()]


def test_the_end_is_asked_for_by_finalize_also_where_what_was_said_before_is_still_open() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    assert run.end(0.6) == [SendFinalize()]


def closing(run: Run) -> Run:
    """The close message was sent at 1 s, and the first patience after it ends at 11 s."""
    run.capture(quiet(200) + loud(200) + quiet(400) + loud(200))
    run.end()
    run.says(FinalizeAnswered(), now=0.5)
    assert run.at(1.0) == [SendClose()]
    return run


def test_after_the_close_message_the_service_may_bring_one_news_after_another_each_within_a_patience() -> None:
    run = closing(Run(SPANS))
    run.says(SpeechOnset(0.2), now=10.0)
    run.says(SpeechOnset(0.8), now=19.0)
    run.says(interim(0.2, 0.4), now=28.0)
    run.says(interim(0.8, 1.0), now=37.0)
    run.says(result(0.2, 0.4), now=46.0)
    assert run.at(55.0) == []
    run.says(result(0.8, 1.0, "two"), now=55.0)
    assert run.link.receive(Closed(), 64.0) is None
    assert run.texts() == ["one", "two"]


def test_guesses_alone_do_not_keep_a_session_from_its_end() -> None:
    run = closing(Run(SPANS))
    for second in range(5, 31, 5):
        run.says(interim(0.2, 0.4, f"guess {second}"), now=second)
    assert run.at(34.9) == []
    assert run.at(35.0)[-1] == EndLink(Silent("end of the session that was asked for", 34.0))


def test_news_after_the_close_message_does_not_come_for_ever() -> None:
    run = closing(Run(UNTRUSTED))
    for second in range(9, 300, 9):
        run.says(result(0.0, 0.0, f"word {second}"), now=second)
    assert isinstance(run.at(302.0)[-1], EndLink)


def test_a_watermark_that_moves_on_is_news_also_over_what_is_committed() -> None:
    run = closing(Run(replace(SPANS, acknowledges="watermark")))
    assert run.committed == 200
    run.says(Acknowledged(0.1), now=10.0)
    assert run.at(19.9) == []
    run.says(Acknowledged(0.1), now=19.9)
    assert isinstance(run.at(20.0)[-1], EndLink)


def test_a_protocol_without_a_close_message_ends_at_once() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.end(0.1)
    run.says(result(0.0, 0.2), now=0.2)
    assert run.at(0.2) == [SendClose()]
    run.link.cannot_close(0.2)
    assert run.at(0.2) == [EndLink()]


@pytest.mark.parametrize(
    ("messages", "done"),
    [
        ([result(0.0, 0.2), FinalizeAnswered()], True),
        ([FinalizeAnswered()], False),
        ([result(0.0, 0.1)], False),
        ([interim(0.0, 0.2), FinalizeAnswered()], False),
        ([], False),
    ],
)
def test_a_polite_end_is_the_end_only_after_an_answer_with_nothing_open(messages: list[Any], done: bool) -> None:
    for code, failure in ((1000, None), (1011, None), (None, Failure(message="idle", code="idle"))):
        run = Run(IDLE)
        run.capture(loud(200))
        run.end(0.1)
        run.says(*messages, now=0.2)
        if code is not None:
            end = run.link.peer_closed(code, 0.3)
            assert end is not None
            assert (end.cause is None) is done
        else:
            assert failure is not None
            assert (run.link.receive(failure, 0.3) is None) is done
        assert run.session.finished is done


def test_an_end_that_is_not_polite_is_none() -> None:
    run = Run(IDLE)
    assert run.link.peer_closed(1006, 0.0) is None
    idle = Failure(message="idle", code="idle")
    assert run.link.receive(idle, 0.0) == Reported(idle), "input has not ended"


def test_unasked_a_polite_end_loses_nothing() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(0.1)
    assert run.link.receive(Closed(), 0.2) == Ended()
    assert run.again(1.0).at(1.0) == [SendFinalize()], "it is asked for again"


# ---------------------------------------------------------------- when patience ends


def test_a_patience_without_news_ends_the_link_by_its_close_message() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(1.0)
    run.says(FinalizeAnswered(), now=2.0)
    assert run.wakes(2.0) == 12.0
    assert run.at(12.0) == [SendClose()]
    assert run.link.receive(Closed(), 12.5) == Silent("final for what was sent", 10.0)
    run = run.again(20.0)
    assert run.at(20.0) == [SendFinalize()]
    run.says(FinalizeAnswered(), now=20.1)
    assert run.at(31.0) == [SendClose()]
    run.says(now=31.0)
    assert run.link.receive(Closed(), 31.1) is None or run.session.log.committed == 200
    assert (run.committed, run.gaps()) == (200, [])


def test_news_begins_patience_anew_and_what_was_said_before_does_not() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), interim(0.0, 0.2, "two"), now=5.0)
    run.says(interim(0.0, 0.2, "two"), now=9.0)
    assert run.at(14.9) == []
    assert run.at(15.0) == [SendClose()]
    run.says(interim(0.0, 0.2, "three"), now=20.0)
    assert run.at(29.9) == []
    assert run.at(30.0) == [EndLink(Silent("end of the session that was asked for", 15.0))]


def test_patience_waits_until_the_service_can_have_heard_what_was_sent() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(5_000))
    run.session.finalize()
    assert run.at(0.0) == [SendFinalize()]
    assert run.wakes(0.0) == pytest.approx(20.0), "five seconds at half of real time, and a patience"


def test_what_was_answered_for_and_stays_open_is_doubted_however_much_else_is_said() -> None:
    run = Run(SPANS)
    run.capture(loud(200) + quiet(800))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    for now in range(1, 31):
        run.capture(loud(500) + quiet(500), float(now))
        run.says(result(now, now + 0.5, f"w{now}"), now=float(now))
    assert run.at(30.1) == []
    assert run.at(30.2) == [SendClose()]


def test_a_link_that_leaves_its_request_unanswered_though_results_come_is_replaced_in_a_pause() -> None:
    run = Run(ORDERED)
    run.capture(quiet(100) + loud(200))
    run.session.finalize()
    run.at(0.3)
    for now in range(1, 12):
        run.capture(loud(1_000), float(now))
        run.says(interim(0.1, now, f"w{now}"), now=float(now))
    assert run.at(11.0) == []
    assert run.capture(quiet(300), 11.5) == [SendClose()]
    run.says(result(0.1, 11.3), now=11.6)
    assert run.link.receive(Closed(), 11.7) == Rollover()


def test_after_the_end_of_input_such_a_link_is_sent_the_close_message() -> None:
    run = Run(UNTRUSTED)
    run.capture(loud(200))
    run.end(0.1)
    run.says(interim(0.0, 0.2), now=5.0)
    run.says(result(0.0, 0.2), now=9.0)
    assert run.at(10.6) == [SendClose()]
    assert run.link.receive(Closed(), 10.7) is None
    assert (run.committed, run.texts()) == (200, ["one"])


def test_silence_is_the_answer_of_a_service_that_may_ignore_a_request_for_nothing() -> None:
    run = Run(BY_CLOSE)
    run.capture(quiet(200))
    run.session.finalize()
    run.at(0.0)
    assert run.wakes(0.0) == pytest.approx(10.4)
    assert run.at(10.5) == []
    assert run.committed == 200


def test_quiet_audio_that_is_not_answered_for_is_asked_for_by_the_end_of_the_link() -> None:
    run = Run(ORDERED)
    run.capture(quiet(200))
    run.session.finalize()
    run.at(0.0)
    assert run.at(10.5) == [SendClose()]
    assert run.link.receive(Closed(), 11.0) == Rollover()
    assert run.committed == 200


def test_speech_of_which_nothing_at_all_is_said_ends_the_link() -> None:
    run = Run(SPANS, progress_timeout=4.0)
    run.capture(loud(200) + quiet(300))
    assert run.wakes(0.0) == 2.0
    assert run.at(2.0) == [SendFinalize()]
    assert run.at(4.0) == [EndLink(Silent("result, though speech is being sent,", 4.0))]


def test_where_it_has_said_something_before_the_service_is_asked_to_end() -> None:
    run = Run(ORDERED, progress_timeout=4.0)
    run.capture(loud(200))
    run.says(result(0.0, 0.2))
    run.capture(loud(200), 1.0)
    run.at(3.0)
    assert run.at(5.0) == [SendClose()]
    assert run.link.receive(Closed(), 5.5) == Silent("result, though speech is being sent,", 4.0)


def test_a_service_that_never_ends_is_left_when_patience_does() -> None:
    run = Run(SPANS)
    for now in (0.0, 100.0):
        if now:
            run = run.again(now)
        run.session.capture(b"" if now else loud(200))
        run.session.finalize()
        run.at(now)
        assert run.at(now + 11.0) == [SendClose()]
        (end,) = run.at(now + 30.0)
        assert end == EndLink(Silent("end of the session that was asked for", 19.0))
    assert run.gaps() == [(0.0, 0.2, "unanswered")]


def test_words_shown_and_never_final_become_a_gap_on_the_second_link() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(400))
    for now in (0.0, 100.0):
        if now:
            run = run.again(now)
        run.at(now)
        run.says(interim(*((0.0, 0.2) if now else (0.1, 0.3))), now=now)
        run.session.finalize()
        run.at(now + 0.1)
        run.says(FinalizeAnswered(), now=now + 0.2)
        run.at(now + 11.0)
        run.link.receive(Closed(), now + 11.1)
    assert (run.committed, run.gaps()) == (400, [(0.1, 0.4, "doubt")])


def test_words_answered_for_without_a_final_become_a_gap_when_the_next_link_has_none_either() -> None:
    run = Run(UNTRUSTED)
    run.capture(quiet(400))
    run.says(interim(0.1, 0.3))
    run.session.finalize()
    run.at(0.1)
    run.says(FinalizeAnswered(), now=0.2)
    assert run.link.receive(Closed(), 0.3) == Ended()
    run = run.again(1.0)
    run.at(1.0)
    run.says(FinalizeAnswered(), now=1.1)
    assert (run.committed, run.gaps()) == (400, [(0.1, 0.3, "doubt")])


def test_only_the_link_knows_when_its_watch_ends_where_the_log_can_no_longer_be_heard_again() -> None:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=0.5, overflow="drop_oldest"))
    run = Run(replace(SPANS, acknowledges="watermark"), session)
    run.capture(loud(500))
    session.capture(loud(300))
    run.says(result(0.0, 0.4))
    assert (session.log.kept, run.committed) == (300, 400)


def test_an_answer_that_was_not_asked_for_says_nothing() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(FinalizeAnswered())
    assert (run.committed, run.told()) == (0, [])


def test_a_word_that_the_close_message_may_have_cut_is_left_to_the_next_link() -> None:
    run = Run(replace(ORDERED, finalizes=False))
    run.capture(quiet(300) + loud(100))
    run.link.retire(1.0, 9.0)
    assert run.at(1.1) == [SendClose()]
    run.says(result(0.3, 0.4, "on"), now=1.2)
    run.link.receive(Closed(), 1.3)
    assert (run.committed, run.texts()) == (300, [])
    run = run.again(2.0)
    run.capture(loud(100) + quiet(300), 2.0)
    run.says(result(0.0, 0.2, "one"), now=2.1)
    assert run.texts() == ["one"]
