"""One exception out.

A session is a nursery, yet whoever uses it must never meet an exception group: the user's own exception, a timeout,
Ctrl-C and every error of ours leave the ``async with`` bare.

Laws
    1. Tasks in the background do not raise: their failure is recorded, and the body is cancelled.
    2. If the body raised first, its exception wins, and ours becomes its ``__context__``.
    3. A cancellation from outside stays exactly that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import trio

from ...errors import InternalError


class Guard:
    """Runs tasks beside a body, and remembers the first failure of any of them."""

    def __init__(self, nursery: trio.Nursery, body: trio.CancelScope) -> None:
        self.nursery = nursery
        self.failure: BaseException | None = None
        self._body = body

    def start_soon(self, task: Callable[[], Awaitable[object]]) -> None:
        """Runs `task` until it returns, fails or the block ends."""
        self.nursery.start_soon(self._run, task)

    async def start(self, task: Callable[..., Awaitable[object]]) -> Any:
        """Starts a task that says when it is ready, and what it made; its failure before that is raised here."""
        return await self.nursery.start(self._start, task)

    def fail(self, failure: BaseException) -> None:
        """The session cannot go on: the body is cancelled, and `failure` leaves the block."""
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
    """A task status that remembers whether it was used."""

    def __init__(self, status: trio.TaskStatus[Any]) -> None:
        self._status = status
        self.is_started = False

    def started(self, value: Any = None) -> None:
        self.is_started = True
        self._status.started(value)


async def _nothing_to_leave() -> None:
    """What a block does on its way out that only has tasks to cancel."""


@asynccontextmanager
async def one_exception(
    leave: Callable[[], Awaitable[object]] = _nothing_to_leave, *, within: float = 0.0
) -> AsyncGenerator[Guard, None]:
    """A block with background tasks that lets one bare exception out.

    When the body is done, whatever the reason, `leave` is run, shielded, for at most `within` seconds; then all tasks
    are cancelled. Entering does not checkpoint; leaving does.
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
                        await _farewell(leave, within)
            except BaseException as error:
                if _is_cancellation(error):
                    raise
                raised = error  # leaves below, outside the nursery, bare
            nursery.cancel_scope.cancel(reason="the block was left")
    except BaseExceptionGroup as group:
        inner = only_one(group)
    failure = guard.failure if guard else None
    if raised is not None and failure is not None:
        _put_behind(raised, failure)
    leaving = raised or failure or inner
    if leaving is not None:
        _raise_as_it_is(leaving)


async def _farewell(leave: Callable[[], Awaitable[object]], within: float) -> None:
    with trio.move_on_after(within, shield=True):
        await leave()


def _put_behind(raised: BaseException, failure: BaseException) -> None:
    """Makes `failure` the context of `raised`, in place of the cancellation by which the body learned of it."""
    last = raised
    while last.__context__ is not None and not isinstance(last.__context__, trio.Cancelled):
        last = last.__context__
    if last is not failure:
        last.__context__ = failure


def _raise_as_it_is(leaving: BaseException) -> NoReturn:
    """Raises it with the context that it has: the cancellation by which it ended the body is none of its story."""
    context = leaving.__context__
    try:
        raise leaving
    finally:
        leaving.__context__ = context
        del leaving, context


def _is_cancellation(failure: BaseException) -> bool:
    if isinstance(failure, BaseExceptionGroup):
        return failure.split(trio.Cancelled)[1] is None
    return isinstance(failure, trio.Cancelled)


def _bare(failure: BaseException) -> BaseException:
    """`failure`, unless it is a Ctrl-C that struck in somebody's nursery, and comes out of it as a group."""
    if isinstance(failure, BaseExceptionGroup) and failure.subgroup(KeyboardInterrupt) is not None:
        return KeyboardInterrupt()
    return failure


def only_one(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What leaves a nursery of ours, whose tasks raise nothing but cancellations: anything else is a defect."""
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
