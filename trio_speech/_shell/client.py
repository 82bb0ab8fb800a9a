"""The client: backends opened, policies held, sessions made."""

from __future__ import annotations

import os
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from .._core.arguments import checked, listed
from .._core.dialogue import TranscribeRequest
from .._core.recognition import Recognition as RecognitionMachine
from ..audio import AudioFormat
from ..errors import ConfigurationError
from ..events import FinalTranscript, Gap, Recognition
from ..policy import LivenessPolicy, PoolPolicy, ReplayPolicy, RetryPolicy
from ..providers._codec import Backend, Connector
from .endpoints import Network, Route
from .journaling import Journal, check_new, journal_path, left_behind
from .pool import Pool
from .recognizing import RecognitionSession
from .single import Guard, one_exception
from .speaking import Fallback, Speaking, fallback_models
from .succession import Succession
from .transcript import Transcript

_DEFAULT_STT_FORMAT = AudioFormat.pcm16(16_000)
_BACKEND = ("recogniser", "voice", "transport")
"""The methods of a `Backend`."""


class Client(Speaking):
    """An open client: makes sessions, and owns the connections that they share. Made by `open_client`."""

    def __init__(self, routes: Sequence[Route], network: Network, pool: Pool, replay: ReplayPolicy) -> None:
        super().__init__(routes, network, pool)
        self._replay = replay

    @asynccontextmanager
    async def transcribe(
        self,
        source: AsyncIterable[Any] | None = None,
        audio_format: AudioFormat = _DEFAULT_STT_FORMAT,
        *,
        model: str | None = None,
        language: str | None = None,
        options: Mapping[str, Any] | None = None,
        keyterms: Iterable[str] = (),
        gateway_fallback: Iterable[Fallback] = (),
        journal: str | os.PathLike[str] | None = None,
    ) -> AsyncGenerator[Transcript, None]:
        """A recognition session, for the length of the block.

        `source` is an async iterable of bytes-like chunks of any sizes, which is closed at the end; without one, push
        audio with `Transcript.send`. Entering does not wait for the connection. Leaving before the end abandons the
        session, within ``close_timeout``. What the session dies of cancels the block, and leaves it as one bare
        exception: a `SpeechError`, or what the source raised.

        `journal` names a file for what a crash of this process must not take: see `resume_journal`.

        Raises `ConfigurationError` at once where the request cannot be served.
        """
        self._network.check_open()
        _check_source(source)
        request = checked(
            TranscribeRequest(
                audio_format=audio_format,
                model=model,
                language=language,
                options={} if options is None else options,
                keyterms=listed("keyterms", keyterms),
                fallback=fallback_models(gateway_fallback),
            )
        )
        machine = RecognitionMachine(audio_format, self._replay)
        session = self._session(machine, request)
        if journal is not None:
            path = journal_path(journal)
            check_new(path)
            self._keep_journal(session, machine, request, path)
        async with self._running(session, source) as transcript:
            yield transcript

    @asynccontextmanager
    async def resume_journal(
        self, path: str | os.PathLike[str], source: AsyncIterable[Any] | None = None
    ) -> AsyncGenerator[Transcript, None]:
        """Goes on where a killed process left off: as `transcribe`, with the model and the format of the journal.

        What had been captured and not settled is recognised first; then comes what is sent, or what `source` yields.
        The clock, the ids of finals and the journal go on. Nothing captured is lost; at most the last event that the
        killed process had read comes again, with the same `id`.

        Raises `OSError`, and `ConfigurationError` where the file is no journal, or a session that goes on keeps it.
        """
        self._network.check_open()
        _check_source(source)
        path = journal_path(path)
        with left_behind(path) as recovered:
            request = recovered.header.request
            machine = RecognitionMachine(
                request.audio_format, self._replay, start=recovered.start, ordinal=recovered.ordinal
            )
            machine.recover(recovered.audio)
            session = self._session(machine, request)
            self._keep_journal(session, machine, request, path)
        async with self._running(session, source) as transcript:
            yield transcript

    def _session(self, machine: RecognitionMachine, request: TranscribeRequest) -> RecognitionSession:
        succession = Succession(self._network, self._routes, request)
        return RecognitionSession(machine, succession, request, self._network.liveness, self._network.telemetry)

    def _keep_journal(
        self, session: RecognitionSession, machine: RecognitionMachine, request: TranscribeRequest, path: Path
    ) -> None:
        session.transcript._journal = Journal(path, request, machine.log.unacknowledged, machine.taken)

    @asynccontextmanager
    async def _running(
        self, session: RecognitionSession, source: AsyncIterable[Any] | None
    ) -> AsyncGenerator[Transcript, None]:
        async with one_exception(session.leave, within=self._network.liveness.close_timeout) as guard:
            session.start(guard, source)
            yield session.transcript

    async def recognize(
        self,
        source: AsyncIterable[Any],
        audio_format: AudioFormat = _DEFAULT_STT_FORMAT,
        *,
        model: str | None = None,
        language: str | None = None,
        options: Mapping[str, Any] | None = None,
        keyterms: Iterable[str] = (),
        gateway_fallback: Iterable[Fallback] = (),
        journal: str | os.PathLike[str] | None = None,
    ) -> Recognition:
        """All of `source` at once: takes what `transcribe` takes, and returns when the last word is final.

        Raises what a session dies of: a `SpeechError`, what the source raised, or `OSError` where the journal cannot be
        kept; `ConfigurationError` at once where the request cannot be served. Cancelling it abandons the session,
        within ``close_timeout``.
        """
        if source is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise ConfigurationError("there is no source: give an async iterable of bytes, or use transcribe()")
        async with self.transcribe(
            source,
            audio_format,
            model=model,
            language=language,
            options=options,
            keyterms=keyterms,
            gateway_fallback=gateway_fallback,
            journal=journal,
        ) as transcript:
            events = [event async for event in transcript if isinstance(event, (FinalTranscript, Gap))]
        finals = tuple(event for event in events if isinstance(event, FinalTranscript))
        gaps = tuple(event for event in events if isinstance(event, Gap))
        return Recognition(" ".join(final.text for final in finals if final.text), finals, gaps)


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

    Nothing is dialled before a session asks for it, but what a backend brings itself (`Local`) is started. All that
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
    network = Network(retry, liveness, ssl_context, jitter)
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


def _check_source(source: object) -> None:
    if source is None or hasattr(source, "__aiter__"):
        return
    raise ConfigurationError(
        f"the source is a {type(source).__name__}, not an async iterable of bytes: wrap it in an async generator, "
        "or leave it out and call send()"
    )
