"""Lost runs: each sample named once, nothing told that may still be saved or grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.gaps import GapRun, Gaps

LENGTHS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=12)


def test_runs_that_touch_are_one() -> None:
    gaps = Gaps()
    gaps.lose(0, 5, "overflow")
    gaps.lose(5, 9, "overflow")
    gaps.lose(9, 9, "unanswered")  # which is none
    gaps.lose(9, 12, "replay-limit")
    assert gaps.tell_all() == [GapRun(0, 9, "overflow"), GapRun(9, 12, "replay-limit")]
    assert gaps.total == 12
    assert gaps.tell_all() == []


@given(LENGTHS)
def test_every_lost_sample_is_told_exactly_once(lengths: list[tuple[int, int]]) -> None:
    gaps, at, lost, told = Gaps(), 0, list[int](), list[int]()
    for skip, length in lengths:
        at += skip
        gaps.lose(at, at + length, "overflow")
        lost += range(at, at + length)
        at += length
        for run in gaps.tell(at - 3):
            told += range(run.start, run.end)
    for run in gaps.tell_all():
        told += range(run.start, run.end)
    assert told == lost
    assert gaps.total == len(lost)


def test_what_a_link_recognizes_after_all_was_never_lost() -> None:
    gaps = Gaps()
    gaps.endanger(0, 10, "overflow")
    gaps.committed(6)
    gaps.committed(10)
    gaps.link_lost()
    assert gaps.tell_all() == []
    assert gaps.total == 0


def test_what_was_endangered_is_lost_with_its_link_and_joins_its_neighbors() -> None:
    gaps = Gaps()
    gaps.endanger(2, 2, "overflow")
    gaps.endanger(3, 10, "overflow")
    gaps.lose(10, 14, "overflow")
    gaps.committed(6)
    assert (gaps.endangered, gaps.total) == (4, 4)
    gaps.link_lost()
    assert gaps.endangered == 0
    assert gaps.tell_all() == [GapRun(6, 14, "overflow")]
    assert gaps.total == 8


def test_a_run_is_told_only_once_what_lies_behind_it_is_settled() -> None:
    gaps = Gaps()
    gaps.lose(4, 8, "overflow")
    assert gaps.tell(8) == []
    assert gaps.tell(9) == [GapRun(4, 8, "overflow")]


def test_no_run_is_told_before_one_of_undecided_fate() -> None:
    gaps = Gaps()
    gaps.endanger(0, 4, "overflow")
    gaps.lose(4, 8, "overflow")
    assert gaps.tell(20) == []
    gaps.link_lost()
    assert gaps.tell(20) == [GapRun(0, 8, "overflow")]


def test_what_is_safe_and_what_is_nothing_hold_up_no_run() -> None:
    gaps = Gaps()
    gaps.endanger(0, 4, "overflow")
    gaps.committed(4)
    gaps.endanger(4, 4, "overflow")
    gaps.lose(4, 8, "overflow")
    assert gaps.tell(20) == [GapRun(4, 8, "overflow")]


def test_behind_a_lost_run_the_stream_goes_on() -> None:
    gaps = Gaps()
    gaps.lose(4, 8, "overflow")
    gaps.lose(8, 9, "replay-limit")
    assert [gaps.after(sample) for sample in (3, 4, 7, 8, 9)] == [3, 9, 9, 9, 9]


def test_what_is_given_up_before_and_between_lost_runs_is_named_once() -> None:
    gaps = Gaps()
    gaps.lose(4, 6, "overflow")
    gaps.lose(20, 30, "overflow")
    gaps.give_up(0, 10, "doubt")
    gaps.give_up(5, 6, "doubt")  # which is lost already
    assert gaps.total == 20
    runs = sorted((run.start, run.end, run.reason) for run in gaps.tell_all())
    assert runs == [(0, 4, "doubt"), (4, 6, "overflow"), (6, 10, "doubt"), (20, 30, "overflow")]


def test_what_a_final_covers_in_the_middle_of_what_cannot_be_replayed_is_safe() -> None:
    gaps = Gaps()
    gaps.endanger(0, 10, "overflow")
    gaps.recognized(3, 6)
    gaps.link_lost()
    assert gaps.tell_all() == [GapRun(0, 3, "overflow"), GapRun(6, 10, "overflow")]
