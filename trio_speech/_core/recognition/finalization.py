"""What a link has asked its service to answer for, and how long it may take to.

Laws
    1. A request, be it finalize or the close message, stands for the audio that was sent before it.
    2. A request is answered by the message that the profile names, one for each, oldest first; where it names none, by
       a final that reaches the request's place. The service's own end answers the close message, and all before it.
    3. Patience begins as the profile's `answer_within`, rises to one and a half times the slowest answer seen, and
       never above three times `answer_within`.
    4. Patience runs from the last message that brought news, or from when the service can have heard all that was sent
       at the slowest pace that the profile allows, whichever is later.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from msgspec import Struct, field

from ..provider.profile import SttProfile
from .reconciliation import ComparedWord

_SLACK, _MOST = 1.5, 3.0


class Request(Struct):
    """One request: for the audio before sample `place`, written at `asked`.

    `cuts`: the session itself asked, in mid-sound, so the next link is not asked there. `words` are those of finals
    that came since. The first `answer` of them came with the first final, and belong to audio before `place`; the
    others may belong to audio behind it.
    """

    place: int
    asked: float
    cuts: bool = False
    words: list[ComparedWord] = field(default_factory=list)
    answer: int | None = None


class Requests:
    """The requests of one link, oldest first."""

    def __init__(self, profile: SttProfile) -> None:
        self._profile = profile
        self._waiting: deque[Request] = deque()
        self._slowest_answer = 0.0
        self.newest = -1
        """The place of the newest request, answered or not; -1 before there is one."""
        self.answered = -1
        """The place of the newest request that was answered."""

    def places(self, committed: int) -> list[int]:
        """The places behind sample `committed` of the requests that wait. Audio before it needs no answer any more."""
        return [request.place for request in self._waiting if request.place > committed]

    def waits_behind(self, committed: int) -> bool:
        """Whether a request waits whose place lies behind sample `committed`."""
        return bool(self._waiting) and self._waiting[-1].place > committed

    def repeated(self, committed: int) -> list[int]:
        """The places behind sample `committed` at which the next link is asked too: those that cut no word."""
        return [request.place for request in self._waiting if request.place > committed and not request.cuts]

    @property
    def asked_at(self) -> float:
        """When the newest request was written that waits; -infinity without any."""
        return self._waiting[-1].asked if self._waiting else -math.inf

    @property
    def patience(self) -> float:
        """Seconds without news that a truthful service may take."""
        usual = self._profile.answer_within
        return min(max(usual, _SLACK * self._slowest_answer), self.longest_patience)

    @property
    def usual_answer(self) -> float:
        """Seconds within which the next answer should come, going by the slowest so far."""
        return min(_SLACK * self._slowest_answer, self.patience)

    @property
    def longest_patience(self) -> float:
        """Seconds above which patience never rises."""
        return _MOST * self._profile.answer_within

    def asked(self, place: int, now: float, *, cuts: bool = False) -> None:
        """A request was written, with all before sample `place` sent."""
        self._waiting.append(Request(place, now, cuts))
        self.newest = place

    def final(self, words: Sequence[ComparedWord], end: int | None, now: float) -> Request | None:
        """A final came, up to sample `end` where that can be trusted; returns the newest request that it answers."""
        for request in self._waiting:
            request.words.extend(words)
            if request.answer is None:
                request.answer = len(words)
        if self._profile.answers_finalize or end is None:
            return None
        answered: Request | None = None
        while self._waiting and self._waiting[0].place <= end:
            answered = self._answer(now)
        return answered

    def message(self, now: float) -> Request | None:
        """The answer came that the profile names; returns the request that it answers, if any waits."""
        return self._answer(now) if self._waiting else None

    def ended(self, now: float) -> Request | None:
        """The service ended after the close message: all requests are answered. Returns the newest."""
        answered: Request | None = None
        while self._waiting:
            answered = self._answer(now)
        return answered

    def _answer(self, now: float) -> Request:
        request = self._waiting.popleft()
        self._slowest_answer = max(self._slowest_answer, now - request.asked)
        self.answered = max(self.answered, request.place)
        return request
