from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec import Struct

from trio_speech.errors import ConfigurationError
from trio_speech.policy import LivenessPolicy, PoolPolicy, ReplayPolicy, RetryPolicy

POLICIES: tuple[type[Struct], ...] = (RetryPolicy, ReplayPolicy, PoolPolicy, LivenessPolicy)

# field, the least and the most that are allowed, and what is allowed besides
RANGES: list[tuple[type[Struct], str, float, float, tuple[object, ...]]] = [
    (RetryPolicy, "max_attempts", 0, math.inf, (None,)),
    (RetryPolicy, "base_delay", 0.001, 3_600, ()),
    (RetryPolicy, "max_delay", 0.001, 86_400, ()),
    (RetryPolicy, "deadline", 0, math.inf, (None,)),
    (RetryPolicy, "stable_after", 0, math.inf, ()),
    (RetryPolicy, "max_concurrent_dials", 1, 10_000, ()),
    (RetryPolicy, "bucket", 1, math.inf, ()),
    (RetryPolicy, "fail_over_after", 0, math.inf, ()),
    (RetryPolicy, "return_after", 0.1, math.inf, (None,)),
    (ReplayPolicy, "limit", 0.1, 86_400, ()),
    (ReplayPolicy, "speed", 1, math.inf, (None,)),
    (ReplayPolicy, "burst", 0, math.inf, (None,)),
    (ReplayPolicy, "lead_in", 0, 30, ()),
    (ReplayPolicy, "max_replayed", 0, math.inf, (None,)),
    (ReplayPolicy, "doubt", 0, 1, ()),
    (ReplayPolicy, "doubt_at_least", 0, 86_400, ()),
    (ReplayPolicy, "frame_length", 0.02, 0.2, (None,)),
    (ReplayPolicy, "max_unread_bytes", 2**16, math.inf, ()),
    (PoolPolicy, "max_size", 1, 10_000, ()),
    (PoolPolicy, "min_idle", 0, 10_000, ()),
    (PoolPolicy, "max_idle_age", 0, math.inf, ()),
    (PoolPolicy, "max_age", 1, math.inf, ()),
    (PoolPolicy, "age_jitter", 0, 1, ()),
    (PoolPolicy, "acquire_timeout", 0.001, math.inf, ()),
    (LivenessPolicy, "ping_interval", 0.01, math.inf, ()),
    (LivenessPolicy, "ping_timeout", 0.01, math.inf, ()),
    (LivenessPolicy, "suspect_after_min", 0.01, math.inf, ()),
    (LivenessPolicy, "suspect_after_max", 0.01, math.inf, ()),
    (LivenessPolicy, "connect_timeout", 0.01, math.inf, ()),
    (LivenessPolicy, "close_timeout", 0, 3_600, ()),
    (LivenessPolicy, "send_timeout", 0.01, math.inf, ()),
    (LivenessPolicy, "progress_timeout", 0.01, math.inf, (None,)),
    (LivenessPolicy, "max_message_bytes", 2**16, math.inf, ()),
]
WHOLE = {
    "max_attempts",
    "max_concurrent_dials",
    "bucket",
    "max_size",
    "min_idle",
    "max_unread_bytes",
    "max_message_bytes",
}


def make(policy: type[Struct], **fields: Any) -> Struct:
    if fields.get("min_idle", 0) not in range(9):
        fields.setdefault("max_size", 10_000)
    if "suspect_after_max" in fields:
        fields.setdefault("suspect_after_min", 0.01)
    if "suspect_after_min" in fields:
        fields.setdefault("suspect_after_max", math.inf)
    return policy(**fields)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_defaults_are_in_range_and_frozen(policy: type[Struct]) -> None:
    made = policy()
    assert made == policy()
    with pytest.raises(AttributeError):
        setattr(made, policy.__struct_fields__[0], 1)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_number_has_a_range(policy: type[Struct]) -> None:
    assert {field for each, field, *_ in RANGES if each is policy} == set(policy.__struct_fields__) - {
        "overflow",
        "standby",
    }


@pytest.mark.parametrize(("policy", "field", "low", "high", "besides"), RANGES)
def test_a_value_is_taken_within_its_range(
    policy: type[Struct], field: str, low: float, high: float, besides: tuple[object, ...]
) -> None:
    most = 10**9 if high == math.inf else high
    numbers = [int(number) if field in WHOLE else number for number in (low, most)]
    for value in (*numbers, *besides):
        assert getattr(make(policy, **{field: value}), field) == value


@pytest.mark.parametrize(("policy", "field", "low", "high", "besides"), RANGES)
def test_a_value_out_of_its_range_is_refused_by_name(
    policy: type[Struct], field: str, low: float, high: float, besides: tuple[object, ...]
) -> None:
    wrong: list[object] = [low - 1, math.nan, "5", True, -math.inf]
    wrong += [high + 1] if high < math.inf else []
    wrong += [low + 0.5] if field in WHOLE else []
    wrong += [None] if None not in besides else []
    for value in wrong:
        with pytest.raises(ConfigurationError, match=rf"{policy.__name__}\.{field} is {value!r}: use a "):
            make(policy, **{field: value})


def test_the_refusal_says_what_to_use() -> None:
    with pytest.raises(ConfigurationError, match=r"use a number from 0 to 30$"):
        ReplayPolicy(lead_in=31)
    with pytest.raises(ConfigurationError, match=r"use a number from 1 up, or None$"):
        ReplayPolicy(speed=0.5)
    with pytest.raises(ConfigurationError, match=r"use a whole number from 0 up, or None$"):
        RetryPolicy(max_attempts=2.5)  # type: ignore[arg-type]


def test_unlimited_speed_is_a_speed() -> None:
    assert ReplayPolicy(speed=math.inf).speed == math.inf


def test_an_unknown_overflow_is_refused() -> None:
    assert {ReplayPolicy(overflow=way).overflow for way in ("wait", "drop_oldest", "error")} == {
        "wait",
        "drop_oldest",
        "error",
    }
    with pytest.raises(ConfigurationError, match=r"ReplayPolicy\.overflow is 'drop'"):
        ReplayPolicy(overflow="drop")  # type: ignore[arg-type]


def test_a_pool_keeps_no_more_spares_than_it_may_hold() -> None:
    assert PoolPolicy(max_size=2, min_idle=2).min_idle == 2
    with pytest.raises(ConfigurationError, match=r"min_idle is 3, above max_size, 2: use a number up to max_size"):
        PoolPolicy(max_size=2, min_idle=3)


def test_no_connection_can_be_suspected_later_than_at_the_latest() -> None:
    with pytest.raises(ConfigurationError, match="use a number up to suspect_after_max"):
        LivenessPolicy(suspect_after_min=2.0, suspect_after_max=1.0)


def test_standby_is_a_switch() -> None:
    with pytest.raises(ConfigurationError, match="standby is 1: use True or False"):
        LivenessPolicy(standby=1)  # type: ignore[arg-type]
