"""Limits how fast a link is sent its backlog: the captured audio that it has not been sent when it opens.

Law: from the moment the pacer is engaged until the link has caught up, at most `burst` seconds of audio, plus `speed`
seconds of audio per second, are sent. Live audio queues behind the backlog, which shrinks as long as `speed` exceeds 1.
"""

from __future__ import annotations

import math

CAUGHT_UP = 0.125
"""Seconds of audio: a link with a smaller backlog has caught up."""
LUMP = 0.25
"""Seconds of a backlog that are sent together: waking up for each frame would cost more than sending it."""

_ROUNDING = 1e-3  # of a sample: makes up for rounding of the clock at the moment that `delay` computed


class Pacer:
    """Paces the backlog of one link.

    `speed`: as a multiple of real time; ``None`` or infinity: no limit. `burst`: seconds of audio that may be sent at
    once.
    """

    def __init__(self, speed: float | None, sample_rate: int, burst: float) -> None:
        self._speed = math.inf if speed is None else speed
        self._burst = burst
        self._rate = sample_rate
        self._since = 0.0
        self._gone = 0
        self.engaged = False
        """Whether a backlog is being paced; false once the link has caught up."""

    def engage(self, now: float, backlog: int) -> None:
        """Call when a link opens that has `backlog` samples to catch up on. Paces it if they are more than `burst`."""
        if backlog > self._burst * self._rate and self._speed != math.inf:
            self._since = now
            self.engaged = True

    def delay(self, now: float, samples: int) -> float:
        """Returns the seconds until `samples` more may be sent; 0 where that is now."""
        if not self.engaged:
            return 0.0
        owed = (self._gone + samples) / self._rate - self._burst
        return max(0.0, self._since + owed / self._speed - now)

    def allowed(self, now: float, samples: int) -> int:
        """Returns how many of `samples` may be sent now."""
        if not self.engaged:
            return samples
        upto = (self._burst + (now - self._since) * self._speed) * self._rate + _ROUNDING
        return min(samples, max(0, math.floor(upto) - self._gone))

    def sent(self, samples: int, backlog: int) -> None:
        """Call when `samples` were sent, which leaves a backlog of `backlog` samples."""
        self._gone += samples
        if backlog < CAUGHT_UP * self._rate:
            self.engaged = False

    def catch_up(self, backlog: int) -> float:
        """Returns the seconds until a backlog of `backlog` samples is sent while live audio keeps coming in.

        Infinite where `speed` is 1 or less.
        """
        if backlog == 0 or not self.engaged:
            return 0.0
        return math.inf if self._speed <= 1.0 else backlog / self._rate / (self._speed - 1.0)
