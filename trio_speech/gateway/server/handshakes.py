"""Handshakes that are going on: bounded in number and time, so that slow or silent clients cannot shut others out.

A new connection always gets a place. If none is free, the oldest handshake of the address that has the most is ended:
an honest client needs milliseconds for its handshake, whereas an attacker's connections only age. A client whose
handshake is ended gets an HTTP status: 503 for lack of room, 408 when its time is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import trio
from msgspec import Struct

HANDSHAKES = 64
"""How many handshakes may go on at once."""

HANDSHAKE_TIMEOUT = 10.0
"""Seconds from the connection to the end of its handshake."""

_ANSWER_TIMEOUT = 1.0  # seconds to write an answer: it fits into the socket's buffer, or nobody reads
_NO_ROOM = (503, "Service Unavailable", "Retry-After: 1\r\n")
_TOO_SLOW = (408, "Request Timeout", "")

T = TypeVar("T")


class _Pending(Struct, eq=False):
    address: str
    scope: trio.CancelScope
    is_evicted: bool = False


class Handshakes:
    """Runs at most `limit` handshakes at once."""

    def __init__(self, limit: int = HANDSHAKES) -> None:
        self._limit = limit
        self._pending: list[_Pending] = []  # oldest first

    async def run(self, stream: trio.abc.Stream, shake_hands: Callable[[], Awaitable[T]]) -> T | None:
        """Runs `shake_hands`. Returns its result, or ``None`` after it was cancelled for lack of time or room."""
        self._make_room()
        pending = _Pending(_address(stream), trio.CancelScope(deadline=trio.current_time() + HANDSHAKE_TIMEOUT))
        self._pending.append(pending)
        # Cancelling a handshake closes its stream; a duplicate of the socket is what can still be written to.
        spare = stream.socket.dup() if isinstance(stream, trio.SocketStream) else None
        try:
            with pending.scope:
                return await shake_hands()
            if spare is not None:
                await _answer(spare, *(_NO_ROOM if pending.is_evicted else _TOO_SLOW))
        finally:
            self._pending.remove(pending)
            if spare is not None:
                spare.close()
        return None

    def _make_room(self) -> None:
        if len(self._pending) < self._limit:
            return
        waiting = [pending for pending in self._pending if not pending.is_evicted]
        [(greediest, _)] = Counter(pending.address for pending in waiting).most_common(1)
        victim = next(pending for pending in waiting if pending.address == greediest)
        victim.is_evicted = True
        victim.scope.cancel(reason="newer handshakes need its place")


async def _answer(socket: trio.socket.SocketType, status: int, phrase: str, headers: str) -> None:
    response = f"HTTP/1.1 {status} {phrase}\r\n{headers}Connection: close\r\nContent-Length: 0\r\n\r\n"
    with trio.move_on_after(_ANSWER_TIMEOUT), suppress(trio.BrokenResourceError):  # it may have left
        await trio.SocketStream(socket).send_all(response.encode())


def _address(stream: trio.abc.Stream) -> str:
    """Returns the client's IP address; an empty string for a stream that has none."""
    name = stream.socket.getpeername() if isinstance(stream, trio.SocketStream) else None
    return str(name[0]) if isinstance(name, tuple) else ""
