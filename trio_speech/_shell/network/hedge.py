"""Starts further dials beside one that takes long. The first to be answered wins, and the others are dropped.

A handshake may be lost although the next one is answered at once: a packet of it was dropped, or the balancer in front
of the service chose a machine that is dying.

Laws
    1. Another dial begins `patience` seconds after the last began, and later at growing intervals (half of the time
       since the first began). A turn must be free at the endpoint, see `EndpointState.take_room`.
    2. Where the number of connections is limited, another dial needs a permit. The permit is kept until all other dials
       have been dropped.
    3. After a dial has failed, no other begins: the session decides whether to dial again.
    4. A refusal is an answer, and is raised at once. Otherwise the first failure is raised, once all have failed.
    5. Cancelling leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from ..._core.retry.causes import Broken, Refused
from ..concurrency.one_exception import only_one
from ..concurrency.wakeup import Wakeup
from ..connection import Connection, LinkDown
from .endpoint import EndpointState

Dialed = Callable[[], Awaitable[Connection]]
Release = Callable[[], None]
Permit = Callable[[], Release | None]
"""Returns the function that gives the permit back, or ``None`` if no permit is free."""


def unbounded() -> Release | None:
    """Always grants a permit: for connections whose number is not limited."""
    return lambda: None


class HedgedDial:
    """One dial, and others beside it. Call `run` once. `another` makes each dial but the first."""

    def __init__(
        self, first: Dialed, another: Dialed, *, endpoint: EndpointState, patience: float, permit: Permit
    ) -> None:
        self._first = first
        self._another = another
        self._endpoint = endpoint
        self._patience = patience
        self._permit = permit
        self._releases: list[Release] = []
        self._under_way = 0
        self._won: Connection | None = None
        self._failure: LinkDown | None = None
        self._changed = Wakeup()

    async def run(self) -> Connection:
        """Dials, and returns the first connection that is open.

        Raises `LinkDown` if all dials fail or one is refused.
        """
        try:
            async with trio.open_nursery() as nursery:
                self._begin(nursery, self._first)
                await self._wait(nursery)
                nursery.cancel_scope.cancel(reason="another dial was answered first")
        except BaseExceptionGroup as group:
            self._drop()
            failure = only_one(group)
            raise failure from failure.__cause__
        except BaseException:
            self._drop()
            raise
        finally:
            for release in self._releases:
                release()
        if self._won is not None:
            return self._won
        raise self._failure or LinkDown(Broken("no dial has ended"))

    async def _wait(self, nursery: trio.Nursery) -> None:
        """Starts further dials as law 1 says. Returns once one is open or refused, or all have failed."""
        first = trio.current_time()
        begins = first + self._patience
        while self._is_open:
            # Once one has failed no other begins, and a time that is past would end each wait at once.
            await self._changed.wait_until(begins if self._failure is None else None)
            now = trio.current_time()
            if self._is_open and self._failure is None and now >= begins:
                if self._may_begin():
                    self._begin(nursery, self._dial_beside)
                begins = now + max(self._patience, (now - first) / 2)

    @property
    def _is_open(self) -> bool:
        """Whether a dial is under way and none was answered yet."""
        refused = self._failure is not None and isinstance(self._failure.cause, Refused)
        return self._won is None and not refused and self._under_way > 0

    def _may_begin(self) -> bool:
        release = self._permit()
        if release is None:
            return False
        if not self._endpoint.take_room():
            release()
            return False
        self._releases.append(release)
        return True

    def _begin(self, nursery: trio.Nursery, dial: Dialed) -> None:
        self._under_way += 1
        nursery.start_soon(self._dial, dial)

    async def _dial_beside(self) -> Connection:
        try:
            return await self._another()
        finally:
            self._endpoint.end_dial()

    async def _dial(self, dial: Dialed) -> None:
        began = trio.current_time()
        try:
            connection = await dial()
        except LinkDown as down:
            self._failure = self._failure or down
        else:
            if self._won is None:
                self._won = connection
                self._endpoint.dial_times.measured(trio.current_time() - began)
            else:
                connection.abort("another dial was answered first")
        finally:
            self._under_way -= 1
            self._changed.fire()

    def _drop(self) -> None:
        if self._won is not None:
            self._won.abort("nobody needs it any more")
