"""Warns once per endpoint when credentials cross a network unencrypted. That is allowed, for private networks."""

from __future__ import annotations

import warnings
from urllib.parse import urlsplit

from ...errors import PlaintextCredentialsWarning
from ...providers._codec import Dial
from ...providers._handshake import is_loopback

_CREDENTIALS = ("authorization", "key", "token")
"""Parts of the names of headers that carry credentials."""


def is_readable(dial: Dial) -> bool:
    """True if this dial sends credentials over an unencrypted connection to another machine."""
    parts = urlsplit(dial.url)
    names = [name.lower() for name, _ in dial.headers]
    has_credentials = bool(dial.secret_query) or any(mark in name for name in names for mark in _CREDENTIALS)
    return has_credentials and parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def warn_of(dial: Dial) -> None:
    """Issues a `PlaintextCredentialsWarning`, which is raised where the program turns warnings into errors."""
    warnings.warn(
        f"credentials are sent to {urlsplit(dial.url).hostname} unencrypted, readable for everybody on the way: "
        "use an https:// or wss:// address",
        PlaintextCredentialsWarning,
        stacklevel=2,
    )
