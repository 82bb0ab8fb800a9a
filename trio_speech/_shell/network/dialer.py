"""What a client knows of each service: how to reach it, and the patience that its sessions share."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from random import Random
from typing import Any

import trio

from ..._core.retry.budget import RetryBucket, RetryBudget
from ..._core.retry.causes import Silent, Unreachable
from ...policy import LivenessPolicy, RetryPolicy
from ...providers._codec import Backend, Connector, Dial, SttProvider, TtsProvider
from ..connection import Connection, LinkDown, open_connection
from ..observability.telemetry import telemetry
from .plaintext_warning import is_readable, warn_of

Provider = SttProvider | TtsProvider


class NoCredential(LinkDown):
    """A dial that failed because the user's token provider raised `error`, which is for whom the dial was made."""

    def __init__(self, error: Exception) -> None:
        super().__init__(Unreachable(f"the token provider raised {type(error).__name__}"))
        self.error = error


class EndpointState:
    """One endpoint, shared by all sessions of a client."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.health = RetryBucket(policy)
        self.dials = trio.CapacityLimiter(policy.max_concurrent_dials)
        self.warned = False
        """Whether it was said that credentials are readable on the way to it."""


class Route:
    """A backend, and its transport once that is open."""

    def __init__(self, backend: Backend, connector: Connector | None) -> None:
        self.backend = backend
        self.connector = connector


class Dialer:
    """Dials, with the client's policies."""

    def __init__(
        self, retry: RetryPolicy, liveness: LivenessPolicy, ssl_context: ssl.SSLContext | None, random: Random
    ) -> None:
        self.retry = retry
        self.liveness = liveness
        self.telemetry = telemetry()
        self._ssl_context = ssl_context
        self._random = random
        self._services: dict[str, EndpointState] = {}
        self._closed = False

    def close(self) -> None:
        """The client's block has been left: nothing is dialed any more."""
        self._closed = True

    def check_open(self) -> None:
        """Raises `trio.ClosedResourceError` once the client's block has been left."""
        if self._closed:
            raise closed()

    def service(self, endpoint: str) -> EndpointState:
        """What is shared about one endpoint."""
        if endpoint not in self._services:
            self._services[endpoint] = EndpointState(self.retry)
        return self._services[endpoint]

    def budget(self, endpoint: str) -> RetryBudget:
        """A session's own patience with one endpoint."""
        return RetryBudget(self.retry, self.service(endpoint).health, self._random)

    async def dial(self, nursery: trio.Nursery, provider: Provider, connector: Connector | None) -> Connection:
        """One dial, credential and all, within ``connect_timeout``; no more than ``max_concurrent_dials`` at once.

        Raises `LinkDown`, which is `NoCredential` where a token provider raised, or `trio.ClosedResourceError`.
        Cancelling leaves nothing behind.
        """
        self.check_open()
        service = self.service(provider.endpoint)
        async with service.dials:
            with self.telemetry.span("dial", provider.endpoint) as failed:
                try:
                    return await self._dial(nursery, provider, connector, service)
                except LinkDown as down:
                    failed(down.cause)
                    raise

    async def _dial(
        self, nursery: trio.Nursery, provider: Provider, connector: Connector | None, service: EndpointState
    ) -> Connection:
        seconds, awaited = self.liveness.connect_timeout, "credential from the token provider"
        with trio.move_on_after(seconds):
            dial = await _credentials(provider)
            awaited = "answer to the handshake"
            if connector is None and not service.warned and is_readable(dial):
                service.warned = True
                warn_of(dial)
            connect: Callable[[], Awaitable[Any]] | None = None if connector is None else partial(connector, dial)
            return await open_connection(
                nursery,
                dial.url,
                dial.headers,
                timeout=seconds,
                connect=connect,
                ssl_context=self._trust if connect is None and dial.url.startswith("wss:") else None,
            )
        raise LinkDown(Silent(awaited, seconds))

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Made once: reading the system's authorities takes a tenth of a second, in which nothing else runs."""
        return self._ssl_context or ssl.create_default_context()


async def _credentials(provider: Provider) -> Dial:
    try:
        return await provider.dial()
    except Exception as error:  # the user's own, of whatever kind
        raise NoCredential(error) from error


def closed() -> trio.ClosedResourceError:
    """What a client says that is no more."""
    return trio.ClosedResourceError("this client's block has been left")
