"""Lost runs: each sample named once, nothing told that may still be saved or grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.losses import Losses, Run

LENGTHS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=12)


def test_runs_that_touch_are_one() -> None:
    losses = Losses()
    losses.lose(0, 5, "overflow")
    losses.lose(5, 9, "overflow")
    losses.lose(9, 9, "unanswered")  # which is none
    losses.lose(9, 12, "replay-limit")
    assert losses.tell_all() == [Run(0, 9, "overflow"), Run(9, 12, "replay-limit")]
    assert losses.total == 12
    assert losses.tell_all() == []


@given(LENGTHS)
def test_every_lost_sample_is_told_exactly_once(lengths: list[tuple[int, int]]) -> None:
    losses, at, lost, told = Losses(), 0, list[int](), list[int]()
    for skip, length in lengths:
        at += skip
        losses.lose(at, at + length, "overflow")
        lost += range(at, at + length)
        at += length
        for run in losses.tell(at - 3):
            told += range(run.start, run.end)
    for run in losses.tell_all():
        told += range(run.start, run.end)
    assert told == lost
    assert losses.total == len(lost)


def test_what_a_link_recognises_after_all_was_never_lost() -> None:
    losses = Losses()
    losses.endanger(0, 10, "overflow")
    losses.committed(6)
    losses.committed(10)
    losses.link_lost()
    assert losses.tell_all() == []
    assert losses.total == 0


def test_what_was_endangered_is_lost_with_its_link_and_joins_its_neighbours() -> None:
    losses = Losses()
    losses.endanger(2, 2, "overflow")
    losses.endanger(3, 10, "overflow")
    losses.lose(10, 14, "overflow")
    losses.committed(6)
    assert (losses.endangered, losses.total) == (4, 4)
    losses.link_lost()
    assert losses.endangered == 0
    assert losses.tell_all() == [Run(6, 14, "overflow")]
    assert losses.total == 8


def test_a_run_is_told_only_once_what_lies_behind_it_is_settled() -> None:
    losses = Losses()
    losses.lose(4, 8, "overflow")
    assert losses.tell(8) == []
    assert losses.tell(9) == [Run(4, 8, "overflow")]


def test_no_run_is_told_before_one_of_undecided_fate() -> None:
    losses = Losses()
    losses.endanger(0, 4, "overflow")
    losses.lose(4, 8, "overflow")
    assert losses.tell(20) == []
    losses.link_lost()
    assert losses.tell(20) == [Run(0, 8, "overflow")]


def test_what_is_safe_and_what_is_nothing_hold_up_no_run() -> None:
    losses = Losses()
    losses.endanger(0, 4, "overflow")
    losses.committed(4)
    losses.endanger(4, 4, "overflow")
    losses.lose(4, 8, "overflow")
    assert losses.tell(20) == [Run(4, 8, "overflow")]


def test_behind_a_lost_run_the_stream_goes_on() -> None:
    losses = Losses()
    losses.lose(4, 8, "overflow")
    losses.lose(8, 9, "replay-limit")
    assert [losses.after(sample) for sample in (3, 4, 7, 8, 9)] == [3, 9, 9, 9, 9]
