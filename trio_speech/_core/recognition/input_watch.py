"""Notices that a session has waited long for input, which most often is an `end_input` that was forgotten."""

from __future__ import annotations

LONG = 30.0
"""Seconds without input that are told."""


class InputWatch:
    """Tells once of each long wait. `amount` is anything that grows with the input."""

    def __init__(self, now: float) -> None:
        self._amount = 0
        self._since = now
        self._told = False

    def long_wait(self, amount: int, now: float) -> float | None:
        """Seconds without input, where that is long and was not told yet. To be called every few seconds."""
        if amount != self._amount:
            self._amount, self._since, self._told = amount, now, False
        waited = now - self._since
        if self._told or waited < LONG:
            return None
        self._told = True
        return waited
