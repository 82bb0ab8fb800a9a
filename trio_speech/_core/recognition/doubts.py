"""What becomes of audio that a link left open in spite of all its patience.

Laws
    1. The first time, the audio is heard again, by a fresh link. The second time it is decided, by what both have said.
    2. What may be heard again for doubt is bounded: a share of all audio, or some seconds if that is more.

    what both links left                         what it becomes
    ──────────────────────────────────────────   ──────────────────────────────────────
    words that were shown, without their final   a `Gap`, for the reason "doubt"
    sound that both answered for, without words  silence, as loud as the noise may be
    sound that one of them did not answer for    a `Gap`, for the reason "unanswered"
    quiet audio without an answer                silence
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from .noise import NoiseLevel
from .replay_log import ReplayLog


class Doubted(Protocol):
    """The session whose audio is in doubt, as far as `Doubts` needs it."""

    log: ReplayLog
    noise: NoiseLevel

    def give_up(self, start: int, upto: int, reason: str) -> None:
        """What no final covers of ``[start, upto)`` becomes a `Gap`."""

    def speech_ended(self, at: int) -> None:
        """Whoever speaks has ended before sample `at`."""

    def commit(self, upto: int) -> bool:
        """All before sample `upto` is decided; returns whether that is news."""
        ...


class LeftOpen(Struct, frozen=True):
    """What one link left open, of the audio from the commit point to sample `end`.

    Fields:
        end: The sample before which the link was given all its patience.
        open_from: The first sample of what is open; ``None`` where nothing is, and only the answer is missing.
        owed: The stretch of which words were shown and no final came.
        answered: Whether the service answered a request at or behind `end`.
    """

    end: int
    open_from: int | None
    owed: tuple[int, int] | None
    answered: bool

    def with_first(self, first: LeftOpen) -> LeftOpen:
        """What this link and the `first` have left, taken together."""
        shown = [each for each in (self.owed, first.owed) if each is not None]
        return LeftOpen(
            min(self.end, first.end),
            min([each for each in (self.open_from, first.open_from) if each is not None], default=None),
            (min(start for start, _ in shown), max(end for _, end in shown)) if shown else None,
            self.answered and first.answered,
        )


class Doubts:
    """The doubts of one session. `share` of all audio may be heard again for doubt, and `at_least` so many samples."""

    def __init__(self, session: Doubted, share: float, at_least: int) -> None:
        self._session = session
        self._share = share
        self._at_least = at_least
        self._replayed = 0
        self._first: LeftOpen | None = None

    @property
    def is_open(self) -> bool:
        """Whether audio is heard again because an earlier link left something open in it."""
        return self._first is not None and self._first.end > self._session.log.committed

    def left(self, by_link: LeftOpen) -> None:
        """A link is over that left something open."""
        first = self._first if self.is_open else None
        self._first = None
        if first is not None:
            self._decide(by_link.with_first(first))
        elif self._may_hear_again(by_link.end):
            self._first = by_link
            self._replayed += by_link.end - self._session.log.committed
        elif by_link.answered or by_link.owed is not None or by_link.open_from is None:
            self._decide(by_link)
        # Else nobody has answered yet: the retry budget decides how often it is tried.

    def _may_hear_again(self, upto: int) -> bool:
        log = self._session.log
        return self._replayed + upto - log.committed <= max(self._at_least, self._share * log.captured)

    def _decide(self, left: LeftOpen) -> None:
        session, log, upto = self._session, self._session.log, left.end
        if left.owed is not None and left.owed[0] < upto:
            start = left.owed[0]
            if not left.answered and left.open_from is not None:
                start = min(start, left.open_from)
            session.give_up(start, upto, "doubt")
        elif left.open_from is None:
            pass  # it is quiet, and nobody has said otherwise in two patiences
        elif left.answered:
            session.noise.heard_as_noise(log.window(log.committed, upto))
        else:
            session.give_up(left.open_from, upto, "unanswered")
        session.speech_ended(upto)
        session.commit(upto)
