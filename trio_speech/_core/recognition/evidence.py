"""Decides how much of the audio sent on one link is committed: recognized, so that no later link needs to hear it.

Terms: an utterance is *owed* when it was announced and its final has not come (see `announcements`). *Possible speech*
is audio louder than the stream's noise (see `noise`) that no transcript covers. Audio is *open* where an utterance is
owed or where it is possible speech. A *request* and its *place*: see `finalization`.

Laws
    1. A watermark (`Acknowledged`) commits all audio before it. Nothing else commits audio behind something open.
    2. Where the profile's `acknowledges` is ``"span"``, a final commits the audio before its end. Possible speech holds
       that back unless the profile says that finals come in stream order (`ordered`). The final's own span need not be
       heard again even while the commit is held back.
    3. An answered request commits the audio before its place. What a final covers is not open, and need not be heard
       again, also where the profile's `acknowledges` is ``"watermark"``.
    4. A final whose span cannot be trusted commits nothing. But the audio sent before the last pause or request, when
       it came, no longer counts as possible speech.
    5. Where speakers may overlap, no span commits anything.

    message              commits                        is held back by, before that
    ──────────────────   ────────────────────────────   ─────────────────────────────────────────
    a watermark          all audio before it            nothing
    a final, ordered     all audio before its end       an owed utterance
    a final, unordered   all audio before its end       an owed utterance, possible speech
    a request answered   all audio before its place     an owed utterance, possible speech
    a final, no span     nothing
"""

from __future__ import annotations

import math

from ..provider.profile import SttProfile
from .announcements import ONSET_REACH, Announcements
from .finalization import Request, Requests
from .reconciliation import ComparedWord
from .session import RecognitionMachine


class Evidence:
    """Collects what one link's service said, and commits audio by it (`settle`)."""

    def __init__(self, session: RecognitionMachine, profile: SttProfile) -> None:
        self._session = session
        self._profile = profile
        self._margin = session.audio_format.samples(profile.drift)
        self.owed = Announcements(session.audio_format.samples(ONSET_REACH))
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
        """Whether the service is expected to say something.

        It is while an utterance is owed, a request waits, or the audio of an answered request is not committed.
        """
        committed = self._session.log.committed
        requests = self.requests
        return bool(self.owed or requests.answered > committed or requests.waits_behind(committed))

    @property
    def unanswered(self) -> bool:
        """Whether a request for audio that is not committed waits for its answer."""
        return self.requests.waits_behind(self._session.log.committed)

    def recognized(self, start: int, end: int) -> None:
        """Call just before a final of the samples ``[start, end)`` is delivered.

        Audio that it proves to be recognized does not become a gap.
        """
        if self._profile.acknowledges == "span" and self._profile.ordered and self.owed.first(start) is None:
            start = 0
        self._session.gaps.recognized(start, end)

    def span(self, start: int, end: int, *, overlaps: bool) -> None:
        """Call when a final is delivered that covers ``[start, end)``. `overlaps`: whether speakers may overlap."""
        if overlaps:
            self.unspanned()
            return
        self.covered(start, end)
        self._spanned = max(self._spanned, end)

    def covered(self, start: int, end: int) -> None:
        """Call when a final covers ``[start, end)``, be it of a service that commits by watermarks: it is not open."""
        self._session.recognized(start, end)
        self._finals += 1

    def unspanned(self) -> None:
        """Call when a final was delivered that has no span, or one that cannot be trusted.

        Such a final may come late, and be of earlier speech. So it accounts for the audio up to the last pause only; or
        up to the place of the newest request, where that lies behind the pause.
        """
        self._spoken_for = max(self._spoken_for, self.requests.newest, self._session.last_sound_from())
        self._finals += 1

    def answered(self, request: Request | None, now: float) -> None:
        """Call with the request that a message has answered; ``None`` is ignored."""
        if request is not None:
            self._answered_by = request
            self._answered_at = now

    @property
    def blocked_since(self) -> float:
        """When the last answer came, if something open still holds back the commit of its audio; else infinite."""
        return self._answered_at if self.requests.answered > self._session.log.committed else math.inf

    def first_open(self, upto: int) -> int | None:
        """Returns the first sample of the first open audio before sample `upto`; ``None`` where nothing is open."""
        found = [self.owed.first(upto), self._first_possible_speech(upto)]
        return min([each for each in found if each is not None], default=None)

    def settle(self, held_from: int | None, awaited: tuple[ComparedWord, ...]) -> bool:
        """Commits all audio that may be committed by now; returns whether the commit point has moved.

        `held_from`: the sample at which the first held final begins (see `held_finals`), or ``None``. `awaited`: words
        of an earlier link that this one may still repeat.
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
        """Returns the first sample before `upto` of possible speech, or ``None``.

        The result is cached until something changes that it depends on: a minute of audio takes 20 ms to look at.
        """
        session = self._session
        looked = (upto, session.log.committed, session.log.kept, self._finals, session.noise.level)
        if looked != self._looked:
            self._found = session.first_possible_speech(self._spoken_for, upto, self._margin)
            self._looked = (*looked[:-1], session.noise.level)  # looking may have changed the noise level
        return self._found

    def _later(self, request: Request) -> list[ComparedWord]:
        """Returns, of the words that came since `request` was made, those that may belong to audio behind its place."""
        session = self._session
        if session.first_possible_speech(request.place, session.log.sent, 0) is None:
            return []
        return request.words[request.answer or 0 :]
