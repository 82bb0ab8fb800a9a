"""What one link waits for from its service, and until when.

Laws
    1. Patience runs from the last message that brought news, or from when the service can have heard what it was asked
       about, whichever is later. News begins it anew.
    2. What is open behind an answer must come in the longest patience, whatever else is said meanwhile.
    3. After the close message, the service's own end is awaited, for a patience, and for no more than a moment where
       nothing is owed: some services never end by themselves. However much is said meanwhile, the longest patience ends
       that too.
"""

from __future__ import annotations

import math

from ..provider.profile import SttProfile
from ..retry.causes import Cause
from .evidence import Evidence
from .outgoing_audio import OutgoingAudio
from .session import RecognitionMachine

CAREFUL_WAIT = 2.0
_SHORTEST_WAIT = 0.5
"""Seconds for the service's own end where nothing is owed; the longer one where a final may speak for audio that it
does not cover, since the service tells no times that can be trusted."""


class Awaiting:
    """The moments at which one link's waiting ends. `longest_doubt`: the most seconds by which a service may be behind
    the audio sent (``ReplayPolicy.progress_timeout``)."""

    def __init__(
        self,
        session: RecognitionMachine,
        profile: SttProfile,
        *,
        evidence: Evidence,
        feed: OutgoingAudio,
        longest_doubt: float,
        now: float,
    ) -> None:
        self._session = session
        self._profile = profile
        self._evidence = evidence
        self._requests = evidence.requests
        self._feed = feed
        self._longest_doubt = longest_doubt
        self._heard_by = now  # when the service can have heard what it was last asked about
        self._closed_at = now
        self._ends_by = math.inf
        self.news_at = now
        """When something came that was not known before, or was last asked for."""
        self.has_news = False
        """Whether anything came that was not known before."""
        self.closing: Cause | None = None
        """Why the close message was sent; ``None`` if it was not."""
        self.ends_at = math.inf
        """When the service's own end counts as missing; infinite before the close message."""

    def asked(self, now: float, *, cuts: bool = False) -> None:
        """The service is asked for a final of all that was sent. `cuts`: by the session itself, in mid-sound."""
        self._requests.asked(self._session.log.sent, now, cuts=cuts)
        self._heard_by = self._feed.heard_by
        self.news_at = now

    def closed(self, now: float, cause: Cause) -> None:
        """The close message is sent, because of `cause`."""
        self._requests.asked(self._session.log.sent, now)
        self._heard_by = self._feed.heard_by
        self.closing, self._closed_at = cause, now
        since = now if self._session.finished else self._starts(now)
        self.ends_at = since + min(self._patience_with_end, self._longest_doubt)
        self._ends_by = since + self._requests.longest_patience

    def hurry(self, now: float) -> None:
        """The policy's patience is spent already: the service's own end must come in a moment."""
        self.ends_at = min(self.ends_at, now + CAREFUL_WAIT)

    def news(self, now: float) -> None:
        """Something came that was not known before: patience begins anew."""
        self.news_at, self.has_news = now, True
        if self.closing is not None:
            self.ends_at = min(self._ends_by, max(self.ends_at, now + self._patience_with_end))

    def since_closed(self, now: float) -> float:
        """Seconds since the close message."""
        return now - self._closed_at

    @property
    def patience_ends(self) -> float:
        """When the patience with a silent service ends; infinite where nothing is awaited, or its end is."""
        if self.closing is not None or not self._evidence.waits:
            return math.inf
        blocked = self._evidence.blocked_since + self._requests.longest_patience
        return min(blocked, self._starts(self.news_at) + self._requests.patience)

    @property
    def answer_due(self) -> float:
        """When a request counts as left unanswered, whatever else has come."""
        if self.closing is not None or not self._evidence.unanswered:
            return math.inf
        return self._starts(self._requests.asked_at) + self._requests.patience

    def _starts(self, since: float) -> float:
        """When the waiting starts for what was asked for at `since`."""
        # What was sent after that does not matter, and results may tell more.
        heard_by = min(self._heard_by, self._feed.heard_by)
        return max(since, min(heard_by, self._feed.last_given + self._longest_doubt))

    @property
    def _patience_with_end(self) -> float:
        """Seconds to wait for the service's own end."""
        if not self._session.finished:
            return self._requests.patience
        return max(_SHORTEST_WAIT if self._profile.places_words else CAREFUL_WAIT, self._requests.usual_answer)
