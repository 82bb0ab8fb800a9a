"""How long one link waits for answers of its service, and for the end of the session after the close message.

Patience and the longest patience are defined in `finalization`. *News* is a message that tells something not known
before. What is *open* or *owed* is defined in `evidence`.

Laws
    1. Patience runs from the last news, or from the moment at which the service has heard the audio that it was asked
       about, whichever is later. Further news starts it again.
    2. Where a request was answered and something before its place is still open, the wait for that ends after the
       longest patience, whatever else comes meanwhile.
    3. Where the input has ended and the last request was answered, what is still open is waited for only a moment
       before the close message is sent.
    4. After the close message, the link waits one patience for the service to end the session, or only a moment where
       nothing is owed, since some services never end it. News starts that wait again, but guesses alone (see
       `progress_watch`) prolong it by the longest patience at most, and all news by three times as much.
"""

from __future__ import annotations

import math

from ..provider.profile import SttProfile
from ..retry.causes import Cause
from .evidence import Evidence
from .outgoing_audio import OutgoingAudio
from .session import RecognitionMachine

_MOST_NEWS = 3
"""So many of the longest patiences end the wait after the close message. A truthful service brings a few news of each
utterance; one that never stops would keep the session from its end."""
CAREFUL_WAIT = 2.0
_SHORTEST_WAIT = 0.5
"""Seconds to wait for the service to say more once it has answered, or to end the session where nothing is owed. The
longer wait is for services whose times cannot be trusted: a late final may still come."""


class Awaiting:
    """The moments at which one link stops waiting for its service.

    `longest_doubt`: by how many seconds the service may be behind the audio sent, at most
    (``ReplayPolicy.progress_timeout``); infinite for no limit.
    """

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
        self._heard_by = now  # when the service will have heard the audio of the last request, at its slowest
        self._closed_at = now
        self._ends_by = self._ends_by_at_most = math.inf
        self.news_at = now
        """When the last news came, or the last request was made, whichever is later."""
        self.has_news = False
        """Whether any news came on this link."""
        self.closing: Cause | None = None
        """Why the close message was sent; ``None`` where it was not sent."""
        self.ends_at = math.inf
        """When the wait for the service to end the session is over; infinite before the close message."""

    def asked(self, now: float, *, cuts: bool = False) -> None:
        """Call when a finalize request is sent.

        `cuts`: the session makes it by itself, in the middle of sound.
        """
        self._requests.asked(self._session.log.sent, now, cuts=cuts)
        self._heard_by = self._feed.heard_by
        self.news_at = now

    def closed(self, now: float, cause: Cause) -> None:
        """Call when the close message is sent, because of `cause`."""
        self._requests.asked(self._session.log.sent, now)
        self._heard_by = self._feed.heard_by
        self.closing, self._closed_at = cause, now
        since = now if self._session.finished else self._starts(now)
        self.ends_at = since + min(self._patience_with_end, self._longest_doubt)
        self._ends_by = since + self._requests.longest_patience
        self._ends_by_at_most = since + _MOST_NEWS * self._requests.longest_patience

    def hurry(self, now: float) -> None:
        """Shortens the wait for the service to end the session to `CAREFUL_WAIT`: too long was waited already."""
        self.ends_at = min(self.ends_at, now + CAREFUL_WAIT)

    def news(self, now: float, *, is_guess: bool = False) -> None:
        """Call when a message tells something not known before: patience starts again.

        `is_guess`: it is a guess at words of which a guess was shown before. Such news may come for ever.
        """
        self.news_at, self.has_news = now, True
        if self.closing is not None:
            if not is_guess:
                self._ends_by = min(self._ends_by_at_most, now + self._requests.longest_patience)
            self.ends_at = min(self._ends_by, max(self.ends_at, now + self._patience_with_end))

    def since_closed(self, now: float) -> float:
        """Seconds since the close message."""
        return now - self._closed_at

    @property
    def patience_ends(self) -> float:
        """When patience with a silent service ends.

        Infinite where nothing is awaited, and after the close message: then `ends_at` applies.
        """
        if self.closing is not None or not self._evidence.waits:
            return math.inf
        blocked = self._evidence.blocked_since + self._requests.longest_patience
        return min(blocked, self._starts(self.news_at) + self._patience)

    @property
    def answer_due(self) -> float:
        """When the newest request counts as unanswered, whatever other news came; infinite where none waits."""
        if self.closing is not None or not self._evidence.unanswered:
            return math.inf
        return self._starts(self._requests.asked_at) + self._requests.patience

    def _starts(self, since: float) -> float:
        """When patience starts for a request made, or news that came, at the moment `since`."""
        # Audio sent after the request does not matter, and results may show that the service has heard more by now.
        heard_by = min(self._heard_by, self._feed.heard_by)
        return max(since, min(heard_by, self._feed.last_given + self._longest_doubt))

    @property
    def _patience(self) -> float:
        """Seconds of silence after which this wait ends.

        At the end of the input, with the last request answered, it is only a moment: the close message makes the
        service say what it still has to say, as of a word into which the input has ended.
        """
        return _SHORTEST_WAIT if self.is_at_end else self._requests.patience

    @property
    def is_at_end(self) -> bool:
        """Whether all of the input was sent, and the last request was sent and answered."""
        return self._session.is_all_sent and not self._session.marks.waiting and not self._evidence.unanswered

    @property
    def _patience_with_end(self) -> float:
        """Seconds to wait for the service to end the session."""
        if not self._session.finished:
            return self._requests.patience
        return max(_SHORTEST_WAIT if self._profile.places_words else CAREFUL_WAIT, self._requests.usual_answer)
