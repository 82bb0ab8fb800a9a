"""The gateway: a speech service for any client of the LiveKit inference wire, over any stream.

``/v1/stt`` and ``/v1/tts``, or without the ``/v1``; ``?model=`` names a model where ``session.create`` does not. What a
client does wrong is told to it, and ends its connection; the others never notice.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import trio

from ..._shell.concurrency.one_exception import one_exception
from ..._shell.connection import Connection, Handshake, LinkDown, accept_connection
from ...errors import ConfigurationError, SpeechError
from ...providers.livekit import wire
from ..builtin import engines as local
from ..engines import Busy, Recognizer, Voice
from . import stt, tts
from .auth import Authenticator, Unauthorized
from .connection import REFUSALS, ClientConnection, Seats

_HANDSHAKE_TIMEOUT = 10.0  # seconds
_MAX_MESSAGE_SIZE = 2**20  # bytes
_AT_THE_DOOR = 64  # clients beyond those that have a seat
# A client that vanished without a word, as a laptop does that is shut, gives its seat back within a minute: after so
# many seconds of silence the system asks whether it is there, and again, so many times.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}

Connect = Callable[..., Awaitable[trio.abc.Stream]]
"""Opens a stream to the gateway; takes a dial, and does not look at it."""


class Gateway:
    """Serves clients with two engines. `keys` map API keys to secrets; without them everybody is let in."""

    def __init__(self, recognizer: Recognizer, voice: Voice, *, keys: Mapping[str, str] | None = None) -> None:
        self._recognizer, self._voice = recognizer, voice
        self._door = Authenticator(keys) if keys is not None else None
        self._listeners, self._speakers = Seats(recognizer.capacity), Seats(voice.capacity)
        self._clients = Seats(recognizer.capacity + voice.capacity + _AT_THE_DOOR)

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serves one client, from its handshake until either side is done, and closes the stream.

        Raises nothing that the client or an engine is to blame for. If cancelled, says goodbye for a second at most.
        """
        try:
            with self._clients.take():
                async with one_exception() as guard:
                    handshake = await accept_connection(
                        guard.nursery, stream, timeout=_HANDSHAKE_TIMEOUT, max_message_size=_MAX_MESSAGE_SIZE
                    )
                    await self._answer(handshake)
        except (Busy, LinkDown):
            pass
        finally:
            await trio.aclose_forcefully(stream)

    async def _answer(self, handshake: Handshake) -> None:
        path, _, query = handshake.resource.partition("?")  # whatever it is: what is no URL has a path here too
        [model] = parse_qs(query).get("model", [None])[-1:]
        endpoint = path.removeprefix("/v1")
        try:
            if self._door is not None:
                self._door.check(handshake.headers.get("authorization"))
            if endpoint == "/stt":
                with self._listeners.take():
                    await self._recognize(await handshake.accept(), model)
            elif endpoint == "/tts":
                with self._speakers.take():
                    await self._synthesize(await handshake.accept(), model)
            else:
                await handshake.reject(404, b"there is /v1/stt and /v1/tts")
        except Unauthorized as error:
            await handshake.reject(401, str(error).encode())
        except Busy as error:
            await handshake.reject(429, error.message.encode(), (("Retry-After", "1"),))

    async def _recognize(self, connection: Connection, model: str | None) -> None:
        talk = ClientConnection(connection, wire.stt_from_client, "stt")
        await _host(talk, partial(stt.converse, talk, self._recognizer, model))

    async def _synthesize(self, connection: Connection, model: str | None) -> None:
        talk = ClientConnection(connection, wire.tts_from_client, "tts")
        await _host(talk, partial(tts.converse, talk, self._voice, model))


async def _host(talk: ClientConnection[Any], converse: Callable[[], Awaitable[None]]) -> None:
    """However the conversation ends, the client is told: of what went wrong, or that the gateway is going away."""
    failures: list[SpeechError] = []
    try:
        await converse()
    except* LinkDown:
        pass
    except* REFUSALS as group:
        failures.extend(_leaves(group))
    finally:
        await talk.leave(failures[0] if failures else None)


def _leaves(group: BaseExceptionGroup[SpeechError]) -> Iterator[SpeechError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


@asynccontextmanager
async def open_gateway(
    *, recognizer: Recognizer | None = None, voice: Voice | None = None, keys: Mapping[str, str] | None = None
) -> AsyncGenerator[Gateway, None]:
    """A gateway with the engines given, or with the built-in ones, which start with the first client that needs them.

    Raises `ConfigurationError` where the built-in ones are needed and not installed.
    """
    if recognizer is None or voice is None:
        local.check_extra()
    async with AsyncExitStack() as stack:
        if recognizer is None:
            recognizer = await stack.enter_async_context(local.open_recognizer())
        if voice is None:
            voice = await stack.enter_async_context(local.open_voice())
        yield Gateway(recognizer, voice, keys=keys)


@asynccontextmanager
async def open_local_gateway(
    *, recognizer: Recognizer | None = None, voice: Voice | None = None
) -> AsyncGenerator[Connect, None]:
    """A gateway inside this process; see `open_gateway`. Yields what opens a stream to it, whatever is dialed.

    Leaving the block says goodbye to the clients, for a second at most, and ends the engines.
    """
    async with open_gateway(recognizer=recognizer, voice=voice) as gateway, one_exception() as guard:

        async def connect(dial: object = None) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            ours, theirs = trio.socket.socketpair()  # and no pair in memory: that would have no bound
            guard.nursery.start_soon(gateway.serve_stream, trio.SocketStream(theirs))
            return trio.SocketStream(ours)

        yield connect


async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    recognizer: Recognizer | None = None,
    voice: Voice | None = None,
    keys: Mapping[str, str] | None = None,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves over TCP until cancelled; see `open_gateway`. Reports the port once it listens; 0 lets the system choose.

    Raises `ConfigurationError` where it cannot listen there. There is no TLS: on more than the loopback interface, give
    it `keys` and a proxy in front.
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
    """What is set on the socket that listens holds for all that it accepts."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not every system has all
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
