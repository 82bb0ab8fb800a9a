"""A wake-up reaches the tasks that wait at that moment, and no others."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from trio_speech._shell.concurrency.wakeup import Alarm, Wakeup, let_others_have_their_turn


async def test_fire_wakes_the_tasks_that_wait_and_no_later_ones() -> None:
    wakeup, woken = Wakeup(), list[str]()

    async def wait(name: str) -> None:
        await wakeup.wait()
        woken.append(name)

    wakeup.fire()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "one")
        nursery.start_soon(wait, "two")
        await wait_all_tasks_blocked()
        wakeup.fire()
        await wait_all_tasks_blocked()
        assert sorted(woken) == ["one", "two"]
        nursery.start_soon(wait, "three")
        await wait_all_tasks_blocked()
        assert len(woken) == 2
        nursery.cancel_scope.cancel()


async def test_wait_until_ends_at_its_moment() -> None:
    wakeup = Wakeup()
    with assert_checkpoints():
        await wakeup.wait_until(3.0)
    assert trio.current_time() == 3.0
    with assert_checkpoints():
        await wakeup.wait_until(1.0)
    assert trio.current_time() == 3.0


async def test_fire_ends_a_wait_until_before_its_moment() -> None:
    wakeup = Wakeup()

    async def fire() -> None:
        for _ in range(2):
            await trio.sleep(1.0)
            wakeup.fire()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fire)
        await wakeup.wait_until(3.0)
        assert trio.current_time() == 1.0
        await wakeup.wait_until(None)
        assert trio.current_time() == 2.0


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    wakeup = Wakeup()
    with trio.move_on_after(1.0):
        await wakeup.wait()
    with trio.move_on_after(1.0):
        await wakeup.wait_until(None)
    wakeup.fire()  # trio would crash if this task were rescheduled while it runs
    await trio.sleep(1.0)
    assert trio.current_time() == 3.0


async def test_a_woken_task_runs_before_the_task_that_lets_others_run() -> None:
    wakeup, turns = Wakeup(), 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await wakeup.wait()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        await wait_all_tasks_blocked()
        for turn in range(20):
            assert turns == turn
            wakeup.fire()
            await let_others_have_their_turn()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("moved_to", "woken_at"), [(2.0, 2.0), (9.0, 9.0), (0.5, 1.0)])
async def test_an_alarm_wakes_at_the_moment_it_was_moved_to_or_at_once_if_that_has_passed(
    moved_to: float, woken_at: float
) -> None:
    alarm, woken = Alarm(Wakeup()), list[float]()

    async def wait() -> None:
        await alarm.wait_until(5.0)
        woken.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(1.0)
        alarm.move(moved_to)
    assert woken == [woken_at]


async def test_an_alarm_that_nobody_waits_for_does_nothing_and_a_wakeup_comes_before_it() -> None:
    wakeup = Wakeup()
    alarm = Alarm(wakeup)
    alarm.move(0.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.wait_until, math.inf)
        await trio.sleep(1.0)
        wakeup.fire()
    assert trio.current_time() == 1.0
