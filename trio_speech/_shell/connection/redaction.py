"""Makes text that a server sent safe to show: removes the credentials that were sent to it, and control characters.

A server may quote the credential that it refuses: in a body, a header, a close reason, or an error of its protocol. All
of these end up in errors, events, logs and spans, so they are redacted as soon as they are received.

Laws
    1. No `_WINDOW` successive characters of a credential, or of one of its usual encodings, are shown; a credential
       that is shorter is not shown as a whole. So a credential that is quoted in part is found too.
    2. What is shown is one line of printable characters: a server can neither forge log lines nor hide text.
    3. What is shown has at most `_LONGEST` characters.
    4. The debug log of trio-websocket, which quotes close reasons and pings, is redacted too, for our connections.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from functools import cached_property
from itertools import groupby
from typing import TypeVar
from urllib.parse import quote, quote_plus

from msgspec.structs import replace

from ..._core.provider.messages import Failure

_Message = TypeVar("_Message")

_WINDOW = 10
_SHORTEST = 6
"""Shorter values are not treated as credentials: they would be found in ordinary words."""
_LONGEST = 500
_LOOKED_AT = 4 * _LONGEST
_REMOVED = "[credential]"


class Redactor:
    """Redacts the texts of one server, to which `credentials` were sent."""

    def __init__(self, credentials: Iterable[str] = ()) -> None:
        self._credentials = [each for each in credentials if len(each) >= _SHORTEST]

    def text(self, text: str) -> str:
        """Returns `text` as it may be shown."""
        return _printable(self._without_credentials(text[:_LOOKED_AT]))[:_LONGEST]

    def optional(self, text: str | None) -> str | None:
        """Returns `text` as it may be shown; ``None`` for ``None``."""
        return None if text is None else self.text(text)

    def message(self, message: _Message) -> _Message:
        """Returns a codec's message, with its texts redacted if it is a `Failure`."""
        if not isinstance(message, Failure):
            return message
        code = message.code
        return replace(
            message,
            message=self.text(message.message),
            code=self.text(code) if isinstance(code, str) else code,
            request_id=self.optional(message.request_id),
        )

    def _without_credentials(self, text: str) -> str:
        found = bytearray(len(text))
        for size, windows in self._windows.items():
            for at in range(len(text) - size + 1):
                if text[at : at + size] in windows:
                    found[at : at + size] = b"\1" * size
        runs = groupby(zip(found, text, strict=True), key=lambda pair: pair[0])
        return "".join(_REMOVED if hidden else "".join(pair[1] for pair in run) for hidden, run in runs)

    @cached_property
    def _windows(self) -> dict[int, set[str]]:
        """All strings of `_WINDOW` successive characters of each encoding, by length.

        Made at the first text to redact.
        """
        windows: dict[int, set[str]] = {}
        for form in (form for credential in self._credentials for form in _encodings(credential)):
            size = min(_WINDOW, len(form))
            windows.setdefault(size, set()).update(form[at : at + size] for at in range(len(form) - size + 1))
        return windows


def _encodings(credential: str) -> Iterator[str]:
    """Yields a credential as it is, as in a URL (hexadecimal digits of either case), as in JSON, and as in base64."""
    yield credential
    yield credential.replace("/", "\\/")
    for quoted in (quote(credential, safe=""), quote_plus(credential)):
        yield quoted
        yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
    data = credential.encode()
    for shift in range(3):  # three bytes make four characters, so a text may begin at three places in them
        encoded = base64.b64encode(bytes(shift) + data).decode()
        # Characters that also depend on the bytes before and after are left out.
        own = encoded[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        yield own
        yield own.translate({ord("+"): "-", ord("/"): "_"})


def _printable(text: str) -> str:
    """Returns `text` with all characters escaped that are not printable, as in a string literal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


_of_this_connection: ContextVar[Redactor] = ContextVar("trio_speech_redactor")


def redact_library_log(redactor: Redactor) -> None:
    """Redacts what trio-websocket logs in this task, and in the tasks that it starts from now on."""
    _of_this_connection.set(redactor)


class _LibraryLogFilter(logging.Filter):
    """Leaves the records of a program's own websockets as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        redactor = _of_this_connection.get(None)
        if redactor is not None:
            record.msg, record.args = redactor.text(record.getMessage()), ()
        return True


logging.getLogger("trio-websocket").addFilter(_LibraryLogFilter())
