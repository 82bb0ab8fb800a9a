"""A block with background tasks: one bare exception, in every way that it can be left."""

# ruff: noqa: PT012  # what is left by an exception is a block

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_speech import InternalError
from trio_speech._shell.concurrency.one_exception import Guard, one_exception, only_one

GOODBYE = trio.lowlevel.checkpoint


async def fails(failure: BaseException, after: float = 0.0) -> None:
    await trio.sleep(after)
    raise failure


def failing(failure: BaseException, after: float = 0.0) -> Callable[[], Awaitable[None]]:
    return lambda: fails(failure, after)


async def test_nothing_raised_nothing_leaves() -> None:
    done: list[str] = []

    async def task() -> None:
        await trio.sleep(0.5)
        done.append("task")

    async with one_exception(GOODBYE, within=1.0) as guard:
        guard.start_soon(task)
        await trio.sleep(1.0)
    assert done == ["task"]


async def test_tasks_end_with_the_block_and_after_the_leaving() -> None:
    order: list[str] = []

    async def task() -> None:
        try:
            await trio.sleep_forever()
        finally:
            order.append("task")

    async def leave() -> None:
        await trio.sleep(0.5)
        order.append("leaving")

    async with one_exception(leave, within=1.0) as guard:
        guard.start_soon(task)
        await wait_all_tasks_blocked()
        order.append("body")
    assert order == ["body", "leaving", "task"]
    assert trio.current_time() == 0.5


@pytest.mark.parametrize("how", ["done", "raised", "cancelled", "failed"])
async def test_the_leaving_is_bounded_and_shielded_however_the_body_ends(how: str) -> None:
    left: list[float] = []

    async def leave() -> None:
        try:
            await trio.sleep_forever()
        finally:
            left.append(trio.current_time())

    with trio.CancelScope() as scope:
        try:
            async with one_exception(leave, within=2.0) as guard:
                match how:
                    case "raised":
                        raise KeyError
                    case "cancelled":
                        scope.cancel()
                        await trio.sleep_forever()
                    case "failed":
                        guard.fail(ValueError())
                        await trio.sleep_forever()
        except (KeyError, ValueError):
            pass
    assert left == [2.0]
    assert scope.cancelled_caught == (how == "cancelled")


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), SystemExit(), GeneratorExit()])
async def test_a_tasks_failure_cancels_the_body_and_leaves_bare(failure: BaseException) -> None:
    with pytest.raises(type(failure)) as caught:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(failing(failure, 1.0))
            await trio.sleep_forever()
    assert caught.value is failure
    assert failure.__context__ is None
    assert trio.current_time() == 1.0


async def test_the_first_of_two_failures_counts() -> None:
    with pytest.raises(ValueError, match="first"):
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(failing(ValueError("first"), 0.1))
            guard.start_soon(failing(ValueError("second"), 0.2))
            with trio.CancelScope(shield=True):
                await trio.sleep(1.0)


async def test_a_group_that_a_task_raised_leaves_as_it_is() -> None:
    group = ExceptionGroup("mine", [ValueError()])
    with pytest.raises(ExceptionGroup) as caught:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(failing(group))
            await trio.sleep_forever()
    assert caught.value is group


async def test_the_exception_of_the_body_leaves_with_the_failure_as_context() -> None:
    failure = ValueError("mine")
    with pytest.raises(KeyError) as caught:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(failing(failure))
            with trio.CancelScope(shield=True):
                await trio.sleep(1.0)
            raise KeyError
    assert caught.value.__context__ is failure


async def test_a_body_that_raises_the_very_failure() -> None:
    failure = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.fail(failure)
            raise failure
    assert caught.value is failure
    assert failure.__context__ is None


async def test_a_context_of_the_failures_own_is_kept() -> None:
    failure = ValueError("mine")
    failure.__context__ = cause = KeyError()
    with pytest.raises(ValueError, match="mine") as caught:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(failing(failure))
            await trio.sleep_forever()
    assert caught.value.__context__ is cause


async def test_a_tasks_failure_leaves_bare_though_the_body_has_a_nursery_of_its_own() -> None:
    failure = KeyError("mine")
    with pytest.raises((KeyError, BaseExceptionGroup)) as caught:  # a stray cancellation would pass the test by
        async with one_exception(GOODBYE, within=1.0) as guard, trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            guard.start_soon(failing(failure, 1.0))
            await trio.sleep_forever()
    assert caught.value is failure
    assert failure.__context__ is None


async def test_what_a_nursery_of_the_body_raises_meanwhile_leaves_without_the_cancellation() -> None:
    failure, also = ValueError("mine"), KeyError("also")

    async def stumbles() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise also

    with pytest.raises(BaseExceptionGroup) as caught:
        async with one_exception(GOODBYE, within=1.0) as guard, trio.open_nursery() as nursery:
            nursery.start_soon(stumbles)
            guard.start_soon(failing(failure, 1.0))
            await trio.sleep_forever()
    assert caught.value.exceptions == (also,)


async def test_a_cancellation_from_outside_stays_one_through_a_nursery_of_the_body() -> None:
    with trio.move_on_after(1.0) as scope:
        async with one_exception(GOODBYE, within=1.0), trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_cancellation_from_outside_stays_one() -> None:
    with trio.move_on_after(1.0) as scope:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(trio.sleep_forever)
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_task_of_several_tasks_that_is_cancelled_is_no_failure() -> None:
    async def several() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)

    async with one_exception(GOODBYE, within=1.0) as guard:
        guard.start_soon(several)
        await wait_all_tasks_blocked()


# ---------------------------------------------------------------- tasks that say when they are ready


async def test_start_returns_what_the_task_made() -> None:
    async def makes(task_status: trio.TaskStatus[str]) -> None:
        task_status.started("made")
        await trio.sleep_forever()

    async with one_exception(GOODBYE, within=1.0) as guard:
        assert await guard.start(makes) == "made"


async def test_a_task_that_fails_before_it_is_ready_fails_its_caller() -> None:
    async def fails_early(task_status: trio.TaskStatus[None]) -> None:
        await trio.sleep(0.5)
        raise ValueError("early")

    async with one_exception(GOODBYE, within=1.0) as guard:
        with pytest.raises(ValueError, match="early"):
            await guard.start(fails_early)
    assert guard.failure is None


async def test_a_task_that_fails_later_fails_the_block() -> None:
    async def fails_late(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(0.5)
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        async with one_exception(GOODBYE, within=1.0) as guard:
            await guard.start(fails_late)
            await trio.sleep_forever()


# ---------------------------------------------------------------- what must not happen


async def test_a_task_that_raises_past_the_guard_is_an_internal_error() -> None:
    with pytest.raises(InternalError) as caught:
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.nursery.start_soon(fails, ValueError("stray"))
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ExceptionGroup)


def test_which_exception_of_a_group_leaves() -> None:
    stray = KeyboardInterrupt()
    assert isinstance(only_one(BaseExceptionGroup("", [ValueError(), stray])), KeyboardInterrupt)
    assert isinstance(only_one(BaseExceptionGroup("", [ExceptionGroup("", [ValueError()])])), InternalError)


def test_a_group_of_cancellations_leaves_as_one_cancellation() -> None:
    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled as cancelled:
                raise only_one(BaseExceptionGroup("", [BaseExceptionGroup("", [cancelled])])) from None
        assert scope.cancelled_caught

    trio.run(main)


async def test_a_guard_can_be_told_of_a_failure() -> None:
    with pytest.raises(ValueError, match="told"):
        async with one_exception(GOODBYE, within=1.0) as guard:
            assert isinstance(guard, Guard)
            guard.fail(ValueError("told"))
            guard.fail(ValueError("again"))
            await trio.sleep_forever()


@pytest.mark.parametrize("ready", [True, False])
async def test_ctrl_c_in_a_nursery_of_a_task_leaves_bare(ready: bool) -> None:
    async def task(task_status: trio.TaskStatus[None]) -> None:
        if ready:
            task_status.started()
            await trio.lowlevel.checkpoint()
        raise BaseExceptionGroup("nursery", [BaseExceptionGroup("nursery", [KeyboardInterrupt()])])

    with pytest.raises(KeyboardInterrupt):
        async with one_exception(GOODBYE, within=1.0) as guard:
            await guard.start(task)
            await trio.sleep_forever()


async def test_ctrl_c_in_a_nursery_of_a_background_task_leaves_bare() -> None:
    with pytest.raises(KeyboardInterrupt):
        async with one_exception(GOODBYE, within=1.0) as guard:
            guard.start_soon(failing(BaseExceptionGroup("nursery", [KeyboardInterrupt()])))
            await trio.sleep_forever()
