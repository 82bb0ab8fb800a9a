"""A circuit breaker: decides when a dial to one endpoint may begin, for all sessions of a client.

Laws
    1. No more than `limit` dials are under way at once.
    2. The endpoint is *down* from a dial that failed until one succeeds. While it is down and a dial is under way, the
       next may begin `_PROBE_EVERY` seconds after that one began. Where none is under way, one may begin at once.
    3. A session that has another backend goes there when no dial to this endpoint has succeeded for some time: while it
       waits for its turn, or since its own dial began. So one that dials an endpoint that was down finds out whether it
       is up again, and those that come meanwhile do not wait.
"""

from __future__ import annotations

import math

_PROBE_EVERY = 1.0


class Breaker:
    """The dials to one endpoint. `limit`: how many may be under way at once."""

    def __init__(self, limit: int) -> None:
        self.dialing = 0
        """How many dials are under way."""
        self._limit = limit
        self._begun_at = -math.inf
        self._succeeded_at = -math.inf
        self._down_since = math.inf

    @property
    def is_down(self) -> bool:
        """Whether a dial has failed and none has succeeded since."""
        return self._down_since < math.inf

    @property
    def free(self) -> int:
        """How many more dials `limit` allows."""
        return self._limit - self.dialing

    def dials_at(self, now: float) -> float:
        """Returns the moment from which a dial may begin; infinite where it must wait for another dial to end."""
        if self.free <= 0:
            return math.inf
        if self.is_down and self.dialing:
            return max(now, self._begun_at + _PROBE_EVERY)
        return now

    def gives_way_at(self, arrived: float, patience: float) -> float:
        """Returns when a session that waits for its turn since the moment `arrived` should go to another backend.

        `patience`: for how many seconds no dial must have succeeded.
        """
        return max(self._succeeded_at, min(arrived, self._down_since)) + patience

    def given_up_at(self, began: float, patience: float) -> float:
        """Returns when a session with another backend should give up the dial that it began at the moment `began`."""
        return max(self._succeeded_at, began) + patience

    def began(self, now: float) -> None:
        """Call when a dial begins."""
        self.dialing += 1
        self._begun_at = now

    def ended(self) -> None:
        """Call when a dial is over, however it ended."""
        self.dialing -= 1

    def succeeded(self, now: float) -> None:
        """Call when the endpoint has answered a dial, even by a refusal."""
        self._succeeded_at = now
        self._down_since = math.inf

    def failed(self, since: float) -> None:
        """Call when a dial did not reach the endpoint, or was not answered. `since`: when that dial was made."""
        self._down_since = min(self._down_since, max(since, self._succeeded_at))
