"""The interfaces of a provider, and the handshake that it asks for.

A `Backend` is a frozen value that the user makes, such as ``LiveKit()``. Given a request it makes a *provider*, which
says how to dial and what the service is like. The provider makes a fresh *codec* for each connection, which translates
between the service's frames and the messages of this library, and may keep state of that one connection.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlencode

from msgspec import Struct

from .._core.provider.messages import SttMessage, TtsMessage
from .._core.provider.profile import SttProfile, TtsProfile
from .._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest

Frame: TypeAlias = str | bytes
"""One websocket message: ``str`` is sent as text, ``bytes`` as binary."""

Connector: TypeAlias = Callable[["Dial"], Awaitable[Any]]
"""An async callable that opens the byte stream (a `trio.abc.Stream`) for a dial, instead of TCP and TLS."""

TokenProvider: TypeAlias = Callable[[], Awaitable[str]]
"""An async callable without arguments that returns a fresh credential. It is called for each dial."""


class Dial(Struct, frozen=True):
    """One websocket handshake to make.

    Fields:
        url: The address, with the scheme ``ws`` or ``wss``. It must hold no secret, for it is shown in errors and logs.
        headers: Names and values of HTTP headers.
        secret_query: Names and values of query parameters that are credentials, for services that take them in no other
            way. They are added to `url` where the dial is made, and nowhere else.
        subprotocols: The websocket subprotocols to offer. Some services take a credential as one of them.

    The repr shows `url` alone, without its query.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    secret_query: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """`url` with `secret_query`. It is a secret where that is not empty."""
        if not self.secret_query:
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(self.secret_query)}"

    def __repr__(self) -> str:
        return f"Dial({self._shown!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self._shown)]

    @property
    def _shown(self) -> str:
        return self.url.partition("?")[0]


class NeedsNewLink(Struct, frozen=True):
    """The answer of `SttCodec.update` where a running connection cannot be changed, and a new one can be opened so."""


class SttCodec(Protocol):
    """Translates one recognition connection. No method does I/O or waits.

    A method that makes a frame returns ``None`` where the protocol has no such message. A codec that inherits from this
    class has such a method for all but `audio` and `decode`. The session calls `open` once, then the others in any
    order, and `close` last; after that it goes on to `decode` until the service ends.

    Laws:
        1. Times are seconds on the clock of this connection, which is 0 at the first sample given to `audio`.
        2. `Acknowledged` and the end of a final never lie behind words that are still to come: what they cover is not
           sent again. A service whose watermark runs ahead of its words needs a codec that holds it back.
        3. A final comes once. Where a service says it twice (plain, then formatted), the codec gives the one that is
           not revised any more. A final that may come twice has an `id`.
        4. Finals come in the order of their audio. Where a service finishes utterances out of order, the codec holds
           the later ones back.
        5. `FinalizeAnswered` is said only for an answer to `finalize`, never for an end that the service found itself.
        6. Audio that the service reports as failed is `Unheard`, which comes instead of its final. Silence is not.
        7. `TurnOver` comes after the finals of its turn. A turn that may still go on is a preflight result, and an
           interim result takes that back.
        8. What `decode` does not know is `Unknown`. What is malformed raises `ProtocolError`, which quotes no content.
    """

    def open(self) -> Iterable[Frame]:
        """The frames to send right after the handshake, before any audio.

        Where the profile `waits_for_opened`, the audio follows once `decode` has returned `Opened`.
        """
        return ()

    @abstractmethod
    def audio(self, pcm: bytes | memoryview) -> Frame:
        """The frame that carries a piece of audio, in the format of the request.

        It may be silence that the profile asks for (`filler`, `least_finalized`); the clock of law 1 counts it.
        """
        ...

    def finalize(self) -> Frame | None:
        """The request for a final transcript of the audio sent so far."""
        return None

    def update(self, change: Change) -> Frame | NeedsNewLink | None:
        """The request for a change of the session; ``None`` where it changes nothing.

        With `NeedsNewLink` the session moves to a new connection in the next pause of the audio, and half a minute
        later at the latest: one for the changed request, of which `Backend.recognizer` makes the provider. Raises
        `ConfigurationError` where the service cannot make the change at all. Unless it is overridden, any change needs
        a new connection, as where all settings are in the address.
        """
        return NeedsNewLink()

    def keepalive(self) -> Frame | None:
        """The frame that keeps a connection open on which no audio is sent."""
        return None

    def close(self) -> Frame | None:
        """The request to end the session. The service may still send finals."""
        return None

    @abstractmethod
    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        """The messages in one frame of the service. Raises `ProtocolError` where it is malformed."""
        ...


class TtsCodec(Protocol):
    """Translates one synthesis connection, one generation of speech after the other. No method does I/O or waits.

    A *generation* is the speech for one piece of text: what `speak` asks for, until its `Done`. Where the profile
    allows several `generations` on one connection, each has a codec of its own, and each codec is given all frames.
    A codec that inherits from this class has a method that makes no frame for all but `speak` and `decode`.

    Laws:
        1. A codec speaks of its own generation alone, and says `Done` once for each, after all its audio. Words may
           follow within `TtsProfile.quiet_after_done`.
        2. After `cancel`, the next `Done` is that of the abandoned generation, whenever it comes. Audio of it that is
           still on its way comes before that `Done`, or not at all.
        3. Word times are seconds from the first audio of the generation, whatever clock the service uses.
        4. What `decode` does not know is `Unknown`. What is malformed raises `ProtocolError`, which quotes no content.
    """

    def open(self) -> Iterable[Frame]:
        """The frames to send right after the handshake, once for each connection."""
        return ()

    @abstractmethod
    def speak(self, text: str) -> Iterable[Frame]:
        """The frames that ask for a new generation, which speaks all of `text`. It has no blanks at its ends."""
        ...

    def cancel(self) -> Frame | None:
        """The request to abandon the generation; ``None``: there is none. Then its end is awaited, up to a second."""
        return None

    def keepalive(self) -> Frame | None:
        """The frame to send every `TtsProfile.keepalive` seconds; ``None``: none is needed now."""
        return None

    def close(self) -> Frame | None:
        """The request to end the connection; ``None``: it is closed without one."""
        return None

    @abstractmethod
    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        """The messages in one frame of the service. Raises `ProtocolError` where it is malformed."""
        ...


class SttProvider(Protocol):
    """A recognizer, set up for one request."""

    @property
    def profile(self) -> SttProfile:
        """What the service is like."""
        ...

    @property
    def endpoint(self) -> str:
        """The service's address for messages and for the retry budget that all sessions share. It holds no secret."""
        ...

    @property
    def url(self) -> str:
        """The address that is dialed. It holds no secret. Requests of equal `url` may use each other's connections."""
        ...

    async def dial(self) -> Dial:
        """The handshake to make, with a fresh credential where those expire. Called once for each dial."""
        ...

    def codec(self) -> SttCodec:
        """A new codec, for one connection."""
        ...


class TtsProvider(Protocol):
    """A voice, set up for one request."""

    @property
    def profile(self) -> TtsProfile:
        """What the service is like."""
        ...

    @property
    def endpoint(self) -> str:
        """The service's address for messages and for the retry budget that all sessions share. It holds no secret."""
        ...

    @property
    def pool_key(self) -> object:
        """A hashable value; requests of equal keys may use each other's connections."""
        ...

    async def dial(self) -> Dial:
        """The handshake to make, with a fresh credential where those expire. Called once for each dial."""
        ...

    def codec(self) -> TtsCodec:
        """A new codec, for one connection, or for one of the generations that share it."""
        ...


class Backend(Protocol):
    """A service, as `open_client` takes it: a frozen value whose repr shows no secret. `LiveKit` is one."""

    def recognizer(self, request: TranscribeRequest) -> SttProvider:
        """The recognizer for a request. Raises `ConfigurationError` where the service cannot serve it."""
        ...

    def voice(self, request: SynthesizeRequest) -> TtsProvider:
        """The voice for a request. Raises `ConfigurationError` where the service cannot serve it."""
        ...

    def transport(self) -> AbstractAsyncContextManager[Connector] | None:
        """What opens byte streams, entered by the client for its own lifetime; ``None``: dials go over the network."""
        ...
