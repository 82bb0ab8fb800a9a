"""Detects that a session has had no input for long, most often because `end_input` was forgotten."""

from __future__ import annotations

LONG = 30.0
"""Seconds without input that count as a long wait."""


class InputWatch:
    """Reports each long wait for input once."""

    def __init__(self, now: float) -> None:
        self._amount = 0
        self._since = now
        self._told = False

    def long_wait(self, amount: int, now: float) -> float | None:
        """Returns the seconds without input once they are `LONG`; ``None`` before that, and once it was reported.

        Call it every few seconds. `amount`: any number that grows with the input.
        """
        if amount != self._amount:
            self._amount, self._since, self._told = amount, now, False
        waited = now - self._since
        if self._told or waited < LONG:
            return None
        self._told = True
        return waited
