"""Ends a connection when its stream ends or a deadline passes, and keeps the first reason why it ended."""

from __future__ import annotations

import math

import trio
import trio_websocket as tw

from ..._core.retry.causes import Cause, Silent
from ..concurrency.wakeup import Wakeup

_REFUSAL_TIMEOUT = 1.0
"""Seconds for the body of a refusal, after its head."""

_FIRST_SEND_TIMEOUT = 1.0
"""Seconds between checks for a first send. Later sends are timed exactly."""

GONE = (tw.ConnectionClosed, trio.ClosedResourceError, trio.BrokenResourceError)
"""What trio-websocket and streams raise once a connection is gone."""


class LinkDown(Exception):
    """A connection is gone, or could not be made. Internal: sessions turn `cause` into a retry or a public error."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Lifetime:
    """Ends one connection. Holds the cause, the cancel scope of its tasks, and the deadline of the current send."""

    def __init__(self, scope: trio.CancelScope) -> None:
        self.handshake = trio.CancelScope()
        """The scope in which the opening handshake is made."""
        self.cause: Cause | None = None
        self.is_closing = False
        """True during the closing handshake, which other failures must not cut short."""
        self.send_deadline = math.inf
        self.send_timeout = _FIRST_SEND_TIMEOUT
        self._scope = scope
        self._stream_has_ended = False
        self._changed = Wakeup()

    def end(self, cause: Cause) -> LinkDown:
        """Cancels the connection's tasks; returns the exception to raise, with the first cause that was given."""
        if self.cause is None:
            self.cause = cause
        if not self.is_closing:
            self._scope.cancel(reason=str(cause))
        return LinkDown(self.cause)

    def stream_ended(self) -> None:
        """Call when the byte stream has ended. Cancels a handshake under way, as trio-websocket would wait for ever."""
        self._stream_has_ended = True
        self.handshake.cancel(reason="the stream ended during the handshake")
        self._changed.fire()

    def handshake_refused(self) -> None:
        """Call when the head of a refusal has come. Gives its body, which may never end, a second to arrive."""
        self.handshake.deadline = min(self.handshake.deadline, trio.current_time() + _REFUSAL_TIMEOUT)

    async def watch_sends(self) -> None:
        """Ends the connection when a send passes its deadline. Returns when the stream has ended.

        One timer serves all sends, as a cancel scope for each would cost more than the send. It wakes at least once per
        `send_timeout`, so it cannot miss a send that began in the meantime.
        """
        while not self._stream_has_ended or self.send_deadline != math.inf:
            now = trio.current_time()
            if now >= self.send_deadline:
                self.end(Silent("progress in sending", self.send_timeout))
            await self._changed.wait_until(min(self.send_deadline, now + self.send_timeout))
