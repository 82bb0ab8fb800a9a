"""The client's side of a handshake."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import trio
import trio_websocket as tw

from .background_tasks import MAX_MESSAGE_SIZE, QUEUE, hosted
from .byte_stream import LinkDown, host_header, open_stream, resource
from .frame_limits import FrameLimits
from .frame_reader import FrameReader
from .framing import client_frame
from .handshake_failure import cause_in
from .lifetime import Lifetime
from .shared_stream import RECEIVE_BYTES, SharedStream
from .websocket import Connection

_PATIENCE = 1.0
"""Seconds for the rest of a refusal, which only explains it."""


async def open_connection(
    nursery: trio.Nursery,
    url: str,
    headers: tuple[tuple[str, str], ...],
    *,
    timeout: float,  # noqa: ASYNC109
    connect: Callable[[], Awaitable[Any]] | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Connection:
    """Dials, within `timeout` seconds all told. The connection's tasks live in `nursery`, into which they never raise.

    `connect` opens the byte stream instead of the network. Raises `LinkDown`; cancelling leaves nothing behind.
    """
    opener = connect or partial(open_stream, url, ssl_context)

    async def shake(inner: trio.Nursery, life: Lifetime) -> Connection:
        return Connection(await _shake_hands(inner, life.tap, url, headers), life, client_frame)

    return await hosted(
        timeout,
        nursery,
        opener,
        shake,
        lambda stream: SharedStream(stream, FrameLimits(MAX_MESSAGE_SIZE), FrameReader()),
    )


async def _shake_hands(
    nursery: trio.Nursery, tap: SharedStream, url: str, headers: tuple[tuple[str, str], ...]
) -> tw.WebSocketConnection:
    with trio.CancelScope() as shaking:
        tap.on_end = partial(shaking.cancel, reason="the stream ended during the handshake")
        tap.on_refusal = partial(_hurry, shaking)
        # The annotation of wrap_client_stream names socket and TLS streams only; its documentation takes any stream.
        return await tw.wrap_client_stream(
            nursery,
            cast(trio.SocketStream, tap),
            host_header(url),
            resource(url),
            extra_headers=[(name.encode(), value.encode()) for name, value in headers],
            message_queue_size=QUEUE,
            max_message_size=MAX_MESSAGE_SIZE,
            receive_buffer_size=RECEIVE_BYTES,
        )
    raise LinkDown(cause_in(tap))


def _hurry(shaking: trio.CancelScope) -> None:
    """A refusal is known from its head: the rest, which may never end, only explains it."""
    shaking.deadline = min(shaking.deadline, trio.current_time() + _PATIENCE)
