"""An open websocket: messages in and out, pings, and a goodbye.

Laws
    1. Every wait has a deadline: send, ping and close; where one passes, the stream is dropped.
    2. One task writes. A send that is cancelled or times out may have torn a frame, so it condemns the connection.
    3. Whatever ends the connection is told once, as the `Cause` in `LinkDown`.
    4. The reader must be drained without pause: pongs and close frames come through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import trio
import trio_websocket as tw

from ..._core.retry.causes import Broken, Cause, Malformed, PeerClosed, Silent
from .byte_stream import LinkDown
from .lifetime import GONE, Lifetime
from .shared_stream import SharedStream

Frame: TypeAlias = str | bytes

_ABNORMAL = 1006
_BY_US = "closed by us"
_FOUND_HERE = (1002, 1007)  # so trio-websocket tells what it finds wrong itself; to the peer it says nothing then


class Connection:
    """An open websocket; every method raises `LinkDown` once it is gone. See `open_connection`, `accept_connection`."""

    def __init__(self, socket: tw.WebSocketConnection, life: Lifetime, framed: Callable[[Frame], bytes]) -> None:
        self._socket = socket
        self._life = life
        self._framed = framed
        self.opened_at = trio.current_time()

    async def send(self, frame: Frame, timeout: float) -> None:  # noqa: ASYNC109  # the deadline is this room's duty
        """Writes one message within `timeout` seconds. Cancelling it, or its time-out, condemns the connection."""
        await self._write(self._framed(frame), timeout)

    def send_nowait(self, *frames: Frame) -> bool:
        """Writes what the network takes of these messages at once; says whether that is all, else `flush` is due.

        No checkpoint: whoever has a message may send it, where no other send is under way. What is not written goes
        before anything that is sent later.
        """
        if self._socket.closed is not None:
            raise self._down()
        return self._life.tap.send_nowait(b"".join(map(self._framed, frames)))

    @property
    def has_unsent(self) -> bool:
        """Whether `send_nowait` has left something."""
        return self._life.tap.has_unsent

    async def flush(self, timeout: float) -> None:  # noqa: ASYNC109
        """Writes what `send_nowait` has left, as `send` does."""
        await self._write(b"", timeout)

    async def _write(self, data: bytes, timeout: float) -> None:  # noqa: ASYNC109
        life = self._life
        life.patience = timeout
        life.sending_until = trio.current_time() + timeout
        try:
            if self._socket.closed is not None:
                raise self._down()
            await life.tap.send_all(data)
        except trio.Cancelled:
            self.abort("a send was cancelled")
            raise
        except GONE:
            raise self._down() from None
        finally:
            life.sending_until = math.inf

    async def receive(self) -> Frame:
        """The next message. Cancelling is safe: no message is lost."""
        tap = self._life.tap
        if tap.holds:
            await trio.lowlevel.checkpoint()
        message = await tap.message()
        return await self._passed_on() if message is None else message

    def receive_nowait(self) -> Frame | None:
        """The next message, if it is there already. No checkpoint."""
        return self._life.tap.take()

    async def _passed_on(self) -> Frame:
        try:
            return await self._socket.get_message()
        except GONE:
            raise self._down() from None

    async def ping(self, timeout: float) -> float:  # noqa: ASYNC109
        """Seconds until the pong. Without one within `timeout` seconds the connection is condemned."""
        sent = trio.current_time()
        try:
            with trio.fail_after(timeout):
                await self._socket.ping()
        except trio.TooSlowError:
            raise self._life.end(Silent("pong", timeout)) from None
        except GONE:
            raise self._down() from None
        return trio.current_time() - sent

    async def close(self, timeout: float, code: int = 1000, reason: str | None = None) -> None:  # noqa: ASYNC109
        """Says goodbye for at most `timeout` seconds, then drops the stream. Never raises `LinkDown`."""
        life = self._life
        if life.cause is None:
            life.cause, life.parting = Broken(_BY_US), True
            with trio.move_on_after(timeout):
                await self._socket.aclose(code, reason)
            self.abort(_BY_US)

    def abort(self, why: str) -> None:
        """Drops the stream at once, without a goodbye."""
        self._life.parting = False
        self._life.end(Broken(why))

    def _down(self) -> LinkDown:
        return self._life.end(_observed(self._socket.closed, self._life.tap))


def _observed(closed: tw.CloseReason | None, tap: SharedStream) -> Cause:
    if closed is None or closed.code == _ABNORMAL:
        return Malformed(tap.fault) if tap.fault else Broken(tap.ended or "the websocket failed")
    if closed.code in _FOUND_HERE and not tap.closing:
        return Malformed(closed.reason or "a frame that is none")
    return PeerClosed(closed.code, closed.reason or "")
