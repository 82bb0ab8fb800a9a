"""Slow is not dead, and dead is found out soon: the health machine on virtual time, its laws under any history."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.liveness.health import (
    ASK_AFTER,
    Ask,
    Cleared,
    Dead,
    FalseAlarms,
    Health,
    Judgment,
    Rest,
    Seen,
    SendQueue,
    Suspect,
)
from trio_speech.policy import LivenessPolicy

POLICY = LivenessPolicy()
LONGEST = 2.5
FLOOR, CEILING, TIMEOUT = POLICY.suspect_after_min, POLICY.suspect_after_max, POLICY.ping_timeout

Timing = Callable[[float], float]
"""When what is sent at a moment is answered; infinity for never."""


class Line:
    """A connection on virtual time, which is looked at whenever the machine wants it."""

    def __init__(self, answers: Timing = lambda at: at + 0.02, *, policy: LivenessPolicy = POLICY) -> None:
        self.answers = answers
        self.now = 0.0
        self.seen = Seen(0.0)
        self.health = Health(policy, 0.0)
        self.told: list[tuple[float, Judgment]] = []
        self.pong: tuple[float, float] | None = None
        self.speaks: list[float] = []
        """When the peer says something, besides pongs; in order."""
        self.owed_from = math.inf
        """From when on something is owed."""
        self.look: Callable[[Line], Seen] = lambda line: line.seen

    def run(self, until: float) -> Line:
        """Until the moment `until`, or death."""
        while not (self.told and isinstance(self.told[-1][1], Dead)):
            judgment = self.health.next(self.now, self.look(self))
            if not isinstance(judgment, Rest):
                self.told.append((self.now, judgment))
                if isinstance(judgment, Ask):
                    self.pong = (self.now, self.answers(self.now))
                continue
            assert judgment.until > self.now, "nothing to do, and no rest"
            arrives = self.pong[1] if self.pong else math.inf
            speaks = self.speaks[0] if self.speaks else math.inf
            owed = self.owed_from if self.owed_from > self.now else math.inf
            then = min(judgment.until, arrives, speaks, owed)
            if then > until:
                self.now = until
                return self
            self.now = then
            if then == owed:
                self.seen = msgspec.structs.replace(self.seen, owed_since=then)
            if then in (arrives, speaks):
                self.seen = msgspec.structs.replace(self.seen, received_at=then)
            if then == speaks:
                self.speaks.pop(0)
            if then == arrives and self.pong:
                self.health.answered(then - self.pong[0])
                self.pong = None
        return self

    def times(self, kind: type[Judgment]) -> list[float]:
        return [at for at, judgment in self.told if isinstance(judgment, kind)]


def dies_at(moment: float, trip: float = 0.02) -> Timing:
    return lambda at: at + trip if at + trip < moment else math.inf


def owing(line: Line) -> Line:
    line.seen = msgspec.structs.replace(line.seen, owed_since=0.0)
    return line


# ---------------------------------------------------------------- what is asked, and when


def test_a_line_at_rest_is_asked_at_once_and_then_as_the_policy_says() -> None:
    line = Line().run(21.0)
    assert line.times(Ask) == pytest.approx([0.0, 5.0, 10.0, 15.0, 20.0])
    assert not line.times(Suspect)


def test_silence_while_something_is_owed_is_asked_about_at_once() -> None:
    line = Line()
    line.owed_from = 7.0
    assert line.run(9.2).times(Ask) == pytest.approx(
        [0.0, 5.0, 7.0 + ASK_AFTER, 7.02 + 2 * ASK_AFTER, 7.04 + 3 * ASK_AFTER]
    )


def test_a_service_that_speaks_is_not_asked_more_than_at_rest() -> None:
    line = owing(Line())
    line.speaks = [each * 0.4 for each in range(1, 60)]
    assert line.run(20.0).times(Ask) == pytest.approx([0.0, 5.0, 10.0, 15.0, 20.0], abs=0.5)


def test_what_slept_or_was_idle_is_asked_when_it_is_needed() -> None:
    line = Line().run(6.0)
    line.health.ask()
    assert line.run(6.1).times(Ask)[-1] == 6.0
    line.run(7.0).seen = msgspec.structs.replace(line.seen, suspended=30.0)
    assert line.run(7.1).times(Ask)[-1] == 7.0


# ---------------------------------------------------------------- how soon the dead are found


@pytest.mark.parametrize("fault", [3.0, 5.01, 7.3, 8.9])
def test_half_open_is_noticed_within_a_second_at_a_round_trip_of_20_ms(fault: float) -> None:
    line = owing(Line(dies_at(fault)))
    line.speaks = [each * 0.3 for each in range(1, 100) if each * 0.3 < fault]
    line.run(60.0)
    assert line.times(Suspect)[0] <= fault + ASK_AFTER + FLOOR + 1e-6
    assert line.times(Dead)[0] <= fault + ASK_AFTER + TIMEOUT + 1e-6


@pytest.mark.parametrize("fault", [3.0, 4.9, 5.02])
def test_a_line_that_owes_nothing_is_found_dead_as_the_policy_says(fault: float) -> None:
    line = Line(dies_at(fault)).run(60.0)
    assert line.times(Dead)[0] <= fault + POLICY.ping_interval + TIMEOUT


def test_silence_that_began_at_rest_counts_once_something_is_owed() -> None:
    line = Line(dies_at(4.0))
    line.owed_from = 7.0
    assert line.run(60.0).times(Suspect) == [7.0]


def test_news_moves_the_next_look_to_when_it_is_to_be_asked() -> None:
    line = Line().run(1.0)
    assert line.health.next(line.now, line.seen) == Rest(pytest.approx(POLICY.ping_interval))
    assert line.health.looks_again_at(1.0, 1.2) == pytest.approx(1.2 + ASK_AFTER)
    assert line.health.looks_again_at(1.5, 1.2) == pytest.approx(1.5 + ASK_AFTER)
    assert line.health.next(1.5 + ASK_AFTER, Seen(1.5, 1.2)) == Ask()


def test_a_look_that_was_put_off_is_not_late() -> None:
    line = Line().run(1.0)
    looks = line.health.looks_again_at(4.0, 1.0)
    assert line.health.next(looks, Seen(4.0, 1.0)) == Ask()
    assert line.health.next(looks, Seen(4.0, 1.0)) == Rest(pytest.approx(looks + FLOOR)), "no time to read is allowed"


def test_a_slow_line_is_given_its_own_time() -> None:
    line = owing(Line(dies_at(30.0, trip=0.6)))
    asked = [at for at in line.run(60.0).times(Ask) if at < line.times(Suspect)[0]][-1]
    assert asked + 0.6 <= line.times(Suspect)[0] <= asked + 0.75


def test_before_the_first_pong_a_line_is_given_a_time_of_its_own_within_the_policy() -> None:
    assert owing(Line(lambda _: math.inf)).run(60.0).times(Suspect) == [LONGEST]
    policy = LivenessPolicy(suspect_after_max=1.0)
    assert owing(Line(lambda _: math.inf, policy=policy)).run(60.0).times(Suspect) == [1.0]


@pytest.mark.parametrize(("alarms", "found"), [(0, LONGEST), (1, CEILING), (3, CEILING)])
def test_only_a_false_alarm_allows_more_silence_than_round_trips_explain(alarms: int, found: float) -> None:
    line, remembered = owing(Line(lambda at: at + 2.0 if at < 30.0 else math.inf)), FalseAlarms()
    line.health = Health(POLICY, 0.0, remembered)
    for number in range(20):
        line.health.answered(2.0 if number % 2 else 4.0)
    for _ in range(alarms):
        remembered.alarmed(0.0)
    line.speaks = [at / 2 for at in range(1, 60)]
    line.run(60.0)
    assert line.times(Suspect)[0] == pytest.approx(29.5 + ASK_AFTER + found, abs=0.51)


# ---------------------------------------------------------------- slow is not dead


def test_pongs_eight_seconds_late_while_results_flow_alarm_nobody() -> None:
    line = owing(Line(lambda at: at + 8.0))
    line.speaks = [each / 2 for each in range(1, 240)]
    assert not line.run(119.0).times(Suspect)


def moving(line: Line) -> Seen:
    """A peer that takes in 1,000 bytes a second of what waits for it."""
    return msgspec.structs.replace(line.seen, queue=SendQueue(50_000, int(line.now * 1_000)))


def test_a_send_queue_that_moves_excuses_silence_up_to_the_ping_timeout() -> None:
    line = owing(Line(dies_at(2.0)))
    line.look = moving
    asked = [at for at in line.run(60.0).times(Ask) if at < 3.0][-1]
    assert line.times(Suspect) == line.times(Dead) == [pytest.approx(asked + TIMEOUT)]


@pytest.mark.parametrize("queue", [None, SendQueue(0, 7), SendQueue(50_000, 7)])
def test_a_queue_that_is_unknown_empty_or_stuck_excuses_nothing(queue: SendQueue | None) -> None:
    line = owing(Line(dies_at(2.0)))
    line.look = lambda line: msgspec.structs.replace(line.seen, queue=queue)
    assert line.run(60.0).times(Suspect)[0] <= 2.0 + ASK_AFTER + FLOOR + 1e-6


def test_an_empty_queue_excuses_nothing_though_the_kernel_took_it_all() -> None:
    line = owing(Line(dies_at(2.0)))
    line.look = lambda line: msgspec.structs.replace(line.seen, queue=SendQueue(0, int(line.now * 1_000)))
    assert line.run(60.0).times(Suspect)[0] <= 2.0 + ASK_AFTER + FLOOR + 1e-6


def test_a_service_is_given_the_time_to_hear_what_it_was_sent_in_advance() -> None:
    line = owing(Line(dies_at(0.0)))
    line.seen = msgspec.structs.replace(line.seen, busy_until=12.0)
    assert line.run(60.0).times(Suspect) == [12.0]


@pytest.mark.parametrize(("resent", "found"), [(0, 12.0), (1, 12.0), (2, LONGEST)])
def test_a_service_whose_kernel_is_mute_is_not_busy(resent: int, found: float) -> None:
    line = owing(Line(dies_at(0.0)))
    line.seen = msgspec.structs.replace(line.seen, busy_until=12.0, queue=SendQueue(9, 9, resent))
    assert line.run(60.0).times(Suspect) == [pytest.approx(found)]


def test_time_in_which_nobody_looked_is_no_silence() -> None:
    health = Health(POLICY, 0.0)
    seen = Seen(0.0, owed_since=0.0)
    assert health.next(0.0, seen) == Ask()
    health.answered(0.02)
    seen = msgspec.structs.replace(seen, received_at=0.02)
    assert health.next(0.02 + ASK_AFTER, seen) == Ask()
    rest = health.next(0.02 + ASK_AFTER, seen)
    assert rest == Rest(pytest.approx(0.02 + ASK_AFTER + FLOOR))
    late = health.next(9.0, seen)
    assert isinstance(late, Rest), "the program was busy for eight seconds"
    assert health.next(late.until, seen) == Suspect(pytest.approx(FLOOR))


# ---------------------------------------------------------------- false alarms


def test_a_suspect_that_shows_life_is_cleared_and_given_twice_the_time_for_five_minutes() -> None:
    alarms = FalseAlarms()
    assert alarms.patience(0.0) == 1.0
    alarms.alarmed(10.0)
    assert alarms.patience(309.0) == 2.0
    alarms.alarmed(309.0)
    assert alarms.patience(608.0) == 4.0
    assert alarms.patience(610.0) == 2.0
    assert alarms.patience(910.0) == 1.0


def test_life_clears_the_suspect_once() -> None:
    line = owing(Line(lambda at: at + 0.02 if not 3.0 < at < 4.0 else at + 2.0)).run(20.0)
    assert len(line.times(Suspect)) == len(line.times(Cleared)) == 1
    assert not line.times(Dead)
    assert [type(judgment) for _, judgment in line.told if not isinstance(judgment, Ask)] == [Suspect, Cleared]


def wild(random: Random) -> Timing:
    """Round trips of 50 to 900 ms, and 5 % of the segments lost, each for a retransmission or more; in order."""
    latest = 0.0

    def answered(at: float) -> float:
        nonlocal latest
        seconds, resend = random.uniform(0.05, 0.9), 1.2
        while random.random() < 0.05 * 2:  # there, or back
            seconds, resend = seconds + resend, 2 * resend
        latest = max(latest, at + seconds)
        return latest

    return answered


@pytest.mark.parametrize("seed", range(8))
def test_a_wild_network_alarms_less_than_once_in_two_minutes(seed: int) -> None:
    random = Random(seed)
    line = owing(Line(wild(random)))
    results = wild(random)
    line.speaks = sorted(results(each * 0.5) for each in range(1_200))
    line.run(600.0)
    assert not line.times(Dead)
    assert len(line.times(Suspect)) <= 5


@pytest.mark.parametrize("seed", range(8))
def test_the_dead_are_found_in_a_wild_network_too(seed: int) -> None:
    random = Random(seed)
    answers, results = wild(random), wild(random)
    line = owing(Line(lambda at: then if (then := answers(at)) < 60.0 else math.inf))
    line.speaks = [then for each in range(120) if (then := results(each * 0.5)) < 60.0]
    line.run(100.0)
    assert 60.0 <= line.times(Suspect)[-1] <= 60.0 + ASK_AFTER + CEILING + 0.5


# ---------------------------------------------------------------- under any history

MOMENTS = st.lists(st.floats(0.0, 60.0), max_size=40).map(sorted)


@given(speaks=MOMENTS, trips=st.lists(st.floats(0.001, 20.0), min_size=1, max_size=20), owed_from=st.floats(0.0, 60.0))
def test_nobody_is_suspected_before_the_floor_nor_dead_before_being_suspected(
    speaks: list[float], trips: list[float], owed_from: float
) -> None:
    line = Line(lambda at: at + trips[int(at * 7) % len(trips)])
    line.speaks, line.owed_from = [each for each in speaks if each > 0.0], owed_from
    life = [0.0, *line.speaks]
    line.run(60.0)
    kinds = [type(judgment) for _, judgment in line.told if not isinstance(judgment, Ask)]
    assert kinds[::2] == [Suspect] * len(kinds[::2])
    assert set(kinds[1::2]) <= {Cleared, Dead}
    for at in line.times(Suspect):
        last = max(each for each in life if each <= at)
        assert at - last >= FLOOR - 1e-9
        assert at - max(each for each in line.times(Ask) if each <= at) >= FLOOR - 1e-9


@given(speaks=MOMENTS, trip=st.floats(0.001, 4.9), owed_from=st.floats(0.0, 60.0), dies=st.floats(0.0, 60.0))
def test_whoever_dies_is_found_in_time(speaks: list[float], trip: float, owed_from: float, dies: float) -> None:
    line = Line(dies_at(dies, trip))
    line.speaks, line.owed_from = [each for each in speaks if 0.0 < each < dies], owed_from
    line.run(200.0)
    assert dies - trip <= line.times(Dead)[0] <= dies + POLICY.ping_interval + TIMEOUT + 1e-6
