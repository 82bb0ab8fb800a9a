"""A fault proxy: between any client and any service, it does to their connections what a plan says.

    plan = read_plan(Path("plan.toml").read_text())
    async with open_proxy(("speech.example", 443), plan) as proxy:
        host, port = await proxy.listen()
        ...                                     # clients dial this instead
    print(*proxy.happenings, sep="\\n")

It carries bytes and knows nothing of what they say; TLS passes through it untouched. Without an address it is an HTTP
proxy, through which clients that follow ``HTTPS_PROXY`` come to any service. For tests on virtual time, give a
function that opens a stream in the place of the address, and `Proxy.connect` in the place of listening. The command is
``trio-speech chaos``; what a plan holds is told in `proxyplan`.
"""

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
from .http_connect import NoTunnel, answer_connect
from .plan import ProxyPlan, read_plan

__all__ = ["Happening", "Proxy", "ProxyPlan", "open_proxy", "read_plan"]

_REMEMBERED = 10_000

Dial = Callable[[], Awaitable[ByteStream]]


class Happening(Struct, frozen=True):
    """What was done to a connection, `at` so many seconds after the proxy was opened."""

    at: float
    connection: int
    what: str

    def __str__(self) -> str:
        return f"{self.at:9.3f} s  connection {self.connection}: {self.what}"


class Proxy:
    """Made by `open_proxy`."""

    def __init__(self, guard: Guard, dial: Dial | None, plan: ProxyPlan, tell: Callable[[Happening], object]) -> None:
        self.happenings: deque[Happening] = deque(maxlen=_REMEMBERED)
        """What was done to which connection and when: the last ten thousand."""
        self.connections = 0
        """How many there have been."""
        self._guard = guard
        self._dial = dial
        self._plan = plan
        self._tell = tell
        self._opened_at = trio.current_time()
        self._refusing_until = -math.inf
        self._listening: set[trio.CancelScope] = set()

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Takes connections over TCP for as long as the proxy is open; returns where. Raises `OSError`."""
        listeners = await trio.open_tcp_listeners(port, host=host)
        port = listeners[0].socket.getsockname()[1]
        self._guard.start_soon(partial(self._serve, host, port, listeners))
        return host, port

    async def connect(self) -> MemoryStream:
        """A connection through the proxy without a network. Raises `ConnectionRefusedError`; checkpoints."""
        await trio.lowlevel.checkpoint()
        if trio.current_time() < self._refusing_until:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "the proxy refuses dials")
        ours, theirs = memory_stream_pair()
        self._guard.start_soon(partial(self._carry, ours))
        return theirs

    async def _serve(self, host: str, port: int, listeners: list[trio.SocketListener]) -> None:
        """Listens, but while dials are refused: then the system itself refuses them, as nobody is there."""
        while True:
            with trio.CancelScope() as listening:
                self._listening.add(listening)
                try:
                    await trio.serve_listeners(self._carry, listeners, handler_nursery=self._guard.nursery)
                finally:
                    self._listening.discard(listening)
            await trio.sleep_until(self._refusing_until)
            listeners = await trio.open_tcp_listeners(port, host=host)

    async def _carry(self, client: ByteStream) -> None:
        self.connections += 1
        number = self.connections

        def say(what: str) -> None:
            self._say(number, what)

        say("opened")
        try:
            dial = self._dial or partial(trio.open_tcp_stream, *await answer_connect(client))
        except NoTunnel as refusal:
            say(f"refused: {refusal}")
            await trio.aclose_forcefully(client)
            return
        schedule = self._plan.schedule(number, trio.current_time())
        carriage = ProxiedConnection(client, schedule, partial(self._plan.random, number), say=say, refuse=self._refuse)
        await carriage.run(dial)

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
    """A proxy to `upstream`, which serves until the block is left.

    `upstream` is host and port, what opens a stream, or ``None``: whatever each client asks for by an HTTP CONNECT.
    `tell` is called with each `Happening`. Leaving the block breaks what is still open.
    """
    dial = partial(trio.open_tcp_stream, *upstream) if isinstance(upstream, tuple) else upstream
    async with one_exception(trio.lowlevel.checkpoint, within=0.0) as guard:
        yield Proxy(guard, dial, plan, tell)
