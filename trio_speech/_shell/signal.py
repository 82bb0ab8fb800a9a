"""A wake-up call without memory: whoever waits checks a condition, and parks again if it does not hold yet.

No call can be missed, because nothing runs between the check and the parking.
"""

from __future__ import annotations

import trio


class Signal:
    """Wakes all that wait now."""

    __slots__ = ("_lot",)

    def __init__(self) -> None:
        self._lot: trio.lowlevel.ParkingLot | None = None  # a session has many signals, and few are ever waited for

    def fire(self) -> None:
        """Wakes everybody; costs next to nothing where nobody waits."""
        if self._lot:
            self._lot.unpark_all()

    async def wait(self) -> None:
        """Until the next `fire`. Always a checkpoint; cancelling leaves nothing behind."""
        await self._place().park()

    async def wait_until(self, moment: float | None) -> None:
        """Until the next `fire`, or until `moment` on trio's clock."""
        if moment is None:
            await self._place().park()
        else:
            with trio.move_on_at(moment):
                await self._place().park()

    def _place(self) -> trio.lowlevel.ParkingLot:
        if self._lot is None:
            self._lot = trio.lowlevel.ParkingLot()
        return self._lot


async def let_others_have_their_turn() -> None:
    """Whoever could go on when it was called has done so: one checkpoint alone might put us before them."""
    await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
