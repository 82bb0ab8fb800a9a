"""Makes sessions wait for permits, by which all workers together keep an endpoint's limits.

A session takes one permit for as long as it runs, and one for each dial. The permit for the first dial is taken before
the session begins, because the session would count the wait as a network failure. `LimitedBackend` takes those for
later dials.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Protocol

import trio

from ..provider import (
    Backend,
    Connector,
    Dial,
    SttCodec,
    SttProfile,
    SttProvider,
    SynthesizeRequest,
    TranscribeRequest,
    TtsProvider,
)
from .options import EndpointLimits


class Permits(Protocol):
    """A source of permits. Its methods are called in the thread of trio."""

    async def acquire(self, name: str, most: int) -> str:
        """Waits until fewer than `most` permits called `name` are held, and takes one. Returns its ticket."""
        ...

    def release(self, name: str, ticket: str, after: float) -> None:
        """Gives the permit with `ticket` back, `after` seconds from now. Returns at once."""
        ...


class SessionPermits:
    """The permits of one session, as an async context manager.

    Entering waits for the permits for the session and for its first dial.
    """

    def __init__(self, permits: Permits, limits: EndpointLimits, endpoint: str) -> None:
        self._permits = permits
        self._limits = limits
        self._streams, self._dials = f"streams of {endpoint}", f"dials of {endpoint}"
        self._stream: str | None = None
        self._dial: str | None = None
        self._is_prepaid = False

    async def __aenter__(self) -> SessionPermits:
        if self._limits.streams is not None:
            self._stream = await self._permits.acquire(self._streams, self._limits.streams)
        try:
            await self.wait_to_dial()
        except BaseException:
            self._give_back(0.0)
            raise
        self._is_prepaid = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A service notices late that a stream was left before its end: it reads the audio in its buffers first.
        self._give_back(_CLOSING if kind is None else _LINGERING)
        await trio.lowlevel.checkpoint()

    async def wait_to_dial(self) -> None:
        """Waits until one more dial may begin. The first dial's permit was taken on entering."""
        if self._is_prepaid:
            self._is_prepaid = False
            return
        self.dialed()
        if self._limits.dials_per_second is not None:
            self._dial = await self._permits.acquire(self._dials, self._limits.dials_per_second)

    def dialed(self) -> None:
        """Call when the dial is over: gives its permit back a second later, when the service no longer counts it."""
        if self._dial is not None:
            self._permits.release(self._dials, self._dial, _SECOND)
            self._dial = None

    def _give_back(self, after: float) -> None:
        self.dialed()
        if self._stream is not None:
            self._permits.release(self._streams, self._stream, after)
            self._stream = None


_SECOND = 1.0
_CLOSING = 0.1  # a busy service counts a stream for a moment after it has answered the close
_LINGERING = 5.0
SESSION: ContextVar[SessionPermits | None] = ContextVar("SESSION", default=None)
"""The permits of the session that is being opened in this task."""


class LimitedBackend:
    """A backend whose recognizers wait for a permit before each dial. Sessions are opened with `SESSION` set."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __repr__(self) -> str:
        return repr(self._backend)

    def recognizer(self, request: TranscribeRequest) -> SttProvider:
        """See `Backend`."""
        provider, permits = self._backend.recognizer(request), SESSION.get()
        return provider if permits is None else LimitedRecognizer(provider, permits)

    def voice(self, request: SynthesizeRequest) -> TtsProvider:
        """See `Backend`."""
        return self._backend.voice(request)

    def transport(self) -> AbstractAsyncContextManager[Connector] | None:
        """See `Backend`."""
        return self._backend.transport()


class LimitedRecognizer:
    """See `SttProvider`."""

    def __init__(self, provider: SttProvider, permits: SessionPermits) -> None:
        self._provider = provider
        self._permits = permits

    @property
    def profile(self) -> SttProfile:
        return self._provider.profile

    @property
    def endpoint(self) -> str:
        return self._provider.endpoint

    @property
    def url(self) -> str:
        return self._provider.url

    async def dial(self) -> Dial:
        await self._permits.wait_to_dial()
        return await self._provider.dial()

    def codec(self) -> SttCodec:
        self._permits.dialed()  # a codec is made once there is a connection, so the dial is over
        return self._provider.codec()
