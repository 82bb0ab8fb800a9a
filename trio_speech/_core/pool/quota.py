"""Limits how many generations are begun on a connection within a minute: some services ignore any beyond that."""

from __future__ import annotations

import math
from collections import deque

_MINUTE = 60.0


class GenerationQuota:
    """Counts the generations of one connection within the last minute.

    `per_minute`: how many the service allows; ``None``: any number. Times are in seconds from any origin.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._allowed = math.inf if per_minute is None else per_minute
        self._began: deque[float] = deque(maxlen=per_minute or 0)

    def began(self, now: float) -> None:
        """Call when a generation begins."""
        self._began.append(now)

    def is_used_up(self, now: float) -> bool:
        """Whether one more generation now would be more than the service allows."""
        return len(self._began) >= self._allowed and now - self._began[0] < _MINUTE
