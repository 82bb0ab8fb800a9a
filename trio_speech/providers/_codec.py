"""What a provider must be: three small interfaces, and the dial they produce.

A `Backend` is a frozen value that the user makes. From it and a request comes a *provider*, which knows how to dial and
what it is like; each connection gets a fresh *codec* from it, which may keep state of that one connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from .._core.provider.messages import SttMessage, TtsMessage
from .._core.provider.profile import SttProfile, TtsProfile
from .._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest

Frame: TypeAlias = str | bytes
"""One websocket message: ``str`` is sent as text, ``bytes`` as binary."""

Connector: TypeAlias = Callable[["Dial"], Awaitable[Any]]
"""Opens the byte stream (a `trio.abc.Stream`) for a dial, instead of TCP and TLS."""

TokenProvider: TypeAlias = Callable[[], Awaitable[str]]
"""An async callable that returns a fresh credential; called once per dial."""


class Dial(Struct, frozen=True):
    """One handshake to make. `headers` holds credentials, so no repr shows it."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Dial({self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.url)]


class SttCodec(Protocol):
    """One recognition connection's wire. Encoders return ``None`` where the protocol has no such message."""

    def open(self) -> Iterable[Frame]:
        """What to send right after the handshake, before any audio."""
        ...

    def audio(self, pcm: bytes | memoryview) -> Frame:
        """One chunk of audio."""
        ...

    def finalize(self) -> Frame | None:
        """Ask for the final of what is pending."""
        ...

    def update(self, change: Change) -> Frame | None:
        """A live change; raises `ConfigurationError` where it cannot be made."""
        ...

    def keepalive(self) -> Frame | None:
        """What to send when there is no audio."""
        ...

    def close(self) -> Frame | None:
        """The polite end of the session."""
        ...

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        """What one message from the service says; raises `ProtocolError` where it is malformed."""
        ...


class TtsCodec(Protocol):
    """One synthesis connection's wire: one generation at a time."""

    def open(self) -> Iterable[Frame]:
        """What to send right after the handshake, once per connection."""
        ...

    def text(self, text: str) -> Frame:
        """A piece of the current generation's text, of characters that a frame can hold."""
        ...

    def flush(self) -> Frame:
        """No more text for this generation: speak the rest, then say done."""
        ...

    def cancel(self) -> Frame | None:
        """Abandon the generation. ``None``: the service cannot be told, and its end is waited for, a second at most."""
        ...

    def close(self) -> Frame | None:
        """The polite end of the connection."""
        ...

    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        """What one message from the service says; raises `ProtocolError` where it is malformed."""
        ...


class SttProvider(Protocol):
    """A recognizer as one request sees it."""

    @property
    def profile(self) -> SttProfile: ...
    @property
    def endpoint(self) -> str:
        """Names the service in messages and keys its shared retry budget; holds no secret."""
        ...

    @property
    def url(self) -> str:
        """What is dialed; holds no secret. A connection made for one request serves any other of the same address."""
        ...

    async def dial(self) -> Dial:
        """Credentials are minted here, anew for each dial."""
        ...

    def codec(self) -> SttCodec: ...


class TtsProvider(Protocol):
    """A voice as one request sees it. Requests of equal `pool_key` may share connections."""

    @property
    def profile(self) -> TtsProfile: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def pool_key(self) -> object: ...

    async def dial(self) -> Dial: ...

    def codec(self) -> TtsCodec: ...


class Backend(Protocol):
    """A service that the user names: a frozen value whose repr shows no secret."""

    def recognizer(self, request: TranscribeRequest) -> SttProvider:
        """Raises `ConfigurationError` where the request cannot be served."""
        ...

    def voice(self, request: SynthesizeRequest) -> TtsProvider:
        """Raises `ConfigurationError` where the request cannot be served."""
        ...

    def transport(self) -> AbstractAsyncContextManager[Connector] | None:
        """Opened by the client for its own lifetime; ``None``: dial over the network."""
        ...
