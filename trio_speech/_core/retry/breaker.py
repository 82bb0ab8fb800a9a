"""Decides when a dial to one endpoint may begin, over all sessions of a client: a circuit breaker.

Laws
    1. No more than `limit` dials are under way at once.
    2. The endpoint is *down* from a failed dial until one succeeds. Then dials are probes for everybody: while one is
       under way, another begins `_PROBE_EVERY` after it at the earliest. With none under way, one may begin at once.
    3. A session that has another backend does not wait in line at an endpoint at which no dial has succeeded for
       `_GIVES_WAY_AFTER`.
"""

from __future__ import annotations

import math

_PROBE_EVERY = 1.0
_GIVES_WAY_AFTER = 1.0


class Breaker:
    """The dials to one endpoint: how many are under way, and whether they succeed."""

    def __init__(self, limit: int) -> None:
        self.dialing = 0
        """Dials that are under way."""
        self._limit = limit
        self._begun_at = -math.inf
        self._succeeded_at = -math.inf
        self._down_since = math.inf

    @property
    def is_down(self) -> bool:
        """True if the last dial failed."""
        return self._down_since < math.inf

    @property
    def free(self) -> int:
        """How many more dials may be under way."""
        return self._limit - self.dialing

    def dials_at(self, now: float) -> float:
        """The moment from which a dial may begin, as far as is known: `now`, later, or infinity."""
        if self.free <= 0:
            return math.inf
        if self.is_down and self.dialing:
            return max(now, self._begun_at + _PROBE_EVERY)
        return now

    def gives_way_at(self, arrived: float) -> float:
        """When a session that waits since `arrived` goes to another backend, if it has one."""
        return max(self._succeeded_at, min(arrived, self._down_since)) + _GIVES_WAY_AFTER

    def began(self, now: float) -> None:
        """A dial begins."""
        self.dialing += 1
        self._begun_at = now

    def ended(self) -> None:
        """A dial is over, however it ended."""
        self.dialing -= 1

    def succeeded(self, now: float) -> None:
        """The endpoint has answered a dial, be it by a refusal."""
        self._succeeded_at = now
        self._down_since = math.inf

    def failed(self, now: float) -> None:
        """The endpoint could not be reached, or has not answered."""
        self._down_since = min(self._down_since, now)
