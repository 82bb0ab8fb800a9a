"""Is the other side of a connection still there? Pure: the shell tells what it sees, and asks `next` what to do.

Laws
    1. Whatever is received is a sign of life: part of a message as well as a pong, however late.
    2. Silence alone proves nothing. Only silence after a ping does, and a ping goes out every ``ping_interval``; or as
       soon as something is owed and nothing has come for `ASK_AFTER`; or at once, where there is a reason to ask.
    3. How long the silence may last depends on what is at stake. Where something is owed: the connection's own round
       trip with its deviations, from ``suspect_after_min`` to ``suspect_after_max``. Else ``ping_timeout``.
    4. Slow is not dead. A pong may be late while the kernel's send queue holds something and the peer acknowledges part
       of it, up to ``ping_timeout``; and while the service can still be busy with what it was sent faster than it is
       spoken, unless its kernel acknowledges nothing. An empty send queue excuses nothing: a peer that is stuck may
       still have its kernel take all bytes.
    5. Time in which nobody looked is no silence: what came meanwhile may wait to be read.
    6. A suspect that shows life was suspected wrongly. That doubles what it may take for a minute, and so does a
       connection that was given up on suspicion: see `FalseAlarms`.

    state        what is seen                                           what `next` returns
    ─────────    ────────────────────────────────────────────────────   ──────────────────────────────────────────
    calm         ``ping_interval`` passed, or something is owed         `Ask`; from then on a ping is under way
    calm         a ping is under way, and silence lasts too long        `Suspect`, once
    suspect      something was received                                 `Cleared`, once
    suspect      silence lasts for ``ping_timeout``                     `Dead`
    any          else                                                   `Rest`, until the next moment to look
"""

from __future__ import annotations

import math
from typing import TypeAlias

from msgspec import Struct

from ...policy import LivenessPolicy
from .round_trip import RoundTrip

ASK_AFTER = 0.5
"""Seconds of silence, while something is owed, after which the peer is asked. Most services say something that often
while somebody speaks, so that few pings are needed."""

_LATE = 0.1
"""Seconds by which a timer may be late on a busy machine. What it is later counts for nothing."""

_TO_READ = 0.1
"""Seconds for reading what came while nobody looked."""

_SUSPENDED = 1.0
"""Seconds of sleep of the whole machine after which a connection is doubted: services drop those that are mute."""

_RESENT = 2
"""Retransmissions in a row, as the kernel counts them, after which the peer's kernel is mute too. One may be lost."""

_LOOK_NOW_AND_THEN = 0.5  # seconds: how often a peer is looked at that may be busy
_LOOK_AGAIN = 0.1  # seconds: how often the send queue is looked at while it is an excuse
_REMEMBERED = 60.0
_MOST_DOUBLINGS = 8


class SendQueue(Struct, frozen=True):
    """What the kernel tells of a connection's outgoing bytes: how many wait for the peer's acknowledgment, and how many
    were acknowledged in all."""

    waiting: int
    acknowledged: int
    resent: int = 0
    """How often the oldest of them was sent again, without any acknowledgment since."""


class Seen(Struct, frozen=True):
    """What the shell sees of a connection. Moments are in seconds on one clock, which any moment may be ahead of."""

    received_at: float
    """When anything was received last."""
    owed_since: float = math.inf
    """Since when the peer owes something; infinite where it owes nothing."""
    busy_until: float = -math.inf
    """Until when the service may be busy with what it was sent faster than it is spoken."""
    queue: SendQueue | None = None
    """``None`` where the system does not tell."""
    suspended: float = 0.0
    """For how many seconds in all the machine has been suspended."""


class Ask(Struct, frozen=True):
    """Send a ping now; report its pong by `Health.answered`."""


class Suspect(Struct, frozen=True):
    """The peer may be gone: nothing has come for so many `seconds` since it was asked."""

    seconds: float


class Cleared(Struct, frozen=True):
    """The suspect has shown life."""


class Dead(Struct, frozen=True):
    """The suspect is gone."""


class Rest(Struct, frozen=True):
    """Look again at the moment `until`, or earlier if something becomes owed."""

    until: float


Judgment: TypeAlias = Ask | Suspect | Cleared | Dead | Rest


class FalseAlarms:
    """Makes a session more patient after each suspicion that proved wrong, or may have been wrong: twice as patient
    each time, and half as patient again after each minute without another."""

    def __init__(self) -> None:
        self._doublings = 0
        self._since = -math.inf

    def alarmed(self, now: float) -> None:
        """A connection was suspected, and is alive or was given up."""
        self._doublings = min(self._left(now) + 1, _MOST_DOUBLINGS)
        self._since = now

    def patience(self, now: float) -> float:
        """By what a threshold is to be multiplied."""
        return 2.0 ** self._left(now)

    def _left(self, now: float) -> int:
        return max(0, self._doublings - int((now - self._since) / _REMEMBERED)) if self._doublings else 0


class Health:
    """One connection's health. `opened`: the moment at which it was made."""

    def __init__(self, policy: LivenessPolicy, opened: float, alarms: FalseAlarms | None = None) -> None:
        self._policy = policy
        self._alarms = FalseAlarms() if alarms is None else alarms
        self.round_trip = RoundTrip()
        self._asked_at = -math.inf
        self._is_asking = False
        self._reason_to_ask = True  # the first ping measures the round trip
        self._counts_from = opened
        self._suspected_after: float | None = None
        """While the peer is suspect: when anything had been received last."""
        self._looks_at = math.inf
        self._suspended = 0.0
        self._queue: SendQueue | None = None
        self._moved_at = -math.inf

    @property
    def is_suspect(self) -> bool:
        """Whether the peer may be gone."""
        return self._suspected_after is not None

    def ask(self) -> None:
        """There is a reason to ask at once: the connection was idle, and is needed now."""
        self._reason_to_ask = True

    def answered(self, seconds: float) -> None:
        """The pong came, so many seconds after its ping."""
        self._is_asking = False
        self.round_trip.measured(seconds)

    def next(self, now: float, seen: Seen) -> Judgment:
        """What to do now. `Ask` counts as done; call it again until it returns `Rest` or `Dead`."""
        self._notice(now, seen)
        if self._suspected_after is not None and seen.received_at > self._suspected_after:
            self._suspected_after = None
            self._alarms.alarmed(now)
            return Cleared()
        if not self._is_asking and now >= self._asks_at(seen):
            self._is_asking, self._reason_to_ask, self._asked_at = True, False, now
            return Ask()
        return self._judge(now, seen) if self._is_asking else self._rest(self._asks_at(seen))

    def _notice(self, now: float, seen: Seen) -> None:
        """Takes in how late this look is, whether the machine slept, and whether the send queue moves."""
        late = now - self._looks_at
        if late > _LATE:
            self._counts_from = min(now, self._silent_since(seen) + late + _TO_READ)
        self._looks_at = math.inf
        if seen.suspended > self._suspended + _SUSPENDED:
            self._reason_to_ask = True
        self._suspended = seen.suspended
        before, self._queue = self._queue, seen.queue
        if before and seen.queue and seen.queue.waiting and seen.queue.acknowledged > before.acknowledged:
            self._moved_at = now

    def _asks_at(self, seen: Seen) -> float:
        if self._reason_to_ask:
            return -math.inf
        regular = self._asked_at + self._policy.ping_interval
        return min(regular, max(seen.received_at, seen.owed_since, self._counts_from) + ASK_AFTER)

    def _silent_since(self, seen: Seen) -> float:
        """Since when nothing has come although it was asked for."""
        return max(seen.received_at, self._asked_at, self._counts_from)

    def _judge(self, now: float, seen: Seen) -> Judgment:
        since = self._silent_since(seen)
        is_unheard = seen.queue is not None and seen.queue.resent >= _RESENT
        busy_until = -math.inf if is_unheard else seen.busy_until
        dead_at = max(since + self._policy.ping_timeout, busy_until)
        if self._suspected_after is None:
            suspect_at = min(dead_at, max(since + self._threshold(now, seen), busy_until))
            if now < suspect_at:
                return self._rest(min(suspect_at, now + _LOOK_NOW_AND_THEN) if busy_until > now else suspect_at)
            if now < dead_at and self._is_moving(now, seen):
                return self._rest(min(dead_at, now + _LOOK_AGAIN))
            self._suspected_after = seen.received_at
            return Suspect(now - since)
        return Dead() if now >= dead_at else self._rest(dead_at)

    def _threshold(self, now: float, seen: Seen) -> float:
        policy = self._policy
        if seen.owed_since == math.inf:
            return policy.ping_timeout
        longest = self.round_trip.longest(policy.suspect_after_max)
        within = min(max(policy.suspect_after_min, longest), policy.suspect_after_max)
        return min(within * self._alarms.patience(now), policy.suspect_after_max, policy.ping_timeout)

    def _is_moving(self, now: float, seen: Seen) -> bool:
        """Whether the peer takes in what waits for it: then the pong waits behind it."""
        return seen.queue is not None and seen.queue.waiting > 0 and now - self._moved_at <= 2 * _LOOK_AGAIN

    def _rest(self, until: float) -> Rest:
        self._looks_at = until
        return Rest(until)
