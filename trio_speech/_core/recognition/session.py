"""The state of one recognition session, over all of its links.

It does no I/O. A `LinkMachine` stands for the current connection and changes this state. The terms (*link*,
*committed*, *mark*, *seam*, ...) are defined in the package `recognition`.

Laws (the ledger)
    1. Every captured sample ends up in exactly one of three places: settled, which means covered by a delivered final
       or by an acknowledged silence; named by exactly one `Gap`; or in `ReplayLog.unacknowledged`.
    2. The commit point is the sample before which all audio is recognized or given up. It only moves forward. A new
       link starts there, less a lead-in, of which the repeated words are removed.
    3. Messages of a link that was declared lost are ignored.
    4. Finals and gaps are told in stream order. A gap is told when audio behind it is committed, or the stream ends.
    5. The state of speech outlives a link: a connection lost in mid-utterance starts no second utterance, and every
       `SpeechStarted` has its `SpeechEnded` when the stream ends. A turn ends once, after its finals.

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
from .pacing import Pacer
from .queued_commands import QueuedCommand, QueuedCommands
from .reconciliation import ComparedWord
from .replay_log import ReplayLog
from .stretches import Stretches
from .transcript import PlacedTranscript


class Tally(Struct):
    """Counts for the session's statistics. `filler` is in samples."""

    links: int = 0
    finals: int = 0
    repeated_words: int = 0
    repeated_finals: int = 0
    unknown_messages: int = 0
    filler: int = 0
    suspected: int = 0
    cleared: int = 0


NEVER = sys.maxsize
_SLIVER = 0.005  # seconds: many services round their times to a hundredth


class RecognitionMachine:
    """The state of a session: the captured audio, what was recognized of it, and the events that the user has to read.

    `start`: the position of the first sample. `ordinal`: how many finals were delivered before, in a recovered session.
    """

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
        """Once so many samples are captured, wake the task that writes to the link: see `OutgoingAudio`."""
        self.room_until = start + self.limit
        """Up to this sample, audio may be appended straight to the log without overflowing it; -1 after the input."""
        self.input_ended = False
        self.asked_upto = start
        """The sample before which the user has asked for all finals, by `finalize` or the end of the input."""
        self.speaking = False
        self.speaking_since = self._final_until = start
        """The earliest sample at which the current speech, or else the last one, may have begun."""
        self._turn_from: int | None = None
        self.linked = False
        self._ordinal = ordinal
        self.taken = ordinal
        """How many finals the user has taken."""
        self._pause = audio_format.samples(PAUSE)
        self._sliver = audio_format.samples(_SLIVER)
        self.noise = NoiseLevel(audio_format.encoding, self.rate, audio_format.frame_size)
        self.stretches = Stretches()
        """The audio behind the commit point that finals cover."""
        self.speakers: set[str] = set()
        """All labels of speakers that were told so far."""
        self._unheard: list[tuple[int, int]] = []
        """Audio behind the commit point that the service has given up."""
        self.left_open = Stretches()
        """Audio of which an earlier link has shown words and answered a request, and then ended without their final."""
        self.doubts = Doubts(self, policy.doubt, audio_format.samples(policy.doubt_at_least))
        self._shown = False
        self.delivered_words = DeliveredWords(self.rate, policy.lead_in, start)

    # ------------------------------------------------------------ the user's side

    @property
    def room(self) -> int:
        """How many more samples may be captured before the log is full."""
        return self.limit - self.log.captured + self.log.owed_from

    def capture(self, audio: bytes) -> None:
        """Appends captured audio, a whole number of samples. Where the log overflows, its oldest audio is evicted."""
        log = self.log
        log.append(audio)
        if log.captured - log.owed_from > self.limit:
            self._evict(log.captured - self.limit, "overflow")
        self.room_until = log.owed_from + self.limit

    def finalize(self) -> None:
        """Queues a finalize request for all audio captured so far."""
        self.asked_upto = self.log.captured
        self.marks.finalize(self.log.captured)

    def change(self, change: Change) -> None:
        """Queues a change of settings, which is sent behind all audio captured so far."""
        self.marks.change(self.log.captured, change)

    def end_input(self) -> None:
        """Ends the input, and queues a finalize request for all of it."""
        self.input_ended = True
        self.finalize()
        self.take_no_more()

    def take_no_more(self) -> None:
        """Call when no audio may be captured any more: after the end of the input, or once the user has left."""
        self.room_until = -1

    @property
    def is_full_of_unread(self) -> bool:
        """Whether so many bytes of events are unread that the link must be closed, so that no more arrive."""
        return self.event_queue.unread_bytes > self.policy.max_unread_bytes

    @property
    def may_open_link(self) -> bool:
        """Whether the unread events take no more than half of `ReplayPolicy.max_unread_bytes`, so that a link may be
        opened."""
        return self.event_queue.unread_bytes <= self.policy.max_unread_bytes // 2

    @property
    def is_all_sent(self) -> bool:
        """Whether the input has ended, and all of it was sent on the current link."""
        return self.input_ended and not self.log.unsent

    @property
    def finished(self) -> bool:
        """Whether the input has ended and all of it is committed."""
        return self.input_ended and self.log.committed >= self.log.captured

    def take(self) -> TranscriptEvent:
        """Removes and returns the oldest event for the user. Audio that this settles is dropped.

        Raises `IndexError` where there is none.
        """
        event = self.event_queue.take()
        self.taken += isinstance(event, FinalTranscript)
        self.log.settle(self.event_queue.settled)
        return event

    def recover(self, audio: bytes, lost: Iterable[GapRun] = (), *, settled: int | None = None) -> None:
        """Takes in the audio of an earlier process, before any other is captured. It may exceed the log's limit.

        `lost`: the runs of audio that are missing; `audio` holds silence in their place. `settled`: the sample before
        which the earlier process had settled its audio, if that is before this session's start.
        """
        self.log.append(audio)
        for run in lost:
            self.gaps.lose(run.start, run.end, run.reason)
        if settled is not None:
            self.event_queue.settled = settled
        self._advance(self.log.committed)

    def end(self) -> None:
        """Call when the stream has ended: ends the speech that is going on, and tells the gaps not told yet."""
        self._end_speech(self.log.captured)
        self._tell_gaps(self.gaps.tell_all())

    # ------------------------------------------------------------ the link's side

    def resume(self, profile: SttProfile) -> tuple[int, int]:
        """Call when a link opens: sets the log back to where the link starts.

        Returns the first sample that the link is sent, and the cut: the sample before which all words are old.
        """
        limit = self.policy.max_replayed
        if limit is not None:
            self._evict(self.log.furthest - self.audio_format.samples(limit), "replay-limit")
        self._advance(self.log.committed)
        base, cut = self.start_of_next_link(profile)
        self.log.rewind(base)
        self._link_opened(cut)
        return base, cut

    def take_over(self, sent: int) -> int:
        """Call when a link opens that was sent the audio up to sample `sent` already, as a standby.

        Returns the cut: the sample before which all words are old.
        """
        cut = self._advance(self.log.committed)
        self.log.rewind(sent)
        self._link_opened(cut)
        return cut

    def start_of_next_link(self, profile: SttProfile) -> tuple[int, int]:
        """Returns the first sample that a link is sent if it opens now, and its cut (see `resume`)."""
        cut = self.log.committed
        return max(cut - self.delivered_words.lead_in(profile, cut), self.log.kept), cut

    def _link_opened(self, cut: int) -> None:
        self.linked = True
        self.tally.links += 1
        self.marks.resume(cut, self.log.captured if self.input_ended else None)

    def frame(self, profile: SttProfile) -> int:
        """Returns the samples of one audio message to the service of `profile`."""
        length = self.policy.frame_length
        return max(1, self.audio_format.samples(profile.chunk if length is None else length))

    def longest_frame(self, profile: SttProfile) -> int:
        """Returns the most samples of one audio message: a frame, or several where the service takes them together."""
        frame = self.frame(profile)
        if profile.longest_frame is None or self.policy.frame_length is not None:
            return frame
        return max(1, self.audio_format.samples(profile.longest_frame) // frame) * frame

    def pacer(self, profile: SttProfile) -> Pacer:
        """Returns a pacer for one connection to the service of `profile`: as the policy says, or else the profile."""
        speed, burst = self.policy.speed, self.policy.burst
        return Pacer(
            profile.replay_speed if speed is None else speed, self.rate, profile.burst if burst is None else burst
        )

    def link_lost(self, asked: Iterable[int]) -> None:
        """Call when the connection is gone.

        Evicted audio that only this link could still recognize becomes a gap. `asked`: the samples at which it was sent
        a finalize request that the next link must be sent too.
        """
        self._disown()
        self.log.rewind(self.log.committed)
        self.marks.link_lost(asked, self.log.committed)

    @property
    def has_due_mark(self) -> bool:
        """Whether a mark waits and all audio before it was sent."""
        return bool(self.marks.waiting) and self.marks.waiting[0].at <= self.log.sent

    def due_mark(self) -> QueuedCommand | None:
        """Removes and returns the next mark, if all audio before it was sent and it need not wait; else ``None``."""
        return self.marks.due(self.log.sent, speaking=self.speaking)

    def sendable(self) -> tuple[int, bool]:
        """Returns how many samples may be sent before the next mark, and whether the last frame may be short."""
        log = self.log
        stop = self.marks.next_stop(log.sent) if self.marks.waiting else None
        if stop is None:
            return log.captured - log.sent, self.input_ended
        return stop - log.sent, True

    def commit(self, upto: int, *, later: tuple[ComparedWord, ...] | None = None) -> bool:
        """Moves the commit point to sample `upto`, or further where audio behind it is recognized or lost already.

        Returns whether it has moved. `later`: where words have no times, the delivered words that may belong to audio
        behind `upto`; else ``None``.
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
        """Turns words of `left_open` into a `Gap` where this link has answered for them without a final too.

        Only words before sample `upto` count, and only those behind `spoken_for`: finals without times may be about
        audio before it.
        """
        for start, end in list(self.left_open):
            missing = list(self.stretches.missing(max(start, spoken_for, self.log.committed), end))
            # A final covers some of it where its times have drifted, or where the words were others than shown.
            if end <= upto and 2 * sum(last - first for first, last in missing) > end - start:
                self.give_up(max(start, spoken_for), end, "doubt")
        self.left_open.forget(upto)

    def give_up(self, start: int, upto: int, reason: str) -> None:
        """Makes a `Gap` of the audio of ``[start, upto)`` that no final covers."""
        for begins, ends in list(self.stretches.missing(max(start, self.log.committed), upto)):
            self.gaps.give_up(begins, ends, reason)
            self.log.evict(ends)

    def recognized(self, start: int, end: int) -> None:
        """Call when a final covers ``[start, end)``: no link need hear that again, whatever is open before it."""
        self.stretches.add(max(start, self.log.committed), end)
        self.gaps.recognized(start, end)

    def unheard(self, start: int, end: int) -> None:
        """Call when the service gives up ``[start, end)``: no link need hear that again.

        What no final covers of it becomes a `Gap`. It is told when the commit point passes it, since finals of earlier
        audio may still come.
        """
        self._unheard += self.stretches.missing(max(start, self.log.committed), end)
        self.recognized(start, end)
        self.commit(self.log.committed)

    def first_possible_speech(self, start: int, end: int, margin: int) -> int | None:
        """Returns the first sample of ``[start, end)`` that may be speech and that no final covers, or ``None``.

        `margin`: how many samples next to a final count as covered by it, since its times may drift. Evicted audio
        cannot be looked at any more, so it counts as speech.
        """
        log = self.log
        self.noise.measure(log.window(log.kept, end), log.kept)
        for begins, ends in self.stretches.missing(max(start, log.committed), end):
            first = begins + margin if begins <= self.delivered_words.said else begins
            last = ends - margin if ends < end else ends
            if ends - begins <= self._sliver:
                continue  # no word is as short: a service's times are rounded
            if begins < log.kept:
                return begins
            found = self.noise.first_speech(log.window(first, last)) if first < last else None
            if found is not None:
                return first + found
        return None

    def is_pause(self, seconds: float = PAUSE) -> bool:
        """Whether the last `seconds` of the audio sent are no louder than noise; false where less audio is kept."""
        return not self.missing_of_pause(seconds)

    def missing_of_pause(self, seconds: float = PAUSE) -> int:
        """Returns how many more samples must be sent, at the least, before the audio sent ends in a pause; 0: it does.

        A pause are `seconds` no louder than noise.
        """
        log, pause = self.log, self.audio_format.samples(seconds)
        start = log.sent - pause
        if start < log.kept:
            return log.kept - start
        return pause - self.noise.quiet_at_end(log.window(start, log.sent))

    def last_sound_from(self) -> int:
        """Returns the sample at which the sound at the end of the sent audio begins, behind the last pause in it.

        Where the sent audio ends in a pause, that is its end.
        """
        log = self.log
        if self.is_pause():
            return log.sent
        start = max(log.committed, log.kept)
        return start + self.noise.last_sound_from(log.window(start, log.sent), self._pause)

    # ------------------------------------------------------------ what was said

    @property
    def over_until(self) -> int:
        """The sample before which all speech is over: the commit point, or the end of the last final if later."""
        return max(self.log.committed, self._final_until)

    def speech_started(self, at: int, *, since: int | None = None) -> None:
        """Call when speech starts at sample `at`. Ignored while speech is going on.

        `since`: the earliest sample at which it may have started; ``None``: `at`.
        """
        if not self.speaking:
            self.speaking = True
            self.speaking_since = at if since is None else since
            self.event_queue.put(SpeechStarted(at / self.rate))

    def speech_ended(self, at: int) -> None:
        """Call when an utterance ends at sample `at`. Ignored where the current speech began later."""
        if at > self.speaking_since:
            self._end_speech(at)

    def _end_speech(self, at: int) -> None:
        """Ends the current speech, if there is any, whenever it began."""
        if self.speaking:
            self.speaking = False
            self.event_queue.put(SpeechEnded(max(at, self.speaking_since) / self.rate))

    def turn_ended(self, at: int, confidence: float | None) -> None:
        """Call when a turn ends at sample `at`. Ignored where no words of it were delivered, or it was told before."""
        if self._turn_from is not None and at > self._turn_from:
            self._turn_from = None
            self.event_queue.put(TurnEnded(at / self.rate, confidence))

    def deliver(
        self, said: PlacedTranscript, words: tuple[ComparedWord, ...], *, seam: bool, span: tuple[int, int] | None
    ) -> None:
        """Queues a final for the user, behind the gaps that come before it, and remembers its words.

        `words`: its new words, for comparison with those of the next link. `seam`: see
        `FinalTranscript.seam`. `span`: the samples that it covers; ``None``: its times cannot be trusted.
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
        """Queues an interim or preflight transcript for the user."""
        self._shown = bool(said.result.text)
        self.event_queue.put(said.guess(self.rate))

    def take_back(self, said: PlacedTranscript) -> None:
        """Call when the service takes its last interim back: queues the empty one `said`, and ends the speech."""
        if self._shown:
            self.show(said)
        self._end_speech(said.end)

    # ------------------------------------------------------------ bookkeeping

    def _disown(self) -> None:
        self.linked = False
        self.gaps.link_lost()
        self.commit(self.log.committed)

    def _advance(self, upto: int) -> int:
        """Moves the commit point to `upto`, and over recognized and lost audio behind it. Returns the commit point."""
        log = self.log
        log.commit(upto)
        while (further := self.stretches.end_from(self.gaps.after(log.committed))) > log.committed:
            log.commit(further)  # never more than was captured, as no service was sent more
        self.stretches.forget(log.committed)
        self._tell_unheard()
        return log.committed

    def _tell_unheard(self) -> None:
        """Queues a `Gap` for all audio before the commit point that the service gave up."""
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
            heard_until = min(max(begins, sent), ends)  # the link may still recognize what lies before
            self.gaps.endanger(begins, heard_until, reason)
            self.gaps.lose(heard_until, ends, reason)
        self._advance(self.log.committed)
        if not self.gaps.has_untold:  # the evicted audio is covered by finals
            self.event_queue.settle(self.log.committed)

    def _tell_gaps(self, runs: list[GapRun]) -> None:
        for run in runs:
            gap = Gap(run.start / self.rate, run.end / self.rate, run.reason)
            self.event_queue.put_settling(gap, run.end)
