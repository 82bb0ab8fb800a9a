"""Takes data frames out of the bytes that come in, before trio-websocket sees them: RFC 6455, section 5.2.

trio-websocket needs about a hundred calls to parse a frame, and hands its message to another task through a channel.
Results come some ten times a second on every link, and audio in bursts, so frames that need no care are read here.

Laws
    1. An unmasked frame without extension bits that is one whole message is taken out. Everything else is left for
       trio-websocket.
    2. From a fragment, a close frame or an invalid frame on, everything is left for trio-websocket. So messages keep
       their order: all that were taken out come before all that were left.
    3. What is held of an incomplete frame is bounded by `FrameLimits`, which sees the data first.
"""

from __future__ import annotations

from collections import deque

_TEXT, _BINARY = 0x81, 0x82  # with the bit that marks the last fragment, and no extension bit
_PING, _PONG = 0x89, 0x8A
_MASKED = 0x80
_EXTENDED = {126: 2, 127: 8}


class FrameReader:
    """Collects the messages that have come, until they are taken from `messages`."""

    def __init__(self) -> None:
        self.messages: deque[str | bytes] = deque()
        self.is_done = False
        """True once everything that comes is left for trio-websocket."""
        self._held = bytearray()

    def extract(self, data: bytes | bytearray) -> bytes | bytearray:
        """Takes messages out of `data`, cut anywhere; returns the complete frames that are left."""
        if self.is_done:
            return data
        if self._held:
            self._held += data
            data = self._held
        at, rest = 0, bytearray()
        while not self.is_done and (span := self._payload(data, at)):
            begins, ends = span
            if not self._take(data[at], data[begins:ends]):
                rest += data[at:ends]
            at = ends
        if self.is_done:
            rest += data[at:]
            at = len(data)
        if data is self._held:
            del self._held[:at]
        else:
            self._held += data[at:]
        return rest

    def _payload(self, data: bytes | bytearray, at: int) -> tuple[int, int] | None:
        """Start and end of the payload of the frame at `at`, if the frame is complete."""
        begins = at + 2
        if len(data) < begins:
            return None
        size = data[at + 1]
        if size & _MASKED:
            self.is_done = True  # a server must not mask: trio-websocket says so to the peer
            return None
        if size in _EXTENDED:
            begins += _EXTENDED[size]
            size = int.from_bytes(data[at + 2 : begins], "big")
        ends = begins + size
        return (begins, ends) if len(data) >= ends else None

    def _take(self, kind: int, payload: bytes | bytearray) -> bool:
        if kind == _TEXT:
            try:
                self.messages.append(payload.decode())
            except UnicodeDecodeError:
                self.is_done = True
                return False
            return True
        if kind == _BINARY:
            self.messages.append(bytes(payload))
            return True
        self.is_done = kind not in (_PING, _PONG)
        return False
