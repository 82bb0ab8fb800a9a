"""Limits the size of incoming messages, by the length that each frame's header announces before its payload comes.

Laws
    1. A message is refused at the header of the frame that makes it too long, or gives it too many fragments. So the
       bytes that are held, and those that are read of a refused message, are bounded.
    2. Payloads are skipped. Whether a frame is valid is checked by trio-websocket.

Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

MAX_FRAGMENTS = 4_096
"""The most frames of one message. Each takes memory, so a million empty ones would evade a limit in bytes."""

_CONTROL = 0x08
_OPCODE = 0x0F
_MASKED = 0x80
_LENGTH = 0x7F
_EXTENDED = {126: 2, 127: 8}
"""Values of the 7-bit length that mean a longer length follows, and the number of its bytes."""
_KEY = 4
_LONGEST_HEADER = 2 + 8 + _KEY


class FrameLimits:
    """Checks the frame headers of one direction of a connection. `max_message` is in bytes."""

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        self._header = b""
        self._payload_left = 0
        self._message = 0
        self._fragments = 0

    def check(self, data: bytes | bytearray) -> str | None:
        """Checks the next bytes of the stream, cut anywhere. Returns which limit they break, or ``None``."""
        at, self._payload_left = self._payload_left, 0
        while at < len(data):
            held = len(self._header)
            header = self._header + data[at : at + _LONGEST_HEADER - held]
            length = header[1] if len(header) > 1 else 0
            size = 2 + _EXTENDED.get(length & _LENGTH, 0) + (_KEY if length & _MASKED else 0)
            if len(header) < size:
                self._header = header
                return None
            self._header = b""
            length &= _LENGTH
            if length in _EXTENDED:
                length = int.from_bytes(header[2 : 2 + _EXTENDED[length]], "big")
            if fault := self._begin_frame(header[0] & _OPCODE, length):
                return fault
            at += size - held + length
        self._payload_left = at - len(data)
        return None

    def _begin_frame(self, opcode: int, length: int) -> str | None:
        # Control frames may stand between the fragments of a message. They hold 125 bytes at most, and trio-websocket
        # refuses longer ones.
        if opcode & _CONTROL:
            return None
        if opcode:
            self._message = self._fragments = 0
        self._message += length
        self._fragments += 1
        if self._message > self._max_message:
            return f"more than {self._max_message} bytes in one message"
        if self._fragments > MAX_FRAGMENTS:
            return f"more than {MAX_FRAGMENTS} fragments of one message"
        return None
