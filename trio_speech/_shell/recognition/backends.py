"""Who serves a recognition next, and a connection made before it is needed.

Laws, beside those of `order`
    1. A connection that was made ahead is used for the next link, or closed; never both, never kept.
    2. One whose address is no longer asked for is closed: what was changed while it was made may stand there.
    3. A standby is dialed beside a suspect link, for the same backend. It is a connection and no session: nothing is
       sent on it while the suspect may still serve. Its failure counts for nothing, but for one thing: where the
       service refuses it, none is dialed at that endpoint for as long as the service says, or `_BARRED_FOR`.
    4. A link is waited for only where it is made for the backend whose turn it is: another may take its time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import trio
from msgspec import Struct

from ..._core.provider.requests import TranscribeRequest
from ..._core.retry.causes import Refused
from ...providers._codec import SttProvider
from ..concurrency.one_exception import Guard
from ..connection import Connection, LinkDown
from ..network.dialer import Dialer, Route
from ..network.endpoint import EndpointState, NoCredential
from ..network.failover import Failover

_BARRED_FOR = 60.0


class _Made(Struct, frozen=True):
    index: int
    provider: SttProvider
    connection: Connection


class RecognizerBackends(Failover[SttProvider]):
    """The recognizers of one session, whose block's nursery is `open`'s."""

    _guard: Guard

    def __init__(self, network: Dialer, routes: Sequence[Route], request: TranscribeRequest) -> None:
        self._routes = routes
        super().__init__(network, self.recognizers(request))
        self._ahead: _Made | None = None
        self._preparing: trio.Event | None = None
        self._preparing_for = 0
        self._prepared = False
        self._standby: trio.CancelScope | None = None

    def open(self, guard: Guard) -> None:
        """Goes to work; call it once, before a connection is asked for."""
        self._guard = guard

    def recognizers(self, request: TranscribeRequest) -> list[SttProvider]:
        """The backends as `request` would have them. Raises `ConfigurationError`."""
        return [route.backend.recognizer(request) for route in self._routes]

    def ask(self, providers: list[SttProvider]) -> None:
        """Every later link is one of these."""
        self._providers = providers

    async def connection(self) -> Connection:
        """The connection for the next link: the one made ahead, or a new one.

        Raises `LinkDown`, and what a token provider raises.
        """
        if self._preparing is not None and self._preparing_for == self._preference.current:
            await self._preparing.wait()
        self._prepared = False
        made = self._taken_ahead()
        while made is None:
            dialed = await self._dial_current()
            made = self._taken_ahead()  # a better one may have answered meanwhile
            if made is not None or self._is_outdated(dialed):
                self._dismiss(dialed)
            else:
                made = dialed
        if made.index != self._preference.current:
            self._return_to(made.index)
        return made.connection

    def prepare(self) -> None:
        """Dials the successor of a link that is about to retire, once; a failure is left to the next regular dial."""
        if self._preparing is None and self._ahead is None and not self._prepared:
            self._prepared = True
            self._start_dial_ahead(trio.CancelScope(), lambda: None)

    def stand_by(self, ready: Callable[[], None]) -> None:
        """Dials a connection beside a suspect link, and calls `ready` once it is open. Ended by `stand_down`."""
        if self._ahead is not None:
            ready()
        elif self._preparing is None and trio.current_time() >= self._state.standby_from:
            self._standby = trio.CancelScope()
            self._start_dial_ahead(self._standby, ready)

    def stand_down(self) -> None:
        """The link that was suspect serves on."""
        if self._standby is not None:
            self._standby.cancel(reason="the suspect has shown life")

    @property
    def is_ready(self) -> bool:
        """Whether a connection has been made ahead."""
        return self._ahead is not None

    @property
    def _state(self) -> EndpointState:
        return self._dialer.endpoint(self.provider.endpoint)

    def _start_dial_ahead(self, scope: trio.CancelScope, ready: Callable[[], None]) -> None:
        self._preparing, self._preparing_for = trio.Event(), self._preference.current
        self._guard.start_soon(partial(self._dial_ahead, self._preparing, scope, ready))

    async def _dial_ahead(self, done: trio.Event, scope: trio.CancelScope, ready: Callable[[], None]) -> None:
        state = self._state
        try:
            with scope:
                self._keep_for_next_link(await self._dial(self._preference.current))
                ready()
        except LinkDown as down:
            if scope is self._standby and isinstance(down.cause, Refused):
                state.standby_from = trio.current_time() + (down.cause.retry_after or _BARRED_FOR)
        finally:
            self._preparing = self._standby = None
            done.set()

    def _better_ready(self) -> int | None:
        made = self._ahead
        if made is None or made.index >= self._preference.current or self._is_outdated(made):
            return None
        return made.index

    async def _is_ready(self, index: int) -> bool:
        if self._ahead is None:
            self._keep_for_next_link(await self._dial(index))
        return self._ahead is not None and self._ahead.index == index

    async def _dial_current(self) -> _Made:
        until = self.budget.wanted(trio.current_time())
        try:
            return await self._dial(self._preference.current, until=until, has_alternative=self.has_next)
        except NoCredential as down:
            error = down.error
        raise error  # outside, that it keeps a context of its own

    async def _dial(self, index: int, *, until: float = math.inf, has_alternative: bool = False) -> _Made:
        provider, connector = self._providers[index], self._routes[index].connector
        connection = await self._dialer.dial(
            self._guard.nursery, provider, connector, until=until, has_alternative=has_alternative
        )
        return _Made(index, provider, connection)

    def _keep_for_next_link(self, made: _Made) -> None:
        """Keeps it for the next link: of two, the one that is preferred."""
        if self._ahead is not None:
            made, other = sorted((made, self._ahead), key=lambda each: each.index)
            self._dismiss(other)
        self._ahead = made

    def _taken_ahead(self) -> _Made | None:
        made, self._ahead = self._ahead, None
        if made is not None and self._is_outdated(made):
            self._dismiss(made)
            return None
        return made

    def _is_outdated(self, made: _Made) -> bool:
        """Whether its address is no longer asked for, or its backend has refused meanwhile."""
        now = self._providers[made.index]
        changed = made.provider is not now and made.provider.url != now.url
        return changed or made.index not in (self._preference.current, *self._preference.better(trio.current_time()))

    def _dismiss(self, made: _Made) -> None:
        self._guard.start_soon(partial(made.connection.close, self._dialer.liveness.close_timeout))
