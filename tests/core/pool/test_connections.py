"""In which state a connection is, and until when: what decides is in `roster`."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest

from trio_speech._core.pool.actions import PooledEntry, State
from trio_speech._core.pool.connections import PATIENCE, Connections
from trio_speech.policy import PoolPolicy


def connections(**policy: Any) -> Connections:
    fields: dict[str, Any] = {"max_size": 3, "max_age": 100.0, "max_idle_age": 10.0, "age_jitter": 0.0, **policy}
    return Connections(PoolPolicy(**fields), Random(1))


def opened(pool: Connections, state: State = "idle", *, at: float = 0.0, took: float = 0.5) -> PooledEntry:
    """One that took so long to dial, in this state from the moment `at` on."""
    entry = pool.dialed(pool.dial("a", None, at - took), at, None)
    pool.become(entry, state, at)
    return entry


@pytest.mark.parametrize(
    ("state", "until"), [("idle", 10.0), ("leased", math.inf), ("draining", 0.5), ("closing", math.inf)]
)
def test_the_latest_end_of_a_connection_follows_from_its_state(state: State, until: float) -> None:
    pool = connections()
    entry = opened(pool, state)
    assert pool.due() == until
    assert pool.over(min(until, 1e9) - 0.01) == []
    assert pool.over(until) == [entry]


def test_idle_connections_are_found_by_key_until_they_are_too_old() -> None:
    pool = connections()
    opened(pool, "leased")
    entry = opened(pool)
    assert (pool.idle("a", 9.99), pool.idle("a", 10.0), pool.idle("b", 0.0)) == ([entry], [], [])


def test_a_closing_connection_counts_until_it_is_gone() -> None:
    pool = connections(max_size=1)
    entry = opened(pool)
    pool.closing(entry)
    assert (entry.state, pool.due(), pool.room) == ("closing", math.inf, 0)
    assert pool.gone(entry.number) is entry
    assert (pool.gone(entry.number), pool.room) == (None, 1)


def test_age_ends_a_connection_once_it_is_idle() -> None:
    pool = connections()
    entry = opened(pool, "leased")
    pool.become(entry, "idle", 95.0)
    assert pool.due() == 100.0
    pool.become(entry, "leased", 96.0)
    assert pool.due() == math.inf
    pool.become(entry, "idle", 101.0)
    assert pool.over(101.0) == [entry]


def test_the_age_of_a_stream_counts_from_the_opening_of_its_connection() -> None:
    pool = connections()
    entry = pool.dialed(pool.dial("a", None, 50.0), 50.0, 20.0)
    assert entry.ends == 120.0


def test_ages_are_spread_and_none_is_above_the_greatest() -> None:
    pool = connections(max_size=50, age_jitter=0.2)
    ends = [opened(pool).ends for _ in range(50)]
    assert 80.0 <= min(ends) < 85.0
    assert 95.0 < max(ends) <= 100.0


@pytest.mark.parametrize(("cap", "ends"), [(None, 100.0), (1_000.0, 100.0), (50.0, 45.0)])
def test_the_services_own_cap_ends_a_connection_earlier_than_the_policy(cap: float | None, ends: float) -> None:
    pool = connections()
    assert pool.dialed(pool.dial("a", None, 0.0), 0.0, None, cap).ends == ends


def test_later_dials_have_greater_numbers_and_know_their_request() -> None:
    pool = connections()
    assert pool.newest == 0
    for ticket in (None, 7, None):
        before = pool.newest
        entry = pool.find(pool.dial("a", ticket, 3.0), "dialing")
        assert entry is not None
        assert entry.number == pool.newest > before
        assert (entry.ticket, entry.begun, entry.since) == (ticket, 3.0, 3.0)


def test_a_retired_connection_ends_with_its_lease() -> None:
    pool = connections()
    entry = opened(pool, "leased")
    pool.retire(entry.number)
    pool.retire(99)
    assert pool.due() == math.inf
    pool.become(entry, "idle", 1.0)
    assert pool.over(1.0) == [entry]


def test_draining_lasts_as_long_as_a_dial_and_at_most_patience() -> None:
    pool = connections()
    assert opened(pool, "draining", took=0.3).until == pytest.approx(0.3)
    assert opened(pool, "draining", took=30.0).until == PATIENCE


def test_suspects_are_idle_and_not_known_alive_since_the_ping() -> None:
    pool = connections()
    early, late, leased = opened(pool), opened(pool, at=5.0), opened(pool, "leased")
    assert pool.suspects(5.0) == [early]
    pool.proved(early.number, 6.0)
    pool.proved(99, 6.0)
    assert pool.suspects(5.5) == [late]
    assert leased in pool.all()


def test_connections_are_found_by_number_state_and_key() -> None:
    pool = connections()
    assert pool.due() == math.inf
    idle, leased = opened(pool), opened(pool, "leased")
    dialing = pool.dial("b", 7, 0.0)
    assert (pool.newest, pool.room) == (dialing, 0)
    assert pool.find(idle.number, "idle") is idle
    assert (pool.find(idle.number, "leased"), pool.find(99, "idle")) == (None, None)
    assert pool.among("idle", "leased") == [idle, leased]
    assert (pool.count("b", "dialing"), pool.count("a", "dialing")) == (1, 0)
