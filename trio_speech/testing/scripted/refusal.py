"""Refuses a websocket handshake, as a planned `Refuse` or a wire's says."""

from __future__ import annotations

from typing import NoReturn

import trio

from ..._core.retry.causes import Refused
from ..._shell.connection import Handshake, LinkDown
from .faults import Refuse
from .visits import Visit


async def refuse(handshake: Handshake, refusal: Refuse, visit: Visit) -> NoReturn:
    """Answers with the refusal's status and body. Always raises `LinkDown`."""
    visit.struck.append((trio.current_time(), refusal))
    after = refusal.retry_after
    headers = () if after is None else (("Retry-After", after if isinstance(after, str) else f"{after:g}"),)
    await handshake.reject(refusal.status, refusal.body.encode(), headers)
    visit.end(trio.current_time(), f"refused with HTTP {refusal.status}")
    raise LinkDown(Refused(refusal.status))
