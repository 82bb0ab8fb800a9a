"""Runs the background tasks of one connection, so that they never raise into the caller's nursery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, cast

import trio

from ..._core.retry.causes import Silent
from .byte_stream import as_byte_stream
from .frame_limits import FrameLimits
from .frame_reader import FrameReader
from .handshake_failure import cause_of
from .lifetime import Lifetime, LinkDown
from .redaction import Redactor, redact_library_log
from .shared_stream import SharedStream

_Product = TypeVar("_Product")
StreamOpener: TypeAlias = Callable[[], Awaitable[Any]]
ShakeHands: TypeAlias = Callable[[trio.Nursery, SharedStream, Lifetime], Awaitable[_Product]]

MAX_MESSAGE_SIZE = 4 * 2**20
"""The default limit, in bytes, of an incoming message; a larger one ends the connection."""

QUEUE = 64
"""Messages that trio-websocket may hold. Its reader stops when the queue is full, and then no pong is seen."""


async def start_connection(
    nursery: trio.Nursery,
    open_stream: StreamOpener,
    shake_hands: ShakeHands[_Product],
    *,
    limits: FrameLimits,
    reader: FrameReader | None,
    redactor: Redactor,
    timeout: float,  # noqa: ASYNC109
) -> _Product:
    """Opens a stream and shakes hands on it, within `timeout` seconds; returns what `shake_hands` returned.

    The connection's tasks go on in `nursery`, and close the stream when they end. Raises `LinkDown`. Cancelling
    closes the stream.
    """
    with trio.move_on_after(timeout):
        stream = await open_stream()
        return cast(_Product, await nursery.start(_run_connection, stream, shake_hands, limits, reader, redactor))
    raise LinkDown(Silent("answer to the handshake", timeout))


async def _run_connection(
    stream: trio.abc.Stream,
    shake_hands: ShakeHands[_Product],
    limits: FrameLimits,
    reader: FrameReader | None,
    redactor: Redactor,
    *,
    task_status: trio.TaskStatus[_Product],
) -> None:
    """Runs trio-websocket's tasks in a nursery of its own, from the handshake to the end of the connection."""
    scope, is_open = trio.CancelScope(), False
    lifetime = Lifetime(scope)
    with scope:
        redact_library_log(redactor)
        shared = SharedStream(as_byte_stream(stream), limits, reader, lifetime)
        try:
            async with trio.open_nursery() as nursery:
                product = await shake_hands(nursery, shared, lifetime)
                is_open = True
                task_status.started(product)
                # This frame may live for hours: it must not keep the handshake's headers, which hold credentials.
                del shake_hands, task_status, product
                await lifetime.watch_sends()
        except* Exception as group:  # noqa: BLE001  # whatever trio-websocket's tasks raise, the connection is gone
            lifetime.end(cause_of(group, redactor))
        finally:
            await trio.aclose_forcefully(shared)
    if not is_open and lifetime.cause is not None:
        # Raised out here, so that its context is not trio-websocket's exception, which holds what the server said.
        raise LinkDown(lifetime.cause)
