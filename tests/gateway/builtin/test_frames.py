from __future__ import annotations

import random
from array import array
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_speech.gateway.builtin.frames import RATE, Frames
from trio_speech.providers._accept import RATES

FRAME = 480
NOISE = array("h", random.Random(1).choices(range(-20_000, 20_000), k=48_000))


def framed(frames: Frames) -> list[bytes]:
    made = []
    while (frame := frames.next()) is not None:
        made.append(frame)
    return made


def test_at_16_khz_frames_are_the_audio_unchanged() -> None:
    frames = Frames(RATE, FRAME)
    frames.feed(NOISE[:1000].tobytes())
    assert framed(frames) == [NOISE[:480].tobytes(), NOISE[480:960].tobytes()]
    assert frames.start == 960
    assert frames.rest() == [NOISE[960:1000].tobytes()]
    assert frames.start == 1000


@settings(max_examples=25)
@given(rate=st.sampled_from(RATES), cuts=st.lists(st.integers(0, 6_000), max_size=8))
def test_results_do_not_depend_on_chunk_sizes(rate: int, cuts: list[int]) -> None:
    whole, parts = Frames(rate, FRAME), Frames(rate, FRAME)
    whole.feed(NOISE[:6_000].tobytes())
    made = []
    bounds = sorted([0, *cuts, 6_000])
    for start, end in pairwise(bounds):
        parts.feed(NOISE[start:end].tobytes())
        made += framed(parts)
    assert made == framed(whole)
    assert parts.rest() == whole.rest()


@pytest.mark.parametrize("rate", RATES)
def test_a_replay_from_a_restart_makes_the_same_frames(rate: int) -> None:
    frames = Frames(rate, FRAME)
    frames.feed(NOISE[: rate // 2].tobytes())
    for _ in range(7):
        frames.next()
    frames.restart()
    start = frames.start
    assert start == -(-7 * FRAME * rate // RATE)
    replayed = Frames(rate, FRAME)
    replayed.feed(NOISE[start : rate // 2].tobytes())
    assert framed(replayed) == framed(frames)
    assert frames.position(FRAME) - start == replayed.position(FRAME)


@pytest.mark.parametrize("rate", RATES)
def test_rest_returns_all_remaining_audio(rate: int) -> None:
    frames = Frames(rate, FRAME)
    frames.feed(NOISE[:4_321].tobytes())
    heard = sum(map(len, [*framed(frames), *frames.rest()])) // 2
    assert heard == 4_321 * RATE // rate
    frames.restart_at_end()
    assert frames.start == 4_321
    assert frames.next() is None
    assert frames.rest() == []


def test_no_audio_is_kept_beyond_a_frame_or_two() -> None:
    frames = Frames(24_000, FRAME)
    for _ in range(200):
        frames.feed(NOISE[:1_200].tobytes())
        framed(frames)
    assert sum(map(len, frames.rest())) < 2 * 2 * FRAME
