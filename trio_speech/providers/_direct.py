"""Base classes of the backends that reach one provider directly, by its API key, with no gateway between."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import asdict

from ..errors import ConfigurationError
from ._codec import TokenProvider
from ._handshake import api_key, given_key, websocket_base


class Keyed(Struct, frozen=True):
    """A value with a credential in a field named `key`, which its repr does not show."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in asdict(self).items() if name != "key"]


class Direct(Struct, frozen=True):
    """A backend with one API key and one base address.

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

    def transport(self) -> None:
        """``None``: dials go over the network."""

    def _base(self) -> str:
        return websocket_base(self.url or self.home, f"the url of {self.service}")

    def _key(self) -> str | TokenProvider:
        return api_key(self.api_key, self.variable, self.service)


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
