"""Runs the sessions of the check on virtual time: bounded in time and steps, and with the shortest history that fails.

A session that waits forever is found by virtual time, one that is busy forever by its steps. What cannot be ended is a
method of a codec that never returns: the last line of the progress then names the law that was being checked.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
from msgspec.structs import replace
from trio.testing import MockClock

from .laws import ENDS, Case, LawBroken

PATIENCE, PATIENCE_PER_STEP = 150.0, 100.0
"""Virtual seconds after which a session counts as hanging: without a fault, and more for each step of its plan."""
_MOST_AT_ONCE = 10_000
"""Steps of tasks without time passing. A session of the check makes some hundreds at most."""
_MOST_STEPS = 50_000
"""Steps of tasks in one session. A session of the check makes some thousands."""
_MOST_REPEATS = 40
"""How often a session is run again in search of a shorter history."""

_Result = TypeVar("_Result")
Session = Callable[[Case], Awaitable[_Result]]


class _Meter(trio.abc.Instrument):
    """Counts the steps of tasks, and cancels `scope` when there are too many; `problem` then says what went wrong."""

    def __init__(self, scope: trio.CancelScope) -> None:
        self.problem: str | None = None
        self._scope = scope
        self._now = 0.0
        self._at_once = self._steps = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        now = trio.current_time()
        self._steps += 1
        self._at_once = self._at_once + 1 if now == self._now else 1
        self._now = now
        if self._at_once > _MOST_AT_ONCE:
            self._end(f"more than {_MOST_AT_ONCE:,} steps are made and no time passes")
        elif self._steps > _MOST_STEPS:
            self._end(f"more than {_MOST_STEPS:,} steps are made in {now - self.began:g} s of virtual time")

    def before_run(self) -> None:
        self.began = self._now = trio.current_time()

    def _end(self, problem: str) -> None:
        self.problem = f"the session is busy without end: {problem}"
        self._scope.cancel(reason="busy without end")


def run(case: Case, session: Session[_Result]) -> _Result:
    """Runs `session` on virtual time, and returns its result.

    Raises `LawBroken` with the case where it fails, hangs or is busy without end. The history of the case is then the
    shortest one, of those with some steps left out, with which the session still fails.
    """
    try:
        return _run(case, session)
    except Exception as error:  # noqa: BLE001  # whatever a provider raises is its failure in this case
        shortest, last = _shortened(case, session, _first(error))
        broken = last if isinstance(last, LawBroken) else LawBroken(_problem(last))
        broken.case, broken.steps = shortest, len(case.plan)
        if broken is last:
            raise broken from last.__cause__
        raise broken from last


def _first(error: Exception) -> Exception:
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def _problem(error: Exception) -> str:
    return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"


def _run(case: Case, session: Session[_Result]) -> _Result:
    scope = trio.CancelScope()
    meter = _Meter(scope)

    async def patient() -> _Result:
        patience = PATIENCE + PATIENCE_PER_STEP * len(case.plan)
        with scope, trio.move_on_after(patience):
            return await session(case)
        raise LawBroken(meter.problem or f"the session does not end within {patience:g} s of virtual time", ENDS)

    state = random.getstate()
    random.seed(f"{case.name} {case.seed}")  # waits are jittered: equal cases are to go alike
    try:
        return trio.run(patient, clock=MockClock(autojump_threshold=0), instruments=[meter])
    finally:
        random.setstate(state)


def _shortened(case: Case, session: Session[_Result], error: Exception) -> tuple[Case, Exception]:
    """Leaves out each step of the plan, from the last to the first, without which the session still fails."""
    repeats = 0
    index = len(case.plan) - 1
    while index >= 0 and repeats < _MOST_REPEATS:
        shorter = replace(case, plan=case.plan[:index] + case.plan[index + 1 :])
        repeats += 1
        try:
            _run(shorter, session)
        except Exception as same:  # noqa: BLE001  # as in `run`
            case, error = shorter, _first(same)
        index -= 1
    return case, error
