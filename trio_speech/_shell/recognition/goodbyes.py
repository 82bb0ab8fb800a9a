"""Closes connections politely, in the background, so that the next dial need not wait for that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from ..concurrency.one_exception import Guard
from ..concurrency.wakeup import Wakeup


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
