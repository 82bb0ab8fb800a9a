"""Which captured audio a link sends next, and when.

Laws
    1. Nothing goes out but from the log, in order, in frames of the profile's length; a short one only at a mark.
    2. A backlog goes out at the pace that is allowed; live audio, and all that follows, as soon as a frame is whole.
    3. Before the service takes audio, and once the feed is closed, nothing goes out.
    4. Filler moves the link's clock alone: no cursor of the log, and nothing that tells how live the audio is.
"""

from __future__ import annotations

import math

from ..provider.profile import SttProfile
from .pacing import LUMP, Pacer
from .progress_watch import ProgressWatch
from .session import NEVER, RecognitionMachine
from .timeline import Timeline

_FULL_AT, _ALMOST_FULL_AT = 0.8, 0.95
"""Shares of the log's limit."""

_DIGESTS, _IN_ADVANCE = 2.0, 1.0
"""Who hears at so many times real time, and has so many seconds to go, may be too busy to answer a ping."""


class OutgoingAudio:
    """Gives one link the session's audio; the link's log is the session's."""

    def __init__(
        self, session: RecognitionMachine, profile: SttProfile, timeline: Timeline, progress: ProgressWatch, now: float
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._progress = progress
        policy = session.policy
        self._pacer = Pacer(
            profile.replay_speed if policy.speed is None else policy.speed,
            session.rate,
            profile.burst if policy.burst is None else policy.burst,
        )
        self._chunk = max(1, session.audio_format.samples(profile.chunk))
        self._lump = max(self._chunk, session.audio_format.samples(LUMP))
        self._full = math.ceil(_FULL_AT * session.limit)
        self._almost_full = math.ceil(_ALMOST_FULL_AT * session.limit)
        self._slowness = 1.0 / (profile.slowest * session.rate)
        self.last_given = now
        self.heard_by = now
        """When the service can have heard all that was sent, at the slowest pace that its profile allows."""
        self._digested_by = now
        self.busy_until = now
        """When the service can have heard what it was sent faster than it is spoken, at the slowest pace."""
        self.new_result_expected = False
        """Whether a result is owed for what was given, of which the last `Wait` did not know."""
        self.closed = False
        self.opened = not profile.waits_for_opened
        """Whether the service takes audio by now."""
        if session.tally.links > 1:
            self._pacer.engage(now, session.log.unsent)

    @property
    def is_full(self) -> bool:
        """Whether so much of the log is not settled that the service is to be asked to."""
        return self._session.log.owed >= self._full

    @property
    def is_almost_full(self) -> bool:
        """Whether the service is to be asked even in mid-sound."""
        return self._session.log.owed >= self._almost_full

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to send but what is too short for a frame."""
        return self._session.log.unsent < self._chunk

    def heard_up_to(self, sample: int, now: float) -> None:
        """The service shows that it has heard all before `sample` by now."""
        left = max(0, self._session.log.sent - sample)
        self.heard_by = min(self.heard_by, now + left * self._slowness)
        self.busy_until = min(self.busy_until, self.heard_by)
        self._digested_by = min(self._digested_by, now + left / self._session.rate / _DIGESTS)

    def next_wakeup_at_sample(self) -> int:
        """How much has to be captured, in samples of the stream, before there is news since the last `Wait`: a frame to
        be sent, a log so full that it is to be settled, a result that is owed."""
        session, log = self._session, self._session.log
        if not self.opened:
            return NEVER
        if self.new_result_expected:
            return log.sent  # at once: whoever speaks in whole frames leaves nothing that is not sent
        if session.marks.waiting or session.input_ended:
            return log.sent + 1
        frame = log.sent + self._chunk
        if frame <= log.captured and self._pacer.engaged:
            frame = NEVER  # the moment is waited for, and more audio makes no difference
        return min(frame, log.owed_from + self._full)

    def frames(self, now: float, most: int) -> list[bytes]:
        """Up to `most` whole frames that may go out now. Where there are none, `LinkMachine.next` tells what is due.

        Before the moment to which the last `Wait` was bounded, nothing else can be due.
        """
        session, log, chunk = self._session, self._session.log, self._chunk
        if self.closed or not self.opened or (session.marks.waiting and session.has_due_mark):
            return []
        samples = session.sendable()[0] if session.marks.waiting else log.captured - log.sent
        if self._pacer.engaged:
            samples = self._pacer.allowed(now, samples)
        frames = min(most, samples // chunk)
        if not frames:
            return []
        pcm = self._taken(frames * chunk, now)
        if frames == 1:
            return [pcm]
        size = len(pcm) // frames
        return [pcm[at : at + size] for at in range(0, len(pcm), size)]

    def frame(self, now: float) -> bytes:
        """The next frame, a short one at a mark or the end; empty where none may go out now."""
        samples, flush = self._session.sendable()
        if samples >= self._chunk:
            samples = self._chunk
        elif not flush:
            return b""
        late = self._pacer.engaged and self._pacer.delay(now, samples) > 0.0
        return b"" if late or self.closed or not samples else self._taken(samples, now)

    def rest(self, now: float) -> bytes:
        """What is too short for a frame and goes out all the same."""
        samples = self._session.sendable()[0]
        return self._taken(samples, now) if samples else b""

    def filler(self, seconds: float, now: float) -> bytes:
        """So much silence, which goes out and is not in the log."""
        samples = self._session.audio_format.samples(seconds)
        self._timeline.filled(samples)
        self._session.tally.filler += samples
        self.heard_by = max(self.heard_by, now) + samples * self._slowness
        return self._session.audio_format.silence(samples)

    def due(self, now: float) -> float:
        """When what is there may go out; infinite where nothing is, or the feed is closed."""
        samples, _ = self._session.sendable()
        if self.closed or not samples:
            return math.inf
        return now + self._pacer.delay(now, min(samples, self._lump))

    def catch_up(self) -> float:
        """Seconds until the backlog is gone."""
        return self._pacer.catch_up(self._session.log.unsent)

    def _taken(self, samples: int, now: float) -> bytes:
        """So much out of the log, which goes out."""
        session, log = self._session, self._session.log
        start = log.sent
        pcm = log.take(samples)
        self._timeline.sent(start, log.sent)
        if self._pacer.engaged:
            self._pacer.sent(samples, log.unsent)
        if not self._progress.owed:
            known = max(0, log.committed - start) * session.audio_format.frame_size  # of it nothing need be said
            self.new_result_expected |= session.noise.may_be_speech(pcm[known:]) and self._progress.sent(now)
        self.last_given = now
        self.heard_by = max(self.heard_by, now) + samples * self._slowness
        self._digested_by = max(self._digested_by, now) + samples / session.rate / _DIGESTS
        if self._digested_by > now + _IN_ADVANCE:
            self.busy_until = max(self.busy_until, now) + samples * self._slowness
        return pcm
