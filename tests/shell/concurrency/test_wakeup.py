"""A wake-up call without memory."""

from __future__ import annotations

import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from trio_speech._shell.concurrency.wakeup import Wakeup, let_others_have_their_turn


async def test_it_wakes_all_that_wait_now_and_nobody_later() -> None:
    signal, woken = Wakeup(), list[str]()

    async def wait(name: str) -> None:
        await signal.wait()
        woken.append(name)

    signal.fire()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "one")
        nursery.start_soon(wait, "two")
        await wait_all_tasks_blocked()
        signal.fire()
        await wait_all_tasks_blocked()
        assert sorted(woken) == ["one", "two"]
        nursery.start_soon(wait, "three")
        await wait_all_tasks_blocked()
        assert len(woken) == 2
        nursery.cancel_scope.cancel()


async def test_waiting_until_a_moment() -> None:
    signal = Wakeup()
    with assert_checkpoints():
        await signal.wait_until(3.0)
    assert trio.current_time() == 3.0
    with assert_checkpoints():
        await signal.wait_until(1.0)
    assert trio.current_time() == 3.0


async def test_being_woken_before_the_moment_or_without_one() -> None:
    signal = Wakeup()

    async def fire() -> None:
        for _ in range(2):
            await trio.sleep(1.0)
            signal.fire()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fire)
        await signal.wait_until(3.0)
        assert trio.current_time() == 1.0
        await signal.wait_until(None)
        assert trio.current_time() == 2.0


async def test_cancelling_leaves_nothing_behind() -> None:
    signal = Wakeup()
    with trio.move_on_after(1.0):
        await signal.wait()
    with trio.move_on_after(1.0):
        await signal.wait_until(None)
    assert not signal._waiting


async def test_who_was_woken_goes_before_who_lets_others_have_their_turn() -> None:
    signal, turns = Wakeup(), 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await signal.wait()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        await wait_all_tasks_blocked()
        for turn in range(20):
            assert turns == turn
            signal.fire()
            await let_others_have_their_turn()
        nursery.cancel_scope.cancel()
