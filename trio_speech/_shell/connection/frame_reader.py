"""Messages, taken out of the bytes that come before trio-websocket sees them: RFC 6455, section 5.2.

trio-websocket parses a frame by some hundred calls and hands its message on through a channel, task by task; audio
comes some ten times a second on every link, and in bursts. Here all that has come is at hand at once.

Laws
    1. A frame that is one whole message, unmasked and with no extension, is taken out. All else is passed on.
    2. From a piece of a message, a close frame or one that is wrong on, everything is passed on, for trio-websocket to
       judge: so messages keep their order, and what was taken comes before what is passed on.
    3. What is held of a frame that is not complete is bounded by who looks at the heads first (see `heads`).
"""

from __future__ import annotations

from collections import deque

_TEXT, _BINARY = 0x81, 0x82  # the last frame of its message, and its kind
_PING, _PONG = 0x89, 0x8A
_MASKED = 0x80
_LONGER = {126: 2, 127: 8}


class FrameReader:
    """The messages that have come and were not taken yet."""

    def __init__(self) -> None:
        self.messages: deque[str | bytes] = deque()
        self.passes_on = False
        """Whether what comes from now on is no longer taken out."""
        self._held = bytearray()

    def sort(self, data: bytes | bytearray) -> bytes | bytearray:
        """Takes messages out of what has come; returns the rest that is complete, to be passed on."""
        if self.passes_on:
            return data
        if self._held:
            self._held += data
            data = self._held
        at, rest = 0, bytearray()
        while not self.passes_on and (frame := self._frame(data, at)):
            begins, ends = frame
            if not self._take(data[at], data[begins:ends]):
                rest += data[at:ends]
            at = ends
        if self.passes_on:
            rest += data[at:]
            at = len(data)
        if data is self._held:
            del self._held[:at]
        else:
            self._held += data[at:]
        return rest

    def _frame(self, data: bytes | bytearray, at: int) -> tuple[int, int] | None:
        """Where the payload of the frame begins and ends, if all of it has come."""
        begins = at + 2
        if len(data) < begins:
            return None
        size = data[at + 1]
        if size & _MASKED:
            self.passes_on = True
            return None
        if size in _LONGER:
            begins += _LONGER[size]
            size = int.from_bytes(data[at + 2 : begins], "big")
        ends = begins + size
        return (begins, ends) if len(data) >= ends else None

    def _take(self, kind: int, payload: bytes | bytearray) -> bool:
        if kind == _TEXT:
            try:
                self.messages.append(payload.decode())
            except UnicodeDecodeError:
                self.passes_on = True
                return False
            return True
        if kind == _BINARY:
            self.messages.append(bytes(payload))
            return True
        self.passes_on = kind not in (_PING, _PONG)
        return False
