"""A set of stretches behaves as the set of its samples."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.stretches import Stretches

SAMPLES = st.integers(0, 40)
PAIRS = st.lists(st.tuples(SAMPLES, SAMPLES), max_size=12)


def filled(pairs: list[tuple[int, int]]) -> tuple[Stretches, set[int]]:
    stretches, samples = Stretches(), set[int]()
    for start, end in pairs:
        stretches.add(start, end)
        samples |= set(range(start, end))
    return stretches, samples


@given(PAIRS)
def test_it_holds_the_samples_that_were_added_in_stretches_apart(pairs: list[tuple[int, int]]) -> None:
    stretches, samples = filled(pairs)
    runs = list(stretches)
    assert [sample for start, end in runs for sample in range(start, end)] == sorted(samples)
    assert all(before[1] < after[0] for before, after in pairwise(runs))
    assert all(stretches.holds(sample) == (sample in samples) for sample in range(41))


@given(PAIRS, SAMPLES, SAMPLES)
def test_what_is_missing_is_the_rest(pairs: list[tuple[int, int]], start: int, end: int) -> None:
    stretches, samples = filled(pairs)
    missing = [sample for first, last in stretches.missing(start, end) for sample in range(first, last)]
    assert missing == [sample for sample in range(start, end) if sample not in samples]


@given(PAIRS, SAMPLES)
def test_the_end_from_a_sample_is_the_first_that_is_missing(pairs: list[tuple[int, int]], sample: int) -> None:
    stretches, samples = filled(pairs)
    expected = sample
    while expected in samples:
        expected += 1
    assert stretches.end_from(sample) == expected


@given(PAIRS, SAMPLES)
def test_what_ends_before_a_sample_can_be_forgotten(pairs: list[tuple[int, int]], before: int) -> None:
    stretches, samples = filled(pairs)
    stretches.forget(before)
    assert all(end > before for _, end in stretches)
    assert {sample for sample in samples if sample >= before} <= {s for a, b in stretches for s in range(a, b)}
