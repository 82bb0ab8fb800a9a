"""Detects a recognizer that has stopped working although its service still answers pings.

A result is *owed* when the service was sent what may be speech and has said nothing of it, or has shown a guess (an
interim or preflight transcript) without its final.

Laws
    1. Nothing is owed for silence. A result is owed from the first possible speech that is sent after the last result,
       and a final from the first guess. Further guesses are no progress: they may come for ever.
    2. A result that is owed for half of `timeout` seconds is asked for in the next pause, and after three quarters of
       it also in the middle of sound: what was sent may be loud noise, for which no result comes without a request.
    3. Where a result is owed for `timeout` seconds, the link counts as dead.
"""

from __future__ import annotations

import math

_ASKED_BY = 0.75
"""Share of the timeout after which the result is asked for in the middle of sound too. The rest is for its answer."""


class ProgressWatch:
    """Watches whether results come for the speech sent. `timeout`: in seconds; ``None`` turns the watch off."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.owed = False
        """Whether a result is owed; more speech changes nothing then."""
        self.doubtful_from = self.asked_by = self.overdue_from = math.inf
        """The moments from which the owed result is asked for in a pause, then in the middle of sound, and from which
        the link counts as dead. Infinite where nothing is owed.
        """
        self.owed_since = math.inf
        self._guessed = False

    def sent(self, now: float) -> bool:
        """Call when audio that may be speech is sent. Returns whether a result is owed now that was not owed before."""
        if self.owed or self.timeout is None:
            return False
        self.made(now, owes=True)
        self._guessed = False
        return True

    def guessed(self, now: float) -> None:
        """Call when a guess (an interim or preflight transcript) arrives. The first one makes its final owed."""
        if not self._guessed:
            self.made(now, owes=True)

    def made(self, now: float, *, owes: bool) -> None:
        """Call when a message shows that the recognizer works. `owes`: whether a result is owed after it."""
        self.owed = self._guessed = owes
        self.owed_since = now if owes else math.inf
        patience = math.inf if self.timeout is None or not owes else self.timeout
        self.doubtful_from = now + patience / 2
        self.asked_by = now + patience * _ASKED_BY
        self.overdue_from = now + patience
