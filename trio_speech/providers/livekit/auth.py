"""Finds the credentials and addresses of the LiveKit inference gateway, and makes handshakes with it.

Rules:

1. A key and its secret come as a pair from one source: the arguments, else ``LIVEKIT_INFERENCE_API_KEY`` and
   ``…_SECRET``, else ``LIVEKIT_API_KEY`` and ``…_SECRET``. Half of a pair is an error. It is never completed from the
   next source: the service would refuse a mixed pair later, with a message that explains less.
2. An empty variable counts as unset.
3. A token provider in the place of the key returns the bearer token itself, so it needs no secret.
4. Each dial gets a new token, which lives for `TOKEN_LIFETIME`. It is not refreshed, because sessions may outlive it.
5. No repr and no error shows a secret.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm).
"""

from __future__ import annotations

import time
import warnings
from typing import Any

from msgspec import Struct

from ...errors import ConfigurationError
from .._codec import Dial, TokenProvider
from .._handshake import revealed, setting, user_agent, websocket_base

TOKEN_LIFETIME = 600
"""Seconds for which a token is valid."""

_PRODUCTION = "https://agent-gateway.livekit.cloud/v1"
_STAGING = "https://agent-gateway.staging.livekit.cloud/v1"
_STAGING_MARK = ".staging.livekit.cloud"

_VARIABLES = (
    ("LIVEKIT_INFERENCE_API_KEY", "LIVEKIT_INFERENCE_API_SECRET"),
    ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"),
)


class Credentials(Struct, frozen=True):
    """A key with its secret, or a token provider alone. The repr shows neither."""

    key: str | TokenProvider
    secret: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    async def bearer(self) -> str:
        """Returns a new token, for one dial. Raises what a token provider raises."""
        if isinstance(self.key, str):
            return access_token(self.key, self.secret or "", now=time.time())
        return await revealed(self.key)


def access_token(key: str, secret: str, *, now: float) -> str:
    """Returns a JWT (RFC 7519) that permits inference, signed by HMAC-SHA256. `now` is POSIX time in seconds."""
    import jwt  # noqa: PLC0415  # slow to import, and only those need it who dial with a secret

    began = int(now)
    claims = {"inference": {"perform": True}, "sub": "agent", "iss": key, "nbf": began, "exp": began + TOKEN_LIFETIME}
    # The warning about a short secret is silenced: the service decides, and development servers have short ones.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return jwt.encode(claims, secret, algorithm="HS256")


def given_credentials(api_key: str | TokenProvider | None, api_secret: str | None) -> Credentials | None:
    """Returns the credentials of the arguments, ``None`` without any.

    Raises `ConfigurationError` for half of a pair.
    """
    if callable(api_key):
        if api_secret:
            raise ConfigurationError("api_secret must be left out where api_key is a token provider")
        return Credentials(api_key)
    return _pair(api_key, api_secret, ("api_key", "api_secret"))


def find_credentials(api_key: str | TokenProvider | None, api_secret: str | None) -> Credentials:
    """Returns the credentials of the arguments or else of the environment. Raises `ConfigurationError` without any."""
    found = given_credentials(api_key, api_secret)
    for names in _VARIABLES:
        found = found or _pair(setting(names[0]), setting(names[1]), names)
    if found is None:
        raise ConfigurationError(
            "no credentials for LiveKit: api_key and api_secret are not given, and no environment variable holds them; "
            "give LiveKit(api_key=…, api_secret=…), or set " + ", or ".join(" and ".join(names) for names in _VARIABLES)
        )
    return found


def _pair(key: object, secret: object, names: tuple[str, str]) -> Credentials | None:
    if key and secret:
        if not isinstance(key, str) or not isinstance(secret, str):
            raise ConfigurationError(f"{' and '.join(names)} must both be str")
        if any(each.encode("utf-8", "replace").decode() != each for each in (key, secret)):
            raise ConfigurationError(f"{' and '.join(names)} must be UTF-8 text: set them again")
        return Credentials(key, secret)
    if not key and not secret:
        return None
    there, missing = names if key else reversed(names)
    raise ConfigurationError(f"{there} is set but {missing} is not: set both in the same place")


def find_base(url: str | None) -> str:
    """Returns the base address: that of the argument, or else of the environment, or else LiveKit's own."""
    if url:
        return websocket_base(url, "the url of LiveKit")
    if configured := setting("LIVEKIT_INFERENCE_URL"):
        return websocket_base(configured, "LIVEKIT_INFERENCE_URL")
    staging = _STAGING_MARK in (setting("LIVEKIT_URL") or "")
    return websocket_base(_STAGING if staging else _PRODUCTION, "the default")


async def dial(url: str, credentials: Credentials | None) -> Dial:
    """Returns the handshake for `url`, with a new token. Checkpoints only if a token provider does."""
    agent = ("User-Agent", user_agent())
    if credentials is None:
        return Dial(url, (agent,))
    return Dial(url, (agent, ("Authorization", f"Bearer {await credentials.bearer()}")))
