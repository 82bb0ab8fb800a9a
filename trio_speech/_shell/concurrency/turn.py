"""Tells a method that is called in loops when to let other tasks run: yielding in each call would cost more than it."""

from __future__ import annotations

import threading

import trio

LONGEST = 0.001
"""Seconds after which a task that calls without waiting lets others run."""

_MOST_CALLS = 40
"""As many calls as take less than that; on the virtual clock of a test no time passes."""


class _Turn(threading.local):
    """The turn of the task that called last in this thread: how long it has run, as far as is known."""

    def __init__(self) -> None:
        self.begin(0, 0.0)

    def begin(self, task: int, now: float) -> None:
        """`task`: its id, which no other task has at the same time."""
        self.task, self.began, self.calls = task, now, 0


_turn = _Turn()


async def checkpoint_once_in_a_while() -> None:
    """Always a point at which the caller can be cancelled. Lets other tasks run if the caller has called in a row for
    `LONGEST`, its own work between the calls included.

    A task that waits between its calls need not do so: where another task has called meanwhile, it is known to have
    waited.
    """
    task, now = id(trio.lowlevel.current_task()), trio.current_time()
    if task != _turn.task:
        _turn.begin(task, now)
    if 0.0 <= now - _turn.began < LONGEST and _turn.calls < _MOST_CALLS:  # a later run may have another clock
        _turn.calls += 1
        await trio.lowlevel.checkpoint_if_cancelled()
    else:
        await trio.lowlevel.checkpoint()
        _turn.begin(task, trio.current_time())
