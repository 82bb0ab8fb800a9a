"""A link that says nothing of speech is dead; one that says nothing of silence is not."""

from __future__ import annotations

import math

from trio_speech._core.recognition.progress_watch import ProgressWatch

NEVER = (math.inf, math.inf)


def deadlines(progress: ProgressWatch) -> tuple[float, float]:
    """When to ask for what is owed, and when the link is dead."""
    return progress.doubtful_from, progress.overdue_from


def test_speech_of_which_nothing_is_said_is_asked_for_and_then_given_up() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(5.0)
    progress.sent(6.0)
    assert deadlines(progress) == (10.0, 15.0)


def test_it_is_said_once_that_a_result_is_owed_from_now_on() -> None:
    progress = ProgressWatch(10.0)
    assert [progress.sent(1.0), progress.sent(1.0)] == [True, False]
    progress.made(2.0, owes=False)
    assert [progress.sent(3.0), progress.sent(3.0)] == [True, False]
    assert not ProgressWatch(None).sent(1.0)


def test_where_no_speech_was_sent_nothing_is_owed() -> None:
    assert deadlines(ProgressWatch(10.0)) == NEVER


def test_a_result_pays_what_was_owed_and_speech_after_it_owes_anew() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(0.0)
    progress.made(9.0, owes=False)
    assert deadlines(progress) == NEVER
    progress.sent(20.0)
    assert deadlines(progress) == (25.0, 30.0)


def test_a_guess_owes_its_final() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(0.0)
    progress.made(9.0, owes=True)
    assert deadlines(progress) == (14.0, 19.0)


def test_without_a_timeout_nothing_is_owed() -> None:
    progress = ProgressWatch(None)
    progress.sent(0.0)
    progress.made(0.0, owes=True)
    assert deadlines(progress) == NEVER
