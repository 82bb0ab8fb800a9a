"""`open_client` and the `Client` that it opens, which makes sessions and owns the connections they share."""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager

import trio

from ..errors import ConfigurationError
from ..policy import LivenessPolicy, PoolPolicy, ReplayPolicy, RetryPolicy
from ..providers._codec import Backend, Connector
from .concurrency.block import block
from .concurrency.one_exception import Guard, one_exception
from .network.dialer import Dialer, Route
from .pool.pool import Pool
from .recognition.calls import RecognitionCalls
from .synthesis.calls import SynthesisCalls

_BACKEND = ("recognizer", "voice", "transport")
"""The methods of a `Backend`."""


class Client(RecognitionCalls, SynthesisCalls):
    """An open client, made by `open_client`. It makes sessions, and owns the connections that they share.

    Recognition: `transcribe`, `recognize`, `resume_journal`. Synthesis: `synthesize`, `render`, `prewarm`. Any number
    of sessions may run at once, in any tasks of the trio run that opened the client.
    """

    def __init__(self, routes: Sequence[Route], network: Dialer, pool: Pool, replay: ReplayPolicy) -> None:
        RecognitionCalls.__init__(self, routes, network, replay)
        SynthesisCalls.__init__(self, routes, network, pool)


@block
async def open_client(
    backend: Backend | Sequence[Backend],
    *,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # frozen
    replay: ReplayPolicy = ReplayPolicy(),  # noqa: B008  # frozen
    pool: PoolPolicy = PoolPolicy(),  # noqa: B008  # frozen
    liveness: LivenessPolicy = LivenessPolicy(),  # noqa: B008  # frozen
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncGenerator[Client, None]:
    """Opens a client for the length of an ``async with`` block::

        async with ts.open_client(ts.LiveKit(), replay=ts.ReplayPolicy(limit=30.0)) as client:
            clip = await client.render("The weather is very nice today.")
            recognition = await client.recognize(microphone(), ts.AudioFormat.pcm16(16_000))
            print(recognition.text)

    - `backend`: the service to use, such as ``LiveKit()`` or ``Local()``; or several in order of preference. When one
      fails, sessions move on to the next, and return when a better one is available again.
    - `retry`: when to reconnect, and when to give up.
    - `replay`: how much audio a recognition keeps for a broken connection, and how it is sent again.
    - `pool`: how many connections for synthesis are kept, and for how long.
    - `liveness`: how soon a connection counts as dead, and the timeouts of dialing, sending and closing.
    - `ssl_context`: which certificates are trusted; ``None``: those that the system trusts.

    Entering the block dials nothing: the first session does. Only what a backend brings itself is started (the engines
    of `Local`). Leaving the block closes all that the client opened, within ``liveness.close_timeout``.

    Raises `ConfigurationError` on entering where an argument is wrong, or where the extra that a backend needs is not
    installed. An exception of the block leaves it as it was raised, never in an exception group. A bad certificate is
    not retried: it ends the session with `ConnectFailed`. Where credentials go to another machine without encryption, a
    `PlaintextCredentialsWarning` is issued.
    """
    if not trio.lowlevel.in_trio_run():
        raise RuntimeError(
            "open_client() must run under trio: start the program by trio.run(main); "
            "under asyncio, run trio in a thread of its own or as a guest (docs/howto/asyncio.md)"
        )
    backends = list(backend) if isinstance(backend, Sequence) else [backend]
    _check_backends(backends)
    _check_policies(retry=retry, replay=replay, pool=pool, liveness=liveness)
    _check_ssl_context(ssl_context)
    # Seeded from the module's generator, so that a program that seeds it gets the same waits again.
    jitter = random.Random(random.random())  # noqa: S311  # keeps no secret
    network = Dialer(retry, liveness, ssl_context, jitter)
    connections = Pool(network, pool, jitter)
    async with one_exception(connections.aclose, within=liveness.close_timeout) as guard:
        routes = [Route(each, await _transport(each, guard)) for each in backends]
        connections.open(guard)
        yield Client(routes, network, connections, replay)


async def _transport(backend: Backend, guard: Guard) -> Connector | None:
    """Opens the transport of `backend`, if it has one, until the guard's block is left.

    It is held open by a task of its own. If the user's block entered it directly, its ``__aexit__`` would see, and
    could swallow, the exceptions of the user's block.
    """
    transport = backend.transport()
    if transport is None:
        return None
    if not isinstance(transport, AbstractAsyncContextManager):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            f"{type(backend).__name__}.transport() must return an async context manager of a connector, or None, "
            f"not {type(transport).__name__}"
        )

    async def keep_open(task_status: trio.TaskStatus[Connector]) -> None:
        async with transport as connector:
            task_status.started(connector)
            await trio.sleep_forever()

    opened: Connector = await guard.start(keep_open)
    return opened


def _check_backends(backends: Sequence[object]) -> None:
    if not backends:
        raise ConfigurationError("backend must name at least one backend, as in open_client(LiveKit()), not none")
    for backend in backends:
        if isinstance(backend, type):
            raise ConfigurationError(f"backend must be an instance, not the class {backend.__name__}: call it")
        if not all(callable(getattr(backend, method, None)) for method in _BACKEND):
            raise ConfigurationError(
                f"backend must be a backend, or a list of them, as in open_client(LiveKit()), "
                f"not {type(backend).__name__}"
            )


def _check_policies(**policies: object) -> None:
    kinds = {"retry": RetryPolicy, "replay": ReplayPolicy, "pool": PoolPolicy, "liveness": LivenessPolicy}
    for name, policy in policies.items():
        if not isinstance(policy, kinds[name]):
            raise ConfigurationError(f"{name} must be a {kinds[name].__name__}, not {type(policy).__name__}")


def _check_ssl_context(ssl_context: object) -> None:
    if not (ssl_context is None or isinstance(ssl_context, ssl.SSLContext)):
        raise ConfigurationError(f"ssl_context must be an ssl.SSLContext or None, not {type(ssl_context).__name__}")
