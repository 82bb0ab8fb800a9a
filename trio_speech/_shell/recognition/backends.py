"""Chooses the backend of a recognition session's next link, and dials connections before they are needed.

    link       one connection at work for the session, see `link`
    ahead      a connection that is open before the link that will use it begins
    standby    a connection dialed ahead because the current link is suspect (see `health_watch`)

Laws, beside those of `failover`
    1. A connection that was dialed ahead is used for the next link or closed.
    2. It is closed, too, if the session's request has changed since and now needs another URL.
    3. A standby is dialed for the same backend as the suspect link. If its dial fails, or it is lost while it stands
       by, that costs no attempt. But if the service refuses it, no other standby is dialed at that endpoint for as long
       as the service says, or else for `_BARRED_FOR`.
    4. The next link waits for a dial ahead that is under way only if that dial is for the current backend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import trio
from msgspec import Struct

from ..._core.provider.requests import TranscribeRequest
from ..._core.retry.causes import Cause, EndpointDown, Refused, Reported
from ...providers._codec import SttProvider
from ..concurrency.one_exception import Guard
from ..connection import Connection, LinkDown
from ..network.dialer import Dialer, Route
from ..network.endpoint import EndpointState, NoCredential, lacks_credential
from ..network.failover import Failover

_BARRED_FOR = 60.0


class _Made(Struct, frozen=True):
    index: int
    provider: SttProvider
    connection: Connection


class RecognizerBackends(Failover[SttProvider]):
    """The recognition backends of one session. Call `open` before anything is dialed."""

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
        """Sets the guard whose nursery runs the dials and connections. Call it once, before `connection`."""
        self._guard = guard

    def recognizers(self, request: TranscribeRequest) -> list[SttProvider]:
        """Returns one provider per backend, made for `request`. Raises `ConfigurationError` if one cannot serve it."""
        return [route.backend.recognizer(request) for route in self._routes]

    def ask(self, providers: list[SttProvider]) -> None:
        """Replaces the providers, one per backend, that later dials use: see `recognizers`."""
        self._providers = providers

    async def connection(self) -> Connection:
        """Returns a connection for the next link: the one that was dialed ahead, or a new one.

        Raises `LinkDown` if the dial fails, and whatever the token provider raises.
        """
        if self._preparing is not None and self._preparing_for == self._preference.current:
            await self._preparing.wait()
        self._prepared = False
        made = self._taken_ahead()
        while made is None:
            dialed = await self._dial_current()
            made = self._taken_ahead()  # a better backend may have answered meanwhile
            if made is not None or self._is_outdated(dialed):
                self._dismiss(dialed)
            else:
                made = dialed
        if made.index != self._preference.current:
            self._return_to(made.index)
        return made.connection

    def prepare(self) -> None:
        """Dials ahead for the next link, once per link, because the current one is about to be replaced.

        If that dial fails, `connection` dials again.
        """
        if self._preparing is None and self._ahead is None and not self._prepared:
            self._prepared = True
            self._start_dial_ahead(trio.CancelScope(), lambda: None)

    def stand_by(self, ready: Callable[[], None]) -> None:
        """Dials a standby for a suspect link, and calls `ready` once it is open. `stand_down` cancels the dial.

        `ready` is also called where the endpoint answers nobody, or no credential comes, and there is another backend:
        nothing is to be waited for then.
        """
        if self._ahead is not None:
            ready()
        elif self._preparing is None and trio.current_time() >= self._state.standby_from:
            self._standby = trio.CancelScope()
            self._start_dial_ahead(self._standby, ready)

    def take_standby(self) -> Connection | None:
        """Returns the connection that was dialed ahead, to stand by; ``None`` where the next link could not use it."""
        self._prepared = False
        made = self._ahead
        if made is None or made.index != self._preference.current:
            return None
        made = self._taken_ahead()
        return None if made is None else made.connection

    def stand_down(self) -> None:
        """Call when the suspect link has shown life: cancels the dial of a standby, if one is under way."""
        if self._standby is not None:
            self._standby.cancel(reason="the suspect has shown life")

    def standby_lost(self, cause: Cause | None) -> None:
        """Call when a standby is lost while it stands by. A service that refused it is left in peace for a while."""
        if isinstance(cause, Refused):
            self._bar_standbys(cause.retry_after)
        elif isinstance(cause, Reported):
            self._bar_standbys(cause.failure.retry_after)

    def _bar_standbys(self, retry_after: float | None) -> None:
        self._state.standby_from = trio.current_time() + (retry_after or _BARRED_FOR)

    @property
    def is_ready(self) -> bool:
        """Whether a connection that was dialed ahead is open."""
        return self._ahead is not None

    @property
    def _state(self) -> EndpointState:
        return self._dialer.endpoint(self.provider.endpoint)

    def _start_dial_ahead(self, scope: trio.CancelScope, ready: Callable[[], None]) -> None:
        self._preparing, self._preparing_for = trio.Event(), self._preference.current
        self._guard.start_soon(partial(self._dial_ahead, self._preparing, scope, ready))

    async def _dial_ahead(self, done: trio.Event, scope: trio.CancelScope, ready: Callable[[], None]) -> None:
        try:
            with scope:
                self._keep_for_next_link(
                    await self._dial(self._preference.current, has_alternative=self.has_alternative)
                )
                ready()
        except LinkDown as down:
            if scope is self._standby:
                self.standby_lost(down.cause)
            if isinstance(down.cause, EndpointDown) or lacks_credential(down.cause):
                ready()
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
            return await self._dial(self._preference.current, until=until, has_alternative=self.has_alternative)
        except NoCredential as down:
            error = down.error
        raise error  # outside of the except block, so that its own context is kept

    async def _dial(self, index: int, *, until: float = math.inf, has_alternative: bool = False) -> _Made:
        provider, connector = self._providers[index], self._routes[index].connector
        connection = await self._dialer.dial(
            self._guard.nursery, provider, connector, until=until, has_alternative=has_alternative
        )
        return _Made(index, provider, connection)

    def _keep_for_next_link(self, made: _Made) -> None:
        """Keeps `made` for the next link.

        If there are two, keeps that of the preferred backend and closes the other.
        """
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
        """Whether the session now needs another URL, or the backend of `made` is neither current nor a usable better
        one.
        """
        now = self._providers[made.index]
        changed = made.provider is not now and made.provider.url != now.url
        return changed or made.index not in (self._preference.current, *self._preference.better(trio.current_time()))

    def _dismiss(self, made: _Made) -> None:
        self._guard.start_soon(partial(made.connection.close, self._dialer.liveness.close_timeout))
