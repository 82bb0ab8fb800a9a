"""Estimates how long a peer takes to answer a ping, as TCP estimates its round trips (RFC 6298, section 2)."""

from __future__ import annotations

_ALPHA, _BETA = 1 / 8, 1 / 4
_DEVIATIONS = 4.0
"""By how many mean deviations an answer may exceed the mean before it counts as late."""


class RoundTrip:
    """The smoothed round trip of one connection, and its mean deviation, in seconds."""

    def __init__(self) -> None:
        self.smoothed: float | None = None
        """The smoothed round trip in seconds; ``None`` before the first answer."""
        self._deviation = 0.0

    def measured(self, seconds: float) -> None:
        """Call when a ping is answered, `seconds` after it was sent."""
        if self.smoothed is None:
            self.smoothed, self._deviation = seconds, seconds / 2
            return
        self._deviation += _BETA * (abs(seconds - self.smoothed) - self._deviation)
        self.smoothed += _ALPHA * (seconds - self.smoothed)

    def longest(self, otherwise: float) -> float:
        """Returns the seconds within which an answer should come; `otherwise` before the first answer."""
        return otherwise if self.smoothed is None else self.smoothed + _DEVIATIONS * self._deviation
