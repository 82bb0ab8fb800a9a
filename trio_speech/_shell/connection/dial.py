"""The client's side of the opening handshake."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import trio
import trio_websocket as tw

from .background_tasks import MAX_MESSAGE_SIZE, QUEUE, start_connection
from .byte_stream import RECEIVE_BYTES
from .frame_limits import FrameLimits
from .frame_reader import FrameReader
from .framing import client_frame
from .handshake_failure import cause_in
from .lifetime import Lifetime, LinkDown
from .open_stream import host_header, open_stream, resource
from .redaction import Redactor
from .shared_stream import SharedStream
from .websocket import Connection

_NO_CREDENTIALS = Redactor()


async def open_connection(
    nursery: trio.Nursery,
    url: str,
    headers: tuple[tuple[str, str], ...],
    *,
    timeout: float,  # noqa: ASYNC109
    subprotocols: tuple[str, ...] = (),
    redactor: Redactor = _NO_CREDENTIALS,
    max_message_size: int = MAX_MESSAGE_SIZE,
    connect: Callable[[], Awaitable[Any]] | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Connection:
    """Dials a websocket URL, within `timeout` seconds for all of TCP, TLS and the handshake.

    The connection's tasks run in `nursery` and never raise into it. `connect`, if given, opens the byte stream in
    place of TCP and TLS. `max_message_size` is in bytes. `redactor` knows the credentials that are sent, and keeps
    them out of what is raised.

    Raises `LinkDown`. Cancelling closes what was opened so far.
    """

    async def shake_hands(inner: trio.Nursery, stream: SharedStream, lifetime: Lifetime) -> Connection:
        with lifetime.handshake:
            socket = await _shake_hands(inner, stream, url, headers, subprotocols)
            return Connection(socket, stream, lifetime, client_frame, redactor)
        raise LinkDown(cause_in(stream, redactor))

    return await start_connection(
        nursery,
        connect or partial(open_stream, url, ssl_context),
        shake_hands,
        limits=FrameLimits(max_message_size),
        reader=FrameReader(max_message_size),
        redactor=redactor,
        timeout=timeout,
    )


async def _shake_hands(
    nursery: trio.Nursery,
    stream: SharedStream,
    url: str,
    headers: tuple[tuple[str, str], ...],
    subprotocols: tuple[str, ...],
) -> tw.WebSocketConnection:
    return await tw.wrap_client_stream(
        nursery,
        # Annotated for socket and TLS streams only; documented to take any stream.
        cast(trio.SocketStream, stream),
        host_header(url),
        resource(url),
        subprotocols=subprotocols or None,
        extra_headers=[(name.encode(), value.encode()) for name, value in headers],
        message_queue_size=QUEUE,
        max_message_size=sys.maxsize,  # `FrameLimits` refuses what is too long before the library sees it
        receive_buffer_size=RECEIVE_BYTES,
    )
