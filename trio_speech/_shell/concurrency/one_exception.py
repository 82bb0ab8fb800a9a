"""Lets one bare exception out of a block with background tasks.

A session is a nursery, but its users must never meet an exception group. Their own exceptions, timeouts, Ctrl-C and
every error of this package leave the ``async with`` bare.

Laws
    1. Background tasks do not raise: their first failure is recorded, and the body is cancelled.
    2. If the body raised first, its exception leaves, and the failure becomes its ``__context__``.
    3. A cancellation from outside stays a cancellation.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import trio

from ...errors import InternalError


class Guard:
    """Runs tasks beside the body of a block, and records the first failure among them."""

    def __init__(self, nursery: trio.Nursery, body: trio.CancelScope) -> None:
        self.nursery = nursery
        self.failure: BaseException | None = None
        self._body = body

    def start_soon(self, task: Callable[[], Awaitable[object]]) -> None:
        """Runs `task` in the background until it returns or fails, or the block ends."""
        self.nursery.start_soon(self._run, task)

    async def start(self, task: Callable[..., Awaitable[object]]) -> Any:
        """Starts a task and returns what it gives to `task_status.started`.

        If it fails before that, its exception is raised here; if later, it is recorded as for `start_soon`.
        """
        return await self.nursery.start(self._start, task)

    def fail(self, failure: BaseException) -> None:
        """Records `failure`, which then leaves the block, and cancels the body. Only the first call counts."""
        if self.failure is None:
            self.failure = _bare(failure)
            self._body.cancel(reason=f"the session failed: {type(failure).__name__}")

    async def _start(self, task: Callable[..., Awaitable[object]], *, task_status: trio.TaskStatus[Any]) -> None:
        ready = _Ready(task_status)
        try:
            await task(task_status=ready)
        except BaseException as failure:
            if _is_cancellation(failure):
                raise
            if not ready.is_started:
                raise _bare(failure) from failure.__cause__
            self.fail(failure)

    async def _run(self, task: Callable[[], Awaitable[object]]) -> None:
        try:
            await task()
        except BaseException as failure:
            if _is_cancellation(failure):
                raise
            self.fail(failure)


class _Ready:
    """A trio task status that remembers whether it was used."""

    def __init__(self, status: trio.TaskStatus[Any]) -> None:
        self._status = status
        self.is_started = False

    def started(self, value: Any = None) -> None:
        self.is_started = True
        self._status.started(value)


async def _do_nothing() -> None:
    """The default for `leave`: the block only has tasks to cancel."""


@asynccontextmanager
async def one_exception(
    leave: Callable[[], Awaitable[object]] = _do_nothing, *, within: float = 0.0
) -> AsyncGenerator[Guard, None]:
    """A block with background tasks that lets at most one exception out, never in a group.

    When the body is done, for whatever reason, `leave` is run for at most `within` seconds, shielded from
    cancellation; then all tasks are cancelled. Entering does not checkpoint; leaving does.
    """
    raised: BaseException | None = None
    inner: BaseException | None = None
    guard: Guard | None = None
    try:
        async with trio.open_nursery() as nursery:
            try:
                with trio.CancelScope() as body:
                    guard = Guard(nursery, body)
                    try:
                        yield guard
                    finally:
                        await _run_shielded(leave, within)
            except BaseException as error:
                if _is_cancellation(error):
                    raise
                raised = error  # raised below, outside the nursery, which would wrap it in a group
            nursery.cancel_scope.cancel(reason="the block was left")
    except BaseExceptionGroup as group:
        inner = only_one(group)
    failure = guard.failure if guard else None
    if raised is not None and failure is not None:
        _put_behind(raised, failure)
    leaving = raised or failure or inner
    if leaving is not None:
        _raise_as_it_is(leaving)


async def _run_shielded(leave: Callable[[], Awaitable[object]], within: float) -> None:
    with trio.move_on_after(within, shield=True):
        await leave()


def _put_behind(raised: BaseException, failure: BaseException) -> None:
    """Makes `failure` the last context of `raised`.

    It takes the place of the `trio.Cancelled` by which the body learned of the failure.
    """
    last = raised
    while last.__context__ is not None and not isinstance(last.__context__, trio.Cancelled):
        last = last.__context__
    if last is not failure:
        last.__context__ = failure


def _raise_as_it_is(leaving: BaseException) -> NoReturn:
    """Raises `leaving` with the context that it already has.

    Python would set the context to the cancellation that ended the body, which has nothing to do with it.
    """
    context = leaving.__context__
    try:
        raise leaving
    finally:
        leaving.__context__ = context
        del leaving, context  # a frame that refers to its own exception is a cycle for the garbage collector


def _is_cancellation(failure: BaseException) -> bool:
    if isinstance(failure, BaseExceptionGroup):
        return failure.split(trio.Cancelled)[1] is None
    return isinstance(failure, trio.Cancelled)


def _bare(failure: BaseException) -> BaseException:
    """`failure` itself, or a bare `KeyboardInterrupt` if Ctrl-C was raised inside a nursery and came out in a group."""
    if isinstance(failure, BaseExceptionGroup) and failure.subgroup(KeyboardInterrupt) is not None:
        return KeyboardInterrupt()
    return failure


def only_one(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception to raise in place of what left one of our nurseries.

    Our tasks raise nothing but cancellations, so any other exception is a defect: an `InternalError`.
    """
    _, rest = group.split(trio.Cancelled)
    if rest is not None:
        if (bare := _bare(rest)) is not rest:
            return bare
        error = InternalError("an unexpected failure inside a session; please report it")
        error.__cause__ = rest
        return error
    return _leaf(group)


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
