"""What dials of all providers have in common: settings from the environment, addresses, and who we say we are."""

from __future__ import annotations

import ipaddress
import os
import platform
from collections.abc import Awaitable
from functools import cache, lru_cache
from importlib import metadata
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ._codec import TokenProvider

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def setting(variable: str) -> str | None:
    """The value of an environment variable; an empty or blank one counts as unset."""
    return os.environ.get(variable, "").strip() or None


def websocket_base(url: str, source: str) -> str:
    """`url` as the base of websocket addresses: its scheme made ``ws`` or ``wss``, no slash at its end.

    Raises `ConfigurationError` naming `source`. It never quotes the address, which may hold a password by mistake.
    """
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{source} is no string, but of type {type(url).__name__}")
    return _websocket_base(url, source)


@lru_cache(maxsize=64)  # asked for with each session, of few addresses
def _websocket_base(url: str, source: str) -> str:
    address = url.strip()
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"{source} is not a URL") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ConfigurationError(f"{source} is not an address such as https://host/v1, http://…, wss://… or ws://…")
    if not address.isascii() or not address.isprintable() or " " in address:
        raise ConfigurationError(f"{source} holds characters that a URL cannot hold: percent-encode them")
    if parts.username is not None:
        raise ConfigurationError(f"{source} holds a user name or a password: give credentials apart from the address")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{source} holds a query or a fragment: give the part before it")
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, stands for this machine to itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def bearable(credential: str, source: str) -> str:
    """`credential`, fit for a header; raises `ConfigurationError`, without quoting it, where it is not."""
    if not credential or not credential.isascii() or not credential.isprintable() or " " in credential:
        raise ConfigurationError(
            f"{source} is no usable credential: it is empty, or holds blanks or control characters"
        )
    return credential


def api_key(given: str | TokenProvider | None, variable: str, service: str) -> str | TokenProvider:
    """The credential `given`, or else the environment's. Raises `ConfigurationError` where there is none to use."""
    key = given_key(given or setting(variable), service)
    if key is None:
        raise ConfigurationError(
            f"no credentials for {service}: give {service}(api_key=…), or set the environment variable {variable}"
        )
    return key


def given_key(given: str | TokenProvider | None, service: str) -> str | TokenProvider | None:
    """The credential `given`, or ``None`` where it is empty. Raises `ConfigurationError` where it cannot be used."""
    if not given:
        return None
    if isinstance(given, str):
        return bearable(given, f"the API key of {service}")
    if not callable(given):
        raise ConfigurationError(f"api_key is of type {type(given).__name__}: give a string, or an async callable")
    return given


async def authorization(key: str | TokenProvider, scheme: str) -> tuple[str, str]:
    """The header: a key goes by `scheme`, and what a token provider returns as a bearer token. Awaits the provider."""
    if isinstance(key, str):
        return "Authorization", f"{scheme} {key}"
    return "Authorization", f"Bearer {await provided(key)}"


async def provided(provider: TokenProvider) -> str:
    """What a token provider returns. Raises `ConfigurationError` where that is no credential, or not to be awaited."""
    coming = provider()
    if not isinstance(coming, Awaitable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("the token provider is no async function: its result cannot be awaited")
    token = await coming
    if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the token provider returned a value of type {type(token).__name__}: give a string")
    return bearable(token, "the result of the token provider")


@cache
def user_agent() -> str:
    """Names this library and its version, and the version of Python."""
    try:
        version = metadata.version("trio-speech")
    except metadata.PackageNotFoundError:
        version = "unknown"
    return f"trio-speech/{version} (python {platform.python_version()})"
