"""Finds the credentials in a handshake, so that they can be kept out of messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...providers._codec import Dial

_NAMES = re.compile(r"auth|key|token|secret|password|cookie|credential|signature", re.IGNORECASE)
"""Headers whose names match hold credentials. Others, such as versions, may be shown, as they explain errors."""


def credentials_in(dial: Dial) -> Iterator[str]:
    """Yields the credentials of a dial: in headers, in `Dial.secret_query`, and offered as subprotocols."""
    for name, value in dial.headers:
        if _NAMES.search(name):
            scheme, blank, credential = value.partition(" ")  # as in "Bearer 123"
            yield credential if blank else scheme
    for _, value in dial.secret_query:
        yield value
    yield from dial.subprotocols
