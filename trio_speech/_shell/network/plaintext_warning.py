"""Warns once per endpoint when credentials are sent unencrypted to another machine. Private networks may need that."""

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
    """A line of the user's program, as arguments for `warnings.warn_explicit`."""

    filename: str
    lineno: int
    module: str
    registry: dict[Any, Any]


def call_site() -> CallSite:
    """Returns the line of the user's program that is being run.

    Called when a client is opened: a dial runs in a task of its own, with no frame of the user's on its stack.
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
    """Whether this dial sends credentials over an unencrypted connection to another machine."""
    parts = urlsplit(dial.url)
    return any(credentials_in(dial)) and parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def warn_of(dial: Dial, opened_at: CallSite) -> None:
    """Issues a `PlaintextCredentialsWarning` for the line at which the client was opened.

    If the program turns warnings into errors, it is raised here.
    """
    warnings.warn_explicit(
        f"credentials are sent to {urlsplit(dial.url).hostname} unencrypted, readable for everybody on the way: "
        "use an https:// or wss:// address",
        PlaintextCredentialsWarning,
        **opened_at._asdict(),
    )
