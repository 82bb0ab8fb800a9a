"""Sessions of the check end, whatever they do, and are reported with the shortest history that fails."""

from __future__ import annotations

import pytest
import trio

from trio_speech.testing import Close, Drop, Hear
from trio_speech.testing.check.laws import SESSIONS, Case, LawBroken, checked, demand
from trio_speech.testing.check.running import run

CASE = Case("a session", (Hear(1.0), Drop(), Hear(2.0), Close()), seed=3)


async def forever(_: Case) -> None:
    await trio.sleep_forever()


async def busy(_: Case) -> None:
    while True:
        await trio.lowlevel.checkpoint()


async def nearly_busy(_: Case) -> None:
    while True:  # noqa: ASYNC110
        await trio.sleep(1e-6)


@pytest.mark.parametrize(
    ("session", "problem"),
    [
        (forever, "the session does not end within 150 s of virtual time"),
        (busy, "more than 10,000 steps are made and no time passes"),
        (nearly_busy, r"more than 50,000 steps are made in 0\.\d+ s of virtual time"),
    ],
)
def test_a_session_that_does_not_end_is_ended(session: object, problem: str) -> None:
    with pytest.raises(LawBroken, match=problem):
        run(Case("a session"), session)  # type: ignore[arg-type]


def test_steps_without_which_a_session_still_fails_are_left_out() -> None:
    async def session(case: Case) -> None:
        await trio.lowlevel.checkpoint()
        demand(Drop() not in case.plan, "it was dropped")

    told: list[str] = []
    with pytest.raises(LawBroken) as caught, checked(SESSIONS, "a test", told.append):
        run(CASE, session)
    assert caught.value.case == Case("a session", (Drop(),), seed=3)
    assert str(caught.value).splitlines()[1:4] == [
        "case: a session (seed 3)",
        "history: gateway.plan(Drop()) (the shortest that fails, of 4 steps)",
        "problem: it was dropped",
    ]
    assert told == ["law 1, sessions: a test"]


def test_what_a_session_raises_in_a_nursery_is_its_problem() -> None:
    async def session(_: Case) -> None:
        async with trio.open_nursery():
            raise LookupError("no such thing")

    with pytest.raises(LawBroken, match="problem: LookupError: no such thing") as caught:
        run(Case("a session"), session)
    assert isinstance(caught.value.__cause__, LookupError)


def test_the_result_of_a_session_is_returned() -> None:
    async def session(_: Case) -> int:
        await trio.lowlevel.checkpoint()
        return 17

    assert run(CASE, session) == 17
