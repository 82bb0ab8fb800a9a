"""Detects the end of an utterance on our side: its interim has not changed for a while.

A service that never finalizes by itself is then asked for the final.
"""

from __future__ import annotations


class Endpointing:
    """Watches the interims of one link. `after`: seconds without a change after which an utterance is over."""

    def __init__(self, after: float) -> None:
        self._after = after
        self._text = ""
        self.due: float | None = None
        """When the utterance will count as over; ``None`` where no interim waits for its final."""

    def interim(self, text: str, now: float) -> None:
        """Call when an interim arrives."""
        if self.due is None or text != self._text:
            self.due = now + self._after
            self._text = text

    def final(self) -> None:
        """Call when the final arrives, or the interim is taken back."""
        self.due = None

    def asked(self, now: float) -> None:
        """Call when the final is asked for. It is given `after` seconds to come before it is asked for again."""
        if self.due is not None:
            self.due = now + self._after
