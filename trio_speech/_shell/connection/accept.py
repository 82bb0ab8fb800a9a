"""The server's side of a handshake: what a gateway accepts."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import trio
import trio_websocket as tw

from ..._core.retry.causes import Broken
from .background_tasks import MAX_MESSAGE_SIZE, QUEUE, hosted
from .byte_stream import LinkDown
from .frame_limits import FrameLimits
from .framing import server_frame
from .lifetime import GONE, Lifetime
from .shared_stream import RECEIVE_BYTES, SharedStream
from .websocket import Connection


class Handshake:
    """A client's request to open a websocket: answer it with `accept` or `reject`, once."""

    def __init__(self, request: tw.WebSocketRequest, life: Lifetime, timeout: float) -> None:
        self._request = request
        self._life = life
        self._timeout = timeout
        self.resource = request.path
        """Path and query."""
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers}

    async def accept(self) -> Connection:
        """Answers 101. Raises `LinkDown` where the client has left, or does not take the answer."""
        try:
            with trio.move_on_after(self._timeout):
                return Connection(await self._request.accept(), self._life, server_frame)
        except GONE:
            pass
        raise self._life.end(Broken("the client left during the handshake"))

    async def reject(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Answers with another HTTP status, and drops the stream."""
        extra = [(name.encode(), value.encode()) for name, value in headers]
        with suppress(*GONE), trio.move_on_after(self._timeout):
            await self._request.reject(status, extra_headers=extra, body=body)
        self._life.end(Broken("the handshake was refused"))


async def accept_connection(
    nursery: trio.Nursery,
    stream: trio.abc.Stream,
    *,
    timeout: float,  # noqa: ASYNC109
    max_message_size: int = MAX_MESSAGE_SIZE,
) -> Handshake:
    """Serves one client on `stream`, whose request must come within `timeout` seconds, and who must take the answer
    within as many.

    The connection's tasks live in `nursery`, into which they never raise, and the stream is dropped with them. Raises
    `LinkDown`.
    """

    async def shake(inner: trio.Nursery, life: Lifetime) -> Handshake:
        with trio.CancelScope() as shaking:
            life.tap.on_end = partial(shaking.cancel, reason="the stream ended during the handshake")
            request = await tw.wrap_server_stream(
                inner,
                life.tap,
                message_queue_size=QUEUE,
                max_message_size=max_message_size,
                receive_buffer_size=RECEIVE_BYTES,
            )
            return Handshake(request, life, timeout)
        raise LinkDown(Broken("the client left before its handshake"))

    async def opened() -> trio.abc.Stream:
        return stream

    return await hosted(
        timeout, nursery, opened, shake, lambda stream: SharedStream(stream, FrameLimits(max_message_size))
    )
