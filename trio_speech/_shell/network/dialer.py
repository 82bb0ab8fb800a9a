"""Dials services, and holds the state of each endpoint that all sessions of a client share."""

from __future__ import annotations

import math
import ssl
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from random import Random
from typing import Any

import trio

from ..._core.retry.budget import RetryBudget
from ..._core.retry.causes import Silent
from ...policy import LivenessPolicy, RetryPolicy
from ...providers._codec import Backend, Connector, Dial, SttProvider, TtsProvider
from ..connection import Connection, LinkDown, Redactor, open_connection
from ..observability.telemetry import telemetry
from .endpoint import CREDENTIAL, EndpointState, NoCredential
from .hedge import HedgedDial, Permit, unbounded
from .plaintext_warning import call_site, is_readable, warn_of
from .secret_headers import credentials_in

_UNKNOWN_DIAL, _SHORTEST_DIAL = 1.0, 0.75
"""Seconds that a dial may take before another begins beside it: while none has been answered yet, and the minimum
later. A handshake takes several round trips, and a busy service takes a while to answer."""

_FOR_ALTERNATIVES = 1.5
"""A session with another backend waits this many times as long, and at least a second, before it goes there."""

Provider = SttProvider | TtsProvider


class Route:
    """A backend, and how to connect to it: `connector` opens its byte streams; ``None`` means TCP and TLS."""

    def __init__(self, backend: Backend, connector: Connector | None) -> None:
        self.backend = backend
        self.connector = connector


class Dialer:
    """Dials for a client's sessions and its pool, by the client's policies."""

    def __init__(
        self, retry: RetryPolicy, liveness: LivenessPolicy, ssl_context: ssl.SSLContext | None, random: Random
    ) -> None:
        self.retry = retry
        self.liveness = liveness
        self.telemetry = telemetry()
        self._ssl_context = ssl_context
        self._random = random
        self._endpoints: dict[str, EndpointState] = {}
        self._closed = False
        self._opened_at = call_site()

    def close(self) -> None:
        """Makes every later dial raise `trio.ClosedResourceError`: the client's block has been left."""
        self._closed = True

    def check_open(self) -> None:
        """Raises `trio.ClosedResourceError` once the client's block has been left."""
        if self._closed:
            raise closed()

    def endpoint(self, address: str) -> EndpointState:
        """Returns the state of one endpoint, which all sessions share."""
        if address not in self._endpoints:
            self._endpoints[address] = EndpointState(self.retry)
        return self._endpoints[address]

    def budget(self, address: str) -> RetryBudget:
        """Returns a new retry budget for one session with one endpoint."""
        return RetryBudget(self.retry, self.endpoint(address).retries, self._random)

    async def dial(
        self,
        nursery: trio.Nursery,
        provider: Provider,
        connector: Connector | None,
        *,
        until: float = math.inf,
        has_alternative: bool = False,
        permit: Permit = unbounded,
    ) -> Connection:
        """Makes one dial, within ``connect_timeout`` seconds from asking for the credential to the open connection.

        Waits for its turn first: at most ``max_concurrent_dials`` run at once at this endpoint. The wait and the dial
        end at `until`, on trio's clock. With `has_alternative` it gives up soon if no session's dials succeed; a dial
        that usually takes longer is given more time.

        If the handshake takes long, other dials are made beside it, with a `permit` for each: see `HedgedDial`.

        Raises `LinkDown` (`NoCredential` if the token provider raised) or `trio.ClosedResourceError`. Cancelling leaves
        nothing behind.
        """
        self.check_open()
        endpoint = self.endpoint(provider.endpoint)
        began = trio.current_time()
        patience = self._patience_with(endpoint) if has_alternative else math.inf
        dial = partial(self._traced_dial, nursery, provider, connector, endpoint, permit, patience=patience)
        with trio.move_on_at(until):
            return await endpoint.in_turn(dial, patience=patience)
        raise LinkDown(Silent("connection", round(trio.current_time() - began, 2)))

    def is_down(self, address: str) -> bool:
        """Whether sessions should go to another backend: nobody's dial is answered, or no credential was given."""
        endpoint = self.endpoint(address)
        return endpoint.credential_hangs or endpoint.is_down(self._patience_with(endpoint))

    async def _traced_dial(
        self,
        nursery: trio.Nursery,
        provider: Provider,
        connector: Connector | None,
        endpoint: EndpointState,
        permit: Permit,
        *,
        patience: float,
    ) -> Connection:
        with self.telemetry.span("dial", provider.endpoint) as failed:
            try:
                return await self._dial(nursery, provider, connector, endpoint, permit, patience=patience)
            except LinkDown as down:
                failed(down.cause)
                raise

    async def _dial(
        self,
        nursery: trio.Nursery,
        provider: Provider,
        connector: Connector | None,
        endpoint: EndpointState,
        permit: Permit,
        *,
        patience: float,
    ) -> Connection:
        seconds, awaited = self.liveness.connect_timeout, CREDENTIAL
        with trio.move_on_after(seconds):
            dial = await self._credential(provider, endpoint, patience)
            awaited = "answer to the handshake"
            if connector is None and not endpoint.has_warned and is_readable(dial):
                endpoint.has_warned = True
                warn_of(dial, self._opened_at)
            first = partial(self._open, nursery, dial, connector)
            if not self.liveness.standby:
                return await endpoint.while_it_answers(first, patience=patience)

            async def another() -> Connection:
                return await self._open(nursery, await _credentials(provider), connector)

            hedged = HedgedDial(first, another, endpoint=endpoint, patience=self._patience(endpoint), permit=permit)
            return await endpoint.while_it_answers(hedged.run, patience=patience)
        raise LinkDown(Silent(awaited, seconds))

    async def _credential(self, provider: Provider, endpoint: EndpointState, patience: float) -> Dial:
        """Asks for the credential. Where there is another backend, waits no longer than a dial may take there, or than
        the token provider usually takes.
        """
        usual = _FOR_ALTERNATIVES * endpoint.credential_times.longest(0.0)
        began, within = trio.current_time(), max(patience, usual)
        with trio.move_on_after(within):
            dial = await _credentials(provider)
            endpoint.credential_times.measured(trio.current_time() - began)
            endpoint.credential_hangs = False
            return dial
        endpoint.credential_hangs = True
        raise LinkDown(Silent(CREDENTIAL, round(within, 1)))

    def _patience(self, endpoint: EndpointState) -> float:
        """Seconds without an answer after which another dial begins beside the first."""
        usual = endpoint.dial_times.longest(_UNKNOWN_DIAL)
        return min(max(_SHORTEST_DIAL, usual), self.liveness.suspect_after_max)

    def _patience_with(self, endpoint: EndpointState) -> float:
        """Seconds without any answer after which a session with another backend goes there."""
        return max(1.0, _FOR_ALTERNATIVES * self._patience(endpoint))

    async def _open(self, nursery: trio.Nursery, dial: Dial, connector: Connector | None) -> Connection:
        connect: Callable[[], Awaitable[Any]] | None = None if connector is None else partial(connector, dial)
        return await open_connection(
            nursery,
            dial.address,
            dial.headers,
            timeout=self.liveness.connect_timeout,
            subprotocols=dial.subprotocols,
            redactor=Redactor(credentials_in(dial)),
            max_message_size=self.liveness.max_message_bytes,
            connect=connect,
            # The default context is not made for plain connections, which need one only through an https proxy.
            ssl_context=self._trust if connect is None and dial.url.startswith("wss:") else self._ssl_context,
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The context that says which certificates are trusted, made when first needed.

        Loading the system's certificates blocks the whole program for a tenth of a second.
        """
        return self._ssl_context or ssl.create_default_context()


async def _credentials(provider: Provider) -> Dial:
    try:
        return await provider.dial()
    except Exception as error:  # a user's token provider may raise anything
        raise NoCredential(error) from error


def closed() -> trio.ClosedResourceError:
    """Returns the error to raise when the client has been closed."""
    return trio.ClosedResourceError("this client's block has been left")
