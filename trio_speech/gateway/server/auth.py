"""Checks bearer tokens of the LiveKit inference protocol: JWTs signed with HS256 and an API key's secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

_LEEWAY = 60  # seconds, as LiveKit's own verifiers allow


class Unauthorized(Exception):
    """The handshake must be refused with 401. The message contains no part of the token."""


class Authenticator:
    """Accepts tokens signed with one of `keys`, a mapping of API keys to their secrets."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = dict(keys)

    def check(self, authorization: str | None) -> None:
        """Returns when the value of the ``Authorization`` header is valid, else raises `Unauthorized`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("a bearer token is missing")
        try:
            claims = self._claims(token.strip())
        except jwt.ExpiredSignatureError:
            raise Unauthorized("the token has expired") from None
        except (jwt.InvalidTokenError, RecursionError) as error:  # older releases of PyJWT let the latter through
            raise Unauthorized(f"the token is not valid: {type(error).__name__}") from None
        grant = claims.get("inference")
        if not isinstance(grant, dict) or grant.get("perform") is not True:
            raise Unauthorized("the token does not grant inference")

    def _claims(self, token: str) -> dict[str, Any]:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        secret = self._keys.get(issuer) if isinstance(issuer, str) else None
        if secret is None:
            raise jwt.InvalidIssuerError
        return jwt.decode(token, secret, algorithms=["HS256"], options={"require": ["exp"]}, leeway=_LEEWAY)
