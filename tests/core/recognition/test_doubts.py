"""Doubt: what a link left open is heard once more, and then decided, within bounds. A sample is a millisecond."""

from __future__ import annotations

from typing import Any

import pytest

from trio_speech._core.recognition.doubts import LeftOpen
from trio_speech._core.recognition.session import RecognitionMachine

from .test_session import deliver, gaps, heard, link, loud, quiet, recognition, said


def doubted(session: RecognitionMachine, upto: int, **fields: Any) -> None:
    """The link is over, in doubt of the audio before sample `upto`."""
    session.doubts.left(LeftOpen(upto, **{"open_from": 0, "owed": None, "answered": True, **fields}))
    session.link_lost([upto])


def test_doubted_audio_is_heard_again_and_then_is_silence_where_two_services_answered_for_it() -> None:
    session = heard()
    doubted(session, 300)
    assert session.log.committed == 0
    link(session)
    doubted(session, 200)
    assert (session.log.committed, gaps(session)) == (200, [])
    assert session.noise.is_raised


def test_words_that_were_shown_become_a_gap_where_no_link_makes_them_final() -> None:
    session = heard()
    doubted(session, 300, owed=(120, 180))
    link(session)
    doubted(session, 300)
    session.end()
    assert (session.log.committed, gaps(session)) == (300, [(0.12, 0.3, "doubt")])


def test_what_nobody_answered_for_becomes_a_gap() -> None:
    session = heard()
    doubted(session, 300, open_from=50, answered=False)
    link(session)
    doubted(session, 300, open_from=100)
    session.end()
    assert (session.log.committed, gaps(session)) == (300, [(0.05, 0.3, "unanswered")])


def test_words_shown_without_any_answer_are_given_up_with_all_that_is_open() -> None:
    session = heard()
    doubted(session, 300, open_from=50, owed=(120, 180), answered=False)
    link(session)
    doubted(session, 300, open_from=None, answered=False)
    session.end()
    assert gaps(session) == [(0.05, 0.3, "doubt")]


def test_quiet_audio_that_two_links_left_unanswered_is_settled() -> None:
    session = recognition()
    session.capture(quiet(300))
    link(session)
    doubted(session, 300, open_from=None, answered=False)
    link(session)
    doubted(session, 300, open_from=None, answered=False)
    session.end()
    assert (session.log.committed, gaps(session)) == (300, [])


def test_what_a_final_covers_is_in_no_gap_of_doubt() -> None:
    session = heard()
    deliver(session, said(100, 200), seam=False, upto=None)
    session.recognized(100, 200)
    doubted(session, 300, owed=(0, 90), answered=False)
    link(session)
    doubted(session, 300)
    session.end()
    assert gaps(session) == [(0.0, 0.1, "doubt"), (0.2, 0.3, "doubt")]


def test_doubt_is_forgotten_once_its_audio_is_settled() -> None:
    session = heard()
    doubted(session, 100)
    link(session)
    session.commit(200)
    doubted(session, 300)
    assert session.log.committed == 200


@pytest.mark.parametrize(
    ("owed", "answered", "committed"), [(None, True, 40_000), (None, False, 0), ((5, 9), False, 40_000)]
)
def test_beyond_what_may_be_heard_again_doubt_ends_at_once(
    owed: tuple[int, int] | None, answered: bool, committed: int
) -> None:
    session = recognition(limit=100.0)
    session.capture(loud(40_000))
    link(session)
    doubted(session, 40_000, owed=owed, answered=answered)
    assert session.log.committed == committed
    assert not session.doubts.is_open


@pytest.mark.parametrize(
    ("policy", "most"),
    [({}, 30_000), ({"doubt_at_least": 5.0}, 5_000), ({"doubt_at_least": 1.0}, 4_000), ({"doubt": 0.5}, 30_000)],
)
def test_what_may_be_heard_again_is_a_share_of_all_audio_or_some_seconds(policy: dict[str, float], most: int) -> None:
    for upto, is_open in ((most, True), (most + 1, False)):
        session = recognition(limit=100.0, **policy)
        session.capture(loud(40_000))
        link(session)
        doubted(session, upto)
        assert session.doubts.is_open is is_open
