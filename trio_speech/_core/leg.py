"""One link's part in a recognition session. Pure: the shell asks `next` what to do, and tells what was received.

Laws
    1. Nothing is sent but from the log, in order, in frames of the profile's length; a short one only at a mark.
    2. Words are judged at the seam before anything else sees them; a repeated final is known by identity or by exact
       span, never by its text alone.
    3. A leg ends itself only when all is done, when its service ends it, or to move on before the service does.

    state        sends                          ends with
    ──────────   ────────────────────────────   ───────────────────────────────────────────
    hearing      audio, marks, keepalive        a `Failure`, the service's own end, no progress
    retiring     finalize, then nothing         Rollover, once answered
    done         nothing                        Leave(None): all input is accounted for
"""

from __future__ import annotations

from collections import deque

import msgspec

from ..events import InterimTranscript, PreflightTranscript, Word
from .causes import Cause, Ended, Reported, Rollover, Silent
from .dialogue import (
    Acknowledged,
    Closed,
    Failure,
    Finalized,
    Going,
    Hypothesis,
    Onset,
    Opened,
    SpeechOver,
    SttMessage,
    Unknown,
)
from .liveness import Progress
from .pacing import Pacer
from .profile import SttProfile
from .recognition import Recognition, Said, heard
from .seam import Heard
from .settlement import Settlement
from .steps import Leave, SendAudio, SendChange, SendFinalize, SendKeepalive, Step, Wait
from .timeline import Timeline

_SELF_FINALIZE_AT = 0.8
_REMEMBERED_FINALS = 64
_ROLLOVER_MARGIN = 0.05


class Leg:
    """What one link hears and says. Made when the link opens; `lost` is to be called when it is gone."""

    def __init__(
        self, session: Recognition, profile: SttProfile, now: float, *, patience: float, progress_timeout: float | None
    ) -> None:
        self._session = session
        self.profile = profile
        self.base, self._cut = session.resume(profile)
        self._seam = session.seam(profile, self.base, self._cut)
        self._timeline = Timeline(self.base, session.rate)
        self._pacer = Pacer(profile.replay_speed if session.policy.speed is None else session.policy.speed, session.rate)
        self._settlement = Settlement(profile)
        self._progress = Progress(progress_timeout, now)
        self._patience = patience
        self._chunk = max(1, session.audio_format.samples(profile.chunk))
        self._recent: deque[tuple[object, ...]] = deque(maxlen=_REMEMBERED_FINALS)
        self._later: list[Heard] = []
        self._opened_at = now
        self._last_sent = now
        self._committed_at = now
        self._consumed = 0.0
        self._retire_at = None if profile.session_cap is None else now + profile.session_cap * (1 - _ROLLOVER_MARGIN)
        self._interim_at: float | None = None
        self._retiring = False
        if self.base > 0 or session.tally.links > 1:
            self._pacer.engage(now, session.log.unsent)

    @property
    def retiring(self) -> bool:
        """Whether the link is about to be replaced by a fresh one, which may be dialled already."""
        return self._retiring

    @property
    def replays(self) -> int:
        """Samples that this link hears although an earlier one did."""
        return max(0, self._cut - self.base)

    def catch_up(self) -> float:
        """Seconds until the backlog is gone."""
        return self._pacer.catch_up(self._session.log.unsent)

    def lost(self) -> None:
        """The link is gone."""
        self._session.link_lost(self._settlement.newest)

    # ------------------------------------------------------------ what to do next

    def next(self, now: float) -> Step:
        """The next step; a step other than `Wait` counts as taken."""
        given_up = self._settle(now)
        if self._session.finished:
            return Leave()
        if given_up is not None:
            return Leave(given_up)
        if self._retiring and not self._settlement.pending:
            return Leave(Rollover())
        step = self._mark(now) or self._audio(now) or self._self_finalize(now) or self._keepalive(now)
        return step or self._end(now) or Wait(self._wake_at(now))

    def _mark(self, now: float) -> Step | None:
        mark = None if self._retiring else self._session.due_mark()
        if mark is None:
            return None
        if mark.change is not None:
            return SendChange(mark.change)
        return self._finalize(now)

    def _finalize(self, now: float) -> Step:
        self._settlement.asked(self._session.log.sent, now)
        self._last_sent = now
        return SendFinalize()

    def _audio(self, now: float) -> Step | None:
        if self._retiring:
            return None
        log = self._session.log
        samples, flush = self._session.sendable()
        if samples < self._chunk and not (flush and samples):
            return None
        samples = min(samples, self._chunk)
        if self._pacer.delay(now, samples) > 0.0:
            return None
        start = log.sent
        pcm = log.take(samples)
        self._timeline.sent(start, log.sent)
        self._pacer.sent(samples, log.unsent)
        self._session.sent(samples)
        self._last_sent = now
        return SendAudio(pcm)

    def _self_finalize(self, now: float) -> Step | None:
        """At most of the log's limit without progress, or at the end of speech for a service that never ends it."""
        if self._settlement.pending or self._session.log.sent <= self._session.log.committed:
            return None
        if self._retire_at is not None and now >= self._retire_at:
            self._retiring = True
            return self._finalize(now)
        full = self._session.log.owed >= _SELF_FINALIZE_AT * self._session.limit
        stalled = now - self._committed_at >= self._patience / 2
        return self._finalize(now) if (full and stalled) or self._speech_paused(now) else None

    def _speech_paused(self, now: float) -> bool:
        return not self.profile.finalizes_itself and self._interim_at is not None and now >= self._interim_at

    def _keepalive(self, now: float) -> Step | None:
        if self.profile.keepalive is None or now - self._last_sent < self.profile.keepalive:
            return None
        self._last_sent = now
        return SendKeepalive()

    def _end(self, now: float) -> Step | None:
        session = self._session
        if self._retire_at is not None and now >= self._retire_at and session.log.sent <= session.log.committed:
            return Leave(Rollover())
        if self._progress.overdue(now, lambda: session.is_silence(session.log.sent)):
            self._progress.made(now)
            if session.heard_in_vain(session.log.sent):
                return Leave(Silent("result, though speech is being sent,", self._progress.timeout or 0.0))
        return None

    def _wake_at(self, now: float) -> float | None:
        session = self._session
        due = [self._settlement.deadline(), self._progress.deadline(), self._retire_at]
        if self.profile.keepalive is not None:
            due.append(self._last_sent + self.profile.keepalive)
        samples, _ = session.sendable()
        if samples and not self._retiring:
            pause = self._pacer.delay(now, min(samples, self._chunk))
            due.append(now + pause if pause > 0.0 else None)
        if not self._settlement.pending and session.log.sent > session.log.committed:
            due.append(self._interim_at if not self.profile.finalizes_itself else None)
            if session.log.owed >= _SELF_FINALIZE_AT * session.limit:
                due.append(self._committed_at + self._patience / 2)
        return min((moment for moment in due if moment is not None and moment > now), default=None)

    def _settle(self, now: float) -> Cause | None:
        while (outcome := self._settlement.outcome(now, self._session.is_silence)) is not None:
            if outcome.answered:
                later, self._later = tuple(self._later), []
                self._commit(outcome.upto, now, None if self.profile.word_times else later)
            elif self._session.heard_in_vain(outcome.upto):
                return Silent("answer to finalize", self.profile.quiet_unanswered)
        return None

    def _commit(self, upto: int, now: float, later: tuple[Heard, ...] | None = None) -> None:
        if self._session.commit(upto, later=later):
            self._committed_at = now

    # ------------------------------------------------------------ what was received

    def receive(self, message: SttMessage, now: float) -> Cause | None:
        """Takes one message in; returns why the link is over, if it is."""
        match message:
            case Hypothesis():
                self._progress.made(now)
                self._hypothesis(message, now)
            case Onset(at):
                self._progress.made(now)
                self._onset(at)
            case SpeechOver(at):
                self._session.speech_ended(self._session.log.sent if at is None else self._timeline.end_at(at))
            case Acknowledged(upto):
                self._progress.made(now)
                self._commit(self._timeline.end_at(upto), now)
            case Finalized():
                self._progress.made(now)
                self._settlement.finalized(now)
            case Going(within):
                self._retire_at = min(now + within / 2, self._retire_at or now + within / 2)
            case Closed():
                return self._closed()
            case Failure():
                return self._failed(message)
            case Opened() | Unknown():
                self._session.tally.unknown_messages += isinstance(message, Unknown)
        return None

    def ends_well(self, code: int) -> bool:
        """Whether a close frame of this code is the end that was asked for."""
        return (code == 1000 or code in self.profile.idle_codes) and self._closed() is None

    def _closed(self) -> Cause | None:
        """The service has ended: well if it owes nothing, in that all was sent, and no interim waits for its final."""
        session = self._session
        asked = self._settlement.newest >= session.log.captured
        if session.input_ended and asked and self._interim_at is None:
            session.commit(session.log.captured)
            return None
        return Ended()

    def _failed(self, failure: Failure) -> Cause | None:
        if failure.code in self.profile.idle_codes and self._closed() is None:
            return None
        return Reported(failure)

    def _onset(self, at: float | None) -> None:
        position = self._session.log.sent if at is None else self._timeline.start_at(at)
        if at is None and self._seam is not None and self._seam.open:
            return
        if position >= self._cut:
            self._session.speech_started(position)

    def _hypothesis(self, hypothesis: Hypothesis, now: float) -> None:
        final = hypothesis.kind == "final"
        if final:
            self._settlement.final(now)
            self._interim_at = None
            if self._is_repeated(hypothesis):
                return
        elif hypothesis.text:
            self._settlement.interim(now)
            self._interim_at = now + self.profile.endpoint_after
        said = self._place(hypothesis)
        seam = self._seam is not None and self._seam.open
        kept = self._cut_off_old(said) if seam else said
        if final:
            self._final(said, kept, seam=seam, now=now)
        elif kept is not None and kept.hypothesis.text:
            self._interim(kept)

    def _final(self, said: Said, kept: Said | None, *, seam: bool, now: float) -> None:
        session = self._session
        upto = said.end if self.profile.acknowledges == "span" else None
        if self._seam is not None:
            self._seam.passed(said.heard)
        if kept is not None:
            if kept.hypothesis.text:
                session.speech_started(kept.start)
            session.final(kept, seam=seam and not self.profile.exact_times, upto=upto)
            if self._settlement.answered:
                self._later.extend(kept.heard)
        if upto is not None:
            self._commit(upto, now)
        if said.hypothesis.ends_speech:
            session.speech_ended(said.end)

    def _interim(self, said: Said) -> None:
        session, hypothesis, rate = self._session, said.hypothesis, self._session.rate
        session.speech_started(said.start)
        kind = InterimTranscript if hypothesis.kind == "interim" else PreflightTranscript
        session.outbox.put(
            kind(
                text=hypothesis.text,
                start=said.start / rate,
                end=said.end / rate,
                words=said.words,
                language=hypothesis.language,
                confidence=hypothesis.confidence,
                speaker=hypothesis.speaker,
                extra=hypothesis.extra,
            )
        )

    def _is_repeated(self, hypothesis: Hypothesis) -> bool:
        trusted = self.profile.acknowledges != "finalize" and hypothesis.end > hypothesis.start
        keys: list[tuple[object, ...]] = []
        if hypothesis.id is not None:
            keys.append(("id", hypothesis.id))
        if trusted:
            keys.append(("span", hypothesis.start, hypothesis.end, hypothesis.speaker))
        if any(key in self._recent for key in keys):
            self._session.tally.repeated_finals += 1
            return True
        self._recent.extend(keys)
        return False

    def _place(self, hypothesis: Hypothesis) -> Said:
        timeline, rate = self._timeline, self._session.rate
        start, end = hypothesis.start, hypothesis.end
        if self.profile.acknowledges == "finalize" and start <= 0.0:
            start, end = self._consumed, self._consumed + end - start
            if hypothesis.kind == "final":
                self._consumed = end
        words = tuple(
            msgspec.structs.replace(word, start=timeline.start_at(word.start) / rate, end=timeline.end_at(word.end) / rate)
            for word in hypothesis.words
        )
        first = timeline.start_at(start)
        return Said(hypothesis, first, max(first, timeline.end_at(end)), words, heard(words, hypothesis.text, rate))

    def _cut_off_old(self, said: Said) -> Said | None:
        assert self._seam is not None
        old = self._seam.repeated(said.heard)
        if not old:
            return said
        if said.hypothesis.kind == "final":
            self._session.tally.repeated_words += old
        if old == len(said.heard):
            return None
        words: tuple[Word, ...] = said.words[old:]
        tokens = [word.text for word in words] or said.hypothesis.text.split()[old:]
        start = round(words[0].start * self._session.rate) if words else max(said.start, self._cut)
        text = " ".join(token.strip() for token in tokens)
        hypothesis = msgspec.structs.replace(said.hypothesis, text=text, words=words)
        return Said(hypothesis, start, said.end, words, said.heard[old:])
