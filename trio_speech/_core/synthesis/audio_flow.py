"""Notices a voice that hangs in the middle of a sentence, although its service still answers pings.

The audio of one request comes in pieces, mostly at a steady rate. How far apart they are is estimated over the whole
session, as TCP estimates its round trips (RFC 6298).

Laws
    1. Only a voice that has begun to speak the sentence can be found hanging, and only once `_ENOUGH` gaps between
       pieces were measured. Before that, the profile's ``receive_timeout`` applies.
    2. It hangs when no piece has come for `_SILENCE` seconds, or for the estimated gap if that is longer.
    3. Each time a voice was given up, whether rightly or not, doubles that for some minutes: see `FalseAlarms`.
"""

from __future__ import annotations

import math

from ..liveness.health import FalseAlarms
from ..liveness.round_trip import RoundTrip

_SILENCE = 2.5
_ENOUGH = 3


class AudioFlow:
    """The pieces of audio of one session."""

    def __init__(self) -> None:
        self._gaps = RoundTrip()
        self._measured = 0
        self._alarms = FalseAlarms()
        self._last: float | None = None
        """When the last piece for the current request came; ``None`` before the first."""

    @property
    def is_watched(self) -> bool:
        """Whether the voice has begun to speak, and enough is known of how its audio comes."""
        return self._last is not None and self._measured >= _ENOUGH

    def requested(self) -> None:
        """Call when a sentence is asked for."""
        self._last = None

    def came(self, now: float) -> None:
        """Call when a piece of audio comes, or the end of the sentence, for which some services take their time."""
        if self._last is not None:
            self._gaps.measured(now - self._last)
            self._measured += 1
        self._last = now

    def stalls_at(self) -> float:
        """Returns when the voice counts as hanging, if no audio comes until then; infinite while it is not watched."""
        if self._last is None or not self.is_watched:
            return math.inf
        return self._last + max(_SILENCE, self._gaps.longest(math.inf)) * self._alarms.patience(self._last)

    def given_up(self, now: float) -> None:
        """Call when the voice is given up because it hangs."""
        self._alarms.alarmed(now)
