"""Which headers and other parts of a handshake hold credentials, and so must not be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...providers._codec import Dial

_NAMES = re.compile(r"auth|key|token|secret|password|cookie|credential|signature", re.IGNORECASE)
"""Headers with such a name hold credentials; others, such as versions, are shown, for they explain errors."""


def credentials_in(dial: Dial) -> Iterator[str]:
    """The credentials of a dial: in headers, in `Dial.secret_query`, and offered as subprotocols."""
    for name, value in dial.headers:
        if _NAMES.search(name):
            scheme, blank, credential = value.partition(" ")  # as in "Bearer 123"
            yield credential if blank else scheme
    for _, value in dial.secret_query:
        yield value
    yield from dial.subprotocols
