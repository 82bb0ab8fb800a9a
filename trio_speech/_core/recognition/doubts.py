"""Decides about audio that a link was given all its patience for, and of which something is still open.

*Open* is defined in `evidence`, *patience* in `finalization`. Such audio is in *doubt*: it may hold words.

Laws
    1. The first time, a fresh link is sent the audio again. If that leaves it open too, the table decides.
    2. How much audio is sent again for this reason is bounded: by a share of all audio, or by some seconds if that is
       more.

    what both links left                             what becomes of it
    ──────────────────────────────────────────────   ─────────────────────────────────────────────────────────
    words that were shown, without their final       a `Gap` with the reason "doubt"
    sound without words, and both requests answered  counts as silence; the noise level rises to its loudness
    sound without words, and a request unanswered    a `Gap` with the reason "unanswered"
    quiet audio without an answer                    counts as silence
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from .noise import NoiseLevel
from .replay_log import ReplayLog


class Doubted(Protocol):
    """The part of a session that `Doubts` uses: see `RecognitionMachine` for its methods."""

    log: ReplayLog
    noise: NoiseLevel

    def give_up(self, start: int, upto: int, reason: str) -> None:
        """Makes a `Gap` of the audio of ``[start, upto)`` that no final covers."""

    def speech_ended(self, at: int) -> None:
        """Ends the current speech, if it began before sample `at`."""

    def commit(self, upto: int) -> bool:
        """Moves the commit point to sample `upto`; returns whether it has moved."""
        ...


class LeftOpen(Struct, frozen=True):
    """What one link left open, of the audio from the commit point to sample `end`.

    Fields:
        end: The sample before which the link was given all its patience.
        open_from: The first open sample; ``None`` where nothing is open, and only the answer is missing.
        owed: The first and last sample of words that were shown and whose final did not come; ``None`` without any.
        answered: Whether the service answered a request at or behind `end`.
    """

    end: int
    open_from: int | None
    owed: tuple[int, int] | None
    answered: bool

    def with_first(self, first: LeftOpen) -> LeftOpen:
        """Returns what this link and the `first` one left open, taken together."""
        shown = [each for each in (self.owed, first.owed) if each is not None]
        return LeftOpen(
            min(self.end, first.end),
            min([each for each in (self.open_from, first.open_from) if each is not None], default=None),
            (min(start for start, _ in shown), max(end for _, end in shown)) if shown else None,
            self.answered and first.answered,
        )


class Doubts:
    """The audio of one session that is in doubt.

    `share`: the share of all audio that may be sent again for doubt. `at_least`: the samples that may be in any case.
    """

    def __init__(self, session: Doubted, share: float, at_least: int) -> None:
        self._session = session
        self._share = share
        self._at_least = at_least
        self._replayed = 0
        self._paid_until = 0
        self._first: LeftOpen | None = None

    @property
    def is_open(self) -> bool:
        """Whether audio is being sent again because an earlier link left something open in it."""
        return self._first is not None and self._first.end > self._session.log.committed

    def left(self, by_link: LeftOpen) -> None:
        """Call when a link is over that left something open: sends the audio again, or decides what becomes of it."""
        first = self._first if self.is_open else None
        self._first = None
        if first is not None:
            self._decide(by_link.with_first(first))
        elif self.may_hear_again(by_link.end):
            self._first = by_link
            self.heard_again(by_link.end)
        elif by_link.answered or by_link.owed is not None or by_link.open_from is None:
            self._decide(by_link)
        # Else no link has answered yet: the retry budget limits how often the audio is sent again.

    def may_hear_again(self, upto: int) -> bool:
        """Whether the audio from the commit point to sample `upto` may be sent again for doubt (law 2)."""
        bound = max(self._at_least, self._share * self._session.log.captured)
        return self._replayed + self._cost(upto) <= bound

    def heard_again(self, upto: int) -> None:
        """Call when the audio before sample `upto` is sent again, after this link or to a standby beside it."""
        self._replayed += self._cost(upto)
        self._paid_until = max(self._paid_until, upto)

    def _cost(self, upto: int) -> int:
        return max(0, upto - max(self._session.log.committed, self._paid_until))

    def _decide(self, left: LeftOpen) -> None:
        session, log, upto = self._session, self._session.log, left.end
        if left.owed is not None and left.owed[0] < upto:
            start = left.owed[0]
            if not left.answered and left.open_from is not None:
                start = min(start, left.open_from)
            session.give_up(start, upto, "doubt")
        elif left.open_from is None:
            pass  # it is quiet, and neither link has shown words in it
        elif left.answered:
            session.noise.heard_as_noise(log.window(log.committed, upto))
        else:
            session.give_up(left.open_from, upto, "unanswered")
        session.speech_ended(upto)
        session.commit(upto)
