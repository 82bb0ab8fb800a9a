"""A wake-up call without memory: whoever waits checks a condition, and parks again if it does not hold yet.

No call can be missed, because nothing runs between the check and the parking.
"""

from __future__ import annotations

import trio


class Wakeup:
    """Wakes all that wait now."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[trio.lowlevel.Task] = []  # a parking lot does as much by three times the calls

    def fire(self) -> None:
        """Wakes everybody; costs next to nothing where nobody waits."""
        if self._waiting:
            for task in self._waiting:
                trio.lowlevel.reschedule(task)
            self._waiting.clear()

    async def wait(self) -> None:
        """Until the next `fire`. Always a checkpoint; cancelling leaves nothing behind."""
        task = trio.lowlevel.current_task()
        self._waiting.append(task)

        def leave(_: object) -> trio.lowlevel.Abort:
            self._waiting.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    async def wait_until(self, moment: float | None) -> None:
        """Until the next `fire`, or until `moment` on trio's clock."""
        if moment is None:
            await self.wait()
        else:
            with trio.move_on_at(moment):
                await self.wait()


async def let_others_have_their_turn() -> None:
    """Whoever could go on when it was called has done so: one checkpoint alone might put us before them."""
    await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
