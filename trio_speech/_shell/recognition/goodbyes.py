"""Closes connections politely, in the background, so that the next dial need not wait for that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from ..concurrency.one_exception import Guard
from ..concurrency.wakeup import Wakeup
from ..connection import Connection, LinkDown


async def part_from(connection: Connection, frame: str | bytes | None, timeout: float) -> None:  # noqa: ASYNC109  # bounds two steps
    """Sends the protocol's close message `frame`, if any, and closes the websocket, within `timeout` seconds.

    A service that is not told may count the session against a limit for some time. Never raises `LinkDown`.
    """
    with trio.move_on_after(timeout, shield=True):
        try:
            if frame is not None:
                await connection.send(frame, timeout)
            await connection.close(timeout)
        except LinkDown:
            return
    connection.abort("closed by us")


class Goodbyes:
    """The closing handshakes of one session that are under way. Call `open` before the first."""

    _guard: Guard

    def __init__(self) -> None:
        self._count = 0
        self._said = Wakeup()

    def open(self, guard: Guard) -> None:
        """Sets the guard whose nursery runs the handshakes. Call it once."""
        self._guard = guard

    def start(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Starts `farewell`, which closes one connection and bounds its own time."""
        self._count += 1
        self._guard.start_soon(partial(self._say, farewell))

    async def wait(self) -> None:
        """Returns once none is under way."""
        while self._count:
            await self._said.wait()

    async def _say(self, farewell: Callable[[], Awaitable[None]]) -> None:
        try:
            await farewell()
        finally:
            self._count -= 1
            self._said.fire()
