"""The retry budget: decides whether a session dials again after a failure, and after how many seconds.

Laws
    1. A failure that another dial cannot cure is never retried: bad credentials, bad requests, permanent close codes
       (see `verdict`).
    2. No dial is made earlier than the service's ``Retry-After`` allows.
    3. Only progress (committed audio, or speech received), or a connection that was up for `stable_after`, refills a
       session's budget. A handshake alone does not: a service that accepts connections and then closes them ends in
       `RetriesExhausted` like any other outage.
    4. While dials do not reach the service at all, and few sessions try, no wait is longer than a quarter of the outage
       so far, so that the session notices the end of a short outage soon. That of a session alone is drawn from the
       middle half of its range: that is as many dials, of which the next one is nearer. This does not apply where the
       policy limits the number of attempts, which would be spent too fast.
    5. A connection that fails alone is redialed at once. Connections that fail together spread their dials over the
       time that all of them need, so that a service that comes back is not overloaded.
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
"""The last share of the jitter window, in which no dial begins: it is left for the last dials to succeed."""


class RetryBucket:
    """The token bucket that limits the retries of one endpoint, for all sessions of a client.

    It also counts the connections lost within the last second.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._capacity = float(policy.bucket)
        self._tokens = float(policy.bucket)
        self._filled_at = 0.0
        self._losses: deque[float] = deque(maxlen=1024)

    def lost(self, now: float) -> int:
        """Call when a connection is lost. Returns how many were lost within the last second, this one included."""
        while self._losses and self._losses[0] < now - _CROWD_WINDOW:
            self._losses.popleft()
        self._losses.append(now)
        return len(self._losses)

    def proved_stable(self, now: float) -> None:
        """Call when a connection makes progress after failures: puts one retry back into the bucket."""
        self._refill(now)
        self._tokens = min(self._capacity, self._tokens + 1.0)

    def spend(self, now: float) -> float:
        """Takes one retry out of the bucket. Returns the seconds until it may be made; 0 where that is now."""
        self._refill(now)
        self._tokens -= 1.0
        return max(0.0, -self._tokens)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._filled_at))
        self._filled_at = now


class RetryBudget:
    """The retries of one session with one endpoint."""

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
        """How many retries were made since the last progress; the first dial does not count."""
        self.progressed_at = -math.inf
        """When the last progress was made."""

    def committed(self, upto: int, now: float) -> None:
        """Call when the service has acknowledged the audio before sample `upto`. It is progress if `upto` has grown.

        The first call only tells where the stream begins.
        """
        if upto > self._committed:
            if self._committed >= 0:
                self.progressed(now)
            self._committed = upto

    @property
    def out_since(self) -> float:
        """Since when the session wants a connection that makes progress; infinite where it has one, or wants none."""
        since = self._wanted_since if self._outage_began is None else self._outage_began
        return math.inf if since is None else since

    def is_spent(self, now: float) -> bool:
        """Whether the policy allows no further attempt in the outage that is going on."""
        deadline = math.inf if self._policy.deadline is None else self._policy.deadline
        return now - self.out_since >= deadline or self._exhausted_attempts()

    def wanted(self, now: float) -> float:
        """Call when the session needs a connection. Returns the moment at which to give up if none is made until then.

        The policy's deadline counts from the loss of the last connection, or from the first call of this method.
        Infinite where the policy has none.
        """
        if self._wanted_since is None:
            self._wanted_since = now
        return math.inf if self._policy.deadline is None else self.out_since + self._policy.deadline

    def opened(self, now: float) -> None:
        """Call when a handshake has succeeded. That alone does not refill the budget."""
        self._up_since = now
        self._wanted_since = None

    def progressed(self, now: float) -> None:
        """Call when the service has committed audio or sent speech: refills the budget."""
        if self.attempts:
            self._bucket.proved_stable(now)
        self.attempts = 0
        self._outage_began = None
        self.progressed_at = now

    def failed(self, now: float, verdict: Verdict, *, within: float = math.inf) -> float | None:
        """Call when a dial or a connection has failed.

        Returns the seconds until the next attempt; ``None`` if the budget is spent. `within`: for how many seconds the
        outage may last at most, if that is less than the policy's deadline.
        """
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
        deadline = math.inf if self._policy.deadline is None else self._policy.deadline
        if now + delay - self._outage_began >= min(deadline, within):  # at the deadline itself no time is left to dial
            return None
        self.attempts += 1
        return delay

    def _exhausted_attempts(self) -> bool:
        limit = self._policy.max_attempts
        return limit is not None and self.attempts >= limit

    def _others(self, crowd: int, now: float) -> int:
        """Counts a failure of this session. Returns how many of the last second's losses are of other sessions."""
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
                if not others:
                    window = min(policy.max_delay, window)
                    return self._random.uniform(window / 4, window * 3 / 4)
        return self._random.uniform(0.0, min(policy.max_delay, window))
