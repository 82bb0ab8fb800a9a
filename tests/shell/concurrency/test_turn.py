"""A task that calls in a row lets others run in time, and one that waits between its calls is not made to yield."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints

from trio_speech._shell.concurrency.turn import LONGEST, checkpoint_once_in_a_while


class Steps(trio.abc.Instrument):
    """Counts how often each task is run."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.of[task.name] += 1


async def yields(calls: int, work: float, clock: MockClock) -> list[int]:
    """Which of so many calls let others run, where the caller works for `work` seconds before each."""
    steps, yielded, before = Steps(), list[int](), 0
    name = trio.lowlevel.current_task().name
    await checkpoint_once_in_a_while()
    trio.lowlevel.add_instrument(steps)
    for call in range(calls):
        clock.jump(work)
        await checkpoint_once_in_a_while()
        if steps.of[name] > before:
            before = steps.of[name]
            yielded.append(call)
    trio.lowlevel.remove_instrument(steps)
    return yielded


@pytest.mark.parametrize("work", [LONGEST / 10, LONGEST / 3, LONGEST, 10 * LONGEST])
async def test_others_run_before_a_call_that_comes_a_millisecond_after_the_first(
    mock_clock: MockClock, work: float
) -> None:
    yielded = await yields(50, work, mock_clock)
    gaps = [later - earlier for earlier, later in zip([-1, *yielded], yielded, strict=False)]
    assert yielded
    assert all((gap - 1) * work <= LONGEST + 1e-9 for gap in gaps)


async def test_others_run_once_in_so_many_calls_where_no_time_passes(mock_clock: MockClock) -> None:
    yielded = await yields(200, 0.0, mock_clock)
    assert 4 <= len(yielded) <= 5


async def test_tasks_that_wait_between_their_calls_are_not_made_to_yield(mock_clock: MockClock) -> None:
    ready, rounds, steps = [trio.Event(), trio.Event()], 20, Steps()

    async def call(me: int) -> None:
        for _ in range(rounds):
            await ready[me].wait()
            ready[me] = trio.Event()
            mock_clock.jump(2 * LONGEST)
            await checkpoint_once_in_a_while()
            ready[1 - me].set()

    trio.lowlevel.add_instrument(steps)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(call, 0, name="one")
        nursery.start_soon(call, 1, name="two")
        ready[0].set()
    trio.lowlevel.remove_instrument(steps)
    assert steps.of["one"] <= rounds + 1  # its start, and one for each wait
    assert steps.of["two"] <= rounds + 1


async def test_each_call_can_be_cancelled() -> None:
    for calls in (0, 1, 39, 40, 41):
        with trio.CancelScope() as scope:
            for _ in range(calls):
                await checkpoint_once_in_a_while()
            scope.cancel()
            await checkpoint_once_in_a_while()
        assert scope.cancelled_caught


async def test_a_call_after_a_long_turn_is_a_whole_checkpoint(mock_clock: MockClock) -> None:
    await checkpoint_once_in_a_while()
    mock_clock.jump(LONGEST)
    with assert_checkpoints():
        await checkpoint_once_in_a_while()
