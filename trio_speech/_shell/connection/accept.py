"""The server's side of the opening handshake, for gateways."""

from __future__ import annotations

from contextlib import suppress

import trio
import trio_websocket as tw

from ..._core.retry.causes import Broken
from .background_tasks import MAX_MESSAGE_SIZE, QUEUE, start_connection
from .byte_stream import RECEIVE_BYTES
from .frame_limits import FrameLimits
from .framing import server_frame
from .lifetime import GONE, Lifetime, LinkDown
from .redaction import Redactor
from .shared_stream import SharedStream
from .websocket import Connection


class Handshake:
    """A client's request to open a websocket. Answer it once, with `accept` or `reject`."""

    def __init__(self, request: tw.WebSocketRequest, stream: SharedStream, lifetime: Lifetime, timeout: float) -> None:
        self._request = request
        self._stream = stream
        self._lifetime = lifetime
        self._timeout = timeout
        self.resource = request.path
        """The path and query that the client asks for."""
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers}
        """The request's headers; names are in lower case."""
        self.subprotocols: tuple[str, ...] = request.proposed_subprotocols
        """The websocket subprotocols that the client offers."""

    async def accept(self) -> Connection:
        """Accepts the request (HTTP status 101), and returns the open connection.

        Raises `LinkDown` if the client has left, or does not read the answer in time.
        """
        try:
            with trio.move_on_after(self._timeout):
                socket = await self._request.accept()
                return Connection(socket, self._stream, self._lifetime, server_frame, Redactor())
        except GONE:
            pass
        raise self._lifetime.end(Broken("the client left during the handshake"))

    async def reject(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Refuses the request with an HTTP `status`, and drops the stream. Does not raise if the client has left."""
        extra = [(name.encode(), value.encode()) for name, value in headers]
        with suppress(*GONE), trio.move_on_after(self._timeout):
            await self._request.reject(status, extra_headers=extra, body=body)
        self._lifetime.end(Broken("the handshake was refused"))


async def accept_connection(
    nursery: trio.Nursery,
    stream: trio.abc.Stream,
    *,
    timeout: float,  # noqa: ASYNC109
    max_message_size: int = MAX_MESSAGE_SIZE,
) -> Handshake:
    """Reads a client's handshake request from `stream`.

    The request must come within `timeout` seconds; later, the client has as many seconds to read the answer.
    `max_message_size` is in bytes. The connection's tasks run in `nursery` and never raise into it; the stream is
    closed when they end. Raises `LinkDown`. Cancelling closes the stream.
    """

    async def shake_hands(inner: trio.Nursery, stream: SharedStream, lifetime: Lifetime) -> Handshake:
        with lifetime.handshake:
            request = await tw.wrap_server_stream(
                inner,
                stream,
                message_queue_size=QUEUE,
                max_message_size=max_message_size,
                receive_buffer_size=RECEIVE_BYTES,
            )
            return Handshake(request, stream, lifetime, timeout)
        raise LinkDown(Broken("the client left before its handshake"))

    async def opened() -> trio.abc.Stream:
        return stream

    # No frame reader: a gateway receives masked frames, and trio-websocket unmasks them.
    return await start_connection(
        nursery,
        opened,
        shake_hands,
        limits=FrameLimits(max_message_size),
        reader=None,
        redactor=Redactor(),
        timeout=timeout,
    )
