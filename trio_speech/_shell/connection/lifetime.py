"""What ends a connection, who notices, and that it is told once."""

from __future__ import annotations

import math

import trio
import trio_websocket as tw

from ..._core.retry.causes import Cause, Silent
from ..concurrency.wakeup import Wakeup
from .byte_stream import LinkDown
from .shared_stream import SharedStream

_PATIENCE = 1.0
"""Seconds that the first send may begin unnoticed: all later ones are timed to the moment."""

GONE = (tw.ConnectionClosed, trio.ClosedResourceError, trio.BrokenResourceError)


class Lifetime:
    """What ends a connection, and of what it ended."""

    def __init__(self, tap: SharedStream, scope: trio.CancelScope) -> None:
        self.tap = tap
        self.scope = scope
        self.cause: Cause | None = None
        self.parting = False
        """A goodbye is being said: who meets the end meanwhile does not cut it short."""
        self.sending_until = math.inf
        self.patience = _PATIENCE
        self._news = Wakeup()

    def end(self, cause: Cause) -> LinkDown:
        """The first cause stays; what is returned is to be raised."""
        if self.cause is None:
            self.cause = cause
        if not self.parting:
            self.scope.cancel(reason=str(cause))
        return LinkDown(self.cause)

    async def watch_sends(self) -> None:
        """One timer for all sends: it rests no longer than a send may take, so none begun meanwhile is missed."""
        self.tap.on_end = self._news.fire
        while self.tap.ended is None or self.sending_until != math.inf:
            now = trio.current_time()
            if now >= self.sending_until:
                self.end(Silent("progress in sending", self.patience))
            await self._news.wait_until(min(self.sending_until, now + self.patience))
