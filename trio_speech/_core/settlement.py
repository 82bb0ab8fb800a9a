"""When an asked-for finalize has been answered in full.

Laws
    1. A request stands for the audio that had been sent when it was written: the answer speaks of no later sample.
    2. The service's own answer may come *before* trailing finals, so it counts only after a quiet period: a short one,
       or a longer one while an interim transcript still waits for its final.
    3. A final alone may be the answer too, where nothing more follows it for the longer period.
    4. Silence may be no answer: the longest period has to pass, unless the audio itself was silence.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from .profile import SttProfile


class _Request(Struct):
    upto: int
    asked: float
    answered: bool = False
    final_at: float | None = None
    patient: bool = False


class Outcome(Struct, frozen=True):
    """All before sample `upto` has been acknowledged, or (`answered` is false) nothing was said of it."""

    upto: int
    answered: bool


class Settlement:
    """The finalize requests of one link that still wait for their answers, oldest first."""

    def __init__(self, profile: SttProfile) -> None:
        self._profile = profile
        self._requests: list[_Request] = []
        self._last_message = 0.0
        self._interim_open = False

    @property
    def pending(self) -> bool:
        """Whether any request waits for its answer."""
        return bool(self._requests)

    @property
    def answered(self) -> bool:
        """Whether the oldest request has its answer, so that what comes now may belong to later audio."""
        return bool(self._requests) and self._requests[0].answered

    @property
    def newest(self) -> int:
        """The audio that the newest pending request stands for; -1 without any."""
        return self._requests[-1].upto if self._requests else -1

    @property
    def newest_answered(self) -> bool:
        """Whether anything came since that may be its answer: a final, or the service's own word."""
        return bool(self._requests) and self._requests[-1].final_at is not None

    def asked(self, upto: int, now: float) -> None:
        """A request was written, with all samples before `upto` sent."""
        self._requests.append(_Request(upto, now))

    def interim(self, now: float) -> None:
        """An interim transcript came: its final is still owed."""
        self._interim_open = True
        self._last_message = now

    def final(self, now: float) -> None:
        """A final came."""
        self._interim_open = False
        self._last_message = now
        for request in self._requests:
            request.final_at = now

    def finalized(self, now: float) -> None:
        """The service said that it has finalised."""
        self._last_message = now
        for request in self._requests:
            if not request.answered:
                request.answered = True
                request.final_at = now
                return

    def deadline(self) -> float | None:
        """When the oldest request has an outcome, if nothing else comes."""
        if not self._requests:
            return None
        request, profile = self._requests[0], self._profile
        if request.final_at is None:
            quiet = profile.quiet_unanswered if request.patient or self._interim_open else profile.quiet_after_final
            return max(request.asked, self._last_message) + quiet
        if self._interim_open:
            return max(request.final_at, self._last_message) + profile.quiet_after_final
        return request.final_at + (profile.quiet_after_finalized if request.answered else profile.quiet_after_final)

    def outcome(self, now: float, is_silence: Callable[[int], bool]) -> Outcome | None:
        """What has become of the oldest request by now; `is_silence` looks at the audio before a sample (law 4)."""
        deadline = self.deadline()
        if deadline is None or deadline > now:
            return None
        request = self._requests[0]
        silence = request.final_at is None and not self._interim_open and is_silence(request.upto)
        if request.final_at is None and not silence and not (request.patient or self._interim_open):
            request.patient = True
            return self.outcome(now, is_silence)
        self._requests.pop(0)
        return Outcome(request.upto, silence or request.final_at is not None)
