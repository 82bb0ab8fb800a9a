"""Decides whether to dial again, and when.

Laws
    1. What cannot get better is never retried: bad credentials, bad requests, permanent close codes (see `verdict`).
    2. A service's own ``Retry-After`` is obeyed, and never undercut.
    3. Only committed progress, or a connection that was up for `stable_after`, refills a session's budget. A handshake
       does not: a service that accepts and then closes ends in `RetriesExhausted` like any other outage.
    4. While nothing of the service can be reached, and few try, no wait is longer than a quarter of the outage so far:
       a short outage is over as soon as it ends. Where attempts are counted, they are not spent so fast.
    5. A connection that fails alone is redialed at once. Those that fail together spread their dials over the time that
       all of them need, so that a service that comes back is not overrun.
"""

from __future__ import annotations

import math
from collections import deque
from random import Random

from ...policy import RetryPolicy
from .verdict import Verdict

_CROWD_WINDOW = 1.0
_SHARE_OF_OUTAGE = 1 / 4
_KEPT_FOR_THE_LAST = 1 / 8
"""The last share of the jitter window, in which no dial begins: the last sessions need it to notice and to dial."""


class RetryBucket:
    """The token bucket of one endpoint, shared by all sessions of a client, and the losses of the last second."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._capacity = float(policy.bucket)
        self._tokens = float(policy.bucket)
        self._filled_at = 0.0
        self._losses: deque[float] = deque(maxlen=1024)

    def lost(self, now: float) -> int:
        """Records a lost connection; returns how many were lost within the last second, this one included."""
        while self._losses and self._losses[0] < now - _CROWD_WINDOW:
            self._losses.popleft()
        self._losses.append(now)
        return len(self._losses)

    def proved_stable(self, now: float) -> None:
        """Returns one retry to the bucket: a connection made progress after failures."""
        self._refill(now)
        self._tokens = min(self._capacity, self._tokens + 1.0)

    def spend(self, now: float) -> float:
        """Takes one retry out of the bucket; returns the seconds until it may be made."""
        self._refill(now)
        self._tokens -= 1.0
        return max(0.0, -self._tokens)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._filled_at))
        self._filled_at = now


class RetryBudget:
    """One session's retries with one endpoint."""

    def __init__(self, policy: RetryPolicy, bucket: RetryBucket, random: Random) -> None:
        self._policy = policy
        self._bucket = bucket
        self._random = random
        self._outage_began: float | None = None
        self._wanted_since: float | None = None
        self._up_since: float | None = None
        self._failures: deque[float] = deque()
        self._committed = -1
        self.attempts = 0
        """Attempts since the last progress, not counting the first dial."""

    def committed(self, upto: int, now: float) -> None:
        """The service has acknowledged the audio before sample `upto`; progress if that is further than before.

        The first call only tells where the stream begins.
        """
        if upto > self._committed:
            if self._committed >= 0:
                self.progressed(now)
            self._committed = upto

    def wanted(self, now: float) -> float:
        """A connection is wanted at `now`; returns the moment at which the session gives up, if none comes.

        The policy's deadline counts from the loss of the connection before, or from when the first one was wanted.
        """
        if self._wanted_since is None:
            self._wanted_since = now
        began = self._wanted_since if self._outage_began is None else self._outage_began
        return math.inf if self._policy.deadline is None else began + self._policy.deadline

    def opened(self, now: float) -> None:
        """A handshake succeeded at `now`. That alone refills nothing."""
        self._up_since = now
        self._wanted_since = None

    def progressed(self, now: float) -> None:
        """The service committed audio or delivered speech: the budget is full again."""
        if self.attempts:
            self._bucket.proved_stable(now)
        self.attempts = 0
        self._outage_began = None

    def failed(self, now: float, verdict: Verdict) -> float | None:
        """Returns the seconds from a failure until the next attempt, or ``None`` if the budget is spent."""
        if self._up_since is not None and now - verdict.silent_for - self._up_since >= self._policy.stable_after:
            self.progressed(now)
        self._up_since = None
        if self._outage_began is None:
            self._outage_began = now if self._wanted_since is None else self._wanted_since
        self._wanted_since = None
        crowd = self._bucket.lost(now)
        if self._exhausted_attempts():
            return None
        delay = max(self._backoff(crowd, now, verdict), verdict.not_before, self._bucket.spend(now))
        deadline = self._policy.deadline
        if deadline is not None and now + delay - self._outage_began > deadline:
            return None
        self.attempts += 1
        return delay

    def _exhausted_attempts(self) -> bool:
        limit = self._policy.max_attempts
        return limit is not None and self.attempts >= limit

    def _others(self, crowd: int, now: float) -> int:
        """How many of the losses within the last second are not this session's."""
        while self._failures and self._failures[0] < now - _CROWD_WINDOW:
            self._failures.popleft()
        self._failures.append(now)
        return crowd - len(self._failures)

    def _backoff(self, crowd: int, now: float, verdict: Verdict) -> float:
        policy, others = self._policy, self._others(crowd, now)
        if self.attempts == 0:
            if crowd == 1:
                return 0.0
            window = policy.base_delay * max(1.0, crowd / policy.max_concurrent_dials)
            window *= 1.0 - _KEPT_FOR_THE_LAST
        else:
            window = policy.base_delay * 2.0 ** min(self.attempts, 60)
            if verdict.unreached and policy.max_attempts is None:
                outage = now - (now if self._outage_began is None else self._outage_began)
                window = min(window, max(policy.base_delay, outage * _SHARE_OF_OUTAGE * (1 + others)))
        return self._random.uniform(0.0, min(policy.max_delay, window))
