"""The client: backends opened, policies held, sessions made."""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from ..errors import ConfigurationError
from ..policy import LivenessPolicy, PoolPolicy, ReplayPolicy, RetryPolicy
from ..providers._codec import Backend, Connector
from .concurrency.one_exception import Guard, one_exception
from .network.dialer import Dialer, Route
from .pool.pool import Pool
from .recognition.calls import RecognitionCalls
from .synthesis.calls import SynthesisCalls

_BACKEND = ("recognizer", "voice", "transport")
"""The methods of a `Backend`."""


class Client(RecognitionCalls, SynthesisCalls):
    """An open client: makes sessions, and owns the connections that they share. Made by `open_client`."""

    def __init__(self, routes: Sequence[Route], network: Dialer, pool: Pool, replay: ReplayPolicy) -> None:
        RecognitionCalls.__init__(self, routes, network, replay)
        SynthesisCalls.__init__(self, routes, network, pool)


@asynccontextmanager
async def open_client(
    backend: Backend | Sequence[Backend],
    *,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # frozen
    replay: ReplayPolicy = ReplayPolicy(),  # noqa: B008  # frozen
    pool: PoolPolicy = PoolPolicy(),  # noqa: B008  # frozen
    liveness: LivenessPolicy = LivenessPolicy(),  # noqa: B008  # frozen
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncGenerator[Client, None]:
    """A client of one backend, or of several in order of preference, for the length of the block.

    Nothing is dialed before a session asks for it, but what a backend brings itself (`Local`) is started. All that
    the client opened is closed when the block is left, within ``close_timeout``.

    Certificates are checked, against the system's authorities or as `ssl_context` says; a bad one is a
    `ConnectFailed` at once. Where credentials go unencrypted to another machine, there is a
    `PlaintextCredentialsWarning`.
    """
    backends = list(backend) if isinstance(backend, Sequence) else [backend]
    _check_backends(backends)
    _check_policies(retry, replay, pool, liveness)
    _check_trust(ssl_context)
    jitter = random.Random(random.random())  # noqa: S311  # no secret, and a seeded program repeats it
    network = Dialer(retry, liveness, ssl_context, jitter)
    connections = Pool(network, pool, jitter)
    async with one_exception(connections.aclose, within=liveness.close_timeout) as guard:
        routes = [Route(each, await _transport(each, guard)) for each in backends]
        connections.open(guard)
        yield Client(routes, network, connections, replay)


async def _transport(backend: Backend, guard: Guard) -> Connector | None:
    """Keeps what a backend brings itself open in a task of its own, so that no exception of the block passes it."""
    transport = backend.transport()
    if transport is None:
        return None
    if not isinstance(transport, AbstractAsyncContextManager):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            f"the transport of {type(backend).__name__} is of type {type(transport).__name__}: "
            "it is to be an async context manager of a connector, or None"
        )

    async def keep_open(task_status: trio.TaskStatus[Connector]) -> None:
        async with transport as connector:
            task_status.started(connector)
            await trio.sleep_forever()

    opened: Connector = await guard.start(keep_open)
    return opened


def _check_backends(backends: Sequence[object]) -> None:
    if not backends:
        raise ConfigurationError("no backend was given: name at least one, as in open_client(LiveKit())")
    for backend in backends:
        if isinstance(backend, type) or not all(callable(getattr(backend, each, None)) for each in _BACKEND):
            raise ConfigurationError(
                f"a backend is of type {type(backend).__name__}: give one as in open_client(LiveKit())"
            )


def _check_policies(*policies: object) -> None:
    for given, kind in zip(policies, (RetryPolicy, ReplayPolicy, PoolPolicy, LivenessPolicy), strict=True):
        if not isinstance(given, kind):
            raise ConfigurationError(f"a policy is of type {type(given).__name__}: give a {kind.__name__}(…)")


def _check_trust(ssl_context: object) -> None:
    if not (ssl_context is None or isinstance(ssl_context, ssl.SSLContext)):
        raise ConfigurationError(
            f"ssl_context is of type {type(ssl_context).__name__}: give an ssl.SSLContext, or None"
        )
