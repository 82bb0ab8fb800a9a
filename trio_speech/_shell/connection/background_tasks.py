"""Where the tasks of one connection live: they never raise into the nursery of whoever asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import trio

from ..._core.retry.causes import Silent
from .byte_stream import LinkDown
from .handshake_failure import cause_of
from .lifetime import Lifetime
from .shared_stream import SharedStream

_Product = TypeVar("_Product")

MAX_MESSAGE_SIZE = 16 * 2**20
"""Bytes of one incoming message; a larger one ends the connection."""

QUEUE = 64
"""Messages that may wait in trio-websocket: with fewer, its reader would stop, and pongs with it."""


async def hosted(
    timeout: float,  # noqa: ASYNC109
    nursery: trio.Nursery,
    opener: Callable[[], Awaitable[Any]],
    shake: Callable[[trio.Nursery, Lifetime], Awaitable[_Product]],
    watched: Callable[[trio.abc.Stream], SharedStream],
) -> _Product:
    """What `shake` makes of the stream that `opener` opens, within `timeout` seconds. Raises `LinkDown`."""
    with trio.move_on_after(timeout):
        stream = await opener()
        return cast(_Product, await nursery.start(_host, stream, shake, watched))
    raise LinkDown(Silent("answer to the handshake", timeout))


async def _host(
    stream: trio.abc.Stream,
    shake: Callable[[trio.Nursery, Lifetime], Awaitable[_Product]],
    watched: Callable[[trio.abc.Stream], SharedStream],
    *,
    task_status: trio.TaskStatus[_Product],
) -> None:
    """Owns trio-websocket's tasks for the life of one connection."""
    with trio.CancelScope() as scope:
        life = Lifetime(watched(stream), scope)
        open_ = False
        try:
            async with trio.open_nursery() as nursery:
                product = await shake(nursery, life)
                open_ = True
                task_status.started(product)
                del shake, watched, task_status, product  # for hours they would hold the handshake, and its secrets
                await life.watch_sends()
        except* Exception as group:  # noqa: BLE001  # trio-websocket's own tasks: whatever they die of, the connection is gone
            cause = cause_of(group)
            if not open_:
                raise LinkDown(cause) from None
            life.end(cause)
        finally:
            await trio.aclose_forcefully(life.tap)
