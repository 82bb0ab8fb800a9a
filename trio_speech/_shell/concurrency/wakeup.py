"""A condition variable for one thread: a task checks its condition, waits for a wake-up, and checks again.

A wake-up is not remembered. None can be missed, because no other task runs between the check and the wait.
"""

from __future__ import annotations

import trio


class Wakeup:
    """Wakes the tasks that wait at that moment."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[trio.lowlevel.Task] = []  # trio's ParkingLot needs three times the calls

    def fire(self) -> None:
        """Wakes all waiting tasks. Does not checkpoint."""
        if self._waiting:
            for task in self._waiting:
                trio.lowlevel.reschedule(task)
            self._waiting.clear()

    async def wait(self) -> None:
        """Waits for the next `fire`. Always checkpoints; cancelling leaves nothing behind."""
        task = trio.lowlevel.current_task()
        self._waiting.append(task)

        def leave(_: object) -> trio.lowlevel.Abort:
            self._waiting.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    async def wait_until(self, moment: float | None) -> None:
        """Waits for the next `fire`, but no longer than until `moment` on trio's clock (``None``: for ever)."""
        if moment is None:
            await self.wait()
        else:
            with trio.move_on_at(moment):
                await self.wait()


class Alarm:
    """Wakes one task by `wakeup`, or else at a moment that may be moved while the task waits.

    A moment that moves with each piece of news seldom comes. To move it costs a tenth of waking a task that finds
    nothing to do.
    """

    __slots__ = ("_scope", "_wakeup")

    def __init__(self, wakeup: Wakeup) -> None:
        self._wakeup = wakeup
        self._scope = trio.CancelScope()

    async def wait_until(self, moment: float) -> None:
        """As `Wakeup.wait_until`; infinity: for ever. One task at a time."""
        with trio.CancelScope(deadline=moment) as self._scope:
            await self._wakeup.wait()

    def move(self, moment: float) -> None:
        """Has the task that waits wake at `moment` instead; at once, if that has passed. Does not checkpoint."""
        self._scope.deadline = moment


async def let_others_have_their_turn() -> None:
    """Returns once every task that was ready to run has run.

    That takes two checkpoints: trio runs the tasks of one round in random order, so after one checkpoint this task
    might still run before the others.
    """
    await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
