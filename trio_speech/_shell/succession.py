"""Who serves next: the order of a session's backends, and a connection made before it is needed.

Laws
    1. The first backend that will serve is used; one is given up when its budget is spent or its refusal is final.
    2. A better one than the current is tried again every ``return_after`` seconds, by a real dial.
    3. A connection that was made ahead is used for the next link, or closed; never both, never kept.
    4. One whose address is no longer asked for is closed: what was changed while it was made may stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio
from msgspec import Struct

from .._core.dialogue import TranscribeRequest
from .._core.preference import Preference
from .._core.retry import Budget
from ..providers._codec import SttProvider
from . import log
from .connection import Connection, LinkDown
from .endpoints import Network, Route
from .single import Guard


class _Made(Struct, frozen=True):
    index: int
    provider: SttProvider
    connection: Connection


class Succession:
    """The backends of one session, in order of preference."""

    def __init__(self, network: Network, routes: Sequence[Route], request: TranscribeRequest) -> None:
        self._network = network
        self._routes = routes
        self._providers = self.recognisers(request)
        self._preference = Preference(len(routes))
        self._ahead: _Made | None = None
        self._preparing: trio.Event | None = None
        self._prepared = False
        self.budget = self._new_budget()

    @property
    def provider(self) -> SttProvider:
        """The one whose turn it is."""
        return self._providers[self._preference.current]

    @property
    def has_others(self) -> bool:
        """Whether there is more than one backend."""
        return len(self._routes) > 1

    def recognisers(self, request: TranscribeRequest) -> list[SttProvider]:
        """The backends as `request` would have them. Raises `ConfigurationError`."""
        return [route.backend.recogniser(request) for route in self._routes]

    def ask(self, providers: list[SttProvider]) -> None:
        """Every later link is one of these."""
        self._providers = providers

    def fail_over(self, *, for_good: bool) -> bool:
        """Gives the current backend up, if need be without return; says whether there is another."""
        if not self._preference.fail_over(for_good=for_good):
            return False
        self.budget = self._new_budget()
        return True

    async def connection(self, guard: Guard) -> Connection:
        """The connection for the next link: the one made ahead, or a new one. Raises `LinkDown`."""
        if self._preparing is not None:
            await self._preparing.wait()
        self._prepared = False
        made, self._ahead = self._ahead, None
        while made is None or self._is_outdated(made):
            if made is not None:
                guard.start_soon(partial(made.connection.close, self._network.liveness.close_timeout))
            made = await self._dial(guard, self._preference.current)
        if made.index != self._preference.current:
            self._turn_to(made.index)
        return made.connection

    def prepare(self, guard: Guard) -> None:
        """Dials the successor of a link that is about to retire; a failure is left to the next regular dial."""
        if self._is_free and not self._prepared:
            self._prepared = True
            self._preparing = trio.Event()
            guard.start_soon(partial(self._make_ahead, guard, self._preference.current, self._preparing))

    async def watch_for_better(self, guard: Guard, found: Callable[[], None]) -> None:
        """Tries every ``return_after`` seconds to return to a better backend; `found` is told when one answers."""
        period = self._network.retry.return_after
        while period is not None:
            await trio.sleep(period)
            for index in self._preference.better():
                if not self._is_free:
                    break
                self._preparing = trio.Event()
                if await self._make_ahead(guard, index, self._preparing):
                    found()

    @property
    def _is_free(self) -> bool:
        return self._preparing is None and self._ahead is None

    async def _make_ahead(self, guard: Guard, index: int, made: trio.Event) -> bool:
        try:
            self._ahead = await self._dial(guard, index)
        except LinkDown:
            return False
        finally:
            self._preparing = None
            made.set()
        return True

    async def _dial(self, guard: Guard, index: int) -> _Made:
        provider = self._providers[index]
        return _Made(index, provider, await self._network.dial(guard.nursery, provider, self._routes[index].connector))

    def _is_outdated(self, made: _Made) -> bool:
        now = self._providers[made.index]
        return made.provider is not now and made.provider.url != now.url

    def _turn_to(self, index: int) -> None:
        self._preference.current = index
        log.returned_to(self.provider.endpoint)
        self.budget = self._new_budget()

    def _new_budget(self) -> Budget:
        return self._network.budget(self.provider.endpoint)
