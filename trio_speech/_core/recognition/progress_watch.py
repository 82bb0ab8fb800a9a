"""Is the service ill although it answers pings?

Laws
    1. Silence is no illness: nothing is owed for it. A result is owed from the first speech that is sent after the last
       one, and a guess owes its final. More guesses are no progress: they may come for ever.
    2. Owed for half of `timeout` seconds, it is asked for, in a pause, or after three quarters in mid-sound: noise as
       loud as speech may be nothing to speak of.
    3. Owed for `timeout` seconds, it will not come: the link is dead.
"""

from __future__ import annotations

import math

_ASKED_BY = 0.75
"""Share of the patience after which is asked even in mid-sound: what is left is for the answer."""


class ProgressWatch:
    """Watches that results come for the speech that is sent; ``None``: it does not."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.owed = False
        """Whether a result is owed: then more speech makes no difference."""
        self.doubtful_from = self.asked_by = self.overdue_from = math.inf
        """When to ask for what is owed, at the latest too, and when the link is dead."""
        self.owed_since = math.inf
        self._guessed = False

    def sent(self, now: float) -> bool:
        """What may be speech went out; says whether a result is owed for it that was not owed before."""
        if self.owed or self.timeout is None:
            return False
        self.made(now, owes=True)
        self._guessed = False
        return True

    def guessed(self, now: float) -> None:
        """A guess came, which owes its final from the first one on."""
        if not self._guessed:
            self.made(now, owes=True)

    def made(self, now: float, *, owes: bool) -> None:
        """Something came that shows the recognizer at work, and after which a final is owed or not."""
        self.owed = self._guessed = owes
        self.owed_since = now if owes else math.inf
        patience = math.inf if self.timeout is None or not owes else self.timeout
        self.doubtful_from = now + patience / 2
        self.asked_by = now + patience * _ASKED_BY
        self.overdue_from = now + patience
