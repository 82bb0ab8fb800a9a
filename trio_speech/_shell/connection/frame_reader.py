"""Reads data frames from the incoming bytes, before trio-websocket sees them: RFC 6455, section 5.2.

trio-websocket needs about a hundred calls to parse a frame, and hands its message to another task through a channel.
Results come some ten times a second on every connection, and audio in bursts, so simple frames are read here.

Laws
    1. An unmasked data frame without extension bits that is one whole message is read here. Every other frame is left
       for trio-websocket.
    2. After the first fragment, close frame, or frame that is invalid or too long, everything is left for
       trio-websocket. So messages keep their order: all that are read here come before all that trio-websocket reads.
    3. An incomplete frame is held, up to the longest message, or the 125 bytes of a control frame. `FrameLimits` checks
       all that is left.
"""

from __future__ import annotations

from collections import deque

_TEXT, _BINARY = 0x81, 0x82  # with the bit that marks the last fragment, and no extension bit
_PING, _PONG = 0x89, 0x8A
_CONTROL = 0x08
_LONGEST_CONTROL = 125
_EXTENDED = {126: 2, 127: 8}


class FrameReader:
    """Collects messages of up to `max_message` bytes in `messages`, oldest first, for the caller to take from there."""

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        self.messages: deque[str | bytes] = deque()
        self.is_done = False
        """True once everything that follows is left for trio-websocket."""
        self._held = bytearray()

    def extract(self, data: bytes | bytearray) -> bytes | bytearray:
        """Moves messages from `data`, which may be cut anywhere, to `messages`.

        Returns the complete frames left over.
        """
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
        """Returns start and end of the payload of the frame at `at`; ``None`` if it is incomplete, or not for here."""
        begins = at + 2
        if len(data) < begins:
            return None
        size = data[at + 1]
        if size > _LONGEST_CONTROL:
            if size not in _EXTENDED or data[at] & _CONTROL:
                self.is_done = True  # masked, as no server may: trio-websocket says so to the peer; or a long ping
                return None
            begins += _EXTENDED[size]
            size = int.from_bytes(data[at + 2 : begins], "big")
        if size > self._max_message:
            self.is_done = True
            return None
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
