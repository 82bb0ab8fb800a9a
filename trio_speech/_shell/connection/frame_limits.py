"""The heads of all that comes in on one connection: what they announce is judged before it comes.

Laws
    1. A message is refused with the head of the frame that makes it too long, or of one piece too many: what is kept of
       a message is bounded, and so is what is read of one that is refused.
    2. Before the first frame comes one head of HTTP, and in an answer other than 101 what explains it: of both no more
       than `LONGEST_OPENING` bytes.
    3. Payloads are passed over. Whether frames are as they should be is not asked here.

Source: RFC 6455, sections 4.1 and 5.2.
"""

from __future__ import annotations

import re

LONGEST_OPENING = 65_536
MOST_PIECES = 4_096
"""Frames of one message. Nobody needs so many, and each costs more to keep than it may hold."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_ANSWER = re.compile(rb"HTTP/\S+ (?!101\b)")
_CONTROL = 0x08
_OPCODE = 0x0F
_MASKED = 0x80
_LENGTH = 0x7F
_LONGER = {126: 2, 127: 8}
_KEY = 4
_LONGEST_HEAD = 2 + 8 + _KEY


class FrameLimits:
    """`longest`: bytes of one message."""

    def __init__(self, longest: int) -> None:
        self.opening = bytearray()
        """What came before the first frame; empty once frames may come."""
        self.refused = False
        """The opening is an answer other than 101, and its head is complete."""
        self.begun = 0
        """How much of what came last belongs to the opening."""
        self._longest = longest
        self._framed = False
        self._head = b""
        self._rest = 0
        self._message = 0
        self._pieces = 0

    def pass_over(self, data: bytes | bytearray) -> str | None:
        """Takes in what has come; returns what is wrong with it, where it must not go on."""
        at = 0 if self._framed else self._open(data)
        self.begun = at if self._framed else len(data)
        if not self._framed:
            too_long = len(self.opening) > LONGEST_OPENING
            return f"more than {LONGEST_OPENING} bytes in answer to the handshake" if too_long else None
        at += self._rest
        self._rest = 0
        while at < len(data):
            before = len(self._head)
            head = self._head + data[at : at + _LONGEST_HEAD - before]
            length = head[1] if len(head) > 1 else 0
            ends = 2 + _LONGER.get(length & _LENGTH, 0) + (_KEY if length & _MASKED else 0)
            if len(head) < ends:
                self._head = head
                return None
            self._head = b""
            length &= _LENGTH
            if length in _LONGER:
                length = int.from_bytes(head[2 : 2 + _LONGER[length]], "big")
            if complaint := self._begin_frame(head[0] & _OPCODE, length):
                return complaint
            at += ends - before + length
        self._rest = at - len(data)
        return None

    def _open(self, data: bytes | bytearray) -> int:
        """Where frames begin in `data`, if they do."""
        before = len(self.opening)
        self.opening += data
        end = None if self.refused else _BLANK_LINE.search(self.opening, max(0, before - 2))
        if end is None:
            return 0
        self.refused = _ANSWER.match(self.opening) is not None
        if self.refused:
            return 0
        self._framed = True
        self.opening.clear()
        return end.end() - before

    def _begin_frame(self, opcode: int, length: int) -> str | None:
        if opcode & _CONTROL:
            return None
        if opcode:
            self._message = self._pieces = 0
        self._message += length
        self._pieces += 1
        if self._message > self._longest:
            return f"more than {self._longest} bytes in one message"
        if self._pieces > MOST_PIECES:
            return f"more than {MOST_PIECES} pieces of one message"
        return None
