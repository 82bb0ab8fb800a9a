"""When a link makes room for a fresh one: before its service ends it, and best in a pause."""

from __future__ import annotations

import math

_AT, _BY = 0.9, 0.97
"""Shares of the longest session that a service allows."""


class RolloverSchedule:
    """`cap`: seconds from `opened` after which the service ends the session; ``None``: it does not."""

    def __init__(self, cap: float | None, opened: float) -> None:
        self.at = self.by = math.inf
        if cap is not None:
            self.ask(opened + cap * _AT, opened + cap * _BY)

    def ask(self, at: float, by: float) -> None:
        """At the first pause in speech from the moment `at` on, `by` at the latest."""
        self.at, self.by = min(self.at, at), min(self.by, by)
