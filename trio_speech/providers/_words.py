"""Makes the times that services give possible, as the laws of the codecs ask: at 0 or later, and in order."""

from __future__ import annotations

from ..events import Word


def span(start: float, end: float) -> tuple[float, float]:
    """Returns the span from `start` to `end`, in seconds. It begins at 0 or later, and ends no earlier than it begins.

    Services give times that are slightly negative, or out of order by their rounding.
    """
    start = max(0.0, start)
    return start, max(start, end)


def timed_word(
    text: str, start: float, end: float, confidence: float | None = None, speaker: str | None = None
) -> Word:
    """Returns a word with a possible `span`."""
    return Word(text, *span(start, end), confidence, speaker)
