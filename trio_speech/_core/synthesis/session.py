"""The machine of one synthesis: which text to ask for, and which audio to hand over.

Laws
    1. A request asks for one segment, and one request is under way at a time. So all audio that arrives belongs to it,
       although services do not say which text their audio is for.
    2. Cursors over the segments: handed over ≤ released ≤ complete ≤ requested ≤ queued. They only grow, except that a
       lost link sets `requested` back to the segment that was being spoken.
    3. Audio is released once. Where a mode repeats some, the chunk says so (`restart`, `torn`).
    4. The reader never waits for the user. A slow user holds back the next request, not the audio of this one: at most
       `BUFFER` seconds and the audio of one segment are kept.
    5. Text counts as spoken once its audio was handed over, by aligned word or else by whole segment.
    6. Messages for an earlier generation are ignored.
    7. A segment without audio is believed to have none when a second connection says so too.

    state of a segment   what comes              what happens
    ──────────────────   ─────────────────────   ────────────────────────────────────────────────────────────
    queued               `next_request`          asked for, as a new generation; complete at once if it is markup alone
    asked for            Audio, Aligned          released as the resume policy says (see `resume`)
    asked for            the player runs dry     a little more is released (see `rendition`)
    asked for            Done, then quiet        complete: the rest is released; the first time without audio, a failure
    asked for            silence                 the link counts as dead
    asked for            Failure, Closed         the link has ended
    asked for            `lost`                  queued again, or all text is, or the session ends: see `resume`
    any                  `clear`                 dropped, with all audio that was not handed over
"""

from __future__ import annotations

from msgspec import Struct

from ...audio import AudioFormat
from ...events import AudioChunk
from ...statistics import SpeechStatistics
from ..provider.messages import Aligned, Audio, Closed, Done, Failure, TtsMessage
from ..provider.profile import TtsProfile
from ..retry.causes import Cause, Ended, Malformed, Reported, Silent
from .playback_ledger import PlaybackLedger
from .rendition import LONGEST, MOST_WORDS, ReleasedSegment, Rendition
from .resume import WHOLE, Resume, ResumePolicy, resume_policy
from .segment_queue import SegmentQueue
from .segmenter import speakable
from .spoken_text import Segment
from .usage import Usage

BUFFER = 10.0
"""Seconds of released audio that wait for the user before the next segment is asked for."""

LOW = 0.05
"""A player with so many seconds of audio or less is about to run dry."""

BRIDGE = 0.02
"""Seconds of unaligned audio by which such a player is kept going."""

_ROUNDING = 1e-6

SILENT = Reported(
    Failure(message="the service reported the sentence as complete but sent no audio for it", retryable=True)
)
"""The cause that ends a link which has reported a segment as complete without audio, the first time."""


class SegmentRequest(Struct, frozen=True):
    """One segment to send and to flush. Messages that answer it belong to `generation`."""

    generation: int
    text: str


class _Spoken(Struct):
    """The segment that is being spoken, or is to be spoken again."""

    number: int
    segment: Segment
    released: ReleasedSegment
    policy: ResumePolicy = WHOLE
    """Fixed before the first sample is released, whatever backend repeats the segment."""
    was_mute: bool = False
    """A connection has reported it as complete, without any audio."""


class SynthesisMachine:
    """Takes text by `add` and messages by `receive`. `next_request` says what to send, and `take` hands audio over.

    Moments are in seconds from any origin.
    """

    def __init__(self, audio_format: AudioFormat, profile: TtsProfile, resume: Resume) -> None:
        self._format = audio_format
        self._buffer = audio_format.samples(BUFFER)
        self._resume: Resume = resume
        self.profile = profile
        """The profile of the backend in use, which may change between requests."""
        self._ledger = PlaybackLedger(audio_format)
        self._usage = Usage()
        self._queue = SegmentQueue()
        self._spoken: _Spoken | None = None
        self._rendition: Rendition | None = None
        self._generation = 0
        self._last_heard = 0.0
        self._quiet = False
        self._restarts_from = 0
        self._restarted = False
        self._furthest = 0
        self.news = 0
        """Grows whenever there is new audio to hand over, or a segment is complete."""

    @property
    def mode(self) -> Resume:
        """The resume mode in effect: for the segment that is being spoken, or else for the next one."""
        return self._spoken.policy.mode if self._spoken else resume_policy(self._resume, self.profile).mode

    # ------------------------------------------------------------ text

    @property
    def queued_characters(self) -> int:
        """Length of the text that was not asked for yet."""
        return self._queue.characters

    def add(self, text: str) -> None:
        """Queues one segment."""
        self._queue.add(text)

    def separate(self) -> None:
        """The user closed the segment that was added last: the next one does not continue it."""
        self._queue.separate()

    def end(self) -> None:
        """No more segments will come."""
        self._queue.end()

    def clear(self, heard: float | None = None) -> tuple[str, bool]:
        """Drops all text and audio that was not handed over, or not heard within the first `heard` seconds.

        Returns the text before, and whether a generation is under way, which is unwanted now.
        """
        unwanted = self.speaking
        self._generation += 1
        self._rendition = self._spoken = None
        self._queue.clear()
        text = self._ledger.cut(heard)
        self._restarts_from, self._restarted = self._ledger.handed_over, False
        return text, unwanted

    # ------------------------------------------------------------ link

    @property
    def speaking(self) -> bool:
        """A segment was asked for, and is not complete."""
        return self._rendition is not None

    @property
    def ready(self) -> bool:
        """Whether `next_request` would return a request."""
        return self._rendition is None and self._queue.has_next and self._ledger.waiting < self._buffer

    @property
    def complete(self) -> bool:
        """All text has been spoken, and no more will come."""
        return self._rendition is None and self._queue.is_done

    @property
    def doubts_silence(self) -> bool:
        """The next segment was reported as complete without audio: a connection that is newly dialed is to tell."""
        return self._rendition is None and self._spoken is not None and self._spoken.was_mute

    @property
    def progress(self) -> int:
        """Grows only with audio or text that is new to the user: repeating some must not refill a retry budget."""
        return self._furthest if self._resume == "restart" else self._usage.most_released

    def next_request(self, now: float) -> SegmentRequest | None:
        """The next segment to ask for, if there is one and the user has taken enough of the audio before it."""
        if not self.ready:
            return None
        number, segment = self._queue.advance()
        self._spoken = self._spoken or _Spoken(number, segment, ReleasedSegment(segment.text))
        if not self._spoken.released.samples:
            self._spoken.policy = resume_policy(self._resume, self.profile)
        self._usage.count_request(number, len(segment.text))
        self._rendition = Rendition(self._format, self._spoken.policy, self._spoken.released)
        self._generation += 1
        self._last_heard = now
        self._quiet = False
        return SegmentRequest(self._generation, segment.text)

    def receive(self, generation: int, message: TtsMessage, now: float) -> Cause | None:
        """Takes a message. Returns the cause where it ends the link."""
        if generation != self._generation:
            return None
        rendition = self._rendition
        cause: Cause | None = None
        match message:
            case Audio() if rendition:
                self._last_heard = now
                self._usage.received += len(message.pcm)
                rendition.add_audio(message.pcm)
                cause = self._release(rendition, now)
            case Aligned() if rendition:
                # No sign of life: words without audio must not keep a mute service's link.
                rendition.add_words(message.words)
                cause = self._release(rendition, now)
            case Done() if rendition:
                self._last_heard = now
                cause = self._done(rendition)
            case Failure():
                cause = Reported(message)
            case Closed():
                cause = Ended()
            case _:
                pass
        return cause

    def deadline(self) -> float | None:
        """When `expired` must be called, unless a message comes first; ``None`` while nothing was asked for."""
        if self._rendition is None:
            return None
        silence = self._last_heard + (self.profile.quiet_after_done if self._quiet else self.profile.receive_timeout)
        dry = self._ledger.falls_to(LOW) if self._rendition.unaligned else None
        return silence if dry is None else min(silence, dry)

    @property
    def holds_audio(self) -> bool:
        """Whether audio is held back until the player runs dry, so that `deadline` may become earlier by a `take`."""
        return self._rendition is not None and self._rendition.unaligned > 0

    def expired(self, now: float) -> Cause | None:
        """The deadline has passed. That releases audio, or completes the segment, or ends the link: then the cause is
        returned.
        """
        due = self.deadline()
        if self._rendition is None or due is None or now < due:
            return None
        if self._rendition.unaligned:
            self._release(self._rendition, now)
        if self._quiet:
            silence = self._last_heard + self.profile.quiet_after_done
            return self._complete(self._rendition) if now >= silence else None
        if now < self._last_heard + self.profile.receive_timeout:
            return None
        return Silent("audio for the text that was sent", self.profile.receive_timeout)

    def lost(self) -> bool:
        """The link has ended. Returns whether the session may go on, by asking for the segment again."""
        self._generation += 1
        spoken = self._spoken
        if spoken is None or self._rendition is None:
            return True
        self._rendition = None
        self._usage.drops += 1
        if not spoken.released.samples:
            self._queue.retry()
            return True
        if spoken.policy.again == "text":
            self._restart()
            return True
        self._queue.retry()
        if spoken.policy.again == "words":
            self._retract(spoken.released.retract())
        elif spoken.policy.again == "sentence":
            self._retract(spoken.released.samples)
            spoken.released = ReleasedSegment(spoken.segment.text)
        return spoken.policy.again != "error"

    def _done(self, rendition: Rendition) -> Cause | None:
        self._quiet = True
        self.news += 1
        return None if self.profile.quiet_after_done else self._complete(rendition)

    def _complete(self, rendition: Rendition) -> Cause | None:
        spoken = self._spoken
        if spoken is None:
            return None
        has_words = speakable(spoken.segment.text)
        if not rendition.received and has_words and not spoken.was_mute:
            spoken.was_mute = True
            return SILENT
        rendition.finish()
        self._put(rendition, 0)
        if rendition.received or not has_words:
            self._ledger.mark_whole(spoken.number, spoken.segment)
        if rendition.received:
            self._ledger.end_segment(spoken.number)
        self._rendition = self._spoken = None
        self._furthest = max(self._furthest, self._queue.next)
        return None

    def _release(self, rendition: Rendition, now: float) -> Cause | None:
        self._put(rendition, self._bridge(now) if rendition.unaligned else 0)
        if rendition.too_long:
            return Malformed(f"more than {LONGEST:g} s of audio, or {MOST_WORDS} words without audio, for one segment")
        return None

    def _bridge(self, now: float) -> int:
        """How many samples the player needs, whether they are aligned or not."""
        left = self._ledger.left(now)
        return self._format.samples(LOW + BRIDGE - left) if left <= LOW + _ROUNDING else 0

    def _put(self, rendition: Rendition, unaligned: int) -> None:
        release, spoken = rendition.release(unaligned), self._spoken
        if release is None or spoken is None:
            return
        self._ledger.put(spoken.number, spoken.segment, release, restart=self._restarted)
        self._restarted = self._restarted and not release.pcm
        self._usage.release(len(release.pcm))
        self.news += 1

    def _retract(self, samples: int) -> None:
        self._ledger.retract(samples)
        self._usage.release(-samples * self._format.frame_size)

    def _restart(self) -> None:
        self._spoken = None
        self._queue.restart()
        self._ledger.rewind()
        self._restarted = self._ledger.handed_over > self._restarts_from
        self._usage.restarts += 1

    # ------------------------------------------------------------ user

    @property
    def has_answer(self) -> bool:
        """Whether `take` returns a chunk, or none will ever come."""
        return self._ledger.has_chunk or self.complete

    def take(self, now: float) -> AudioChunk | None:
        """Hands over the next chunk, if there is one."""
        return self._ledger.take(now)

    def spoken(self, at: float | None = None) -> str:
        """The text that is spoken in the first `at` seconds of the audio handed over, or in all of it."""
        return self._ledger.spoken(at)

    def statistics(self) -> SpeechStatistics:
        """The figures so far."""
        usage, frame_size, seconds = self._usage, self._format.frame_size, self._format.seconds
        return SpeechStatistics(
            segments=len(self._queue),
            requests=usage.requests,
            characters=usage.characters,
            characters_repeated=usage.characters_repeated,
            received=seconds(usage.received // frame_size),
            handed_over=seconds(self._ledger.handed_over),
            buffered=seconds(self._ledger.waiting),
            drops=usage.drops,
            restarts=usage.restarts,
        )
