"""The replay log against a plain list of samples: whatever is done to it, it holds and yields what the list does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trio_speech._core.recognition.replay_log import ReplayLog

FRAME = 2


def samples(start: int, count: int) -> bytes:
    """`count` samples, each of which says where in the stream it stands."""
    return b"".join((number % 65_536).to_bytes(FRAME, "little") for number in range(start, start + count))


class Log(RuleBasedStateMachine):
    """Random histories of one log with a lead-in."""

    LEAD_IN = 7

    def __init__(self) -> None:
        super().__init__()
        self.log = ReplayLog(FRAME, lead_in=self.LEAD_IN)
        self.before = (0, 0, 0, 0)

    @rule(count=st.integers(0, 40))
    def append(self, count: int) -> None:
        self.log.append(samples(self.log.captured, count))

    @rule(count=st.integers(0, 60))
    def take(self, count: int) -> None:
        log, start, size = self.log, self.log.sent, min(count, self.log.unsent)
        furthest, so_far, replayed = log.furthest, log.taken, log.replayed
        assert log.take(count) == samples(start, size)
        assert log.sent == start + size
        assert log.taken == so_far + size
        assert log.replayed == replayed + len(range(start, min(log.sent, furthest)))
        assert log.furthest == max(furthest, log.sent)

    @rule(to=st.integers(0, 400))
    def rewind(self, to: int) -> None:
        assert self.log.rewind(to) == self.log.sent == min(max(to, self.log.kept), self.log.captured)

    @rule(to=st.integers(0, 400))
    def commit(self, to: int) -> None:
        self.log.commit(to)

    @rule(to=st.integers(0, 400))
    def settle(self, to: int) -> None:
        self.log.settle(to)

    @rule(to=st.integers(0, 400))
    def evict(self, to: int) -> None:
        owed = max(self.log.kept, self.log.settled)
        start, end = self.log.evict(to)
        assert start == owed
        assert end == max(owed, min(to, self.log.captured))

    @invariant()
    def cursors_are_in_order(self) -> None:
        log = self.log
        assert log.kept <= log.sent <= log.captured
        assert log.settled <= log.committed <= log.captured
        assert log.kept <= log.captured

    @invariant()
    def cursors_but_sent_only_move_forward(self) -> None:
        now = (self.log.captured, self.log.committed, self.log.settled, self.log.kept)
        assert all(new >= old for new, old in zip(now, self.before, strict=True))
        self.before = now

    @invariant()
    def all_that_is_owed_is_held(self) -> None:
        start, audio = self.log.unacknowledged()
        assert start == max(self.log.settled, self.log.kept)
        assert audio == samples(start, self.log.owed)
        assert self.log.window(0, self.log.captured) == samples(self.log.kept, self.log.captured - self.log.kept)


TestLog = Log.TestCase


def test_reading_goes_on_where_it_was_when_what_was_read_is_let_go() -> None:
    log = ReplayLog(FRAME)
    for start in range(0, 20, 2):
        log.append(samples(start, 2))
    log.take(6)
    log.commit(4)
    log.settle(4)
    assert log.kept == 4
    assert log.take(14) == samples(6, 14)


def test_settled_audio_is_let_go_but_for_the_lead_in() -> None:
    log = ReplayLog(FRAME, lead_in=4)
    for start in range(0, 20, 2):
        log.append(samples(start, 2))
    log.commit(20)
    log.settle(20)
    assert log.kept == 16
    assert log.rewind(0) == 16
    assert log.take(10) == samples(16, 4)


def test_a_log_may_begin_anywhere() -> None:
    log = ReplayLog(FRAME, start=1_000)
    log.append(samples(1_000, 5))
    assert log.take(3) == samples(1_000, 3)
    assert log.unacknowledged() == (1_000, samples(1_000, 5))


@pytest.mark.parametrize("gone", [0, 5, 12])
@given(start=st.integers(0, 30), end=st.integers(0, 30))
def test_a_window_is_what_is_kept_of_it(gone: int, start: int, end: int) -> None:
    log = ReplayLog(FRAME)
    log.append(samples(0, 12))
    log.append(samples(12, 8))
    log.evict(gone)
    assert log.window(start, end) == samples(max(start, gone), max(0, min(end, 20) - max(start, gone)))


@pytest.mark.parametrize("frame_size", [1, 2, 6])
def test_samples_are_whole_whatever_their_size(frame_size: int) -> None:
    log = ReplayLog(frame_size)
    log.append(bytes(range(12)))
    assert log.captured == 12 // frame_size
    assert log.take(1) == bytes(range(frame_size))


def test_what_is_held_is_what_is_owed_and_the_lead_in_and_no_more() -> None:
    log = ReplayLog(FRAME, lead_in=3)
    log.append(samples(0, 10))
    log.append(samples(10, 10))
    log.take(20)
    log.commit(20)
    log.settle(9)
    assert (log.kept, log.window(0, 20)) == (6, samples(6, 14))
    log.settle(20)
    assert (log.kept, log.window(0, 20)) == (17, samples(17, 3))


def test_a_window_before_or_behind_what_is_held_is_empty() -> None:
    log = ReplayLog(FRAME)
    log.append(samples(0, 10))
    log.evict(5)
    assert log.window(0, 5) == log.window(10, 20) == b""
    assert log.window(0, 6) == samples(5, 1)
