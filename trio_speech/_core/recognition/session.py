"""One recognition session, across all of its links. Pure: a `LinkMachine` speaks for the link of the moment.

Laws (the ledger)
    1. Every captured sample ends in exactly one of: settled, that is covered by a delivered final or by an acknowledged
       silence; named by exactly one `Gap`; or in `unacknowledged()`.
    2. The commit point is the end of the first unbroken run of settled stretches. It only moves forward, and only on
       evidence. A new link starts there, less a lead-in whose words are reconciled away.
    3. Messages of a link that was declared lost are ignored: only the current link's machine may speak.
    4. Finals and gaps come in stream order. A gap is told when what lies behind it is settled, or the stream ends.
    5. Speech state is the session's: a drop in mid-utterance starts no second utterance, and whoever has started to
       speak has ended when the stream does. A turn ends once, behind its finals.

    the user            the session                 the link
    ───────────────     ─────────────────────────   ─────────────────────────────────────
    capture(audio)  →   log.captured moves
                        log.sent moves          ←   next(): SendAudio
    finalize()      →   a mark in the log       →   next(): SendFinalize, once sent there
    take()          ←   event_queue             ←   receive(): finals, gaps, speech state
    settled         ←   log.committed moves     ←   receive(), next(): acknowledgments
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from msgspec import Struct

from ...audio import AudioFormat
from ...events import FinalTranscript, Gap, SpeechEnded, SpeechStarted, TranscriptEvent, TurnEnded
from ...policy import ReplayPolicy
from ..provider.profile import SttProfile
from ..provider.requests import Change
from .delivered_words import DRIFT_ALLOWANCE, DeliveredWords
from .doubts import Doubts
from .event_queue import EventQueue
from .gaps import GapRun, Gaps
from .noise import PAUSE, NoiseLevel
from .queued_commands import QueuedCommand, QueuedCommands
from .reconciliation import ComparedWord
from .replay_log import ReplayLog
from .stretches import Stretches
from .transcript import PlacedTranscript


class Tally(Struct):
    """Running counts behind the session's statistics."""

    links: int = 0
    finals: int = 0
    repeated_words: int = 0
    repeated_finals: int = 0
    unknown_messages: int = 0
    filler: int = 0
    suspected: int = 0
    cleared: int = 0


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
        self.asked_upto = start
        """The sample before which the user has asked for all finals."""
        self.speaking = False
        self._speaking_since = self._final_until = start
        self._turn_from: int | None = None
        self.linked = False
        self._ordinal = ordinal
        self.taken = ordinal
        """Finals that the user has taken."""
        self._pause = audio_format.samples(PAUSE)
        self.noise = NoiseLevel(audio_format.encoding, self.rate, audio_format.frame_size)
        self.stretches = Stretches()
        """What finals cover behind the commit point."""
        self.speakers: set[str] = set()
        """The labels of speakers told so far."""
        self._unheard: list[tuple[int, int]] = []
        """What the service has given up, and the commit point has not passed."""
        self.left_open = Stretches()
        """Where words were shown by a link that answered for them, and ended without their final."""
        self.doubts = Doubts(self, policy.doubt, audio_format.samples(policy.doubt_at_least))
        self._shown = False
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
        self.asked_upto = self.log.captured
        self.marks.finalize(self.log.captured)

    def change(self, change: Change) -> None:
        """Tells the service of a live change, in its place in the audio."""
        self.marks.change(self.log.captured, change)

    def end_input(self) -> None:
        """No more audio: what is pending is finalized."""
        self.input_ended = True
        self.finalize()
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
    def is_all_sent(self) -> bool:
        """Whether the input has ended, and no audio is left for another link."""
        return self.input_ended and not self.log.unsent

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
        """The stream has ended: gaps that waited for a neighbor are told, and nobody speaks any more."""
        self._end_speech(self.log.captured)
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
        """The service has answered for all before sample `upto`; returns whether that is news.

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

    def give_up_left_open(self, upto: int, spoken_for: int) -> None:
        """Words that an earlier link showed and answered for without a final, before `upto`, have had no final of this
        one either, which answers for them too: they become a `Gap`. Finals without a place speak for all before
        `spoken_for`."""
        for start, end in list(self.left_open):
            missing = list(self.stretches.missing(max(start, spoken_for, self.log.committed), end))
            # A final covers some of it where its times have drifted, or where the words were others than shown.
            if end <= upto and 2 * sum(last - first for first, last in missing) > end - start:
                self.give_up(max(start, spoken_for), end, "doubt")
        self.left_open.forget(upto)

    def give_up(self, start: int, upto: int, reason: str) -> None:
        """What no final covers of ``[start, upto)`` becomes a `Gap`."""
        for begins, ends in list(self.stretches.missing(max(start, self.log.committed), upto)):
            self.gaps.give_up(begins, ends, reason)
            self.log.evict(ends)

    def recognized(self, start: int, end: int) -> None:
        """A final covers ``[start, end)``, which no link need hear again, whatever is still open before it."""
        self.stretches.add(max(start, self.log.committed), end)
        self.gaps.recognized(start, end)

    def unheard(self, start: int, end: int) -> None:
        """The service has given up ``[start, end)``, which no link need hear again. What no final covers of it becomes
        a `Gap`, told when the commit point passes it: before that, a final may still come for what lies before it."""
        self._unheard += self.stretches.missing(max(start, self.log.committed), end)
        self.recognized(start, end)
        self.commit(self.log.committed)

    def first_possible_speech(self, start: int, end: int, margin: int) -> int | None:
        """The first sample of ``[start, end)``, covered by no final, of what may be speech.

        `margin`: samples next to a final that belong to it, since its times may drift. What was evicted meanwhile can
        no longer be looked at: it may have been speech.
        """
        log = self.log
        self.noise.measure(log.window(log.kept, end), log.kept)
        for begins, ends in self.stretches.missing(max(start, log.committed), end):
            first = begins + margin if begins <= self.delivered_words.said else begins
            last = ends - margin if ends < end else ends
            if begins < log.kept:
                return begins
            found = self.noise.first_speech(log.window(first, last)) if first < last else None
            if found is not None:
                return first + found
        return None

    def is_pause(self, seconds: float = PAUSE) -> bool:
        """Whether the last `seconds` of the audio sent are no louder than noise; false where less was sent."""
        log = self.log
        start = log.sent - self.audio_format.samples(seconds)
        return start >= log.kept and self.noise.first_speech(log.window(start, log.sent)) is None

    def last_sound_from(self) -> int:
        """The sample at which the sound begins that no pause has followed yet, of the audio sent; where it ends in a
        pause, all that was sent."""
        log = self.log
        if self.is_pause():
            return log.sent
        start = max(log.committed, log.kept)
        return start + self.noise.last_sound_from(log.window(start, log.sent), self._pause)

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
        if at > self._speaking_since:
            self._end_speech(at)

    def _end_speech(self, at: int) -> None:
        """Whoever speaks has ended, whenever that began."""
        if self.speaking:
            self.speaking = False
            self.event_queue.put(SpeechEnded(max(at, self._speaking_since) / self.rate))

    def turn_ended(self, at: int, confidence: float | None) -> None:
        """A turn is over, of which something was delivered. Said again by another link, it is no news."""
        if self._turn_from is not None and at > self._turn_from:
            self._turn_from = None
            self.event_queue.put(TurnEnded(at / self.rate, confidence))

    def deliver(
        self, said: PlacedTranscript, words: tuple[ComparedWord, ...], *, seam: bool, span: tuple[int, int] | None
    ) -> None:
        """Queues a final, behind the gaps that come before it, and remembers its words.

        `words` are those compared at a seam; `span` the samples that it covers, where its times can be trusted.
        """
        if said.result.text:
            self.speech_started(said.start)
            self._turn_from = said.start if self._turn_from is None else self._turn_from
            raised = self.noise.is_raised and span is not None
            self.noise.spoken(self.log.window(*span) if raised and span is not None else b"")
        self._tell_gaps(self.gaps.tell(said.start + 1))
        self._ordinal += 1
        self._final_until = max(self._final_until, said.end)
        self.tally.finals += 1
        event = said.final(self.rate, id=f"f{self._ordinal}", seam=seam)
        self.event_queue.put_settling(event, self.log.committed)
        self.delivered_words.delivered(words, span)
        self._shown = False

    def show(self, said: PlacedTranscript) -> None:
        """Queues an interim or preflight transcript."""
        self._shown = bool(said.result.text)
        self.event_queue.put(said.guess(self.rate))

    def take_back(self, said: PlacedTranscript) -> None:
        """The interim shown last was of nothing: an empty one takes its place, and the utterance is over."""
        if self._shown:
            self.show(said)
        self._end_speech(said.end)

    # ------------------------------------------------------------ bookkeeping

    def _disown(self) -> None:
        self.linked = False
        self.gaps.link_lost()
        self.commit(self.log.committed)

    def _advance(self, upto: int) -> int:
        """Moves the commit point to `upto`, and over the settled stretches and lost runs that follow on it."""
        log = self.log
        log.commit(upto)
        while (further := self.stretches.end_from(self.gaps.after(log.committed))) > log.committed:
            log.commit(further)  # which is no later than what was captured, as no service was sent more
        self.stretches.forget(log.committed)
        self._tell_unheard()
        return log.committed

    def _tell_unheard(self) -> None:
        """Names what the service gave up before the commit point."""
        passed = [run for run in self._unheard if run[1] <= self.log.committed]
        self._unheard = [run for run in self._unheard if run not in passed]
        for start, end in passed:
            self.gaps.give_up(start, end, "unheard")
            self.log.evict(end)
            self._tell_gaps(self.gaps.tell(end + 1))

    def _evict(self, to: int, reason: str) -> None:
        sent = self.log.sent if self.linked else -1
        start, end = self.log.evict(to)
        for begins, ends in list(self.stretches.missing(max(start, self.log.committed), end)):
            heard_until = min(max(begins, sent), ends)  # of that, the fate is the link's
            self.gaps.endanger(begins, heard_until, reason)
            self.gaps.lose(heard_until, ends, reason)
        self._advance(self.log.committed)
        if not self.gaps.has_untold:  # all that was passed over is covered by finals
            self.event_queue.settle(self.log.committed)

    def _tell_gaps(self, runs: list[GapRun]) -> None:
        for run in runs:
            gap = Gap(run.start / self.rate, run.end / self.rate, run.reason)
            self.event_queue.put_settling(gap, run.end)
