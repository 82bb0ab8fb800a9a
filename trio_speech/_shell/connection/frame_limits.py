"""Bounds what a peer may send: sizes are judged when a frame's header announces them, before the payload comes.

Laws
    1. A message is refused at the header of the frame that makes it too long, or too fragmented. So what is held of a
       message is bounded, and so is what is read of one that is refused.
    2. Payloads are skipped. Whether a frame is valid is trio-websocket's to judge.

Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

MAX_FRAGMENTS = 4_096
"""Frames of one message. Each costs memory of its own, so that a million empty ones would pass any limit in bytes."""

_CONTROL = 0x08
_OPCODE = 0x0F
_MASKED = 0x80
_LENGTH = 0x7F
_EXTENDED = {126: 2, 127: 8}
"""Values of the 7-bit length that announce a longer length, and the bytes of it."""
_KEY = 4
_LONGEST_HEADER = 2 + 8 + _KEY


class FrameLimits:
    """Follows one direction of a connection, header by header. `max_message` is in bytes."""

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        self._header = b""
        self._payload_left = 0
        self._message = 0
        self._fragments = 0

    def check(self, data: bytes | bytearray) -> str | None:
        """Takes in frames as they come, cut anywhere; returns which limit they break, or ``None``."""
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
