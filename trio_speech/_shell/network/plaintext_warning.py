"""Credentials that everybody between here and the service can read: allowed, and said aloud."""

from __future__ import annotations

import warnings
from urllib.parse import urlsplit

from ...errors import PlaintextCredentialsWarning
from ...providers._codec import Dial
from ...providers._handshake import is_loopback

_CREDENTIALS = "authorization"


def is_readable(dial: Dial) -> bool:
    """Whether `dial` takes credentials over a network that does not hide them."""
    parts = urlsplit(dial.url)
    bears = any(name.lower() == _CREDENTIALS for name, _ in dial.headers)
    return bears and parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def warn_of(dial: Dial) -> None:
    """Raises a `PlaintextCredentialsWarning` only where warnings are errors."""
    warnings.warn(
        f"credentials go to {urlsplit(dial.url).hostname} unencrypted, for everybody on the way to read: "
        "use https:// or wss:// in its address",
        PlaintextCredentialsWarning,
        stacklevel=2,
    )
