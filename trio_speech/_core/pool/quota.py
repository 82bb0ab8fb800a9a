"""How often a connection may be asked to speak: some services ignore what comes more often."""

from __future__ import annotations

import math
from collections import deque

_MINUTE = 60.0


class GenerationQuota:
    """The generations of one connection within the last minute, of `per_minute` that the service allows.

    ``None`` allows any number. Times are in seconds from any origin.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._allowed = math.inf if per_minute is None else per_minute
        self._began: deque[float] = deque(maxlen=per_minute or 0)

    def began(self, now: float) -> None:
        """Counts one generation."""
        self._began.append(now)

    def is_used_up(self, now: float) -> bool:
        """Whether one more now would be too many."""
        return len(self._began) >= self._allowed and now - self._began[0] < _MINUTE
