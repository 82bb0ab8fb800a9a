"""The proxy itself: it accepts connections, dials the service, and runs each connection's part of the plan."""

from __future__ import annotations

import errno
import math
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio
from msgspec import Struct

from ..._shell.concurrency.one_exception import Guard, one_exception
from ..streams import MemoryStream, memory_stream_pair
from .connection import ProxiedConnection
from .direction import ByteStream
from .http_connect import ConnectRefused, answer_connect
from .plan import ProxyPlan

_REMEMBERED = 10_000

Dial = Callable[[], Awaitable[ByteStream]]


class Happening(Struct, frozen=True):
    """Something that the proxy did to a connection."""

    at: float
    """Seconds since the proxy was opened."""
    connection: int
    """The number of the connection, from 1."""
    what: str
    """What was done, in words, such as ``"reset after 90000 up and 312 down bytes"``."""

    def __str__(self) -> str:
        return f"{self.at:9.3f} s  connection {self.connection}: {self.what}"


class Proxy:
    """A running fault proxy. Made by `open_proxy`."""

    def __init__(self, guard: Guard, dial: Dial | None, plan: ProxyPlan, tell: Callable[[Happening], object]) -> None:
        self.happenings: deque[Happening] = deque(maxlen=_REMEMBERED)
        """What was done to which connection and when. Only the last 10,000 are kept."""
        self.connections = 0
        """How many connections have been opened so far."""
        self._guard = guard
        self._dial = dial
        self._plan = plan
        self._tell = tell
        self._opened_at = trio.current_time()
        self._refusing_until = -math.inf
        self._listening: set[trio.CancelScope] = set()

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Accepts TCP connections until the proxy is closed; port 0 takes a free port.

        Returns the host and the port. Raises `OSError` if the address cannot be bound. Checkpoints.
        """
        listeners = await trio.open_tcp_listeners(port, host=host)
        port = listeners[0].socket.getsockname()[1]
        self._guard.start_soon(partial(self._serve, host, port, listeners))
        return host, port

    async def connect(self) -> MemoryStream:
        """Opens a connection through the proxy in memory, without a network.

        Raises `ConnectionRefusedError` while the plan refuses dials. Checkpoints.
        """
        await trio.lowlevel.checkpoint()
        if trio.current_time() < self._refusing_until:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "the proxy refuses dials")
        ours, theirs = memory_stream_pair()
        self._guard.start_soon(partial(self._relay, ours))
        return theirs

    async def _serve(self, host: str, port: int, listeners: list[trio.SocketListener]) -> None:
        """Accepts connections. While dials are to be refused, the listeners are closed, so that the system refuses."""
        while True:
            with trio.CancelScope() as listening:
                self._listening.add(listening)
                try:
                    await trio.serve_listeners(self._relay, listeners, handler_nursery=self._guard.nursery)
                finally:
                    self._listening.discard(listening)
            await trio.sleep_until(self._refusing_until)
            listeners = await trio.open_tcp_listeners(port, host=host)

    async def _relay(self, client: ByteStream) -> None:
        self.connections += 1
        number = self.connections

        def say(what: str) -> None:
            self._say(number, what)

        say("opened")
        try:
            dial = self._dial or partial(trio.open_tcp_stream, *await answer_connect(client))
        except ConnectRefused as refusal:
            say(f"refused: {refusal}")
            await trio.aclose_forcefully(client)
            return
        schedule = self._plan.schedule(number, trio.current_time())
        connection = ProxiedConnection(
            client, schedule, partial(self._plan.random, number), say=say, refuse=self._refuse
        )
        await connection.run(dial)

    def _say(self, connection: int, what: str) -> None:
        happening = Happening(trio.current_time() - self._opened_at, connection, what)
        self.happenings.append(happening)
        self._tell(happening)

    def _refuse(self, seconds: float) -> None:
        self._refusing_until = max(self._refusing_until, trio.current_time() + seconds)
        for listening in self._listening:
            listening.cancel(reason="dials are refused")


@asynccontextmanager
async def open_proxy(
    upstream: tuple[str, int] | Dial | None,
    plan: ProxyPlan = ProxyPlan(),  # noqa: B008  # frozen
    *,
    tell: Callable[[Happening], object] = lambda _: None,
) -> AsyncGenerator[Proxy, None]:
    """Opens a proxy that runs until the block is left; connections that are still open are then reset.

    `upstream`: the service, as ``(host, port)``; or an async function that opens a stream to it; or ``None``, and each
    client names the service by an HTTP CONNECT. `plan`: what to do to each connection; by default nothing. `tell`: a
    function that is called with each `Happening`.
    """
    dial = partial(trio.open_tcp_stream, *upstream) if isinstance(upstream, tuple) else upstream
    async with one_exception(trio.lowlevel.checkpoint, within=0.0) as guard:
        yield Proxy(guard, dial, plan, tell)
