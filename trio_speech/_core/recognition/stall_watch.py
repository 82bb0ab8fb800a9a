"""Notices a recognizer that has stalled: it says nothing of speech any more, though its connection answers pings.

The front end of a service may live on while the model behind it hangs. Only what the service has said earlier tells
such a stall from a slow service. A *sign* is any message about the audio. A *loud* moment is one of possible speech
(see `noise`) that is not much quieter than the words recognized so far.

Laws
    1. Only a service that has shown interims while somebody spoke can be found stalled, since one without interims may
       be silent for as long as an utterance lasts. How soon the next sign should come is estimated from the time
       between those interims, as TCP estimates its round trips (RFC 6298), and is at least `_OWED` seconds.
    2. Only loud audio that was sent after the last sign counts, and only once the service can have heard it: it is
       allowed to be as far behind as its last interim was, and to be busy (see `LinkMachine.busy_until`).
    3. Where no words are owed, the loud audio may be music or noise. Then more of it is needed, and more time.
    4. A suspicion that was wrong makes the session more patient (see `FalseAlarms`). What standbys were sent for wrong
       suspicions is a bounded share of the audio: after the first one, none is suspected beyond `_SHARE`.
    5. After a suspicion, none follows on the same link before the service has given a sign.
"""

from __future__ import annotations

import math
from collections import deque

from ..liveness.health import FalseAlarms
from ..liveness.round_trip import RoundTrip
from ..provider.messages import Closed, Failure, Going, Opened, RecognitionResult, SttMessage, Unknown
from ..provider.profile import SttProfile
from .link import LinkMachine
from .noise import SAMPLED_EVERY
from .session import RecognitionMachine

_OWED, _NOT_OWED = 4.0, 6.0
"""Seconds without a sign, at least, where words were shown without their final, and where none were."""
_LEAST_LOUD, _LOUD_SHARE = 1.0, 0.4
"""Where words are owed, so many loud seconds are enough. Where none are, this share of the time must be loud."""
_WINDOW = 15.0
"""Seconds: what is older does not count, so that a cough now and then never adds up to speech. Where a service may need
more, it is left to the patience of its link (see `awaiting`)."""
_ENOUGH = 3
"""Intervals between interims that must have been measured before anything is concluded from them."""
_QUIETER = 4
"""Audio more than this many times (12 dB) quieter than the words recognized so far is breath, echo or noise."""
_MEASURED_EVERY = 10.0
"""Seconds between the end of one final whose loudness is measured and the next: measuring all would cost more than all
else that is done for a final, and speakers seldom change how loud they are."""
_SHARE = 0.02
_REMEMBERED = 600.0
_LOOK_AGAIN = 1.0
_STANDBY_WITHIN = 2.5
"""Seconds within which a standby must have brought new words, at least, once it was sent all audio captured so far."""


class ResultTimes:
    """What a session knows of how soon its service shows results, over all links to it."""

    def __init__(self) -> None:
        self._profile: SttProfile | None = None
        self._between = RoundTrip()
        self._measured = 0
        self._alarms = FalseAlarms(_REMEMBERED)
        self._wasted = 0
        self._measures_from = 0
        self.loudness = 0
        """The usual loudness of recognized words (see `NoiseLevel.loudness`); 0 while it is not known."""

    def of(self, profile: SttProfile) -> None:
        """Call when a link opens. What was measured of a service with another profile is forgotten."""
        if profile != self._profile:
            self._profile, self._between, self._measured = profile, RoundTrip(), 0

    def between_interims(self, seconds: float) -> None:
        """Call with the time between two interims of one utterance."""
        self._between.measured(seconds)
        self._measured += 1

    def longest(self, at_least: float, now: float) -> float:
        """Returns the seconds within which the next sign should come; infinite where too little was measured."""
        if self._measured < _ENOUGH:
            return math.inf
        return max(at_least, self._between.longest(math.inf)) * self._alarms.patience(now)

    def spoken(self, session: RecognitionMachine, start: int, end: int) -> None:
        """Call with the samples that a final covers. Some of them are measured, for the usual loudness of words."""
        if start >= self._measures_from:
            self._measures_from = end + session.audio_format.samples(_MEASURED_EVERY)
            self.loudness = session.noise.loudness(session.log.window(start, end)) or self.loudness

    @property
    def for_standby(self) -> float:
        """Seconds within which a standby should bring words of what it was sent, if they are in it."""
        return max(_STANDBY_WITHIN, self._between.longest(0.0))

    def may_suspect(self, captured: int) -> bool:
        """Whether wrong suspicions have cost so little of the audio that another one may be risked."""
        return self._wasted <= _SHARE * captured

    def was_wrong(self, now: float, sent: int) -> None:
        """Call when a suspicion has proved wrong. `sent`: how many samples the standby was sent for it."""
        self._alarms.alarmed(now)
        self._wasted += sent


class StallWatch:
    """Watches one link. It needs to be asked now and then (`is_stalled`), at `looks_at` at the latest."""

    def __init__(self, link: LinkMachine, times: ResultTimes, now: float) -> None:
        self._link = link
        self._session: RecognitionMachine = link.session
        self._times = times
        self._sign_at = now
        self._shown_at: float | None = None
        """When the last interim came, if no final has come since."""
        self._behind = 0.0
        self._counted_until = self._session.log.sent
        self._loud: deque[int] = deque()
        """Where in the audio sent since the last sign it was loud: one sample of each tenth of a second."""
        self._is_suspect = False
        self.looks_at = now + _OWED
        """When to call `is_stalled` next."""
        times.of(link.profile)

    @property
    def sign_at(self) -> float:
        """When the service gave its last sign, or the link was opened."""
        return self._sign_at

    def received(self, message: SttMessage, now: float) -> bool:
        """Call with each message of the service, after `LinkMachine.receive`.

        Returns whether it shows that a service that counted as stalled is not.
        """
        if isinstance(message, (Opened, Closed, Failure, Going, Unknown)):
            return False
        was_suspect, self._is_suspect = self._is_suspect, False
        self._sign_at, self._counted_until = now, self._session.log.sent
        self._loud.clear()
        if isinstance(message, RecognitionResult) and message.text:
            self._measure(message, now)
        return was_suspect

    def is_stalled(self, now: float) -> bool:
        """Whether the service counts as stalled from now on. True once, until it has given a sign again."""
        due = self._due(now)
        self.looks_at = max(due, now + _LOOK_AGAIN)
        if now >= due and not self._is_suspect:
            self._count()
            self._is_suspect = self._has_heard_enough(now) and self._times.may_suspect(self._session.log.captured)
            return self._is_suspect
        return False

    def _measure(self, result: RecognitionResult, now: float) -> None:
        session, log, end = self._session, self._session.log, self._link.place(result)
        if result.kind == "final":
            self._shown_at = None
            if end is not None:
                self._times.spoken(session, end - session.audio_format.samples(result.end - result.start), end)
            return
        if self._shown_at is not None:
            self._times.between_interims(now - self._shown_at)
        self._shown_at = now
        unheard = self._link.feed.heard_by - now
        if end is not None:
            unheard = (log.sent - end) / session.rate / self._link.profile.slowest
        self._behind = max(0.0, unheard)

    def _longest(self, now: float) -> float:
        return self._times.longest(_OWED if self._link.owes_words else _NOT_OWED, now)

    def _due(self, now: float) -> float:
        """Returns when the next sign is overdue, if somebody has spoken ever since the last one."""
        if self._link.is_ending:
            return math.inf
        longest = self._longest(now)
        if longest == math.inf:
            return now + _OWED  # until then, enough may have been measured
        return max(self._sign_at + self._behind + longest, self._link.busy_until)

    def _count(self) -> None:
        """Looks for loud moments in the audio that was sent since the last look."""
        session, log = self._session, self._session.log
        level = max(session.noise.level, self._times.loudness // _QUIETER)
        start = max(self._counted_until, log.kept)
        self._loud += (start + at for at in session.noise.louder(log.window(start, log.sent), level))
        self._counted_until = log.sent
        oldest = log.sent - session.audio_format.samples(_WINDOW)
        while self._loud and self._loud[0] < oldest:
            self._loud.popleft()

    def _has_heard_enough(self, now: float) -> bool:
        if not self._loud:
            return False
        waited = (self._session.log.sent - self._loud[0]) / self._session.rate
        loud = len(self._loud) * SAMPLED_EVERY
        least = _LEAST_LOUD if self._link.owes_words else _LOUD_SHARE * waited
        return waited >= self._behind + self._longest(now) and loud >= least
