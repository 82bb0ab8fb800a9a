"""Decides whether the peer of a connection is still alive: when to send pings, and how long a pong may take.

It does no I/O: the shell passes what it observes (`Seen`) to `next`, and does what that returns. The peer *owes*
something when it was sent audio or text and has not answered with a result. It is a *suspect* when it has been silent
for so long after a ping that it may be gone.

Laws
    1. Any received bytes are a sign of life: part of a message as well as a pong, however late.
    2. Only silence after a ping counts. A ping is sent every ``ping_interval``; earlier, where something is owed and
       nothing has come for `ASK_AFTER`; and at once after `Health.ask`.
    3. How long the silence may last: where something is owed, the connection's own round trip plus its deviations, at
       least ``suspect_after_min`` and at most `_LONGEST`; else ``ping_timeout``.
    4. A slow peer is not dead. A late pong is excused up to ``ping_timeout`` while the kernel's send queue is not empty
       and the peer acknowledges part of it. It is also excused while the service may be busy with audio that it was
       sent faster than real time, unless its kernel acknowledges nothing. An empty send queue excuses nothing: the
       kernel of a peer that hangs may still accept all bytes.
    5. Where `next` is called late, that delay does not count as silence: messages may have come and wait to be read.
    6. A suspect that shows life was suspected wrongly. That doubles the silence allowed for five minutes, to
       ``suspect_after_max`` at most, and so does a connection that was given up as a suspect: see `FalseAlarms`.

    state        what is observed                                       what `next` returns
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

ASK_AFTER = 0.6
"""Seconds of silence, while something is owed, after which a ping is sent. Most services send something each half
second while somebody speaks, so that few pings are needed."""

_LATE = 0.1
"""Seconds by which a call of `next` may be late as usual. A longer delay does not count as silence."""

_TO_READ = 0.1
"""Seconds allowed, after such a delay, to read what came meanwhile."""

_SUSPENDED = 1.0
"""Seconds for which this machine was suspended after which a ping is sent at once: services drop mute connections."""

_RESENT = 2
"""Retransmissions in a row, as the kernel counts them, after which the peer's kernel counts as silent too. A single one
may be due to a lost packet."""

_LOOK_NOW_AND_THEN = 0.5  # seconds between two looks at a peer that may be busy
_LOOK_AGAIN = 0.1  # seconds between two looks at a send queue that excuses a late pong
_LONGEST = 2.5
"""Seconds of silence that the round trips alone explain, at most, and those that are allowed before one was measured.
More are only allowed after a false alarm."""
_REMEMBERED = 300.0  # seconds after which half of the patience that false alarms have brought is gone
_MOST_DOUBLINGS = 8


class SendQueue(Struct, frozen=True):
    """What the kernel tells about a connection's outgoing bytes.

    `waiting`: how many bytes the peer's kernel has not acknowledged. `acknowledged`: how many it has, in all.
    """

    waiting: int
    acknowledged: int
    resent: int = 0
    """How often the oldest waiting bytes were sent again, without any acknowledgment since."""


class Seen(Struct, frozen=True):
    """What the shell observes of a connection. Moments are in seconds on one clock, and may lie in the future."""

    received_at: float
    """When any bytes were received last."""
    owed_since: float = math.inf
    """Since when the peer owes a result or an answer; infinite where it owes none."""
    busy_until: float = -math.inf
    """Until when the service may be busy with audio that it was sent faster than real time."""
    queue: SendQueue | None = None
    """The state of the kernel's send queue; ``None`` where the system does not tell it, or no ping is under way."""
    suspended: float = 0.0
    """For how many seconds in all this machine has been suspended."""


class Ask(Struct, frozen=True):
    """Send a ping now, and call `Health.answered` when its pong comes."""


class Suspect(Struct, frozen=True):
    """The peer may be gone: nothing has come for `seconds` after a ping."""

    seconds: float


class Cleared(Struct, frozen=True):
    """The peer, which was a suspect, has shown that it is alive."""


class Dead(Struct, frozen=True):
    """The peer is gone: give the connection up."""


class Rest(Struct, frozen=True):
    """Call `next` again at the moment `until`, or at another if there is news: see `Health.looks_again_at`."""

    until: float


Judgment: TypeAlias = Ask | Suspect | Cleared | Dead | Rest


class FalseAlarms:
    """Makes its user more patient with connections after each suspicion that was or may have been wrong.

    Each one doubles that patience, and each `remembered` seconds without another one halve it again.
    """

    def __init__(self, remembered: float = _REMEMBERED) -> None:
        self._remembered = remembered
        self._doublings = 0
        self._since = -math.inf

    def alarmed(self, now: float) -> None:
        """Call when a suspect has shown that it is alive, or was given up."""
        self._doublings = min(self._left(now) + 1, _MOST_DOUBLINGS)
        self._since = now

    def patience(self, now: float) -> float:
        """Returns the factor by which the allowed silence is to be multiplied."""
        return 2.0 ** self._left(now)

    def _left(self, now: float) -> int:
        return max(0, self._doublings - int((now - self._since) / self._remembered)) if self._doublings else 0


class Health:
    """Watches one connection. `opened`: when it was made. `alarms`: may be shared by several connections."""

    def __init__(self, policy: LivenessPolicy, opened: float, alarms: FalseAlarms | None = None) -> None:
        self._policy = policy
        self._alarms = FalseAlarms() if alarms is None else alarms
        self.round_trip = RoundTrip()
        self._asked_at = -math.inf
        self._is_asking = False
        self._reason_to_ask = True  # the first ping measures the round trip
        self._counts_from = opened
        self._suspected_after: float | None = None
        """While the peer is a suspect: when any bytes had been received last before that; else ``None``."""
        self._looks_at = math.inf
        self._suspended = 0.0
        self._queue: SendQueue | None = None
        self._moved_at = -math.inf

    def ask(self) -> None:
        """Has a ping sent at once. Call it where the connection was idle and is needed now."""
        self._reason_to_ask = True

    @property
    def is_asking(self) -> bool:
        """Whether a ping is under way. Only then does the state of the send queue matter."""
        return self._is_asking

    def looks_again_at(self, received_at: float, owed_since: float) -> float:
        """Returns when `next` is to be called, earlier or later than the last `Rest` said, since there is news.

        The arguments are as in `Seen`. Call it only while no ping is under way.
        """
        self._looks_at = self._asks_at(received_at, owed_since)
        return self._looks_at

    def answered(self, seconds: float) -> None:
        """Call when a pong comes, `seconds` after its ping."""
        self._is_asking = False
        self.round_trip.measured(seconds)

    def next(self, now: float, seen: Seen) -> Judgment:
        """Returns what to do now. `Ask` counts as done. Call it again until it returns `Rest` or `Dead`."""
        self._notice(now, seen)
        if self._suspected_after is not None and seen.received_at > self._suspected_after:
            self._suspected_after = None
            self._alarms.alarmed(now)
            return Cleared()
        asks_at = self._asks_at(seen.received_at, seen.owed_since)
        if not self._is_asking and now >= asks_at:
            self._is_asking, self._reason_to_ask, self._asked_at = True, False, now
            return Ask()
        return self._judge(now, seen) if self._is_asking else self._rest(asks_at)

    def _notice(self, now: float, seen: Seen) -> None:
        """Notes how late this call is, whether the machine was suspended, and whether the send queue moves."""
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

    def _asks_at(self, received_at: float, owed_since: float) -> float:
        if self._reason_to_ask:
            return -math.inf
        regular = self._asked_at + self._policy.ping_interval
        return min(regular, max(received_at, owed_since, self._counts_from) + ASK_AFTER)

    def _silent_since(self, seen: Seen) -> float:
        """Returns since when nothing has come after a ping."""
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
        longest = min(self.round_trip.longest(_LONGEST), _LONGEST)
        within = max(policy.suspect_after_min, longest)
        return min(within * self._alarms.patience(now), policy.suspect_after_max, policy.ping_timeout)

    def _is_moving(self, now: float, seen: Seen) -> bool:
        """Whether the peer is still taking in the bytes that wait for it: the ping may wait behind them."""
        return seen.queue is not None and seen.queue.waiting > 0 and now - self._moved_at <= 2 * _LOOK_AGAIN

    def _rest(self, until: float) -> Rest:
        self._looks_at = until
        return Rest(until)
