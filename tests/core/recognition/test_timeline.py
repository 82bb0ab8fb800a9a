"""The map between a link's clock and the stream's: exact, piecewise, monotonic, clamped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.timeline import Timeline

RATE = 100
RUNS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 200)), min_size=1, max_size=6)


def sent(base: int, runs: list[tuple[int, int]]) -> tuple[Timeline, list[int]]:
    """A timeline on which each run skips so many samples and then sends so many; and, by position, what was sent."""
    timeline, heard, at = Timeline(base, RATE), list[int](), base
    for skip, length in runs:
        timeline.sent(at + skip, at + skip + length)
        heard += range(at + skip, at + skip + length)
        at += skip + length
    return timeline, heard


@given(base=st.integers(0, 10_000), runs=RUNS, data=st.data())
def test_each_sample_is_found_again(base: int, runs: list[tuple[int, int]], data: st.DataObject) -> None:
    timeline, heard = sent(base, runs)
    assert timeline.heard == len(heard)
    position = data.draw(st.integers(0, len(heard) - 1))
    assert timeline.start_at(position / RATE) == heard[position]
    assert timeline.end_at((position + 1) / RATE) == heard[position] + 1


@given(base=st.integers(0, 10_000), runs=RUNS, times=st.lists(st.floats(-10, 100), min_size=2, max_size=2))
def test_the_map_is_monotonic(base: int, runs: list[tuple[int, int]], times: list[float]) -> None:
    timeline, _ = sent(base, runs)
    first, second = sorted(times)
    assert timeline.start_at(first) <= timeline.start_at(second)
    assert timeline.end_at(first) <= timeline.end_at(second)
    assert timeline.end_at(first) <= timeline.start_at(first)


@given(base=st.integers(0, 10_000), runs=RUNS, seconds=st.floats(allow_nan=False, allow_infinity=False))
def test_what_cannot_be_known_is_clamped_to_what_was_sent(
    base: int, runs: list[tuple[int, int]], seconds: float
) -> None:
    timeline, heard = sent(base, runs)
    assert base <= timeline.end_at(seconds) <= timeline.start_at(seconds) <= heard[-1] + 1


@given(base=st.integers(0, 10_000), runs=RUNS, times=st.lists(st.tuples(st.floats(-10, 100), st.floats(-10, 100))))
def test_a_span_begins_and_ends_where_its_times_do_and_never_before_it_begins(
    base: int, runs: list[tuple[int, int]], times: list[tuple[float, float]]
) -> None:
    timeline, _ = sent(base, runs)
    starts = [timeline.start_at(start) for start, _ in times]
    ends = [timeline.end_at(end) for _, end in times]
    assert timeline.spans(times) == [(start, max(start, end)) for start, end in zip(starts, ends, strict=True)]


def test_before_anything_is_sent_the_clock_stands_at_its_base() -> None:
    timeline = Timeline(7, RATE)
    assert timeline.base == 7
    assert timeline.start_at(3.0) == timeline.end_at(3.0) == 7


def test_where_nothing_was_skipped_the_clocks_differ_by_their_beginning() -> None:
    timeline = Timeline(7, RATE)
    timeline.sent(7, 57)
    timeline.sent(57, 107)
    for seconds, sample in ((-1.0, 7), (0.0, 7), (0.3, 37), (0.5, 57), (0.7, 77), (1.0, 107), (2.0, 107)):
        assert timeline.start_at(seconds) == timeline.end_at(seconds) == sample
