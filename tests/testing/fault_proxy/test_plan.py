"""What a fault proxy is told to do: read from TOML, and due at the right byte and moment."""

from __future__ import annotations

import textwrap
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trio_speech as ts
from trio_speech.testing.fault_proxy import plan as proxyplan
from trio_speech.testing.fault_proxy.plan import (
    End,
    FreezeConnection,
    Garbage,
    HalfOpen,
    PlannedConnection,
    ProxyPlan,
    RefuseDials,
    Reset,
    Schedule,
    Shape,
    read_plan,
)


def steps(*steps: proxyplan.Step) -> Schedule:
    return Schedule(steps, Random(0), 0.0)


def of(line: str) -> str:
    return f"[[connection]]\nstep = [{{ {line} }}]"


def test_the_plan_that_the_module_shows() -> None:
    shown = (proxyplan.__doc__ or "").partition("\n\n")[2].partition("Steps are")[0]
    plan = read_plan(textwrap.dedent(shown))
    assert plan.seed == 7
    assert plan.then == "repeat"
    assert plan.connection[0].step == (
        Shape(latency=0.04, jitter=0.02),
        Shape(direction="up", bandwidth=32_000),
        Reset(up=90_000),
    )


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("do = 'freeze', seconds = 2, after = 1", FreezeConnection(seconds=2.0, after=1.0)),
        ("do = 'refuse', seconds = 0.5", RefuseDials(seconds=0.5)),
        ("do = 'end', down = [1, 9]", End(down=(1, 9))),
        ("do = 'half-open'", HalfOpen()),
        ("do = 'half-open', seconds = 30", HalfOpen(seconds=30.0)),
        ("do = 'garbage', size = 5", Garbage(size=5)),
    ],
)
def test_each_step_in_toml(line: str, step: proxyplan.Step) -> None:
    assert read_plan(of(line)).connection[0].step == (step,)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seed = = 1", r"Invalid value \(at line 1, column 8\)"),
        ("seed = 'x'", r"Expected `int`, got `str` - at `\$.seed`"),
        ("[[connections]]", "unknown field `connections`"),
        (of("do = 'rest'"), r"Invalid value 'rest' - at `\$.connection\[0\].step\[0\].do`"),
        (of("do = 'shape', latncy = 1"), "unknown field `latncy`"),
        (of("do = 'freeze'"), "missing required field `seconds`"),
        (of("do = 'freeze', seconds = -1"), "`float` >= 0.0"),
        (of("do = 'freeze', seconds = nan"), "`float` >= 0.0"),
        (of("do = 'half-open', seconds = inf"), "`float` <= 86400.0"),
        (of("do = 'shape', bandwidth = 0"), "`float` >= 1.0"),
        (of("do = 'garbage', size = 0"), "`int` >= 1"),
        (of("do = 'reset', up = -1"), "up is -1"),
        (of("do = 'reset', up = 1.5"), "got `float`"),
        (of("do = 'reset', after = nan"), "after is nan"),
        (of("do = 'reset', after = inf"), "after is inf"),
        (of("do = 'reset', after = [3, 2]"), r"after is \(3.0, 2.0\)"),
        (of("do = 'reset', up = [3]"), r"up is \(3,\): use a number of at least 0"),
        (of("do = 'reset', up = 1, down = 1"), "give one of up and down"),
        (of("do = 'reset' }, { do = 'end'"), "step 1 ends the connection"),
    ],
)
def test_an_invalid_plan_is_named_with_the_place(text: str, complaint: str) -> None:
    with pytest.raises(ts.ConfigurationError, match=f"plan.toml is not a valid plan for a fault proxy: .*{complaint}"):
        read_plan(text, "plan.toml")


def test_connections_after_those_of_the_plan() -> None:
    plans = [
        ProxyPlan(connection=(PlannedConnection(step=(Reset(),)), PlannedConnection()), then=then)
        for then in ("pass", "repeat")
    ]
    taken = [[list(plan.schedule(number, 0.0).due(0.0)) for number in (1, 2, 3, 4)] for plan in plans]
    assert taken == [[[Reset()], [], [], []], [[Reset()], [], [Reset()], []]]
    assert list(ProxyPlan(then="repeat").schedule(1, 0.0).due(0.0)) == []


def test_steps_wait_for_the_one_before() -> None:
    schedule = steps(Shape(), FreezeConnection(seconds=1, after=2.0), RefuseDials(seconds=1, up=10), Reset(down=4))
    assert list(schedule.due(0.0)) == [Shape()]
    assert schedule.alarm == 2.0
    schedule.passed("up", 100)
    assert list(schedule.due(1.9)) == []
    assert list(schedule.due(2.5)) == [FreezeConnection(seconds=1, after=2.0)]
    assert schedule.alarm == float("inf")
    assert (schedule.room("up"), schedule.room("down")) == (10, float("inf"))
    schedule.passed("down", 100)
    schedule.passed("up", 9)
    assert list(schedule.due(1e9)) == []
    schedule.passed("up", 1)
    assert list(schedule.due(3.0)) == [RefuseDials(seconds=1, up=10)]
    assert schedule.room("down") == 4
    schedule.passed("down", 4)
    assert list(schedule.due(3.0)) == [Reset(down=4)]
    assert list(schedule.due(4.0)) == []


BOUNDS = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted).map(tuple)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 99),
    bounds=st.lists(BOUNDS, min_size=1, max_size=5),
    counts=st.lists(st.integers(1, 20), max_size=60),
)
def test_a_step_is_taken_at_its_exact_byte(seed: int, bounds: list[tuple[int, int]], counts: list[int]) -> None:
    plan = ProxyPlan(
        connection=(PlannedConnection(step=tuple(FreezeConnection(seconds=0, up=pair) for pair in bounds)),), seed=seed
    )
    schedule, again = plan.schedule(1, 0.0), plan.schedule(1, 0.0)
    sizes: list[int] = []  # what the other schedule draws, taken one byte at a time
    waited = 0
    while len(sizes) < len(bounds):
        for step in again.due(0.0):
            assert step.up == waited
            sizes.append(waited)
            waited = 0
        again.passed("up", 1)
        waited += 1
    drawn = sizes
    assert all(low <= up <= high for up, (low, high) in zip(drawn, bounds, strict=True))  # type: ignore[operator]
    sent = 0
    taken = [(sent, step) for step in schedule.due(0.0)]
    for count in counts:
        piece = int(min(count, schedule.room("up")))
        assert piece > 0
        schedule.passed("up", piece)
        sent += piece
        taken += [(sent, step) for step in schedule.due(0.0)]
    ends = [sum(drawn[: place + 1]) for place in range(len(drawn))]  # type: ignore[arg-type]
    assert [at for at, _ in taken] == [end for end in ends if end <= sent]
