"""Separates a connection's opening (an HTTP head, and the body of a refusal) from the websocket frames after it.

Laws
    1. Interim answers (status 100, 103) are dropped, and the final answer follows them. trio-websocket would take an
       interim answer for the final one.
    2. Everything else is passed on as it comes, so that an invalid answer is noticed at once.
    3. No more than `MAX_OPENING` bytes are taken, interim answers included.

Sources: RFC 6455, section 4.1; RFC 9110, section 15.2.
"""

from __future__ import annotations

import re

MAX_OPENING = 65_536

_BLANK_LINE = re.compile(rb"\n\r?\n")
_INTERIM = re.compile(rb"HTTP/\d\.\d 1(?!01)\d\d\b")
_REFUSAL = re.compile(rb"HTTP/\S+ (?!101\b)")
_ANY_INTERIM = b"HTTP/1.1 1"
_STATUS_ENDS = len(b"HTTP/1.1 103 ")


class Opening:
    """Receives the opening: a client's request or a server's answer."""

    def __init__(self) -> None:
        self.received = bytearray()
        """The head, without interim answers, and the body of a refusal so far. Empty once frames may come."""
        self.is_over = False
        """True once the opening is complete, so that frames may come."""
        self.refused = False
        """True once the head of an answer other than 101 is complete."""
        self.fault: str | None = None
        """Which limit was broken, in words; ``None`` if none was."""
        self._total = 0
        self._passed_on = 0

    def take(self, data: bytes | bytearray) -> tuple[bytes, bytes]:
        """Takes the next bytes, cut anywhere.

        Returns those of the opening to pass on to trio-websocket, and the frames.
        """
        self._total += len(data)
        self.received += data
        if self._drop_interim_answers():
            passed_on, frames = self._pass_on()
        else:
            passed_on, frames = b"", b""
        if not self.is_over and self._total > MAX_OPENING:
            self.fault = f"more than {MAX_OPENING} bytes in answer to the handshake"
        return passed_on, frames

    def _drop_interim_answers(self) -> bool:
        """Returns False while what has come may still be, or become, an interim answer."""
        while not self._passed_on:
            if not _INTERIM.match(self.received):
                return len(self.received) >= _STATUS_ENDS or not self.received.startswith(
                    _ANY_INTERIM[: len(self.received)]
                )
            end = _BLANK_LINE.search(self.received)
            if end is None:
                return False
            del self.received[: end.end()]
        return True

    def _pass_on(self) -> tuple[bytes, bytes]:
        before, self._passed_on = self._passed_on, len(self.received)
        # The blank line may be split over two reads, hence the two bytes before.
        end = None if self.refused else _BLANK_LINE.search(self.received, max(0, before - 2))
        if end is not None:
            self.refused = _REFUSAL.match(self.received) is not None
        if end is None or self.refused:
            return bytes(self.received[before:]), b""
        opening, frames = bytes(self.received[before : end.end()]), bytes(self.received[end.end() :])
        self.received.clear()
        self.is_over = True
        return opening, frames
