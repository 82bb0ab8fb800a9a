"""Helps all providers to make handshakes: settings from the environment, addresses, credentials, the user agent."""

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
    """Returns the value of an environment variable, stripped; ``None`` if it is unset, empty or blank."""
    return os.environ.get(variable, "").strip() or None


def websocket_base(url: str, source: str) -> str:
    """Returns `url` as the base of websocket addresses: with the scheme ``ws`` or ``wss``, and no slash at its end.

    Raises `ConfigurationError` if it is not such an address. The error names it by `source` and never quotes it, as it
    may hold a password by mistake.
    """
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{source} must be a str, not {type(url).__name__}")
    return _websocket_base(url, source)


@lru_cache(maxsize=64)  # each session asks, and there are few addresses
def _websocket_base(url: str, source: str) -> str:
    address = url.strip()
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"{source} is not a URL: use an address such as https://host/v1") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ConfigurationError(f"{source} must begin with https://, http://, wss:// or ws:// and name a host")
    if not address.isascii() or not address.isprintable() or " " in address:
        raise ConfigurationError(f"{source} holds characters that a URL must not hold: percent-encode them")
    if parts.username is not None:
        raise ConfigurationError(
            f"{source} must not hold a user name or password: give credentials by arguments of their own"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{source} must not hold a query or a fragment: give the part before ? or #")
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an IP address, is a loopback address of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def bearable(credential: str, source: str) -> str:
    """Returns `credential` unchanged. Raises `ConfigurationError`, not quoting it, if no HTTP header can hold it."""
    if not credential or not credential.isascii() or not credential.isprintable() or " " in credential:
        raise ConfigurationError(
            f"{source} must be printable ASCII without blanks, and not empty: check how it was copied"
        )
    return credential


def api_key(
    given: str | TokenProvider | None, variable: str, service: str, parameter: str = "api_key"
) -> str | TokenProvider:
    """Returns the credential `given`, or else that of the environment `variable`.

    Raises `ConfigurationError` without either. Its message names the `variable`, and the `parameter` of the `service`'s
    backend that the user may give.
    """
    if (key := given_key(given, service, parameter)) is not None:
        return key
    if (key := setting(variable)) is not None:
        return bearable(key, f"the environment variable {variable}")
    missing = "not given" if given is None else "empty"
    unset = "empty" if variable in os.environ else "not set"
    raise ConfigurationError(
        f"no credentials for {service}: {parameter} is {missing}, and the environment variable {variable} is {unset}; "
        f"give {service}({parameter}=…), or set {variable}"
    )


def given_key(
    given: str | TokenProvider | None, service: str, parameter: str = "api_key"
) -> str | TokenProvider | None:
    """Returns the credential `given`, ``None`` if it is empty. Raises `ConfigurationError` if it cannot be used."""
    if not given:
        return None
    if isinstance(given, str):
        return bearable(given, f"{parameter} of {service}")
    if not callable(given):
        raise ConfigurationError(f"{parameter} must be a str or an async callable, not {type(given).__name__}")
    return given


async def authorization(key: str | TokenProvider, scheme: str) -> tuple[str, str]:
    """Returns the ``Authorization`` header: a key with `scheme`, the token of a token provider with ``Bearer``.

    Checkpoints if the token provider does. Raises what `revealed` raises.
    """
    return "Authorization", f"{scheme if isinstance(key, str) else 'Bearer'} {await revealed(key)}"


async def revealed(key: str | TokenProvider) -> str:
    """Returns a key as it is; calls a token provider, and returns its token.

    Checkpoints if the token provider does. Raises `ConfigurationError` if that is not an async callable or does not
    return a usable credential, and whatever it raises.
    """
    if isinstance(key, str):
        return key
    coming = key()
    if not isinstance(coming, Awaitable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("api_key must be an async callable: its result cannot be awaited")
    token = await coming
    if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the token provider api_key must return a str, not {type(token).__name__}")
    return bearable(token, "the token that api_key returned")


@cache
def user_agent() -> str:
    """Returns the value of the ``User-Agent`` header: this library and Python, with their versions."""
    try:
        version = metadata.version("trio-speech")
    except metadata.PackageNotFoundError:
        version = "unknown"
    return f"trio-speech/{version} (python {platform.python_version()})"
