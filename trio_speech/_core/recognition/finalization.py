"""The finalize requests of one link that wait for their answers, and how long an answer may take.

A *request* is a finalize request or the close message. Its *place* is the sample before which all audio had been sent
when it was written: the answer says that the service has recognized the audio before it. *Patience* is the time without
news from the service after which a request counts as unanswered.

Laws
    1. Where the profile says that the service answers a finalize request (`answers_finalize`), each `FinalizeAnswered`
       answers the oldest waiting request. Else a final that ends at or behind a request's place answers it.
    2. When the service ends the session after the close message, all requests are answered.
    3. Patience begins as the profile's `answer_within`, rises to one and a half times the slowest answer seen, and
       never above three times `answer_within`.
    4. Patience runs from the last message that brought news, or from the moment at which the service has heard all
       audio sent, if it hears as slowly as the profile allows; whichever is later.
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
    """One request, written at the moment `asked` (seconds), for the audio before sample `place`.

    `cuts`: the session made the request by itself, in the middle of sound, so it is not repeated on the next link.
    `words`: the words of all finals that came since the request. The first `answer` of them came with the first such
    final and belong to audio before `place`; the others may belong to audio behind it. ``None``: no final has come.
    """

    place: int
    asked: float
    cuts: bool = False
    words: list[ComparedWord] = field(default_factory=list)
    answer: int | None = None


class Requests:
    """The waiting requests of one link, oldest first, and how long to wait for their answers."""

    def __init__(self, profile: SttProfile) -> None:
        self._profile = profile
        self._waiting: deque[Request] = deque()
        self._slowest_answer = 0.0
        self.newest = -1
        """The place of the newest request, answered or not; -1 before there is one."""
        self.answered = -1
        """The furthest place of a request that was answered; -1 before there is one."""

    def places(self, committed: int) -> list[int]:
        """The places of the waiting requests, as far as they lie behind the commit point `committed`.

        A request for audio that is committed already needs no answer any more.
        """
        return [request.place for request in self._waiting if request.place > committed]

    def waits_behind(self, committed: int) -> bool:
        """Whether a request waits whose place lies behind the commit point `committed`."""
        return bool(self._waiting) and self._waiting[-1].place > committed

    def repeated(self, committed: int) -> list[int]:
        """The places behind sample `committed` at which the next link is to be asked again.

        Requests that the session made in the middle of sound are not repeated.
        """
        return [request.place for request in self._waiting if request.place > committed and not request.cuts]

    @property
    def asked_at(self) -> float:
        """When the newest waiting request was written; -infinity where none waits."""
        return self._waiting[-1].asked if self._waiting else -math.inf

    @property
    def patience(self) -> float:
        """Seconds without news after which a waiting request counts as unanswered."""
        usual = self._profile.answer_within
        return min(max(usual, _SLACK * self._slowest_answer), self.longest_patience)

    @property
    def usual_answer(self) -> float:
        """Seconds within which the next answer should come, judging by the slowest answer so far."""
        return min(_SLACK * self._slowest_answer, self.patience)

    @property
    def longest_patience(self) -> float:
        """The upper bound of `patience`, in seconds."""
        return _MOST * self._profile.answer_within

    def asked(self, place: int, now: float, *, cuts: bool = False) -> None:
        """Call when a request is written. All audio before sample `place` has been sent."""
        self._waiting.append(Request(place, now, cuts))
        self.newest = place

    def final(self, words: Sequence[ComparedWord], end: int | None, now: float) -> Request | None:
        """Call when a final comes, with its words, and the sample at which it ends.

        `end`: ``None`` where the service's times cannot be trusted. Returns the newest request that the final answers,
        or ``None``.
        """
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
        """Call when the service's answer to a finalize request arrives.

        Returns the oldest waiting request, now answered, or ``None`` where none waits.
        """
        return self._answer(now) if self._waiting else None

    def ended(self, now: float) -> Request | None:
        """Call when the service ends the session after the close message: that answers all requests.

        Returns the newest of them, or ``None`` where none waited.
        """
        answered: Request | None = None
        while self._waiting:
            answered = self._answer(now)
        return answered

    def _answer(self, now: float) -> Request:
        request = self._waiting.popleft()
        self._slowest_answer = max(self._slowest_answer, now - request.asked)
        self.answered = max(self.answered, request.place)
        return request
