"""One recognition session, across all of its links. Pure: a `LinkMachine` speaks for the link of the moment.

Laws (the ledger)
    1. Every captured sample ends in exactly one of: settled, that is covered by a delivered final or by an acknowledged
       silence; named by exactly one `Gap`; or in `unacknowledged()`.
    2. The commit point only moves forward, and only on the service's word. A new link starts there, less a lead-in
       whose words are reconciled away.
    3. Messages of a link that was declared lost are not heard: only the current link_machine may speak.
    4. Finals and gaps come in stream order. A gap is told when what lies behind it is settled, or the stream ends.
    5. Speech state is the session's: a drop in mid-utterance starts no second utterance.

    the user            the session                 the link_machine
    ───────────────     ─────────────────────────   ─────────────────────────────────────
    capture(audio)  →   log.captured moves
                        log.sent moves          ←   next(): SendAudio
    finalize()      →   a mark in the log       →   next(): SendFinalize, once sent there
    take()          ←   event_queue                  ←   receive(): finals, gaps, speech state
    settled         ←   log.committed moves     ←   receive(), next(): acknowledgments
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from msgspec import Struct

from ...audio import AudioFormat
from ...events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, TranscriptEvent
from ...policy import ReplayPolicy
from ..provider.profile import SttProfile
from ..provider.requests import Change
from .delivered_words import DRIFT_ALLOWANCE, DeliveredWords
from .event_queue import EventQueue
from .finalization import FinalizeAnswer
from .gaps import GapRun, Gaps
from .progress_watch import is_loud
from .queued_commands import QueuedCommand, QueuedCommands
from .reconciliation import ComparedWord
from .replay_log import ReplayLog
from .transcript import PlacedTranscript


class Tally(Struct):
    """Running counts behind the session's statistics."""

    links: int = 0
    finals: int = 0
    repeated_words: int = 0
    repeated_finals: int = 0
    unknown_messages: int = 0


NEVER = sys.maxsize


class RecognitionMachine:
    """The session's memory: what was captured, what was said of it, and what the user has yet to read."""

    def __init__(self, audio_format: AudioFormat, policy: ReplayPolicy, *, start: int = 0, ordinal: int = 0) -> None:
        self.audio_format = audio_format
        self.policy = policy
        self.rate = audio_format.sample_rate
        self.limit = audio_format.samples(policy.limit)
        lead_in = audio_format.samples(policy.lead_in + DRIFT_ALLOWANCE) if policy.lead_in else 0
        self.log = ReplayLog(audio_format.frame_size, lead_in=lead_in, start=start)
        self.gaps = Gaps()
        self.event_queue = EventQueue(start)
        self.marks = QueuedCommands()
        self.tally = Tally()
        self.next_wakeup_at_sample = NEVER
        """The stream's sample at which the link's writer is to be woken: see `OutgoingAudio.next_wakeup_at_sample`."""
        self.room_until = start + self.limit
        """Up to so many there is room for sure: audio may go straight into the log."""
        self.input_ended = False
        self.speaking = False
        self._speaking_since = self._final_until = start
        self.linked = False
        self._ordinal = ordinal
        self.taken = ordinal
        """Finals that the user has taken."""
        self._in_vain = start
        self.delivered_words = DeliveredWords(self.rate, policy.lead_in, start)

    # ------------------------------------------------------------ the user's side

    @property
    def room(self) -> int:
        """Samples that may be captured before the log is full."""
        return self.limit - self.log.captured + self.log.owed_from

    def capture(self, audio: bytes) -> None:
        """Takes audio, a whole number of samples. Where the log overflows, the oldest goes (see `ReplayPolicy`)."""
        log = self.log
        log.append(audio)
        if log.captured - log.owed_from > self.limit:
            self._evict(log.captured - self.limit, "overflow")
        self.room_until = log.owed_from + self.limit

    def finalize(self) -> None:
        """Asks for the final of all that is captured."""
        self.marks.finalize(self.log.captured)

    def change(self, change: Change) -> None:
        """Tells the service of a live change, in its place in the audio."""
        self.marks.change(self.log.captured, change)

    def end_input(self) -> None:
        """No more audio: what is pending is finalized."""
        self.input_ended = True
        self.marks.finalize(self.log.captured)
        self.room_until = -1

    @property
    def is_full_of_unread(self) -> bool:
        """Whether so much is unread that no more may come: the link is closed, and its audio kept."""
        return self.event_queue.unread_bytes > self.policy.max_unread_bytes

    @property
    def may_open_link(self) -> bool:
        """Whether the user has read enough for another link: half of what may wait."""
        return self.event_queue.unread_bytes <= self.policy.max_unread_bytes // 2

    @property
    def finished(self) -> bool:
        """Whether the input has ended and all of it is accounted for."""
        return self.input_ended and self.log.committed >= self.log.captured

    def take(self) -> TranscriptEvent:
        """The next event, which is thereby delivered; what it settles is let go."""
        event = self.event_queue.take()
        self.taken += isinstance(event, FinalTranscript)
        self.log.settle(self.event_queue.settled)
        return event

    def recover(self, audio: bytes, lost: Iterable[GapRun] = (), *, settled: int | None = None) -> None:
        """Takes in what an earlier process had captured, whatever the limit, before anything else is captured.

        `lost`: runs of which nothing is left; `audio` holds silence in their place. `settled`: where the first of them
        starts, if that is before this session does.
        """
        self.log.append(audio)
        for run in lost:
            self.gaps.lose(run.start, run.end, run.reason)
        if settled is not None:
            self.event_queue.settled = settled
        self._advance(self.log.committed)

    def end(self) -> None:
        """The stream has ended: gaps that waited for a neighbor are told."""
        self._tell_gaps(self.gaps.tell_all())

    # ------------------------------------------------------------ the link's side

    def resume(self, profile: SttProfile) -> tuple[int, int]:
        """A link opens: rewinds the log, and returns where it starts to hear and the cut before which all is old."""
        limit = self.policy.max_replayed
        if limit is not None:
            self._evict(self.log.furthest - self.audio_format.samples(limit), "replay-limit")
        cut = self._advance(self.log.committed)
        base = self.log.rewind(cut - self.delivered_words.lead_in(profile, cut))
        self.linked = True
        self.tally.links += 1
        self.marks.resume(cut, self.log.captured if self.input_ended else None)
        return base, cut

    @property
    def to_replay(self) -> float:
        """Seconds of audio that the current link is to hear although an earlier one did."""
        return max(0, self.log.furthest - self.log.sent) / self.rate

    def link_lost(self, asked: Iterable[int]) -> None:
        """The link is gone, and has not answered what it was `asked` to finalize: what only it could know is lost."""
        self._disown()
        self.log.rewind(self.log.committed)
        self.marks.link_lost(asked, self.log.committed)

    @property
    def has_due_mark(self) -> bool:
        """Whether all audio before the next thing to say has been sent."""
        return bool(self.marks.waiting) and self.marks.waiting[0].at <= self.log.sent

    def due_mark(self) -> QueuedCommand | None:
        """The next thing to say, if all audio before it has been sent."""
        return self.marks.due(self.log.sent, speaking=self.speaking)

    def sendable(self) -> tuple[int, bool]:
        """Samples that may go out before the next mark or the end, and whether a short frame may carry the rest."""
        log = self.log
        stop = self.marks.next_stop(log.sent) if self.marks.waiting else None
        if stop is None:
            return log.captured - log.sent, self.input_ended
        return stop - log.sent, True

    def commit(self, upto: int, *, later: tuple[ComparedWord, ...] | None = None) -> bool:
        """The service has recognized all before sample `upto`; returns whether that is news.

        `later`: where words have no times, those delivered that may belong to audio behind `upto`.
        """
        before = self.log.committed
        self.gaps.committed(upto)
        now = self._advance(upto)
        if now > before:
            self._tell_gaps(self.gaps.tell(now))
            self.event_queue.settle(now)
            self.log.settle(self.event_queue.settled)
            self.delivered_words.committed(now, later)
        return now > before

    def later(self, outcome: FinalizeAnswer) -> tuple[ComparedWord, ...]:
        """Of the words that came since a finalize was asked for, those that may belong to audio behind it."""
        if not self._may_be_speech(outcome.upto, self.log.sent):
            return ()
        return outcome.words if self.is_silence(outcome.upto) else outcome.words[outcome.answer :]

    def is_silence(self, upto: int) -> bool:
        """Whether what was sent before `upto` and is not acknowledged holds nothing that could be speech.

        What was evicted meanwhile can no longer be looked at: it may have been speech.
        """
        start = self.log.committed
        return self.log.kept <= start and not self._may_be_speech(start, upto)

    def unanswered_twice(self, upto: int) -> None:
        """The link heard all before `upto` and says nothing of it: it is condemned.

        Of this, what an earlier link had heard in vain too is given up as a gap: twice is enough.
        """
        self._disown()
        if self._in_vain > self.log.committed:
            self._evict(min(upto, self._in_vain), "unanswered")
        self._in_vain = upto

    # ------------------------------------------------------------ what was said

    @property
    def over_until(self) -> int:
        """The sample before which all speech is over: it was recognized, or is in a final."""
        return max(self.log.committed, self._final_until)

    def speech_started(self, at: int, *, since: int | None = None) -> None:
        """Somebody speaks, at the earliest `since`; no news while somebody does."""
        if not self.speaking:
            self.speaking = True
            self._speaking_since = at if since is None else since
            self.event_queue.put(SpeechStarted(at / self.rate))

    def speech_ended(self, at: int) -> None:
        """An utterance is over: the one in progress, unless it began later."""
        if self.speaking and at > self._speaking_since:
            self.speaking = False
            self.event_queue.put(SpeechEnded(at / self.rate))

    def final(self, said: PlacedTranscript, *, seam: bool, upto: int | None) -> None:
        """Queues a final, behind the gaps that come before it; `upto`: the sample up to which it acknowledges."""
        if upto is not None:
            self.gaps.committed(upto)
        self._tell_gaps(self.gaps.tell(said.start + 1))
        self._ordinal += 1
        self._final_until = max(self._final_until, said.end)
        self.tally.finals += 1
        event = said.final(self.rate, id=f"f{self._ordinal}", seam=seam)
        self.event_queue.put_settling(event, self.log.committed)

    # ------------------------------------------------------------ bookkeeping

    def _disown(self) -> None:
        self.linked = False
        self.gaps.link_lost()
        self._advance(self.log.committed)

    def _advance(self, upto: int) -> int:
        self.log.commit(upto)
        self.log.commit(self.gaps.after(self.log.committed))
        return self.log.committed

    def _may_be_speech(self, start: int, end: int) -> bool:
        return is_loud(self.log.window(start, end), self.audio_format.encoding)

    def _evict(self, to: int, reason: str) -> None:
        sent = self.log.sent
        start, end = self.log.evict(to)
        start = max(start, self.log.committed)
        replayable_until = min(end, sent) if self.linked else start
        self.gaps.endanger(start, max(start, replayable_until), reason)
        self.gaps.lose(max(start, replayable_until), end, reason)
        self._advance(self.log.committed)

    def _tell_gaps(self, runs: list[GapRun]) -> None:
        for run in runs:
            gap = Gap(run.start / self.rate, run.end / self.rate, run.reason)
            self.event_queue.put_settling(gap, run.end)
