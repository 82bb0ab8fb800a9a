"""Base classes of the backends that reach one provider directly, by its API key, with no gateway between."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import asdict

from .._core.provider.profile import SttProfile, TtsProfile
from .._core.provider.requests import SynthesizeRequest, TranscribeRequest
from ..errors import ConfigurationError
from ._accept import accept_format, refuse_fallback
from ._codec import Dial, SttProvider, TokenProvider, TtsProvider
from ._handshake import api_key, authorization, given_key, user_agent, websocket_base


class Keyed(Struct, frozen=True):
    """A value with a credential in a field named `key`, which its repr does not show."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in asdict(self).items() if name != "key"]


class Addressed(Keyed, frozen=True):
    """The part of a recognizer or a voice that is about its connections: address, settings in its query, credential.

    Without a `key` the handshake has no credential.
    """

    scheme: ClassVar[str] = "Bearer"
    """What stands before a key in the header ``Authorization``."""

    endpoint: str
    query: str
    key: str | TokenProvider | None

    @property
    def url(self) -> str:
        """See `SttProvider`."""
        return f"{self.endpoint}?{self.query}" if self.query else self.endpoint

    async def dial(self) -> Dial:
        """See `SttProvider`."""
        credential = () if self.key is None else (await authorization(self.key, self.scheme),)
        return Dial(self.url, (("User-Agent", user_agent()), *credential))


class Direct(Struct, frozen=True):
    """A backend with one API key and one base address, which recognizes or speaks where a subclass says how.

    A subclass sets three class variables: `service` is its name in messages, `home` the provider's own
    address, `variable` the environment variable that may hold the key.
    """

    service: ClassVar[str]
    home: ClassVar[str]
    variable: ClassVar[str]

    api_key: str | TokenProvider | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        # Arguments are checked here; the environment is read later, as it may change before a session is opened.
        self._base()
        given_key(self.api_key, self.service)

    def __repr__(self) -> str:
        return f"{self.service}(url={self.url!r})" if self.url else f"{self.service}()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.url)] if self.url else []

    def recognizer(self, request: TranscribeRequest) -> SttProvider:
        """Raises `ConfigurationError`, unless it is overridden: the service does not recognize speech."""
        raise ConfigurationError(
            f"{self.service}() speaks and does not recognize speech: "
            "use Deepgram(), ElevenLabs(), OpenAI(), LiveKit(), or Local()",
            model=request.model,
        )

    def voice(self, request: SynthesizeRequest) -> TtsProvider:
        """Raises `ConfigurationError`, unless it is overridden: the service does not speak."""
        raise ConfigurationError(
            f"{self.service}() recognizes speech and does not speak: "
            "use Deepgram(), ElevenLabs(), Cartesia(), LiveKit(), or Local()",
            model=request.model,
        )

    def transport(self) -> None:
        """``None``: dials go over the network."""

    def _accepted(
        self, request: TranscribeRequest | SynthesizeRequest, profile: SttProfile | TtsProfile, model: str | None
    ) -> str | TokenProvider | None:
        """Returns the credential for a request.

        Raises `ConfigurationError` without one, or if a service with this profile does not take the request's format.
        """
        key = self._key()
        accept_format(request.audio_format, profile, model=model)
        refuse_fallback(request.fallback, self.service)
        return key

    def _base(self) -> str:
        return websocket_base(self.url or self.home, f"the url of {self.service}")

    def _key(self) -> str | TokenProvider | None:
        return api_key(self.api_key, self.variable, self.service)


def needed_voice(voice: str | None, model: str, service: str) -> str:
    """Returns `voice`, for services that have no default. Raises `ConfigurationError` without one."""
    if not voice:
        raise ConfigurationError(
            f"voice must be the id of a voice of {service}: give voice=…, or model='{model}:<id>'", model=model
        )
    return voice


def split_named(name: str | None, service: str, default: str) -> tuple[str, str | None]:
    """Splits ``[service/]model[:suffix]`` into model and suffix (or ``None``). A missing model becomes `default`.

    Raises `ConfigurationError` if the name has the prefix of another service.
    """
    provider = service.lower()
    given, slash, model = (name or default).rpartition("/")
    if slash and given != provider:
        raise ConfigurationError(
            f"model is {name!r}, which is not a model of {service}: use {provider}/model, or the model alone"
        )
    model, _, suffix = model.partition(":")
    return default if model in ("", provider) else model, suffix or None
