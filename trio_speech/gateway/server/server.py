"""The gateway: a speech service for any client of the LiveKit inference protocol, over any stream.

Paths are ``/v1/stt`` and ``/v1/tts``; the ``/v1`` may be left out. ``?model=`` names the model for clients whose
``session.create`` does not. A client's mistake is answered with an error and ends that client's connection only.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import trio

from ..._shell.concurrency.one_exception import one_exception
from ..._shell.connection import Connection, LinkDown, accept_connection
from ...errors import ConfigurationError, SpeechError
from ...providers.livekit import wire
from ..builtin import chosen_engine as local
from ..engines import Busy, Recognizer, Voice
from . import stt, tts
from .auth import Authenticator, Unauthorized
from .connection import REFUSALS, ClientConnection, SessionLimit
from .handshakes import HANDSHAKE_TIMEOUT, Handshakes

_MAX_MESSAGE_SIZE = 2**20  # bytes
# A client that vanishes without closing (a laptop is shut) would keep its session until IDLE_TIMEOUT. With these, the
# kernel probes a silent connection after 30 s and gives it up within a minute.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}

Connect = Callable[..., Awaitable[trio.abc.Stream]]
"""Opens a stream to the gateway. Its argument, the dial, is ignored: there is only one place to go."""


class Gateway:
    """Serves clients with two engines. `keys` maps API keys to secrets; with ``None``, no token is needed."""

    def __init__(self, recognizer: Recognizer, voice: Voice, *, keys: Mapping[str, str] | None = None) -> None:
        self._recognizer, self._voice = recognizer, voice
        self._authenticator = Authenticator(keys) if keys is not None else None
        self._recognitions, self._syntheses = SessionLimit(recognizer.capacity), SessionLimit(voice.capacity)
        self._handshakes = Handshakes()

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serves one client from its handshake to its end, and closes the stream.

        Failures of the client or of an engine are not raised. When cancelled, spends up to a second on telling
        the client.
        """
        try:
            async with one_exception() as guard:
                with ExitStack() as admitted:
                    opening = partial(self._open, guard.nursery, stream, admitted)
                    serve_client = await self._handshakes.run(stream, opening)
                    if serve_client is not None:
                        await serve_client()
        except LinkDown:
            pass
        finally:
            await trio.aclose_forcefully(stream)

    async def _open(
        self, nursery: trio.Nursery, stream: trio.abc.Stream, admitted: ExitStack
    ) -> Callable[[], Awaitable[None]] | None:
        """Shakes hands. Returns a function that serves the client, or ``None`` after a refusal.

        Until `admitted` is closed, the client counts as one of those that the engine serves at the same time.
        """
        handshake = await accept_connection(
            nursery, stream, timeout=2 * HANDSHAKE_TIMEOUT, max_message_size=_MAX_MESSAGE_SIZE
        )
        path, _, query = handshake.resource.partition("?")  # not urlsplit: it raises on some malformed input
        [model] = parse_qs(query).get("model", [None])[-1:]
        endpoint = path.removeprefix("/v1")
        try:
            if self._authenticator is not None:
                self._authenticator.check(handshake.headers.get("authorization"))
            if endpoint == "/stt":
                admitted.enter_context(self._recognitions.admit())
                return partial(self._recognize, await handshake.accept(), model)
            if endpoint == "/tts":
                admitted.enter_context(self._syntheses.admit())
                return partial(self._synthesize, await handshake.accept(), model)
            await handshake.reject(404, b"there is /v1/stt and /v1/tts")
        except Unauthorized as error:
            await handshake.reject(401, str(error).encode())
        except Busy as error:
            await handshake.reject(429, error.message.encode(), (("Retry-After", "1"),))
        return None

    async def _recognize(self, connection: Connection, model: str | None) -> None:
        client = ClientConnection(connection, wire.stt_from_client, "stt")
        await _serve_client(client, partial(stt.serve_recognition, client, self._recognizer, model))

    async def _synthesize(self, connection: Connection, model: str | None) -> None:
        client = ClientConnection(connection, wire.tts_from_client, "tts")
        await _serve_client(client, partial(tts.serve_synthesis, client, self._voice, model))


async def _serve_client(client: ClientConnection[Any], serve: Callable[[], Awaitable[None]]) -> None:
    """Runs `serve`. Then closes the connection, after an error message if a failure ended the session."""
    failures: list[SpeechError] = []
    try:
        await serve()
    except* LinkDown:
        pass
    except* REFUSALS as group:
        failures.extend(_leaves(group))
    finally:
        await client.finish(failures[0] if failures else None)


def _leaves(group: BaseExceptionGroup[SpeechError]) -> Iterator[SpeechError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


@asynccontextmanager
async def open_gateway(
    *,
    recognizer: Recognizer | str | None = None,
    voice: Voice | str | None = None,
    keys: Mapping[str, str] | None = None,
) -> AsyncGenerator[Gateway, None]:
    """Yields a gateway. An engine is an object of yours, the name of a built-in one, or ``None`` for the best one.

    Built-in engines start when they are first needed. Raises `ConfigurationError` when there is no engine of that name,
    or when it is not installed.
    """
    async with AsyncExitStack() as stack:
        if recognizer is None or isinstance(recognizer, str):
            recognizer = await stack.enter_async_context(local.open_recognizer(recognizer))
        if voice is None or isinstance(voice, str):
            voice = await stack.enter_async_context(local.open_voice(voice))
        yield Gateway(recognizer, voice, keys=keys)


@asynccontextmanager
async def open_local_gateway(
    *, recognizer: Recognizer | str | None = None, voice: Voice | str | None = None
) -> AsyncGenerator[Connect, None]:
    """A gateway inside this process; see `open_gateway`. Yields a function that opens a stream to it.

    Leaving the block closes the clients' connections, within a second, and stops the engines.
    """
    async with open_gateway(recognizer=recognizer, voice=voice) as gateway, one_exception() as guard:

        async def connect(dial: object = None) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            ours, theirs = trio.socket.socketpair()  # an in-memory pair would buffer without bound
            guard.nursery.start_soon(gateway.serve_stream, trio.SocketStream(theirs))
            return trio.SocketStream(ours)

        yield connect


async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    recognizer: Recognizer | str | None = None,
    voice: Voice | str | None = None,
    keys: Mapping[str, str] | None = None,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves over TCP until cancelled; see `open_gateway`. Reports the port by `task_status` once it listens.

    Port 0 lets the system choose one. Raises `ConfigurationError` when it cannot listen there. There is no TLS: on
    anything but the loopback interface, set `keys` and put a TLS proxy in front.
    """
    async with open_gateway(recognizer=recognizer, voice=voice, keys=keys) as gateway:
        try:
            listeners = await trio.open_tcp_listeners(port, host=host)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from None
        for listener in listeners:
            _keep_alive(listener.socket)
        task_status.started(listeners[0].socket.getsockname()[1])
        async with one_exception() as guard:
            await trio.serve_listeners(gateway.serve_stream, listeners, handler_nursery=guard.nursery)


def _keep_alive(listening: trio.socket.SocketType) -> None:
    """Switches keepalive on. Accepted sockets inherit it from the listening one."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not every system has all
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
