"""Bounds what a peer may send: sizes are judged when a frame's header announces them, before the payload comes.

Laws
    1. A message is refused at the header of the frame that makes it too long, or too fragmented. So what is held of a
       message is bounded, and so is what is read of one that is refused.
    2. Before the first frame comes one HTTP head; after a head other than 101 comes a body that explains it. Head and
       body together may have `MAX_OPENING` bytes.
    3. Payloads are skipped. Whether a frame is valid is trio-websocket's to judge.

Source: RFC 6455, sections 4.1 and 5.2.
"""

from __future__ import annotations

import re

MAX_OPENING = 65_536
MAX_FRAGMENTS = 4_096
"""Frames of one message. Each costs memory of its own, so that a million empty ones would pass any limit in bytes."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_REFUSAL = re.compile(rb"HTTP/\S+ (?!101\b)")
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
        self.opening = bytearray()
        """What came before the first frame; emptied once frames may come."""
        self.refused = False
        """True once the head of an HTTP answer other than 101 is complete."""
        self.opening_in_last = 0
        """How many bytes of the data given last belong to the opening."""
        self._max_message = max_message
        self._framed = False
        self._header = b""
        self._payload_left = 0
        self._message = 0
        self._fragments = 0

    def check(self, data: bytes | bytearray) -> str | None:
        """Takes in data as it comes, cut anywhere; returns which limit it breaks, or ``None``."""
        at = 0 if self._framed else self._opening_in(data)
        self.opening_in_last = at if self._framed else len(data)
        if not self._framed:
            too_long = len(self.opening) > MAX_OPENING
            return f"more than {MAX_OPENING} bytes in answer to the handshake" if too_long else None
        at += self._payload_left
        self._payload_left = 0
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

    def _opening_in(self, data: bytes | bytearray) -> int:
        """The offset of the first frame in `data`, if the opening ends there; else 0."""
        before = len(self.opening)
        self.opening += data
        # The blank line may be split over two reads, hence the two bytes before.
        end = None if self.refused else _BLANK_LINE.search(self.opening, max(0, before - 2))
        if end is None:
            return 0
        self.refused = _REFUSAL.match(self.opening) is not None
        if self.refused:
            return 0
        self._framed = True
        self.opening.clear()
        return end.end() - before

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
