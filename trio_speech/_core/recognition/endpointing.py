"""The end of an utterance, heard by ourselves: an interim that has not changed for a while will not change any more.

It is what a service that never finalizes by itself is asked for; for all others it only tells that a final is owed.
"""

from __future__ import annotations


class Endpointing:
    """Watches the interims of one link; `after`: seconds for which one must not change."""

    def __init__(self, after: float) -> None:
        self._after = after
        self._text = ""
        self.due: float | None = None
        """When the utterance counts as over; ``None``: no interim waits for its final."""

    def interim(self, text: str, now: float) -> None:
        """An interim was shown."""
        if self.due is None or text != self._text:
            self.due = now + self._after
            self._text = text

    def final(self) -> None:
        """The final came."""
        self.due = None

    def asked(self, now: float) -> None:
        """The final was asked for: it is given the same time."""
        if self.due is not None:
            self.due = now + self._after
