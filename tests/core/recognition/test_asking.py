"""When a link asks for a final by itself, and when it makes room for another. A sample is a millisecond."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    FinalizeAnswered,
    Going,
)
from trio_speech._core.recognition.commands import EndLink, SendClose, SendFinalize
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.retry.causes import Rollover
from trio_speech.audio import AudioFormat
from trio_speech.policy import ReplayPolicy

from .one_link import ASKED, CAPPED, ORDERED, SPANS, Run, interim, loud, quiet, result

# ---------------------------------------------------------------- when the session asks


def test_muted_in_mid_utterance_the_session_asks_after_a_second_and_a_half() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    assert run.wakes(0.1) == 1.5
    assert run.at(1.5) == [SendFinalize()]


def test_an_interim_that_stands_is_asked_to_be_final_where_the_service_never_ends_utterances() -> None:
    run = Run(ASKED)
    run.capture(loud(600) + quiet(400), 0.9)
    run.says(interim(0.0, 0.5), now=1.0)
    assert run.wakes(1.0) == 1.3
    assert run.at(1.3) == [SendFinalize()]
    assert run.at(1.4) == [], "it is not asked for twice"


def test_where_the_next_word_has_begun_and_is_not_shown_yet_the_request_waits_for_a_pause_but_not_for_ever() -> None:
    run = Run(ASKED)
    run.capture(loud(1_000), 0.9)
    run.says(interim(0.0, 0.5), now=1.0)
    assert run.at(1.3) == [], "the audio is loud: a word would be cut"
    assert run.capture(loud(500) + quiet(300), 1.8) == [SendFinalize()]
    run = Run(ASKED)
    run.says(interim(0.0, 0.5), now=1.0)
    for tenth in range(10, 33):
        assert run.capture(loud(100), tenth / 10) == []
    assert run.capture(loud(100), 3.3) == [SendFinalize()]


def test_a_service_that_neither_ends_utterances_nor_shows_interims_is_asked_in_a_pause() -> None:
    run = Run(replace(ASKED, shows_interims=False), progress_timeout=60.0)
    assert run.capture(quiet(1_000), 0.9) == []
    assert run.capture(loud(200) + quiet(300), 1.0) == [], "speech is given some time"
    assert run.wakes(1.0) == 1.3
    assert run.capture(loud(300), 1.3) == [], "the audio is loud"
    assert run.capture(quiet(300), 1.6) == [SendFinalize()]
    run.says(result(1.0, 1.8), FinalizeAnswered(), now=1.7)
    assert run.capture(quiet(9_000), 9.0) == [], "nothing was said since"


def test_what_is_owed_for_half_of_the_patience_is_asked_for_in_a_pause_of_the_audio() -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    for now in range(1, 7):
        assert run.capture(loud(1_000), now) == []
    assert run.capture(quiet(300), 6.1) == [SendFinalize()]


@pytest.mark.parametrize(("quiet_for", "looks_after"), [(0, 0.3), (100, 0.2), (200, 0.1), (240, 0.06), (280, 0.05)])
def test_a_pause_is_looked_for_again_once_it_may_have_come(quiet_for: int, looks_after: float) -> None:
    run = Run(ORDERED)
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    assert run.capture(loud(4_000 - quiet_for) + quiet(quiet_for), 6.1) == []
    assert run.wakes(6.1) == pytest.approx(6.1 + looks_after)


def test_a_full_log_is_asked_for_in_a_pause_and_where_it_is_almost_full_in_any_case() -> None:
    run = Run(SPANS, RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=10.0)))
    assert run.capture(loud(8_000), 6.0) == []
    assert run.wakes(6.0) == pytest.approx(6.3), "before that, live audio can hold no pause"
    assert run.capture(loud(1_400), 6.1) == []
    assert run.capture(loud(100), 6.2) == [SendFinalize()]
    run = Run(SPANS, RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(limit=10.0)))
    assert run.capture(loud(7_700) + quiet(300), 6.0) == [SendFinalize()]


def test_a_service_that_takes_no_request_is_not_asked() -> None:
    run = Run(replace(ORDERED, finalizes=False))
    run.capture(loud(200))
    run.says(interim(0.0, 0.2))
    assert run.at(1.5) == []
    run.session.finalize()
    assert run.at(1.6) == []
    assert run.end(1.7) == [SendClose()]


# ---------------------------------------------------------------- making room for another link


def test_a_link_is_replaced_in_a_pause_once_all_that_it_heard_is_settled() -> None:
    run = Run(CAPPED)
    run.capture(loud(100))
    run.says(result(0.0, 0.1))
    run.capture(loud(400), 89.0)
    assert run.wakes(89.9) == 90.0
    assert run.capture(loud(100) + quiet(300), 91.0) == [SendFinalize()]
    assert run.link.retiring
    assert run.capture(loud(100), 91.1) == []
    run.says(result(0.1, 0.6), FinalizeAnswered(), now=91.2)
    assert run.at(91.2) == [EndLink(Rollover())]
    assert run.session.log.unsent == 100


def test_without_a_pause_it_is_replaced_in_time_and_the_next_one_hears_the_rest_again() -> None:
    run = Run(CAPPED)
    run.capture(loud(500), 96.9)
    assert run.capture(loud(100), 97.0) == [EndLink(Rollover())]


def test_a_link_that_has_brought_nothing_asks_long_before_its_end_in_a_pause_if_there_is_one() -> None:
    run = Run(CAPPED)
    assert run.capture(loud(500), 49.9) == []
    assert run.wakes(49.9) == 50.0
    assert run.capture(loud(100) + quiet(300), 51.0) == [SendFinalize()]
    run = Run(CAPPED)
    assert run.capture(loud(500), 74.9) == []
    assert run.capture(loud(100), 75.0) == [SendFinalize()]
    run.says(result(0.0, 0.6), FinalizeAnswered(), now=75.1)
    assert run.capture(loud(500), 80.0) == [], "it has brought something: the next pause is waited for"


def test_a_link_told_to_go_goes_in_a_pause_or_after_half_of_the_time() -> None:
    run = Run(ORDERED)
    run.capture(loud(500), 5.0)
    run.says(Going(20.0), now=5.0)
    assert run.capture(loud(100), 14.9) == []
    assert run.capture(loud(100), 15.0) == [EndLink(Rollover())]


def test_a_link_that_has_nothing_to_settle_is_replaced_at_once() -> None:
    run = Run(ORDERED)
    run.link.retire(1.0, 9.0)
    assert run.at(1.0) == [EndLink(Rollover())]
