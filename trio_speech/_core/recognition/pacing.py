"""How fast a backlog may be played again.

Law: from the moment the pacer is engaged until the link has caught up, no more than `burst` seconds plus `speed`
seconds a second go out; live audio queues behind. Since `speed` is above 1, the backlog shrinks all the while.
"""

from __future__ import annotations

import math

CAUGHT_UP = 0.125
"""Seconds of audio: a link with less of a backlog has caught up."""
LUMP = 0.25
"""Seconds of a backlog that are waited for and go out together: to be woken costs more than to send."""

_ROUNDING = 1e-3  # of a sample: the clock's last digits, at the very moment that `delay` named


class Pacer:
    """Paces one link's catch-up. `speed`: ``None`` or infinity: no limit. `burst`: seconds that may go out at once."""

    def __init__(self, speed: float | None, sample_rate: int, burst: float) -> None:
        self._speed = math.inf if speed is None else speed
        self._burst = burst
        self._rate = sample_rate
        self._since = 0.0
        self._gone = 0
        self.engaged = False
        """Whether there is still a backlog to be paced."""

    def engage(self, now: float, backlog: int) -> None:
        """A link opens with `backlog` samples to catch up on."""
        if backlog > self._burst * self._rate and self._speed != math.inf:
            self._since = now
            self.engaged = True

    def delay(self, now: float, samples: int) -> float:
        """Seconds until `samples` more may go out."""
        if not self.engaged:
            return 0.0
        owed = (self._gone + samples) / self._rate - self._burst
        return max(0.0, self._since + owed / self._speed - now)

    def allowed(self, now: float, samples: int) -> int:
        """How many of `samples` may go out now."""
        if not self.engaged:
            return samples
        upto = (self._burst + (now - self._since) * self._speed) * self._rate + _ROUNDING
        return min(samples, max(0, math.floor(upto) - self._gone))

    def sent(self, samples: int, backlog: int) -> None:
        """`samples` went out, which leaves `backlog`."""
        self._gone += samples
        if backlog < CAUGHT_UP * self._rate:
            self.engaged = False

    def catch_up(self, backlog: int) -> float:
        """Seconds until `backlog` samples are gone while live audio comes in; infinite at real-time speed."""
        if backlog == 0 or not self.engaged:
            return 0.0
        return math.inf if self._speed <= 1.0 else backlog / self._rate / (self._speed - 1.0)
