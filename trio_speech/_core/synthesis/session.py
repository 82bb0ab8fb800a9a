"""The state machine of one synthesis session: which text to request, and which audio to hand to the user.

The terms (*segment*, *released*, *handed over*, *torn*, *generation*, ...) are defined in the package `synthesis`.

Laws
    1. A request is for one segment, and one request is under way at a time. So all audio that arrives belongs to it,
       although services do not tell which text their audio is for.
    2. Cursors over the segments: handed over ≤ released ≤ complete ≤ requested ≤ queued. They only grow, except that a
       lost connection sets `requested` back to the segment that was being spoken.
    3. Audio is released once. Where a resume mode repeats audio, the chunk says so (`restart`, `torn`).
    4. The task that reads the connection never waits for the user. A slow user delays only the next request: at most
       `BUFFER` seconds, and the audio of one segment, are kept.
    5. Text counts as spoken once its audio was handed over: word by word where words are aligned, else by segment.
    6. Messages of an earlier generation are ignored.
    7. When a service reports a segment as complete and has sent no audio, that is believed only when a second
       connection reports it too.

    state of a segment   event                   what happens
    ──────────────────   ─────────────────────   ────────────────────────────────────────────────────────────
    queued               `next_request`          requested, as a new generation
    requested            `Audio`, `Aligned`      audio is released as the resume policy says (see `resume`)
    requested            the player runs dry     a little more audio is released (see `rendition`)
    requested            `Done`, then quiet      complete: the rest is released. Without any audio, the first time, the
                                                 link ends
    requested            no message for long     the link counts as dead: see `audio_flow` for how long
    requested            `Failure`, `Closed`     the link has ended
    requested            `lost`                  queued again, or all text is, or the session ends: see `resume`
    any                  `clear`                 dropped, with all audio that was not handed over
"""

from __future__ import annotations

import math

from msgspec import Struct

from ...audio import AudioFormat
from ...events import AudioChunk
from ...statistics import SpeechStatistics
from ..provider.messages import Aligned, Audio, Closed, Done, Failure, TtsMessage
from ..provider.profile import TtsProfile
from ..retry.causes import Cause, Ended, Malformed, Reported, Silent
from .audio_flow import AudioFlow
from .playback_ledger import PlaybackLedger
from .rendition import LONGEST, MOST_WORDS, ReleasedSegment, Rendition
from .resume import WHOLE, Resume, ResumePolicy, resume_policy
from .segment_queue import SegmentQueue
from .segmenter import speakable
from .spoken_text import Segment
from .usage import Usage

BUFFER = 10.0
"""Seconds of released audio: while as much waits for the user, no further segment is requested."""

LOW = 0.05
"""A player with at most so many seconds of audio left is about to run dry."""

BRIDGE = 0.02
"""Seconds of unaligned audio that are released beyond `LOW` to keep such a player going."""

IN_TIME = 0.3
"""Seconds before the player runs dry at which a voice that hangs is given up: about what a dial and a first piece of
audio take."""

_HEALS_UNHEARD = frozenset({"words", "samples", "whole"})
"""What follows a lost link (see `resume`) without the user hearing anything twice, or getting an error."""

_ROUNDING = 1e-6

SILENT = Reported(
    Failure(message="the service reported the sentence as complete but sent no audio for it", retryable=True)
)
"""The cause for which a link is ended when it has reported a segment as complete without audio for the first time."""


class SegmentRequest(Struct, frozen=True):
    """The text of one segment, to be sent and flushed. Pass `generation` to `receive` with the messages that answer."""

    generation: int
    text: str


class _Spoken(Struct):
    """The segment that is being spoken, or is to be spoken again."""

    number: int
    segment: Segment
    released: ReleasedSegment
    policy: ResumePolicy = WHOLE
    """Fixed once the first sample is released, even if another backend repeats the segment."""
    was_mute: bool = False
    """Whether a connection has reported the segment as complete without sending audio for it."""


class SynthesisMachine:
    """Takes text by `add` and messages by `receive`; `next_request` says what to send, and `take` hands over audio.

    All moments (`now`) are in seconds from any origin.
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
        self._flow = AudioFlow()
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
        """How many characters of text were not requested yet."""
        return self._queue.characters

    def add(self, text: str) -> None:
        """Queues one segment."""
        self._queue.add(text)

    def separate(self) -> None:
        """Call when the user flushes: the next segment does not continue the text of the last one."""
        self._queue.separate()

    def end(self) -> None:
        """Call when no more segments will be added."""
        self._queue.end()

    def clear(self, heard: float | None = None) -> tuple[str, bool]:
        """Drops all text and audio that was not handed over, and forgets text spoken after the first `heard` seconds.

        `heard`: ``None``: all audio handed over was heard. Returns the text spoken before, and whether a generation is
        under way, whose audio is not wanted any more.
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
        """Whether a segment was requested and is not complete."""
        return self._rendition is not None

    @property
    def ready(self) -> bool:
        """Whether `next_request` would return a request.

        It does where a segment waits, none is being spoken, and the user has taken enough of the audio before.
        """
        return self._rendition is None and self._queue.has_next and self._ledger.waiting < self._buffer

    @property
    def complete(self) -> bool:
        """Whether all text was spoken and `end` was called."""
        return self._rendition is None and self._queue.is_done

    @property
    def doubts_silence(self) -> bool:
        """Whether the next request must go to a newly dialed connection.

        So it is where one has reported the segment as complete without audio, which the next one is to confirm.
        """
        return self._rendition is None and self._spoken is not None and self._spoken.was_mute

    @property
    def progress(self) -> int:
        """A number that grows only with audio or text that is new to the user.

        So speaking some again does not refill the retry budget.
        """
        return self._furthest if self._resume == "restart" else self._usage.most_released

    def next_request(self, now: float) -> SegmentRequest | None:
        """Returns the request for the next segment, and counts it as sent; ``None`` where `ready` is false."""
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
        self._flow.requested()
        self._quiet = False
        return SegmentRequest(self._generation, segment.text)

    def receive(self, generation: int, message: TtsMessage, now: float) -> Cause | None:
        """Call with each message that arrives, and the generation of its request.

        Returns why the link is over; ``None`` while it is not.
        """
        if generation != self._generation:
            return None
        rendition = self._rendition
        cause: Cause | None = None
        match message:
            case Audio() if rendition:
                self._last_heard = now
                self._flow.came(now)
                self._usage.received += len(message.pcm)
                rendition.add_audio(message.pcm)
                cause = self._release(rendition, now)
            case Aligned() if rendition:
                # This is no sign of life: words without audio must not keep the link of a mute service.
                rendition.add_words(message.words)
                cause = self._release(rendition, now)
            case Done() if rendition:
                self._last_heard = now
                self._flow.came(now)
                cause = self._done(rendition)
            case Failure():
                cause = Reported(message)
            case Closed():
                cause = Ended()
            case _:
                pass
        return cause

    def deadline(self) -> float | None:
        """Returns when to call `expired` unless a message comes first; ``None`` while no request is under way."""
        if self._rendition is None:
            return None
        silence = self._last_heard + (self.profile.quiet_after_done if self._quiet else self.profile.receive_timeout)
        dry = self._ledger.falls_to(LOW) if self._rendition.unaligned else None
        return min(silence, self._stalls_at, math.inf if dry is None else dry)

    @property
    def is_watched(self) -> bool:
        """Whether the voice may be found hanging, which makes the `deadline` earlier."""
        return self._flow.is_watched

    @property
    def _stalls_at(self) -> float:
        """When the voice counts as hanging: not before the player is about to run dry, and where that can be healed."""
        if self._quiet or self._spoken is None or self._spoken.policy.again not in _HEALS_UNHEARD:
            return math.inf
        dry = self._ledger.falls_to(IN_TIME)
        return math.inf if dry is None else max(dry, self._flow.stalls_at())

    @property
    def holds_audio(self) -> bool:
        """Whether audio is held back until the player runs dry. If so, ask for `deadline` again after each `take`."""
        return self._rendition is not None and self._rendition.unaligned > 0

    def expired(self, now: float) -> Cause | None:
        """Call when the `deadline` has passed: releases audio, or completes the segment, or ends the link.

        Returns why the link is over, or ``None``.
        """
        due = self.deadline()
        if self._rendition is None or self._spoken is None or due is None or now < due:
            return None
        if self._rendition.unaligned:
            self._release(self._rendition, now)
        if self._quiet:
            silence = self._last_heard + self.profile.quiet_after_done
            return self._complete(self._rendition, self._spoken) if now >= silence else None
        if now >= self._last_heard + self.profile.receive_timeout:
            return Silent("audio for the text that was sent", self.profile.receive_timeout)
        if now >= self._stalls_at:
            self._flow.given_up(now)
            return Silent("more audio for the text that was sent", round(now - self._last_heard, 1))
        return None

    def lost(self) -> bool:
        """Call when the connection is lost. Returns whether the session may go on with another one.

        If so, the segment that was being spoken is requested again, or all text is: see `resume`.
        """
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
        if self.profile.quiet_after_done or self._spoken is None:
            return None
        return self._complete(rendition, self._spoken)

    def _complete(self, rendition: Rendition, spoken: _Spoken) -> Cause | None:
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
        """Returns how many samples to release although they are not aligned, so that the player does not run dry."""
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
        """Whether `take` returns a chunk, or all audio was handed over and no more will come."""
        return self._ledger.has_chunk or self.complete

    def take(self, now: float) -> AudioChunk | None:
        """Hands over the next chunk; ``None`` where none waits."""
        return self._ledger.take(now)

    def spoken(self, at: float | None = None) -> str:
        """Returns the text spoken in the first `at` seconds of the audio handed over; ``None``: in all of it."""
        return self._ledger.spoken(at)

    def statistics(self) -> SpeechStatistics:
        """Returns the statistics of the session so far."""
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
