"""Warns once per endpoint when credentials cross a network unencrypted. That is allowed, for private networks."""

from __future__ import annotations

import warnings
from urllib.parse import urlsplit

from ...errors import PlaintextCredentialsWarning
from ...providers._codec import Dial
from ...providers._handshake import is_loopback

_CREDENTIALS = "authorization"


def is_readable(dial: Dial) -> bool:
    """True if this dial sends credentials over an unencrypted connection to another machine."""
    parts = urlsplit(dial.url)
    has_credentials = any(name.lower() == _CREDENTIALS for name, _ in dial.headers)
    return has_credentials and parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def warn_of(dial: Dial) -> None:
    """Issues a `PlaintextCredentialsWarning`, which is raised where the program turns warnings into errors."""
    warnings.warn(
        f"credentials are sent to {urlsplit(dial.url).hostname} unencrypted, readable for everybody on the way: "
        "use an https:// or wss:// address",
        PlaintextCredentialsWarning,
        stacklevel=2,
    )
