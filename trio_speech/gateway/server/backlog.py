"""The queue of a client's requests to ``/v1/stt`` that the engine has not taken yet.

With it, the connection is read even while the engine is busy: only then are pings seen and answered. When the queue is
full, reading stops, which slows the client down.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from ..._shell.concurrency.wakeup import Wakeup
from ...providers.livekit import wire

BACKLOG_BYTES = 6 * 2**20
"""How much one session may queue: a minute of PCM at 48 kHz, as much as this library's clients send ahead of results.
With less room, a ping would wait behind their audio for longer than they wait for its answer."""

_OVERHEAD = 256  # bytes that count for every request: many small ones take memory too

Request: TypeAlias = "bytes | wire.SessionFinalize | wire.SessionClose"
"""PCM to recognize; or a finalize or a close, which applies after the PCM before it."""


class Backlog:
    """A queue from the task that reads to the task that feeds the engine."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._changed = Wakeup()

    async def put(self, request: Request) -> None:
        """Appends `request`. Waits while too much audio is queued; else does not checkpoint."""
        while self._bytes >= BACKLOG_BYTES:
            await self._changed.wait()
        self._requests.append(request)
        self._bytes += _size(request)
        self._changed.fire()

    async def take(self) -> Request:
        """Waits for the next request, and removes it. Audio that has piled up comes in one piece."""
        while not self._requests:
            await self._changed.wait()
        request = self._requests.popleft()
        if isinstance(request, bytes):
            pieces = [request]
            while self._requests and isinstance(following := self._requests[0], bytes):
                pieces.append(following)
                self._requests.popleft()
            self._bytes -= _OVERHEAD * (len(pieces) - 1)
            request = b"".join(pieces)
        self._bytes -= _size(request)
        self._changed.fire()
        return request


def _size(request: Request) -> int:
    return _OVERHEAD + (len(request) if isinstance(request, bytes) else 0)
