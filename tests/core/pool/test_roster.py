from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.pool.actions import Action, CloseConnection, DialConnection, GrantLease, RefuseLease
from trio_speech._core.pool.connections import PATIENCE
from trio_speech._core.pool.roster import Roster
from trio_speech._core.pool.spares import SPARE_PAUSE
from trio_speech._core.retry.causes import Broken, Silent, Unreachable
from trio_speech.policy import PoolPolicy

DOWN = Unreachable("refused")
RESET = Broken("reset")


def roster(**policy: Any) -> Roster:
    fields: dict[str, Any] = {"max_size": 2, "age_jitter": 0.0, **policy}
    return Roster(PoolPolicy(**fields), Random(1))


def leased(pool: Roster, ticket: int = 1, key: str = "a", now: float = 0.0) -> int:
    """Asks for a connection, dials it, and returns its number."""
    (dial,) = pool.ask(ticket, key, now)
    assert isinstance(dial, DialConnection)
    assert pool.dialed(dial.connection, now) == [GrantLease(ticket, dial.connection)]
    return dial.connection


def idle(pool: Roster, *keys: str, now: float = 0.0) -> list[int]:
    numbers = [leased(pool, 100 + at, key, now) for at, key in enumerate(keys)]
    for number in numbers:
        assert pool.returned(number, now) == []
    return numbers


# ---------------------------------------------------------------- waiters and connections


def test_a_request_is_dialed_for_and_granted() -> None:
    pool = roster()
    assert pool.ask(7, "a", 0.0) == [DialConnection(1, "a")]
    assert pool.statistics().waiting == 1
    assert pool.dialed(1, 0.1) == [GrantLease(7, 1)]
    assert pool.returned(1, 1.0) == []
    assert pool.ask(8, "a", 2.0) == [GrantLease(8, 1)]
    figures = pool.statistics()
    assert (figures.leased, figures.dialed, figures.reused) == (1, 1, 1)


def test_has_idle_is_true_for_the_key_until_the_connection_is_too_old() -> None:
    pool = roster()
    (number,) = idle(pool, "a")
    assert (pool.has_idle("a", 0.0), pool.has_idle("b", 0.0)) == (True, False)
    too_old = pool.due()
    assert too_old is not None
    assert (pool.has_idle("a", too_old - 1e-6), pool.has_idle("a", too_old)) == (True, False)
    assert pool.ask(1, "a", 0.0) == [GrantLease(1, number)]
    assert not pool.has_idle("a", 0.0)


def test_a_returned_connection_serves_a_request_that_waits_for_a_dial() -> None:
    pool = roster()
    first = leased(pool)
    assert pool.ask(2, "a", 0.0) == [DialConnection(2, "a")]
    assert pool.returned(first, 0.0) == [GrantLease(2, first)]
    assert pool.dialed(2, 0.0) == []
    assert pool.statistics().idle == 1


def test_the_oldest_request_is_served_first() -> None:
    pool = roster()
    pool.ask(1, "a", 0.0)
    pool.ask(2, "a", 0.0)
    assert pool.dialed(2, 0.1) == [GrantLease(1, 2)]
    assert pool.dialed(1, 0.2) == [GrantLease(2, 1)]


def test_the_connection_used_last_goes_first() -> None:
    pool = roster()
    pool.ask(1, "a", 0.0)
    pool.ask(2, "a", 0.0)
    pool.dialed(1, 0.0)
    pool.dialed(2, 0.0)
    pool.returned(2, 1.0)
    pool.returned(1, 2.0)
    assert pool.ask(3, "a", 3.0) == [GrantLease(3, 1)]


def test_there_are_no_more_dials_than_requests_or_room() -> None:
    pool = roster()
    assert len(pool.ask(1, "a", 0.0)) == 1
    assert len(pool.ask(2, "a", 0.0)) == 1
    assert pool.ask(3, "a", 0.0) == []
    pool.withdraw(1)
    assert pool.dialed(1, 0.0) == [GrantLease(2, 1)]
    assert pool.dialed(2, 0.0) == [GrantLease(3, 2)]
    pool.withdraw(99)


def test_a_place_is_reserved_only_where_there_is_room_and_is_nobody_s_connection() -> None:
    pool = roster(max_size=2)
    assert pool.ask(1, "a", 0.0) == [DialConnection(1, "a")]
    assert pool.reserve(1.0) == 2
    assert pool.reserve(1.0) is None
    assert pool.ask(2, "b", 1.0) == [], "there is no room for another dial"
    assert pool.closed(2, 2.0) == [DialConnection(3, "b")]


def test_a_failed_dial_refuses_the_request_it_was_made_for() -> None:
    pool = roster()
    pool.ask(1, "a", 0.0)
    assert pool.failed(1, DOWN, 0.0) == [RefuseLease(1, DOWN)]
    assert pool.statistics().dials_failed == 1
    assert pool.statistics().waiting == 0


def test_a_failed_dial_of_a_served_request_is_repeated_for_the_next() -> None:
    pool = roster(max_size=3)
    first = leased(pool, 1)
    pool.ask(2, "a", 0.0)
    pool.ask(3, "a", 0.0)
    assert pool.returned(first, 0.0) == [GrantLease(2, first)]
    assert pool.failed(2, DOWN, 0.0) == []
    assert pool.failed(3, DOWN, 0.0) == [RefuseLease(3, DOWN)]


def test_a_fresh_request_gets_a_connection_dialed_after_it() -> None:
    pool = roster(max_size=3)
    idle(pool, "a")
    pool.warm("a", 2, 1.0)
    assert pool.ask(5, "a", 1.0, fresh=True) == [DialConnection(3, "a")]
    assert pool.dialed(2, 1.0) == []
    assert pool.dialed(3, 1.0) == [GrantLease(5, 3)]


def test_a_fresh_request_that_loses_its_connection_to_an_older_one_gets_another() -> None:
    pool = roster(max_size=3)
    assert pool.ask(1, "a", 0.0) == [DialConnection(1, "a")]
    assert pool.ask(2, "a", 0.0, fresh=True) == [DialConnection(2, "a")]
    assert pool.dialed(2, 0.1) == [GrantLease(1, 2), DialConnection(3, "a")]
    assert pool.dialed(1, 0.2) == []
    assert pool.dialed(3, 0.3) == [GrantLease(2, 3)]


def test_a_fresh_connection_takes_the_place_of_an_idle_one() -> None:
    pool = roster(max_size=1)
    idle(pool, "a")
    assert pool.ask(5, "a", 1.0, fresh=True) == [CloseConnection(1, "it made room for another")]
    assert pool.closed(1, 1.1) == [DialConnection(2, "a")]


def test_the_longest_idle_makes_room_for_another_key() -> None:
    pool = roster()
    pool.returned(leased(pool, 1, "a"), 1.0)
    pool.returned(leased(pool, 2, "b"), 2.0)
    assert pool.ask(3, "c", 3.0) == [CloseConnection(1, "it made room for another")]
    assert pool.tick(3.1) == []
    assert pool.closed(1, 3.2) == [DialConnection(3, "c")]
    assert pool.statistics().evicted == 1


def test_room_is_made_for_each_request() -> None:
    pool = roster()
    idle(pool, "a", "a")
    assert pool.ask(3, "c", 3.0) == [CloseConnection(1, "it made room for another")]
    assert pool.ask(4, "c", 3.0) == [CloseConnection(2, "it made room for another")]
    assert pool.ask(5, "c", 3.0) == []
    assert pool.closed(2, 3.1) == [DialConnection(3, "c")]
    assert pool.closed(1, 3.1) == [DialConnection(4, "c")]


def test_a_closing_connection_leaves_no_room_until_it_is_closed() -> None:
    pool = roster(max_size=1)
    number = slow(pool, 0.3)
    pool.abandoned(number, 1.0)
    pool.ask(2, "a", 1.0)
    assert pool.tick(1.3) == [CloseConnection(number, "its generation went on")]
    assert pool.drained(number, 1.4) == []
    assert (pool.statistics().idle, pool.statistics().drained) == (0, 0)
    assert pool.closed(number, 1.5) == [DialConnection(2, "a")]


def test_a_closing_connection_that_dies_leaves_room() -> None:
    pool = roster(max_size=1)
    idle(pool, "a")
    pool.ask(2, "b", 1.0)
    assert pool.died(1, RESET, 1.1) == [DialConnection(2, "b")]
    assert pool.closed(1, 1.2) == []
    assert pool.statistics().dead_found == 0


def test_at_the_end_all_are_closed_and_no_spares_dialed() -> None:
    pool = roster(max_size=8, min_idle=1)
    pool.ask(1, "a", 0.0)
    pool.dialed(1, 0.0)
    pool.dialed(2, 0.0)
    pool.ask(3, "b", 0.0)
    assert pool.end() == [CloseConnection(1, "the client was closed"), CloseConnection(2, "the client was closed")]
    assert pool.end() == []
    assert pool.closed(1, 1.0) == pool.closed(2, 1.0) == pool.tick(2_000.0) == []


def test_a_returned_connection_makes_room_for_who_waited_longer() -> None:
    pool = roster(max_size=1)
    only = leased(pool, 1, "a")
    assert pool.ask(2, "b", 0.0) == []
    assert pool.ask(3, "a", 0.0) == []
    assert pool.returned(only, 1.0) == [CloseConnection(only, "it made room for another")]
    assert pool.closed(only, 1.1) == [DialConnection(2, "b")]


def test_queries_of_the_shell() -> None:
    pool = roster(max_size=4)
    idle(pool, "a")
    pool.ask(1, "b", 0.0)
    assert pool.dialing() == {2}
    pool.ask(2, "c", 0.0)
    pool.failed(3, DOWN, 0.0)
    assert pool.failed(99, DOWN, 0.0) == []
    assert pool.keys() == {"a", "b"}
    pool.warm("d", 1, 0.0)
    assert pool.keys() == {"a", "b", "d"}
    pool.failed(4, DOWN, 0.0)
    pool.died(1, RESET, 0.0)
    assert pool.keys() == {"a", "b"}
    assert pool.tick(1_000.0) == []
    assert pool.keys() == {"b"}


# ---------------------------------------------------------------- ends


def test_idle_connections_end_after_max_idle_age() -> None:
    pool = roster(max_idle_age=10.0)
    idle(pool, "a")
    assert pool.due() == 10.0
    assert pool.tick(9.9) == []
    assert pool.tick(10.0) == [CloseConnection(1, "it was too old")]
    assert pool.statistics().expired == 1
    assert pool.due() is None
    pool.closed(1, 10.0)
    assert pool.keys() == set()


def test_a_stream_has_the_age_of_its_shared_connection() -> None:
    pool = roster(max_age=100.0, max_idle_age=1_000.0)
    pool.warm("a", 1, 50.0)
    pool.dialed(1, 50.0, opened=20.0)
    assert pool.due() == 120.0


def test_at_the_end_all_that_are_open_are_closed_and_no_others() -> None:
    pool = roster(max_size=4)
    number = slow(pool, 0.3)
    pool.abandoned(number, 1.0)
    pool.warm("b", 1, 1.0)
    pool.dialed(2, 1.0)
    leased(pool, 3, "c", 1.0)
    pool.ask(4, "d", 1.0)
    assert pool.end() == [CloseConnection(number, "the client was closed") for number in (1, 2, 3)]
    assert pool.end() == []


def test_the_figures_count_all_there_ever_was() -> None:
    pool = roster(max_size=2, max_idle_age=10.0)
    for times, now in enumerate((0.0, 100.0, 200.0), 1):
        pool.ask(1, "a", now)
        (first,) = pool.dialing()
        assert pool.statistics().dialing == 1
        pool.dialed(first, now + 0.3)
        pool.returned(first, now + 0.3)
        pool.ask(2, "a", now + 0.4)
        pool.abandoned(first, now + 0.5)
        pool.drained(first, now + 0.6)
        second = leased(pool, 3, "b", now + 0.6)
        pool.returned(second, now + 0.7)
        pool.ask(4, "c", now + 0.7)  # which makes the first one go
        pool.closed(first, now + 0.7)
        pool.failed(max(pool.dialing()), DOWN, now + 0.7)
        third = leased(pool, 5, "a", now + 0.8)
        pool.returned(third, now + 0.8)
        pool.died(second, Silent("pong", 0.1), now + 1.0)
        pool.closed(third, now + 1.0)
        fourth = leased(pool, 6, "a", now + 1.0)
        pool.returned(fourth, now + 1.0)
        pool.tick(now + 20.0)
        pool.closed(fourth, now + 20.0)
        figures = pool.statistics()
        assert (figures.dialed, figures.dials_failed, figures.reused) == (4 * times, times, times)
        assert (figures.drained, figures.evicted, figures.expired) == (times, times, times)
        assert (figures.dead_found, figures.doubted) == (times, times)


def test_connections_end_with_their_age_but_not_in_use() -> None:
    pool = roster(max_age=100.0)
    number = leased(pool)
    assert pool.due() is None
    assert pool.tick(200.0) == []
    assert pool.returned(number, 200.0) == [CloseConnection(number, "it was too old")]


def test_a_request_gets_no_connection_that_is_too_old() -> None:
    pool = roster(max_age=100.0)
    idle(pool, "a", now=0.0)
    assert pool.ask(1, "a", 150.0) == [CloseConnection(1, "it was too old"), DialConnection(2, "a")]


def test_age_is_shortened_by_jitter_alone() -> None:
    ends = set()
    for seed in range(20):
        pool = Roster(PoolPolicy(max_age=100.0, age_jitter=0.5), Random(seed))
        idle(pool, "a")
        due = pool.due()
        assert due is not None
        assert 50.0 <= due <= 100.0
        ends.add(due)
    assert len(ends) == 20


def test_with_max_idle_age_zero_a_connection_serves_waiting_requests_only() -> None:
    pool = roster(max_idle_age=0.0, min_idle=1)
    number = leased(pool)
    assert pool.ask(2, "a", 0.0) == [DialConnection(2, "a")]
    assert pool.returned(number, 0.0) == [GrantLease(2, number)]
    assert pool.dialed(2, 0.0) == [CloseConnection(2, "it was too old")]
    assert pool.due() is None


def test_a_retired_connection_serves_nobody_after() -> None:
    pool = roster(max_size=1)
    number = leased(pool)
    pool.retire(number)
    pool.retire(99)
    pool.ask(2, "a", 0.0)
    assert pool.returned(number, 0.0) == [CloseConnection(number, "it made room for another")]
    assert pool.closed(number, 0.1) == [DialConnection(2, "a")]


def test_an_idle_connection_that_dies_is_counted_as_found_dead() -> None:
    pool = roster(max_size=3)
    idle(pool, "a")
    assert pool.died(1, RESET, 1.0) == []
    assert pool.statistics().dead_found == 1
    number = leased(pool, 1)
    assert pool.died(number, RESET, 1.0) == []
    assert pool.statistics().dead_found == 1
    assert pool.returned(number, 1.0) == pool.abandoned(number, 1.0) == pool.died(number, RESET, 1.0) == []
    assert pool.statistics().leased == 0


def test_a_failed_ping_closes_all_idle_connections_not_known_alive_since() -> None:
    pool = roster(max_size=4)
    numbers = [leased(pool, ticket, "a") for ticket in range(4)]
    for number in numbers[:3]:
        pool.returned(number, 0.0)
    pool.ponged(numbers[1], 0.2, 6.0)
    pool.ponged(99, 0.1, 6.0)
    assert pool.died(numbers[0], Silent("pong", 5.0), 10.0) == [
        CloseConnection(numbers[2], "a ping on another connection failed")
    ]
    figures = pool.statistics()
    assert (figures.idle, figures.leased, figures.dead_found, figures.doubted) == (1, 1, 1, 1)
    assert (figures.ping, figures.ping_worst) == (0.1, 0.2)


# ---------------------------------------------------------------- draining


def slow(pool: Roster, seconds: float) -> int:
    (dial,) = pool.ask(1, "a", 0.0)
    assert isinstance(dial, DialConnection)
    pool.dialed(dial.connection, seconds)
    return dial.connection


@pytest.mark.parametrize(("dial", "patience"), [(0.3, 0.3), (5.0, PATIENCE)])
def test_an_abandoned_generation_is_drained_for_as_long_as_a_dial_takes(dial: float, patience: float) -> None:
    pool = roster()
    number = slow(pool, dial)
    assert pool.abandoned(number, 10.0) == []
    assert pool.statistics().draining == 1
    assert pool.due() == 10.0 + patience
    assert pool.tick(10.0 + patience) == [CloseConnection(number, "its generation went on")]
    assert pool.statistics().expired == 0


def test_a_drained_connection_serves_again() -> None:
    pool = roster(max_size=1)
    number = slow(pool, 0.3)
    pool.abandoned(number, 10.0)
    assert pool.ask(2, "a", 10.0) == []
    assert pool.drained(number, 10.1) == [GrantLease(2, number)]
    assert pool.statistics().drained == 1


def test_where_dialing_takes_no_time_nothing_is_drained() -> None:
    pool = roster()
    number = leased(pool)
    assert pool.abandoned(number, 1.0) == [CloseConnection(number, "its generation went on")]


# ---------------------------------------------------------------- spares


@pytest.mark.parametrize("age", [0.5, 300.0])
def test_spares_are_dialed_once_a_key_is_in_use(age: float) -> None:
    pool = roster(max_size=3, min_idle=1, max_idle_age=age)
    assert pool.tick(0.0) == []
    pool.ask(1, "a", 0.0)
    assert pool.dialed(1, 0.0) == [GrantLease(1, 1), DialConnection(2, "a")]
    assert pool.dialed(2, 0.0) == []
    assert pool.ask(2, "a", 0.0) == [GrantLease(2, 2), DialConnection(3, "a")]
    assert pool.statistics().reused == 0


def test_spares_wait_after_a_failed_dial() -> None:
    pool = roster(max_size=2, min_idle=1)
    pool.ask(1, "a", 0.0)
    pool.dialed(1, 0.0)
    assert pool.failed(2, DOWN, 1.0) == []
    assert pool.due() == 1.0 + SPARE_PAUSE
    assert pool.tick(1.0) == []
    assert pool.tick(1.0 + SPARE_PAUSE) == [DialConnection(3, "a")]
    assert pool.due() is None


def test_spares_pause_after_one_that_died_unused() -> None:
    pool = roster(min_idle=1)
    assert pool.ask(1, "a", 0.0) == [DialConnection(1, "a")]
    assert pool.dialed(1, 0.0) == [GrantLease(1, 1), DialConnection(2, "a")]
    assert pool.dialed(2, 1.0) == []
    assert pool.died(2, RESET, 1.5) == []
    assert pool.due() == 1.0 + SPARE_PAUSE
    assert pool.ask(2, "a", 2.0) == [DialConnection(3, "a")]
    assert pool.dialed(3, 2.0) == [GrantLease(2, 3)]
    assert pool.returned(3, 3.0) == []
    assert pool.died(3, RESET, 3.0) == []
    assert pool.tick(1.0 + SPARE_PAUSE) == [DialConnection(4, "a")]
    assert pool.dialed(4, 10.0) == []
    assert pool.died(4, RESET, 10.0 + SPARE_PAUSE) == [DialConnection(5, "a")]


def test_a_spare_that_was_used_is_replaced_at_once() -> None:
    pool = roster(min_idle=1, max_size=1)
    number = leased(pool)
    assert pool.returned(number, 3.0) == []
    assert pool.died(number, RESET, 3.0) == [DialConnection(number + 1, "a")]


def test_a_dial_for_a_request_is_no_spare() -> None:
    pool = roster(max_size=3, min_idle=1)
    pool.ask(1, "a", 0.0)
    pool.dialed(1, 0.0)
    pool.failed(2, DOWN, 1.0)
    assert pool.ask(2, "a", 1.0 + SPARE_PAUSE) == [DialConnection(3, "a"), DialConnection(4, "a")]


def test_no_spares_are_kept_for_a_key_out_of_use() -> None:
    pool = roster(max_size=3, min_idle=1, max_idle_age=10.0)
    pool.ask(1, "a", 0.0)
    pool.dialed(1, 0.0)
    pool.dialed(2, 5.0)
    assert pool.tick(15.0) == [CloseConnection(2, "it was too old"), DialConnection(3, "a")]
    pool.dialed(3, 15.0)
    assert pool.returned(1, 16.0) == []
    assert {type(action) for action in pool.tick(30.0)} == {CloseConnection}
    assert pool.due() is None


def test_warming_dials_what_is_missing() -> None:
    pool = roster(max_size=3)
    assert pool.warm("a", 2, 0.0) == [DialConnection(1, "a"), DialConnection(2, "a")]
    assert pool.warm("a", 2, 0.0) == []
    assert pool.warm("a", 9, 0.0) == [DialConnection(3, "a")]
    assert pool.failed(3, DOWN, 0.0) == []


def test_warming_replaces_the_longest_idle_of_other_keys() -> None:
    pool = roster(max_size=5)
    idle(pool, "a")
    pool.returned(leased(pool, 1, "b", 2.0), 2.0)
    pool.returned(leased(pool, 2, "c", 1.0), 1.0)
    leased(pool, 3, "d")
    assert pool.warm("a", 4, 3.0) == [
        DialConnection(5, "a"),
        DialConnection(6, "a", former=3),
        DialConnection(7, "a", former=2),
    ]
    assert (pool.statistics().evicted, pool.statistics().idle, pool.statistics().dialing) == (2, 1, 3)
    assert pool.closed(3, 3.1) == pool.warm("a", 4, 3.1) == pool.warm("d", 0, 3.1) == []
    for number in (5, 6, 7):
        assert pool.dialed(number, 4.0) == []
    assert pool.statistics().idle == 4


def test_warming_replaces_no_leased_connection() -> None:
    pool = roster(max_size=2)
    leased(pool, 1, "a")
    pool.ask(2, "a", 0.0)
    assert pool.warm("b", 1, 0.0) == []


def test_spares_that_made_room_for_warming_are_not_dialed_again() -> None:
    pool = roster(max_size=1, min_idle=1)
    pool.returned(leased(pool, 1, "a"), 0.0)
    assert pool.warm("b", 1, 1.0) == [DialConnection(2, "b", former=1)]
    assert pool.closed(1, 1.1) == pool.dialed(2, 1.2) == pool.tick(50.0) == []
    assert pool.due() == 1.2 + PoolPolicy().max_idle_age


def test_a_dial_without_a_request_is_called_off_for_a_request() -> None:
    pool = roster(max_size=2)
    leased(pool, 1, "a")
    pool.ask(2, "b", 0.0)
    assert pool.ask(3, "a", 0.0) == []
    pool.withdraw(2)
    assert pool.tick(0.1) == [CloseConnection(2, "a session waited for another")]
    assert pool.tick(0.2) == []
    assert pool.dialing() == set()
    assert pool.closed(2, 0.3) == [DialConnection(3, "a")]
    assert (pool.statistics().evicted, pool.statistics().dials_failed) == (0, 0)


def test_an_idle_connection_makes_room_before_a_dial_does() -> None:
    pool = roster(max_size=3)
    idle(pool, "a")
    pool.warm("b", 2, 0.0)
    assert pool.ask(1, "c", 0.0) == [CloseConnection(1, "it made room for another")]
    assert pool.ask(2, "c", 0.0) == [CloseConnection(3, "a session waited for another")]


def test_a_dial_that_serves_a_request_is_not_called_off() -> None:
    pool = roster(max_size=2)
    assert pool.warm("a", 1, 0.0) == [DialConnection(1, "a")]
    assert pool.ask(1, "a", 0.0) == []
    assert pool.ask(2, "b", 0.0) == [DialConnection(2, "b")]
    assert pool.ask(3, "b", 0.0) == []


# ---------------------------------------------------------------- every history


class Shell:
    """Carries actions out, and checks each against the laws."""

    def __init__(self, policy: PoolPolicy) -> None:
        self.policy = policy
        self.pool = Roster(policy, Random(0))
        self.now = 0.0
        self.tickets = 0
        self.dials: dict[int, Any] = {}
        self.open: dict[int, Any] = {}
        self.closing: set[int] = set()
        self.leases: dict[int, int] = {}
        self.waiting: dict[int, Any] = {}
        self.fresh: dict[int, int] = {}
        self.used: set[int] = set()

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case DialConnection(number, key, former):
                    assert number not in self.open
                    assert former not in self.leases
                    assert former is None or self.open.pop(former) != key
                    self.dials[number] = key
                case GrantLease(ticket, number):
                    key = self.waiting.pop(ticket)
                    assert self.open[number] == key
                    assert number not in self.leases
                    rivals = [each for each, other in self.waiting.items() if other == key and each not in self.fresh]
                    assert ticket == min([ticket, *rivals])
                    assert number > self.fresh.get(ticket, 0)
                    assert ticket not in self.fresh or number not in self.used
                    self.leases[number] = ticket
                    self.used.add(number)
                case RefuseLease(ticket, _):
                    self.waiting.pop(ticket)
                case CloseConnection(number) if number in self.dials:
                    key = self.dials.pop(number)
                    assert list(self.dials.values()).count(key) >= list(self.waiting.values()).count(key)
                    assert self.pool.statistics().idle == 0
                    self.closing.add(number)
                case CloseConnection(number, _):
                    assert number not in self.leases
                    del self.open[number]
                    self.closing.add(number)
        assert len(self.dials) + len(self.open) + len(self.closing) <= self.policy.max_size
        due = self.pool.due()
        assert due is None or due > self.now

    def step(self, what: int, which: int) -> None:
        self.now += 0.5
        self.do(self.pool.tick(self.now))
        match what % 8:
            case 0 | 1:
                self.tickets += 1
                ticket = self.tickets
                self.waiting[ticket] = "ab"[which % 2]
                if which > 8:
                    self.fresh[ticket] = max([0, *self.dials, *self.open])
                at_once = self.pool.has_idle(self.waiting[ticket], self.now)
                self.do(self.pool.ask(ticket, self.waiting[ticket], self.now, fresh=which > 8))
                assert which > 8 or (ticket in self.leases.values()) is at_once
            case 2 if self.dials:
                self.finish_dial(sorted(self.dials)[which % len(self.dials)], well=which % 3 > 0)
            case 3 if self.leases:
                self.give_back(sorted(self.leases)[which % len(self.leases)])
            case 4 if self.leases:
                number = sorted(self.leases)[which % len(self.leases)]
                del self.leases[number]
                self.do(self.pool.abandoned(number, self.now))
            case 5 if self.open:
                number = sorted(self.open)[which % len(self.open)]
                del self.open[number]
                self.leases.pop(number, None)
                self.do(self.pool.died(number, Silent("pong", 1.0) if which % 2 else RESET, self.now))
            case 6 if self.closing:
                self.close(sorted(self.closing)[which % len(self.closing)])
            case 7:
                self.do(self.pool.warm("abc"[which % 3], which % 4, self.now))
            case _:
                pass

    def close(self, number: int) -> None:
        self.closing.remove(number)
        self.do(self.pool.closed(number, self.now))

    def finish_dial(self, number: int, *, well: bool) -> None:
        key = self.dials.pop(number)
        if well:
            self.open[number] = key
            self.do(self.pool.dialed(number, self.now))
        else:
            self.do(self.pool.failed(number, DOWN, self.now))

    def give_back(self, number: int) -> None:
        del self.leases[number]
        self.do(self.pool.returned(number, self.now))


@given(
    st.integers(1, 4),
    st.integers(0, 1),
    st.sampled_from([2.0, 1_000.0]),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 11)), max_size=60),
)
def test_every_history_keeps_the_laws_and_answers_every_request(
    size: int, spares: int, age: float, steps: list[tuple[int, int]]
) -> None:
    shell = Shell(PoolPolicy(max_size=size, min_idle=spares, max_idle_age=age))
    for what, which in steps:
        shell.step(what, which)
    for _ in range(200):
        shell.now += 0.5
        shell.do(shell.pool.tick(shell.now))
        for number in sorted(shell.dials):
            shell.finish_dial(number, well=True)
        for number in sorted(shell.leases):
            shell.give_back(number)
        for number in sorted(shell.closing):
            shell.close(number)
    assert not shell.waiting
    assert shell.pool.statistics().waiting == 0
