"""A connection is asked to speak no more often than the service takes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.pool.quota import GenerationQuota

MINUTE = 60.0


def test_without_a_limit_it_is_never_used_up() -> None:
    quota = GenerationQuota(None)
    for _ in range(1_000):
        quota.began(0.0)
    assert not quota.is_used_up(0.0)


def test_it_is_used_up_until_the_first_generation_is_a_minute_old() -> None:
    quota = GenerationQuota(2)
    quota.began(0.0)
    assert not quota.is_used_up(10.0)
    quota.began(10.0)
    assert quota.is_used_up(59.0)
    assert not quota.is_used_up(60.0)
    quota.began(60.0)
    assert quota.is_used_up(69.0)
    assert not quota.is_used_up(70.0)


@given(st.integers(1, 5), st.lists(st.floats(0.0, 30.0), max_size=40))
def test_who_asks_before_each_generation_never_has_too_many_in_a_minute(allowed: int, pauses: list[float]) -> None:
    quota, now, began = GenerationQuota(allowed), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if not quota.is_used_up(now):
            quota.began(now)
            began.append(now)
        assert sum(now - each < MINUTE for each in began) <= allowed
