"""What speaks for and against each stretch of audio that one link was sent, and what may be committed by it.

Laws
    1. A watermark commits what lies before it. Nothing else does while something is open before it.
    2. *Open* is what is owed (announced, and neither final nor taken back), and possible speech: audio louder than the
       stream's noise of which nothing was said.
    3. A final with a span that can be trusted settles that span, and acknowledges what lies before its end. Where the
       profile says that finals come ordered, that includes possible speech; else not.
    4. An answered request acknowledges what lies before its place.
    5. A final without a span that can be trusted speaks for the audio that had been sent when it came, up to the last
       pause or request in it: there, nothing counts as possible speech any more. It acknowledges nothing.
    6. Where speakers may overlap, no span acknowledges anything.

    what came            what it speaks for             committed, unless before it there is
    ──────────────────   ────────────────────────────   ─────────────────────────────────────────
    a watermark          all before it                  (nothing stands against it)
    a final, ordered     its span, all before its end   an utterance owed
    a final, unordered   its span, all before its end   an utterance owed, possible speech
    a request answered   all before its place           an utterance owed, possible speech
    a final, no span     no possible speech before      (commits nothing)
"""

from __future__ import annotations

import math

from ..provider.profile import SttProfile
from .announcements import Announcements
from .finalization import Request, Requests
from .reconciliation import ComparedWord
from .session import RecognitionMachine

_ONSET_REACH = 0.5  # seconds by which an onset may be told before or after the words that follow it


class Evidence:
    """The evidence of one link."""

    def __init__(self, session: RecognitionMachine, profile: SttProfile) -> None:
        self._session = session
        self._profile = profile
        self._margin = session.audio_format.samples(profile.drift)
        self.owed = Announcements(session.audio_format.samples(_ONSET_REACH))
        self.requests = Requests(profile)
        self._finals = 0
        self._spanned = 0
        self._spoken_for = 0
        self._answered_by: Request | None = None
        self._answered_at = math.inf
        self._looked: tuple[object, ...] = ()
        self._found: int | None = None

    @property
    def waits(self) -> bool:
        """Whether anything is awaited from the service: an answer, a final, or words for what may be speech."""
        committed = self._session.log.committed
        requests = self.requests
        return bool(self.owed or requests.answered > committed or requests.waits_behind(committed))

    @property
    def unanswered(self) -> bool:
        """Whether a request waits for its answer."""
        return self.requests.waits_behind(self._session.log.committed)

    def recognized(self, start: int, end: int) -> None:
        """A final of ``[start, end)`` is about to be delivered. That decides which gaps lie before it."""
        if self._profile.acknowledges == "span" and self._profile.ordered and self.owed.first(start) is None:
            start = 0
        self._session.gaps.recognized(start, end)

    def span(self, start: int, end: int, *, overlaps: bool) -> None:
        """A final was delivered that covers ``[start, end)``."""
        if overlaps:
            self.unspanned()
            return
        self._session.recognized(start, end)
        self._finals += 1
        self._spanned = max(self._spanned, end)

    def unspanned(self) -> None:
        """A final was delivered that tells no span, or none to be trusted.

        It may be late. Sound that no pause has followed yet is not what it is about, unless it was asked for.
        """
        self._spoken_for = max(self._spoken_for, self.requests.newest, self._session.last_sound_from())
        self._finals += 1

    def answered(self, request: Request | None, now: float) -> None:
        """A request was answered, if there is one."""
        if request is not None:
            self._answered_by = request
            self._answered_at = now

    @property
    def blocked_since(self) -> float:
        """When the request was answered whose audio is not committed, since something is open; else infinite."""
        return self._answered_at if self.requests.answered > self._session.log.committed else math.inf

    def first_open(self, upto: int) -> int | None:
        """The first sample before `upto` of what is open there."""
        found = [self.owed.first(upto), self._first_possible_speech(upto)]
        return min([each for each in found if each is not None], default=None)

    def settle(self, held_from: int | None, awaited: tuple[ComparedWord, ...]) -> bool:
        """Commits what may be committed by now; returns whether that is news.

        `held_from`: where a final begins that waits for its turn. `awaited`: words of an earlier link that this one may
        still say again.
        """
        session = self._session
        upto = max(self._by_spans(), self._by_answers())
        if held_from is not None:
            upto = min(upto, held_from)
        if upto <= session.log.committed:
            return False
        session.give_up_left_open(upto, self._spoken_for)
        request = self._answered_by
        later = None
        if request is not None and not self._profile.places_words and upto >= request.place:
            later = (*self._later(request), *awaited)
        return session.commit(upto, later=later)

    def _by_spans(self) -> int:
        if self._spanned <= self._session.log.committed:
            return 0
        blocked = self.owed.first(self._spanned) if self._profile.ordered else self.first_open(self._spanned)
        return self._spanned if blocked is None else blocked

    def _by_answers(self) -> int:
        place = self.requests.answered
        if place <= self._session.log.committed:
            return 0
        blocked = self.first_open(place)
        return place if blocked is None else blocked

    def _first_possible_speech(self, upto: int) -> int | None:
        """The answer is kept while nothing changes that it depends on: looking at a minute of audio takes 20 ms."""
        session = self._session
        looked = (upto, session.log.committed, session.log.kept, self._finals, session.noise.level)
        if looked != self._looked:
            self._found = session.first_possible_speech(self._spoken_for, upto, self._margin)
            self._looked = (*looked[:-1], session.noise.level)  # looking may have told more of the noise
        return self._found

    def _later(self, request: Request) -> list[ComparedWord]:
        """Of the words that came since a request was made, those that may belong to audio behind it."""
        session = self._session
        if session.first_possible_speech(request.place, session.log.sent, 0) is None:
            return []
        return request.words[request.answer or 0 :]
