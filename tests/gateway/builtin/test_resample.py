from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_speech.gateway.builtin.resample import Resampler
from trio_speech.providers._accept import RATES

PAIRS = [(source, target) for source in RATES for target in RATES if target in {16_000, 24_000} or source == 24_000]


def tone(rate: int, hertz: float, seconds: float = 0.1) -> array[int]:
    return array("h", [round(10_000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(round(rate * seconds))])


def resampled(source: int, target: int, samples: array[int]) -> array[int]:
    resampler = Resampler(source, target)
    made = resampler.push(samples)
    made.extend(resampler.finish())
    return made


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_tone_keeps_its_frequency(source: int, target: int) -> None:
    made, wanted = resampled(source, target, tone(source, 440)), tone(target, 440)
    assert abs(len(made) - len(wanted)) <= 1
    shorter = min(len(made), len(wanted))
    inner = slice(shorter // 5, shorter * 4 // 5)
    noise = sum((a - b) ** 2 for a, b in zip(made[inner], wanted[inner], strict=True))
    assert 10 * math.log10(sum(b * b for b in wanted[inner]) / max(1, noise)) > 50  # decibels


def test_frequencies_above_the_lower_rate_are_removed() -> None:
    made = resampled(48_000, 16_000, tone(48_000, 11_000))
    assert max(map(abs, made[100:-100])) < 60


def test_it_clips_rather_than_wraps() -> None:
    square = array("h", ([32_767] * 20 + [-32_768] * 20) * 20)
    made = resampled(16_000, 48_000, square)
    assert max(made) == 32_767
    assert min(made) == -32_768


@settings(max_examples=25)
@given(
    pair=st.sampled_from(PAIRS),
    cuts=st.lists(st.integers(0, 700), max_size=6),
    noise=st.lists(st.integers(-30_000, 30_000), min_size=700, max_size=700),
)
def test_results_do_not_depend_on_chunk_sizes(pair: tuple[int, int], cuts: list[int], noise: list[int]) -> None:
    samples = array("h", noise)
    resampler = Resampler(*pair)
    made = array("h")
    bounds = sorted([0, *cuts, len(samples)])
    for start, end in pairwise(bounds):
        made.extend(resampler.push(samples[start:end]))
    made.extend(resampler.finish())
    assert made == resampled(*pair, samples)


@given(pair=st.sampled_from(PAIRS), counts=st.lists(st.integers(1, 500), max_size=5))
def test_needed_is_exact(pair: tuple[int, int], counts: list[int]) -> None:
    resampler = Resampler(*pair)
    ready = 0
    for count in counts:
        if ready < count:
            needed = resampler.needed(count - ready)
            if needed > 1:
                ready += len(resampler.push(array("h", bytes(2 * (needed - 1)))))
                assert ready < count
            ready += len(resampler.push(array("h", bytes(2))))
        assert ready >= count
        ready -= count
