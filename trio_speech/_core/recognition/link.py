"""One link's part in a recognition session. Pure: the shell asks `next` what to do, and tells what was received.

Laws
    1. What is said goes out at its place in the audio, which `feeding` gives; what is heard, `hearing` judges.
    2. It ends itself only when all is done, when its service ends it, or to move on before the service does.

    state        sends                          ends with
    ──────────   ────────────────────────────   ───────────────────────────────────────────
    hearing      audio, marks, keepalive        a `Failure`, the service's own end, no progress
    retiring     finalize, then nothing         Rollover, once answered
    done         nothing                        Leave(None): all input is accounted for
"""

from __future__ import annotations

import math

from ..provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    Going,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    Unknown,
)
from ..provider.profile import SttProfile
from ..retry.causes import Cause, Ended, Reported, Rollover, Silent, Unread
from .commands import Command, EndLink, SendAudio, SendChange, SendFinalize, SendKeepalive, Wait
from .endpointing import Endpointing
from .finalization import Finalization, FinalizeAnswer
from .incoming_results import IncomingResults
from .outgoing_audio import OutgoingAudio
from .progress_watch import ProgressWatch
from .reconciliation import ComparedWord
from .rollover import RolloverSchedule
from .session import RecognitionMachine

_PROGRESS = (RecognitionResult, SpeechOnset, Acknowledged, FinalizeAnswered)


class LinkMachine:
    """What one link hears and says. Made when the link opens; `lost` is to be called when it is gone.

    `opened_at`: when its connection was made, which may have been ahead of need.
    """

    def __init__(
        self,
        session: RecognitionMachine,
        profile: SttProfile,
        now: float,
        *,
        patience: float,
        progress_timeout: float | None,
        opened_at: float | None = None,
    ) -> None:
        self.session = session
        self.profile = profile
        base, cut = session.resume(profile)
        self._replayed_at = session.log.furthest  # where all is sent again that an earlier link was sent
        self._hearing = IncomingResults(session, profile, base, cut)
        self._settlement = Finalization(profile)
        self._progress = ProgressWatch(progress_timeout)
        self.feed = OutgoingAudio(session, profile, self._hearing.timeline, self._progress, now)
        self._patience = patience
        self._last_said = now
        self._committed_at = now
        self._retirement = RolloverSchedule(profile.session_cap, now if opened_at is None else opened_at)
        self._endpointing = Endpointing(profile.endpoint_after)
        self._in_vain: tuple[int, ...] = ()  # where finalize was asked for, and nothing was answered

    @property
    def retiring(self) -> bool:
        """Whether the link is about to be replaced by a fresh one, which may be dialed already."""
        return self.feed.closed

    def retire(self, at: float, by: float) -> None:
        """Make room for a fresh link: at the first pause in speech from the moment `at` on, `by` at the latest."""
        self._retirement.ask(at, by)

    def lost(self) -> None:
        """The link is gone."""
        self.session.link_lost([*self._in_vain, *self._settlement.unanswered])

    # ------------------------------------------------------------ what to do next

    def next(self, now: float) -> Command:
        """The next step; a step other than `Wait` counts as taken."""
        given_up = self._settle(now) or self._starve(now)
        if self.session.finished:
            return EndLink()
        if given_up is not None:
            return EndLink(given_up)
        if self.retiring and not self._settlement.pending:
            return EndLink(Rollover())
        step = self._mark(now) or self._audio(now) or self._self_finalize(now) or self._keepalive(now)
        return step or self._move_on(now) or self._wait(now)

    def _wait(self, now: float) -> Wait:
        self.feed.new_result_expected = False
        return Wait(self._wake_at(now))

    def _mark(self, now: float) -> Command | None:
        mark = None if self.retiring else self.session.due_mark()
        if mark is None:
            return None
        if mark.change is not None:
            return SendChange(mark.change)
        return self._finalize(now)

    def _finalize(self, now: float) -> Command:
        log = self.session.log
        self._settlement.asked(log.sent, now, unsettled=(log.sent - log.committed) / self.session.rate)
        self._last_said = now
        self._endpointing.asked(now)
        return SendFinalize()

    def _audio(self, now: float) -> Command | None:
        pcm = self.feed.frame(now)
        return SendAudio(pcm) if pcm else None

    def _self_finalize(self, now: float) -> Command | None:
        """At most of the log's limit without progress, at the end of speech for a service that never ends it, and where
        speech was sent and nothing is said of it."""
        if self._settlement.pending or self.session.log.sent <= self.session.log.committed:
            return None
        if self._may_retire(now):
            self.feed.closed = True
            return self._finalize(now)
        stalled = now >= self._committed_at + self._patience / 2  # the very sum that `_wake_at` waits for
        needed = (self.feed.is_full and stalled) or self._speech_paused(now) or now >= self._progress.doubtful_from
        return self._finalize(now) if needed else None

    def _may_retire(self, now: float) -> bool:
        return self._retirement.is_due(now, speaking=self.session.speaking)

    def _speech_paused(self, now: float) -> bool:
        due = self._endpointing.due
        return not self.profile.finalizes_itself and due is not None and now >= due

    def _keepalive(self, now: float) -> Command | None:
        if now < self._silent_until():
            return None
        self._last_said = now
        return SendKeepalive()

    def _silent_until(self) -> float:
        if self.profile.keepalive is None:
            return math.inf
        return max(self._last_said, self.feed.last_given) + self.profile.keepalive

    def _move_on(self, now: float) -> Command | None:
        log = self.session.log
        return EndLink(Rollover()) if self._may_retire(now) and log.sent <= log.committed else None

    def _wake_at(self, now: float) -> float | None:
        session, progress, retirement = self.session, self._progress, self._retirement
        due = [progress.doubtful_from, progress.overdue_from, retirement.at, retirement.by]
        due += [self._silent_until(), self.feed.due(now)]
        if (answered_by := self._settlement.deadline()) is not None:
            due.append(answered_by)
        if not self._settlement.pending and session.log.sent > session.log.committed:
            if not self.profile.finalizes_itself and self._endpointing.due is not None:
                due.append(self._endpointing.due)
            if self.feed.is_full:
                due.append(self._committed_at + self._patience / 2)
        return min([moment for moment in due if now < moment < math.inf], default=None)

    def _settle(self, now: float) -> Cause | None:
        session = self.session
        while (outcome := self._settlement.outcome(now, session.is_silence)) is not None:
            if outcome.answered:
                later = self._later(outcome) if self.profile.acknowledges == "finalize" else None
                self._progress.made(now, owes=False)
                if session.commit(outcome.upto, later=later):
                    self._committed_at = now
            elif outcome.upto > session.log.committed:
                session.unanswered_twice(outcome.upto)
                self._in_vain = (outcome.upto,)
                return Silent("answer to finalize", self.profile.quiet_unanswered)
        return None

    def _later(self, outcome: FinalizeAnswer) -> tuple[ComparedWord, ...]:
        """The words delivered that may belong to audio behind an answer: this link's, and those of an earlier one that
        the replay has not come to."""
        ours = self.session.later(outcome)
        return (*ours, *self._hearing.awaited) if outcome.upto < self._replayed_at else ours

    def _starve(self, now: float) -> Cause | None:
        if now < self._progress.overdue_from:
            return None
        self.session.unanswered_twice(self.session.log.sent)
        return Silent("result, though speech is being sent,", self._progress.timeout or 0.0)

    # ------------------------------------------------------------ what was received

    def receive(self, message: SttMessage, now: float) -> Cause | None:
        """Takes one message in; returns why the link is over, if it is."""
        committed = self.session.log.committed
        cause = self._receive(message, now)
        if cause is None and self.session.is_full_of_unread:
            cause = Unread(self.session.event_queue.unread_bytes)
        if self.session.log.committed > committed:
            self._committed_at = now
        return cause

    def _receive(self, message: SttMessage, now: float) -> Cause | None:
        if isinstance(message, _PROGRESS):
            guess = isinstance(message, RecognitionResult) and message.kind != "final" and bool(message.text)
            self._progress.made(now, owes=guess and self.session.log.sent > self.session.log.committed)
        match message:
            case RecognitionResult():
                self._transcript(message, now)
            case SpeechOnset(at):
                self._hearing.onset(at)
            case SpeechOver(at):
                self._hearing.speech_over(at)
            case Acknowledged(upto):
                self._hearing.acknowledged(upto)
            case FinalizeAnswered():
                self._settlement.finalized(now)
            case Going(within):
                self.retire(now, now + within / 2)
            case Closed():
                return self._closed()
            case Failure():
                return self._failed(message)
            case Unknown():
                self.session.tally.unknown_messages += 1
            case _:
                pass
        return None

    def _transcript(self, hypothesis: RecognitionResult, now: float) -> None:
        if hypothesis.kind == "final":
            self._endpointing.final()
            self._settlement.final(now, self._hearing.final(hypothesis))
        elif hypothesis.text:
            self._settlement.interim(now)
            self._endpointing.interim(hypothesis.text, now)
            self._hearing.interim(hypothesis)

    def ends_well(self, code: int) -> bool:
        """Whether a close frame of this code is the end that was asked for."""
        return (code == 1000 or code in self.profile.idle_codes) and self._closed() is None

    def _closed(self) -> Cause | None:
        """The service has ended: well if it owes nothing.

        That is, if all was sent, no interim waits for its final, and finalize was answered or nothing was said.
        """
        session = self.session
        end = session.log.captured
        asked = session.input_ended and self._settlement.newest >= end and self._endpointing.due is None
        if asked and (self._settlement.newest_answered or session.is_silence(end)):
            session.commit(end)
        elif asked:
            session.unanswered_twice(end)
        return None if session.finished else Ended()

    def _failed(self, failure: Failure) -> Cause | None:
        if failure.code in self.profile.idle_codes and self._closed() is None:
            return None
        return Reported(failure)
