"""An open websocket: messages in and out, pings, and the closing handshake.

Laws
    1. Every wait has a deadline: send, ping and close. When one passes, the stream is dropped.
    2. One task writes. A send that is cancelled or times out may have torn a frame, so it ends the connection.
    3. The first reason why the connection ended is kept, and every method raises it as the `Cause` in `LinkDown`.
    4. Somebody must always be receiving: pongs and close frames come through the same reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import trio
import trio_websocket as tw

from ..._core.liveness.health import SendQueue
from ..._core.retry.causes import Broken, Cause, Malformed, PeerClosed, Silent
from .lifetime import GONE, Lifetime, LinkDown
from .redaction import Redactor
from .shared_stream import SharedStream

Frame: TypeAlias = str | bytes

_ABNORMAL = 1006
_CLOSED_BY_US = "closed by us"
_FOUND_HERE = (1002, 1007)
"""Close codes with which trio-websocket reports an invalid frame of the peer. It sends no close frame then."""


class Connection:
    """An open websocket; every method raises `LinkDown` once it is gone. See `open_connection`, `accept_connection`."""

    def __init__(
        self,
        socket: tw.WebSocketConnection,
        stream: SharedStream,
        lifetime: Lifetime,
        to_frame: Callable[[Frame], bytes],
        redactor: Redactor,
    ) -> None:
        self._socket = socket
        self._stream = stream
        self._lifetime = lifetime
        self._to_frame = to_frame
        self.redactor = redactor
        """Makes text in the peer's messages safe to show."""
        self.opened_at = trio.current_time()

    async def send(self, frame: Frame, timeout: float) -> None:  # noqa: ASYNC109  # the deadline is this room's duty
        """Writes one message within `timeout` seconds. Cancelling it, or passing the deadline, ends the connection."""
        await self._write(self._to_frame(frame), timeout)

    def send_nowait(self, *frames: Frame) -> bool:
        """Writes as much of these messages as the network takes at once. Returns True if that is all.

        If False, call `flush`. No checkpoint: any task may call it while no `send` is under way. What is left is
        written before anything that is sent later.
        """
        if self._socket.closed is not None:
            raise self._down()
        return self._stream.send_nowait(b"".join(map(self._to_frame, frames)))

    @property
    def has_unsent(self) -> bool:
        """True if `send_nowait` left something to `flush`."""
        return self._stream.has_unsent

    async def flush(self, timeout: float) -> None:  # noqa: ASYNC109
        """Writes what `send_nowait` left, as `send` does."""
        await self._write(b"", timeout)

    async def _write(self, data: bytes, timeout: float) -> None:  # noqa: ASYNC109
        lifetime = self._lifetime
        lifetime.send_timeout = timeout
        lifetime.send_deadline = trio.current_time() + timeout
        try:
            if self._socket.closed is not None:
                raise self._down()
            await self._stream.send_all(data)
        except trio.Cancelled:
            self.abort("a send was cancelled")
            raise
        except GONE:
            raise self._down() from None
        finally:
            lifetime.send_deadline = math.inf

    async def receive(self) -> Frame:
        """Returns the next message. Cancelling loses no message."""
        if self._stream.has_message:
            await trio.lowlevel.checkpoint()
        message = await self._stream.receive_message()
        return await self._left_to_library() if message is None else message

    def receive_nowait(self) -> Frame | None:
        """Returns the next message if it has already come, else ``None``. No checkpoint."""
        return self._stream.take_message()

    async def _left_to_library(self) -> Frame:
        try:
            return await self._socket.get_message()
        except GONE:
            raise self._down() from None

    async def ping(self, timeout: float) -> float:  # noqa: ASYNC109
        """Sends a ping; returns the seconds until its pong. If none comes within `timeout` seconds, ends the
        connection."""
        try:
            with trio.fail_after(timeout):
                return await self.pong()
        except trio.TooSlowError:
            raise self._lifetime.end(Silent("pong", timeout)) from None

    async def pong(self) -> float:
        """Sends a ping; returns the seconds until its pong.

        If none comes, it waits for ever, as trio-websocket does not wake a ping whose connection has died.
        """
        sent = trio.current_time()
        try:
            await self._socket.ping()
        except GONE:
            raise self._down() from None
        return trio.current_time() - sent

    @property
    def received_at(self) -> float:
        """When anything was last received, on trio's clock."""
        return self._stream.received_at

    @property
    def send_queue(self) -> SendQueue | None:
        """The kernel's figures about bytes not delivered yet; ``None`` where it does not tell."""
        return self._stream.send_queue

    async def close(self, timeout: float, code: int = 1000, reason: str | None = None) -> None:  # noqa: ASYNC109
        """Makes the closing handshake within `timeout` seconds, then drops the stream. Never raises `LinkDown`."""
        lifetime = self._lifetime
        if lifetime.cause is None:
            lifetime.cause, lifetime.is_closing = Broken(_CLOSED_BY_US), True
            with trio.move_on_after(timeout):
                await self._socket.aclose(code, reason)
            self.abort(_CLOSED_BY_US)

    def abort(self, why: str) -> None:
        """Drops the stream at once, without a closing handshake."""
        self._lifetime.is_closing = False
        self._lifetime.end(Broken(why))

    def _down(self) -> LinkDown:
        return self._lifetime.end(_cause_of(self._socket.closed, self._stream, self.redactor))


def _cause_of(closed: tw.CloseReason | None, stream: SharedStream, redactor: Redactor) -> Cause:
    if closed is None or closed.code == _ABNORMAL:
        return Malformed(stream.fault) if stream.fault else Broken(stream.ended or "the websocket failed")
    if closed.code in _FOUND_HERE and not stream.close_sent:
        return Malformed(redactor.text(closed.reason or "an invalid websocket frame"))
    return PeerClosed(closed.code, redactor.text(closed.reason or ""))
