"""The pace of a catch-up: never faster than allowed, and never falling further behind."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.pacing import CAUGHT_UP, Pacer

RATE = 1_000
BURST = 0.5


def replay(pacer: Pacer, backlog: int, frames: list[int]) -> list[tuple[float, int]]:
    """Sends frame by frame, as soon as the pacer allows, while nothing new is captured; when which total was out."""
    now, gone, out = 5.0, 0, []
    pacer.engage(now, backlog)
    for frame in frames:
        now += pacer.delay(now, frame)
        gone += frame
        backlog = max(0, backlog - frame)
        pacer.sent(frame, backlog)
        out.append((now - 5.0, gone))
    return out


@given(speed=st.floats(1.01, 10), frames=st.lists(st.integers(1, 200), min_size=1, max_size=60))
def test_no_more_goes_out_than_the_burst_and_the_speed_allow(speed: float, frames: list[int]) -> None:
    for seconds, gone in replay(Pacer(speed, RATE, BURST), 1_000_000, frames):
        assert gone / RATE <= BURST + speed * seconds + 1e-6


@given(speed=st.floats(1.01, 10), frames=st.lists(st.integers(1, 200), min_size=1, max_size=60))
def test_no_frame_waits_longer_than_it_must(speed: float, frames: list[int]) -> None:
    seconds, gone = replay(Pacer(speed, RATE, BURST), 1_000_000, frames)[-1]
    assert seconds <= max(0.0, gone / RATE - BURST) / speed + 1e-6


@given(
    speed=st.floats(1.01, 10),
    frames=st.lists(st.integers(1, 200), max_size=20),
    later=st.floats(0, 10),
    samples=st.integers(1, 20_000),
)
def test_what_is_allowed_is_what_need_not_be_waited_for(
    speed: float, frames: list[int], later: float, samples: int
) -> None:
    pacer = Pacer(speed, RATE, BURST)
    now = 5.0 + (replay(pacer, 1_000_000, frames)[-1][0] if frames else 0.0) + later
    pacer.engage(5.0, 1_000_000)
    allowed = pacer.allowed(now, samples)
    assert allowed <= samples
    assert not allowed or pacer.delay(now, allowed) <= 1e-5
    assert allowed == samples or pacer.delay(now, allowed + 1) > 0.0


@given(speed=st.floats(1.01, 10), since=st.floats(0, 1e6), samples=st.integers(501, 100_000))
def test_at_the_moment_that_was_waited_for_all_of_it_may_go(speed: float, since: float, samples: int) -> None:
    pacer = Pacer(speed, RATE, BURST)
    pacer.engage(since, 1_000_000)
    assert pacer.allowed(since + pacer.delay(since, samples), samples) == samples


def test_once_caught_up_nothing_is_held_back() -> None:
    pacer = Pacer(1.25, RATE, BURST)
    pacer.engage(0.0, 10_000)
    pacer.sent(10_000, 0)
    assert pacer.delay(0.0, 1_000_000) == 0.0
    assert pacer.allowed(0.0, 1_000_000) == 1_000_000
    assert pacer.catch_up(0) == 0.0


@pytest.mark.parametrize(("left", "engaged"), [(round(CAUGHT_UP * RATE), True), (124, False), (0, False)])
def test_so_little_is_as_good_as_caught_up(left: int, engaged: bool) -> None:
    pacer = Pacer(1.25, RATE, BURST)
    pacer.engage(0.0, 10_000)
    pacer.sent(10_000 - left, left)
    assert pacer.engaged == engaged
    assert pacer.catch_up(left) == pytest.approx(left / RATE / 0.25 if engaged else 0.0)


@pytest.mark.parametrize("speed", [None, math.inf])
def test_without_a_limit_there_is_no_delay(speed: float | None) -> None:
    pacer = Pacer(speed, RATE, BURST)
    pacer.engage(0.0, 1_000_000)
    assert pacer.delay(0.0, 1_000_000) == 0.0
    assert pacer.catch_up(1_000_000) == 0.0


def test_a_short_backlog_is_no_burst_to_speak_of() -> None:
    pacer = Pacer(1.25, RATE, BURST)
    pacer.engage(0.0, int(BURST * RATE))
    assert pacer.delay(0.0, 10_000) == 0.0


def test_the_estimate_counts_the_live_audio_that_comes_meanwhile() -> None:
    pacer = Pacer(1.25, RATE, BURST)
    pacer.engage(0.0, 10_000)
    assert pacer.catch_up(10_000) == pytest.approx(40.0)
    assert pacer.catch_up(1) == pytest.approx(0.004)
    standing = Pacer(1.0, RATE, BURST)
    standing.engage(0.0, 10_000)
    assert standing.catch_up(10_000) == math.inf
    assert standing.catch_up(0) == 0.0


@pytest.mark.parametrize("burst", [0.0, 2.0, 9.0])
def test_so_much_goes_out_at_once_as_the_service_takes(burst: float) -> None:
    pacer = Pacer(2.0, RATE, burst)
    pacer.engage(0.0, 10_000)
    assert pacer.allowed(0.0, 10_000) == burst * RATE
    assert pacer.delay(0.0, 10_000) == pytest.approx((10.0 - burst) / 2.0)


def test_a_backlog_that_the_service_takes_at_once_is_not_paced() -> None:
    pacer = Pacer(1.25, RATE, math.inf)
    pacer.engage(0.0, 1_000_000)
    assert pacer.delay(0.0, 1_000_000) == 0.0
