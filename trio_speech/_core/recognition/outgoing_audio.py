"""Decides which captured audio a link sends next, and when.

A *frame* is the audio of one message to the service. A *mark* is a finalize or a change of settings to be sent at a
certain sample (see `queued_commands`). *Filler* is silence that the service is sent where no audio is captured.

Laws
    1. Audio is taken from the replay log, in order, in frames of one length: the policy's, or else the profile's. A
       frame is shorter only at a mark, and at the end of the input. Frames that are due at once go out together, where
       the profile allows longer messages and the policy names no length.
    2. A backlog is sent at the pace that `pacing` allows; after that, each frame as soon as it is whole.
    3. No audio is sent before the service takes it (`opened`), or once the link sends no more (`closed`).
    4. Filler moves only the link's clock, and no cursor of the log.
"""

from __future__ import annotations

import math

from ..provider.profile import SttProfile
from .pacing import LUMP
from .progress_watch import ProgressWatch
from .session import NEVER, RecognitionMachine
from .timeline import Timeline

_FULL_AT, _ALMOST_FULL_AT = 0.8, 0.95
"""The shares of the log's limit from which it counts as full, and as almost overflowing."""

DIGESTS, IN_ADVANCE = 2.0, 1.0
"""A service that hears audio at so many times real time, and has more than so many seconds of work left, may be too
busy to answer a ping."""


class OutgoingAudio:
    """Takes the audio for one link out of the session's log, and estimates how much of it the service has heard."""

    def __init__(
        self, session: RecognitionMachine, profile: SttProfile, timeline: Timeline, progress: ProgressWatch, now: float
    ) -> None:
        self._session = session
        self._log = session.log
        self._timeline = timeline
        self._progress = progress
        self._pacer = session.pacer(profile)
        self._chunk = session.frame(profile)
        self._longest = session.longest_frame(profile) * session.audio_format.frame_size
        self._lump = max(self._chunk, session.audio_format.samples(LUMP))
        self._full = math.ceil(_FULL_AT * session.limit)
        self._almost_full = math.ceil(_ALMOST_FULL_AT * session.limit)
        self._slowness = 1.0 / (profile.slowest * session.rate)
        self._digestion = 1.0 / (DIGESTS * session.rate)
        self.last_given = now
        self.heard_by = now
        """When the service will have heard all audio sent, if it hears as slowly as its profile allows."""
        self._digested_by = now
        self.busy_until = now
        """When the service will have heard the audio it was sent faster than real time, if it is as slow as that."""
        self.new_result_expected = False
        """Whether audio sent since the last `Wait` made a result owed (see `progress_watch`)."""
        self.closed = False
        self.opened = not profile.waits_for_opened
        """Whether the service takes audio yet."""
        self.is_held = False
        """Whether no audio is sent for the moment, because the link is suspect."""
        if session.tally.links > 1:
            self._pacer.engage(now, session.log.unsent)

    @property
    def is_full(self) -> bool:
        """Whether so much audio is unsettled that the service should be asked to finalize."""
        return self._session.log.owed >= self._full

    @property
    def is_almost_full(self) -> bool:
        """Whether so much audio is unsettled that it should be asked to finalize even in the middle of sound."""
        return self._session.log.owed >= self._almost_full

    @property
    def is_idle(self) -> bool:
        """Whether less than a whole frame is left to send."""
        return self._session.log.unsent < self._chunk

    def took_over(self, now: float) -> None:
        """Call when the link opens that was sent the audio up to ``log.sent`` already, as a standby."""
        session, log = self._session, self._session.log
        self.heard_by = now + self._timeline.heard * self._slowness
        if session.noise.may_be_speech(log.window(max(log.committed, log.kept), log.sent)):
            self.new_result_expected = self._progress.sent(now)

    def heard_up_to(self, sample: int, now: float) -> None:
        """Call when a message shows that the service has heard all audio before `sample`."""
        left = max(0, self._session.log.sent - sample)
        self.heard_by = min(self.heard_by, now + left * self._slowness)
        self.busy_until = min(self.busy_until, self.heard_by)
        self._digested_by = min(self._digested_by, now + left / self._session.rate / DIGESTS)

    def next_wakeup_at_sample(self) -> int:
        """Returns the sample up to which audio must be captured before there is something to do since the last `Wait`.

        That is a frame to send, a log so full that a finalize request is due, or a result that has become owed.
        """
        session, log = self._session, self._log
        if not self.opened or self.is_held:
            return NEVER
        if self.new_result_expected:
            return log.sent  # at once: where all audio came in whole frames, none is left unsent
        if session.input_ended or session.marks.waiting:
            return log.sent + 1
        frame, full = log.sent + self._chunk, log.owed_from + self._full
        if frame <= log.captured and self._pacer.engaged:
            frame = NEVER  # the pacer's moment is waited for, whatever more is captured
        return min(frame, full)

    def frames(self, now: float, most: int) -> list[bytes]:
        """Takes up to `most` whole frames that may be sent now, without asking `LinkMachine.next` for each.

        Where the service takes longer messages, several frames are joined to one (see `SttProfile.longest_frame`).

        Use it only before the moment until which the last `Wait` was to last: nothing else can be due then. Where it
        returns no frames, call `LinkMachine.next`.
        """
        log, chunk, waiting = self._log, self._chunk, self._session.marks.waiting
        if self.closed or self.is_held or not self.opened or (waiting and self._session.has_due_mark):
            return []
        samples = self._session.sendable()[0] if waiting else log.captured - log.sent
        if self._pacer.engaged:
            samples = self._pacer.allowed(now, samples)
        frames = min(most, samples // chunk)
        if not frames:
            return []
        pcm = self._taken(frames * chunk, now)
        if len(pcm) <= self._longest:
            return [pcm]
        return [pcm[at : at + self._longest] for at in range(0, len(pcm), self._longest)]

    def frame(self, now: float) -> bytes:
        """Takes the next frame, which is short at a mark and at the end; empty where none may be sent now."""
        samples, flush = self._session.sendable()
        if samples >= self._chunk:
            samples = self._chunk
        elif not flush:
            return b""
        late = self._pacer.engaged and self._pacer.delay(now, samples) > 0.0
        return b"" if late or self.closed or self.is_held or not samples else self._taken(samples, now)

    def rest(self, now: float) -> bytes:
        """Takes the rest of the audio up to the next mark, even if it is shorter than a frame."""
        samples = self._session.sendable()[0]
        return self._taken(samples, now) if samples and not self.is_held else b""

    def filler(self, seconds: float, now: float) -> bytes:
        """Returns `seconds` of filler to send. It is silence that is not in the log."""
        samples = self._session.audio_format.samples(seconds)
        self._timeline.filled(samples)
        self._session.tally.filler += samples
        self.heard_by = max(self.heard_by, now) + samples * self._slowness
        return self._session.audio_format.silence(samples)

    def due(self, now: float) -> float:
        """Returns when the waiting audio may be sent; infinite where none waits, or `closed` is set."""
        samples, _ = self._session.sendable()
        if self.closed or self.is_held or not samples:
            return math.inf
        return now + self._pacer.delay(now, min(samples, self._lump))

    def catch_up(self) -> float:
        """Returns the seconds until the backlog is sent."""
        return self._pacer.catch_up(self._session.log.unsent)

    def _taken(self, samples: int, now: float) -> bytes:
        """Takes so many samples out of the log, to be sent, and keeps the books on them."""
        log = self._log
        start = log.sent
        pcm = log.take(samples)
        self._timeline.sent(start, log.sent)
        if self._pacer.engaged:
            self._pacer.sent(samples, log.unsent)
        if not self._progress.owed:
            self._look_for_speech(pcm, start, now)
        # Comparisons in place of `max`, which costs several times as much: this is done for every frame.
        self.last_given = heard = digested = now
        if self.heard_by > now:
            heard = self.heard_by
        if self._digested_by > now:
            digested = self._digested_by
        self.heard_by = heard + samples * self._slowness
        self._digested_by = digested = digested + samples * self._digestion
        if digested > now + IN_ADVANCE:
            self.busy_until = max(self.busy_until, now) + samples * self._slowness
        return pcm

    def _look_for_speech(self, pcm: bytes, start: int, now: float) -> None:
        """Makes a result owed where `pcm`, which is sent from sample `start` on, may be speech."""
        known = max(0, self._log.committed - start) * self._session.audio_format.frame_size  # none is owed for it
        self.new_result_expected |= self._session.noise.may_be_speech(pcm[known:]) and self._progress.sent(now)
