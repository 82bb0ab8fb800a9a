"""When the session itself sends a finalize request, although the user has not called `finalize`.

Laws
    1. It sends one only for audio that is not committed, and while no other request waits for its answer.
    2. To cut no word, it sends the request in a pause: the audio is quiet, or no more is captured. Only where no pause
       comes in time is it sent in the middle of sound.

    why the request is sent                        in a pause from this moment on     at the latest
    ────────────────────────────────────────────   ────────────────────────────────   ──────────────────────────────
    words were shown, and nothing more is sent     1.5 s after the last audio         then (nothing can be cut)
    an interim stays the same, and the service     `endpoint_after` after it changed  2 s later
     never ends utterances by itself
    speech was sent, to a service that neither     `endpoint_after` after it began    (only in a pause)
     ends utterances nor shows interims
    words were shown, and no final comes           half of the patience               when the patience ends
    speech was sent, and no result comes           half of ``progress_timeout``       three quarters of it
    the replay log is 80 % full                    `stalled_after` after the last     (only in a pause, unless the log
                                                    commit                             is 95 % full)
    nothing was committed on a link that its       half of that limit                 three quarters of it
     service ends after some time
    the link is to be replaced                     see `rollover`                     see `rollover`

Patience is defined in `finalization`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..provider.profile import SttProfile
from .awaiting import Awaiting
from .endpointing import Endpointing
from .evidence import Evidence
from .outgoing_audio import OutgoingAudio
from .progress_watch import ProgressWatch
from .rollover import RolloverSchedule
from .session import RecognitionMachine

_NOTHING_COMES = 1.0
"""Seconds without new audio that count as a pause: longer than any source waits between two chunks."""

_MUTED = 1.5
_LONGEST_STALL = 2.0
"""Seconds to wait for a pause where an interim stays the same: a further word may have begun that it lacks yet."""
_LOOK_AGAIN = 0.05
"""The least seconds between two looks for a pause. A look tells how much audio is missing of one at the least, so while
somebody speaks there are three a second."""


class Asking:
    """Decides when one link sends a finalize request by itself.

    `stalled_after`: where the replay log, the audio kept for sending again, is nearly full, a request is sent once
    nothing was committed for so many seconds.
    """

    def __init__(
        self,
        session: RecognitionMachine,
        profile: SttProfile,
        *,
        evidence: Evidence,
        feed: OutgoingAudio,
        progress: ProgressWatch,
        rollover: RolloverSchedule,
        stalled_after: float,
        now: float,
    ) -> None:
        self._session = session
        self._profile = profile
        self._evidence = evidence
        self._feed = feed
        self._progress = progress
        self._rollover = rollover
        self._stalled_after = stalled_after
        self.endpointing = Endpointing(profile.endpoint_after)
        self.committed_at = now
        self._begun_at = session.log.committed

    def next_look(self, now: float, awaiting: Awaiting) -> float:
        """Returns `now` if a finalize request is to be sent. Else when to look again; infinite without a reason.

        `awaiting` tells when the patience with the service ends.
        """
        soonest = math.inf
        if self._may_ask:
            for at, by in self._reasons(awaiting):
                look = self._look(at, by, now)
                if look <= now:
                    return now
                soonest = min(soonest, look)
        return soonest

    def replaces_at(self, now: float) -> float:
        """Returns `now` if the link may be replaced by another now (see `rollover`). Else when to look again.

        Infinite where it is not to be replaced.
        """
        return self._look(self._rollover.at, self._rollover.by, now)

    def _look(self, at: float, by: float, now: float) -> float:
        """Returns `now` if it is time for what is to be done in a pause from the moment `at` on, and by `by` anyway.

        Else returns when to look again.
        """
        if now < at:
            return at
        return now if now >= by else min(by, self._pause_from(now))

    @property
    def _may_ask(self) -> bool:
        log, evidence = self._session.log, self._evidence
        is_new = log.sent > log.committed and log.sent > evidence.requests.newest
        return is_new and self._profile.finalizes and not evidence.unanswered

    def is_pause(self, now: float) -> bool:
        """Whether a request would cut no word now: the audio is quiet, or no more has been captured for a second."""
        return self._pause_from(now) <= now

    def _pause_from(self, now: float) -> float:
        """Returns `now` in a pause, else when to look for one again: live audio has none before that."""
        nothing_comes = self._feed.last_given + _NOTHING_COMES if self._feed.is_idle else math.inf
        if now >= nothing_comes:
            return now
        missing = self._session.missing_of_pause() / self._session.rate
        return min(nothing_comes, now + max(missing, _LOOK_AGAIN)) if missing else now

    def _reasons(self, awaiting: Awaiting) -> Iterator[tuple[float, float]]:
        """Yields, for each reason to send a request, from when it is sent in a pause, and when at the latest."""
        evidence = self._evidence
        if evidence.owed:
            if self._feed.is_idle:
                muted = self._feed.last_given + _MUTED
                yield muted, muted
            patience_ends = awaiting.patience_ends
            yield patience_ends - evidence.requests.patience / 2, patience_ends
        if not self._profile.finalizes_itself and self.endpointing.due is not None:
            yield self.endpointing.due, self.endpointing.due + _LONGEST_STALL
        if not self._profile.finalizes_itself and not self._profile.shows_interims:
            yield self._progress.owed_since + self._profile.endpoint_after, math.inf
        if self._progress.doubtful_from < math.inf:
            yield self._progress.doubtful_from, self._progress.asked_by
        if self._session.log.committed == self._begun_at:
            yield self._rollover.barren_from, self._rollover.barren_by
        if self._feed.is_full:
            stalled = self.committed_at + self._stalled_after
            yield stalled, (stalled if self._feed.is_almost_full else math.inf)
