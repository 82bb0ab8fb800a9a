"""Whether to dial again, and when.

Laws
    1. What cannot get better is never tried again: bad credentials, bad requests, permanent close codes.
    2. A service's own ``Retry-After`` is obeyed, and never undercut.
    3. Only committed progress, or a link up for `stable_after`, refills a session's budget. A handshake refills
       nothing, so accept-then-close ends in `RetriesExhausted` like any other outage.
    4. A link that fails alone is redialed at once; links that fail together spread out over the time in which all of
       them can be dialed, and are dialed early enough to be back when it is over.
"""

from __future__ import annotations

from collections import deque
from random import Random

from ...policy import RetryPolicy
from .verdict import Verdict

_CROWD_WINDOW = 1.0
_FOR_THE_LAST = 1 / 8
"""Of the time over which a crowd spreads: what its last ones have to notice their loss, and to dial."""


class RetryBucket:
    """What all sessions of a client share about one service: the token bucket, and who failed just now."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._capacity = float(policy.bucket)
        self._tokens = float(policy.bucket)
        self._filled_at = 0.0
        self._losses: deque[float] = deque(maxlen=1024)

    def lost(self, now: float) -> int:
        """Records a link's loss; returns how many links were lost within the last second, this one included."""
        while self._losses and self._losses[0] < now - _CROWD_WINDOW:
            self._losses.popleft()
        self._losses.append(now)
        return len(self._losses)

    def proved_stable(self, now: float) -> None:
        """A link did well: one retry comes back."""
        self._refill(now)
        self._tokens = min(self._capacity, self._tokens + 1.0)

    def spend(self, now: float) -> float:
        """Takes one retry out of the bucket; returns in how many seconds it may be made."""
        self._refill(now)
        self._tokens -= 1.0
        return max(0.0, -self._tokens)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._filled_at))
        self._filled_at = now


class RetryBudget:
    """One session's patience with one service."""

    def __init__(self, policy: RetryPolicy, endpoint: RetryBucket, random: Random) -> None:
        self._policy = policy
        self._endpoint = endpoint
        self._random = random
        self._outage_began: float | None = None
        self._up_since: float | None = None
        self._committed = -1
        self.attempts = 0
        """Attempts since the last progress."""

    def committed(self, upto: int, now: float) -> None:
        """The service has acknowledged all before sample `upto`: progress, where that is news."""
        if upto > self._committed:
            if self._committed >= 0:
                self.progressed(now)
            self._committed = upto

    def opened(self, now: float) -> None:
        """A handshake succeeded: nothing is refilled by that."""
        self._up_since = now

    def progressed(self, now: float) -> None:
        """The service committed audio, or handed over speech."""
        if self.attempts:
            self._endpoint.proved_stable(now)
        self.attempts = 0
        self._outage_began = None

    def failed(self, now: float, verdict: Verdict) -> float | None:
        """The delay before the next attempt, or ``None`` where patience has run out."""
        if self._up_since is not None and now - verdict.silent_for - self._up_since >= self._policy.stable_after:
            self.progressed(now)
        self._up_since = None
        if self._outage_began is None:
            self._outage_began = now
        crowd = self._endpoint.lost(now)
        if self._exhausted_attempts():
            return None
        delay = max(self._backoff(crowd), verdict.not_before, self._endpoint.spend(now))
        deadline = self._policy.deadline
        if deadline is not None and now + delay - self._outage_began > deadline:
            return None
        self.attempts += 1
        return delay

    def _exhausted_attempts(self) -> bool:
        limit = self._policy.max_attempts
        return limit is not None and self.attempts >= limit

    def _backoff(self, crowd: int) -> float:
        policy = self._policy
        if self.attempts == 0:
            if crowd == 1:
                return 0.0
            window = policy.base_delay * max(1.0, crowd / policy.max_concurrent_dials)
            window *= 1.0 - _FOR_THE_LAST
        else:
            window = policy.base_delay * 2.0 ** min(self.attempts, 60)
        return self._random.uniform(0.0, min(policy.max_delay, window))
