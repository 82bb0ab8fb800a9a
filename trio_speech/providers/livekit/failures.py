"""Converts the gateway's errors. Their codes are HTTP status codes, and a few of the gateway's own.

HTTP status codes have their usual meaning. The official clients do the same, except that they give up on 425.

Source: the official clients, livekit-agents 1.8.9 (PyPI) and @livekit/agents 1.9.0 (npm): a code from 400 to 499, but
for 408, 429 and 499, is final; 2007 ends a session that sent nothing for about half an hour; a close of any code may
pass.
"""

from __future__ import annotations

from ..._core.provider.messages import Failure
from . import wire

INACTIVE = 2007
"""The code with which the gateway ends a session that sent nothing for about half an hour."""

_LONGEST_CODE = 9


def failure(error: wire.Error) -> Failure:
    """Returns the protocol's error as a `Failure`. A code that is written in digits becomes a number."""
    code = error.code
    if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) <= _LONGEST_CODE:
        code = int(code)
    request_id = error.request_id or error.session_id
    return Failure(message=error.message or "no reason given", code=code, request_id=request_id)
