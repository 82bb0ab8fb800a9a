"""Warns once per endpoint when credentials cross a network unencrypted. That is allowed, for private networks."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ...errors import PlaintextCredentialsWarning
from ...providers._codec import Dial
from ...providers._handshake import is_loopback
from .secret_headers import credentials_in

_NOT_THE_USERS = ("trio_speech._shell", "contextlib")


class CallSite(NamedTuple):
    """A line of the user's program, as `warnings.warn_explicit` wants it."""

    filename: str
    lineno: int
    module: str
    registry: dict[Any, Any]


def call_site() -> CallSite:
    """The line of the user's program that is being run.

    A dial runs in a task of its own, on whose stack no user is found. So the line is looked up when a client is opened.
    """
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(_NOT_THE_USERS):
            registry = frame.f_globals.setdefault("__warningregistry__", {})
            return CallSite(frame.f_code.co_filename, frame.f_lineno, module, registry)
        frame = frame.f_back
    return CallSite("sys", 0, "sys", {})  # what `warnings.warn` names when it finds no frame


def is_readable(dial: Dial) -> bool:
    """True if this dial sends credentials over an unencrypted connection to another machine."""
    parts = urlsplit(dial.url)
    return any(credentials_in(dial)) and parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def warn_of(dial: Dial, opened_at: CallSite) -> None:
    """Issues a `PlaintextCredentialsWarning` for the line at which the client was opened.

    It is raised where the program turns warnings into errors.
    """
    warnings.warn_explicit(
        f"credentials are sent to {urlsplit(dial.url).hostname} unencrypted, readable for everybody on the way: "
        "use an https:// or wss:// address",
        PlaintextCredentialsWarning,
        **opened_at._asdict(),
    )
