"""A link that says nothing of speech is dead; one that says nothing of silence is not."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.progress_watch import ProgressWatch, is_loud

NEVER = (math.inf, math.inf)
LOUD, QUIET = array("h", [0, -5_000]).tobytes(), array("h", [0, 1_023, -1_024]).tobytes()


@pytest.mark.parametrize("encoding", ["pcm_s16le", "mulaw", "alaw"])
def test_nothing_is_not_loud(encoding: str) -> None:
    assert not is_loud(b"", encoding)


@pytest.mark.parametrize(("value", "loud"), [(1_023, False), (1_024, True), (-1_024, False), (-1_025, True)])
def test_where_pcm_begins_to_be_loud(value: int, loud: bool) -> None:
    assert is_loud(array("h", [0, value]).tobytes(), "pcm_s16le") is loud


@given(st.lists(st.integers(-32_768, 32_767), max_size=30))
def test_pcm_is_loud_where_any_value_is(values: list[int]) -> None:
    assert is_loud(array("h", values).tobytes(), "pcm_s16le") is any(not -1_024 <= value < 1_024 for value in values)


# Values from ITU-T G.711, tables 1 and 2, at 16 bits: silence, the edges of quiet, and the loudest.
@pytest.mark.parametrize(
    ("encoding", "quiet", "loud"),
    [
        ("mulaw", "ff 7f ce 4e fe 7e", "cd 4d 80 00"),  # 0, 988; 1052, 32124
        ("alaw", "d5 55 fa 7a d4 54", "e5 65 aa 2a"),  # 8, 1008; 1056, 32256
    ],
)
def test_companded_audio_is_loud_where_any_value_is(encoding: str, quiet: str, loud: str) -> None:
    assert not is_loud(bytes.fromhex(quiet), encoding)
    for code in bytes.fromhex(loud):
        assert is_loud(bytes.fromhex(quiet) + bytes([code]), encoding), hex(code)


def deadlines(progress: ProgressWatch) -> tuple[float, float]:
    """When to ask for what is owed, and when the link is dead."""
    return progress.doubtful_from, progress.overdue_from


def test_speech_of_which_nothing_is_said_is_asked_for_and_then_given_up() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(QUIET, "pcm_s16le", 0.0)
    assert deadlines(progress) == NEVER
    progress.sent(LOUD, "pcm_s16le", 5.0)
    progress.sent(LOUD, "pcm_s16le", 6.0)
    assert deadlines(progress) == (10.0, 15.0)


def test_it_is_said_once_that_a_result_is_owed_from_now_on() -> None:
    progress = ProgressWatch(10.0)
    heard = (QUIET, LOUD, LOUD, QUIET)
    assert [progress.sent(audio, "pcm_s16le", 1.0) for audio in heard] == [False, True, False, False]
    progress.made(2.0, owes=False)
    assert [progress.sent(audio, "pcm_s16le", 3.0) for audio in heard] == [False, True, False, False]
    assert not ProgressWatch(None).sent(LOUD, "pcm_s16le", 1.0)


def test_silence_is_no_illness() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(QUIET, "pcm_s16le", 0.0)
    assert deadlines(progress) == NEVER


def test_a_result_pays_what_was_owed_and_speech_after_it_owes_anew() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(LOUD, "pcm_s16le", 0.0)
    progress.made(9.0, owes=False)
    assert deadlines(progress) == NEVER
    progress.sent(LOUD, "pcm_s16le", 20.0)
    assert deadlines(progress) == (25.0, 30.0)


def test_a_guess_owes_its_final() -> None:
    progress = ProgressWatch(10.0)
    progress.sent(LOUD, "pcm_s16le", 0.0)
    progress.made(9.0, owes=True)
    assert deadlines(progress) == (14.0, 19.0)


def test_without_a_timeout_nothing_is_owed() -> None:
    progress = ProgressWatch(None)
    progress.sent(LOUD, "pcm_s16le", 0.0)
    progress.made(0.0, owes=True)
    assert deadlines(progress) == NEVER
