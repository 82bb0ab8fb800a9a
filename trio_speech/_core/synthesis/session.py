"""The machine of one synthesis: which text to ask for, and which audio to hand over.

Laws
    1. One request is one segment, and one request is under way at a time: what comes in between is known to be of it.
    2. Cursors only move: handed over ≤ released ≤ complete ≤ requested ≤ queued. A lost link sets `requested` back to
       the segment that was being spoken; there is no other path.
    3. Audio goes to the user once: what was released is never released again, but under ``resume="restart"``, which
       says so on the chunk.
    4. The reader never waits for the user. A slow user holds back the next request, not the audio of this one: what is
       kept is at most `BUFFER` seconds and the audio of one segment.
    5. Text counts as spoken when its audio was handed over, by aligned word or else by whole segment; never earlier.
    6. Messages of an earlier generation are ignored.

    state of a segment   what comes              what happens
    ──────────────────   ─────────────────────   ────────────────────────────────────────────────────────────
    queued               `next_request`          spoken by the next generation
    being spoken         Audio, Aligned          released as the mode's policy says (see `resume`)
    being spoken         Done, then quiet        complete: the rest is released; without any audio, a failure
    being spoken         silence                 the link counts as dead
    being spoken         Failure, Closed         the link is over
    being spoken         `lost`                  queued again, to be cut; or all text is; or the end, as the mode says
    any                  `clear`                 dropped, with all released audio that was not handed over
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
from .rendition import LONGEST, MOST_WORDS, Release, ReleasedSegment, Rendition
from .resume import Resume, resume_policy
from .segmenter import speakable
from .usage import Usage

BUFFER = 10.0
"""Seconds of released audio that wait for the user before the next segment is asked for."""

_MUTE = Failure(message="done was said without any audio for the text", retryable=True)


class SegmentRequest(Struct, frozen=True):
    """Text to send and to flush, as `generation`."""

    generation: int
    text: str


class _Run(Struct):
    """All text since the start or the last `clear`: what ``"restart"`` begins again."""

    first: int = 0
    handed_over: int = 0
    furthest: int = 0
    restarted: bool = False


class SynthesisMachine:
    """Text goes in by `add`, a link's messages by `receive`; `next_request` says what to send, `take` hands over."""

    def __init__(self, audio_format: AudioFormat, profile: TtsProfile, resume: Resume) -> None:
        self._format = audio_format
        self._buffer = audio_format.samples(BUFFER)
        self.profile = profile
        """Says how patient to be; it may change with the backend, the mode does not."""
        self._policy = resume_policy(resume, profile)
        self._ledger = PlaybackLedger(audio_format)
        self._bill = Usage()
        self._run = _Run()
        self._texts: list[str] = []
        self._next = 0
        self._ended = False
        self._generation = 0
        self._said: ReleasedSegment | None = None
        self._rendition: Rendition | None = None
        self._heard_at = 0.0
        self._quiet = False
        self.news = 0
        """Grows with a message that somebody may be waiting for: with its audio to hand over, or the segment's end."""

    @property
    def mode(self) -> Resume:
        """What became of `resume` with this voice."""
        return self._policy.mode

    # ------------------------------------------------------------ text

    @property
    def queued_characters(self) -> int:
        """Length of the text that is not yet asked for."""
        return sum(map(len, self._texts[self._next :]))

    def add(self, text: str) -> None:
        """Queues one segment."""
        self._texts.append(text)

    def end(self) -> None:
        """No more segments will come."""
        self._ended = True

    def clear(self) -> bool:
        """Drops all that was not handed over; whether a link is left with a generation that nobody wants."""
        unwanted = self.speaking
        self._generation += 1
        self._rendition = self._said = None
        self._texts[self._next :] = [""] * (len(self._texts) - self._next)
        self._next = len(self._texts)
        self._ledger.rewind()
        self._run = _Run(self._next, self._ledger.handed_over, self._run.furthest)
        return unwanted

    # ------------------------------------------------------------ link

    @property
    def speaking(self) -> bool:
        """Text is outstanding."""
        return self._rendition is not None

    @property
    def ready(self) -> bool:
        """There is text to ask for now."""
        waits = self._rendition is None and self._next < len(self._texts)
        return waits and self._ledger.waiting < self._buffer

    @property
    def complete(self) -> bool:
        """All text has been spoken, and no more will come."""
        return self._ended and self._rendition is None and self._next == len(self._texts)

    @property
    def progress(self) -> int:
        """Grows whenever the user gets closer to the end of the text: repeating audio is no progress."""
        return self._run.furthest if self._policy.again == "text" else self._bill.released

    def next_request(self, now: float) -> SegmentRequest | None:
        """The next text to send, on a link with nothing outstanding."""
        if not self.ready:
            return None
        text = self._texts[self._next]
        self._bill.ask(self._next, len(text))
        self._said = self._said or ReleasedSegment(text)
        self._rendition = Rendition(self._format, self._policy, self._said)
        self._generation += 1
        self._next += 1
        self._heard_at = now
        self._quiet = False
        return SegmentRequest(self._generation, text)

    def receive(self, generation: int, message: TtsMessage, now: float) -> Cause | None:
        """Takes a message; returns the cause where the link is over with it."""
        if generation != self._generation:
            return None
        rendition = self._rendition
        cause: Cause | None = None
        match message:
            case Audio() if rendition:
                self._heard_at = now
                self._bill.received += len(message.pcm)
                rendition.add_audio(message.pcm)
                cause = self._release(rendition)
            case Aligned() if rendition:  # words without sound are no speech, however many come
                rendition.add_words(message.words)
                cause = self._release(rendition)
            case Done() if rendition:
                self._heard_at = now
                cause = self._done(rendition)
            case Failure():
                cause = Reported(message)
            case Closed():
                cause = Ended()
            case _:
                pass
        return cause

    def deadline(self) -> float | None:
        """When `expired` is due unless something comes before; ``None`` while no text is outstanding."""
        if not self.speaking:
            return None
        return self._heard_at + (self.profile.quiet_after_done if self._quiet else self.profile.receive_timeout)

    def expired(self, now: float) -> Cause | None:
        """Call it when the deadline has passed: the segment is complete, or the link is over of the cause returned."""
        due = self.deadline()
        if self._rendition is None or due is None or now < due:
            return None
        if self._quiet:
            return self._complete(self._rendition)
        return Silent("audio for the text that was sent", self.profile.receive_timeout)

    def lost(self) -> bool:
        """The link is gone. Returns whether the session may go on, speaking again what was outstanding."""
        self._generation += 1
        if self._said is None or self._rendition is None:
            return True
        self._rendition = None
        self._bill.drops += 1
        begun = self._said.samples > 0
        if begun and self._policy.again == "text":
            self._restart()
        else:
            self._next -= 1
        return not (begun and self._policy.again == "error")

    def _done(self, rendition: Rendition) -> Cause | None:
        self._quiet = True
        self.news += 1
        return None if self.profile.quiet_after_done else self._complete(rendition)

    def _complete(self, rendition: Rendition) -> Cause | None:
        segment, text = self._next - 1, self._texts[self._next - 1]
        if not rendition.received and speakable(text):
            return Reported(_MUTE)
        rendition.finish()
        if release := rendition.release():
            self._put(release)
        self._ledger.mark(segment, len(text))
        self._rendition = self._said = None
        self._run.furthest = max(self._run.furthest, self._next)
        return None

    def _release(self, rendition: Rendition) -> Cause | None:
        if release := rendition.release():
            self._put(release)
        if rendition.too_long:
            return Malformed(f"more than {LONGEST:g} s of audio, or {MOST_WORDS} words without audio, for one segment")
        return None

    def _put(self, release: Release) -> None:
        self._ledger.put(self._next - 1, release, restart=self._run.restarted)
        self._run.restarted = False
        self._bill.released += len(release.pcm)
        self.news += 1

    def _restart(self) -> None:
        self._said = None
        self._next = self._run.first
        self._ledger.rewind()
        self._run.restarted = self._ledger.handed_over > self._run.handed_over
        self._bill.restarts += 1

    # ------------------------------------------------------------ user

    @property
    def has_answer(self) -> bool:
        """What `take` says is certain: a chunk, or that none is left and none will come."""
        return self._ledger.waiting > 0 or self.complete

    def take(self) -> AudioChunk | None:
        """Hands over the next chunk, if there is one."""
        return self._ledger.take()

    def spoken(self, at: float | None = None) -> str:
        """The text that was spoken in the first `at` seconds of the audio handed over, or in all of it."""
        return self._ledger.spoken(self._texts, at)

    def statistics(self) -> SpeechStatistics:
        """The figures so far."""
        bill, frame_size, seconds = self._bill, self._format.frame_size, self._format.seconds
        return SpeechStatistics(
            segments=len(self._texts),
            requests=bill.requests,
            characters=bill.characters,
            characters_repeated=bill.characters_repeated,
            received=seconds(bill.received // frame_size),
            handed_over=seconds(self._ledger.handed_over),
            buffered=seconds(self._ledger.waiting),
            drops=bill.drops,
            restarts=bill.restarts,
        )
