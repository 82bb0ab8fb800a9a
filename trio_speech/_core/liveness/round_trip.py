"""How long this connection takes to answer a ping, smoothed as TCP smooths its round trips: RFC 6298, section 2."""

from __future__ import annotations

_ALPHA, _BETA = 1 / 8, 1 / 4
_DEVIATIONS = 4.0
"""How many mean deviations an answer may be later than the mean before it counts as late."""


class RoundTrip:
    """The smoothed round trip of one connection, and its mean deviation, in seconds."""

    def __init__(self) -> None:
        self.smoothed: float | None = None
        """``None`` before the first answer."""
        self._deviation = 0.0

    def measured(self, seconds: float) -> None:
        """A ping was answered after so many seconds."""
        if self.smoothed is None:
            self.smoothed, self._deviation = seconds, seconds / 2
            return
        self._deviation += _BETA * (abs(seconds - self.smoothed) - self._deviation)
        self.smoothed += _ALPHA * (seconds - self.smoothed)

    def longest(self, otherwise: float) -> float:
        """Seconds within which an answer is to be expected; `otherwise`, as long as nothing was measured."""
        return otherwise if self.smoothed is None else self.smoothed + _DEVIATIONS * self._deviation
