"""When an asked-for finalize has been answered in full.

Laws
    1. A request stands for the audio that had been sent when it was written: the answer speaks of no later sample.
    2. The service's own word answers the oldest request that has no answer yet; a final counts for all that wait.
    3. That word may come *before* trailing finals, so it counts only after a quiet period: a short one, or a longer one
       while an interim transcript still waits for its final.
    4. A final alone may be the answer too, where nothing more follows it for the longer period; but where finals
       acknowledge what they cover, only if they cover all that may be speech.
    5. Silence may be no answer: the longest period has to pass, unless the audio itself was silence.
    6. All waiting is bounded: by as long as the audio took to speak, and the longest period.

    what came since the request      decided after                     outcome
    ──────────────────────────────   ───────────────────────────────   ─────────────────────────────
    nothing, the audio is silent     quiet_after_final                 acknowledged
    nothing, or interims only        quiet_unanswered                  nothing was said of it
    finals                           quiet_after_final                 acknowledged
    the service's own word           quiet_after_finalized, or         acknowledged
                                     quiet_after_final while an
                                     interim waits
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from ..provider.profile import SttProfile
from .reconciliation import ComparedWord


class _Request(Struct):
    upto: int
    asked: float
    latest: float
    answered: bool = False
    final_at: float | None = None
    patient: bool = False
    words: list[ComparedWord] = field(default_factory=list)
    answer: int = 0


class FinalizeAnswer(Struct, frozen=True):
    """All before sample `upto` has been acknowledged, or (`answered` is false) nothing was said of it.

    `words` are those of finals that came since, or since the service's own word; the first `answer` of them came as
    the answer, the others may belong to audio behind `upto`.
    """

    upto: int
    answered: bool
    words: tuple[ComparedWord, ...] = ()
    answer: int = 0


class Finalization:
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
    def unanswered(self) -> list[int]:
        """The places in the audio for which the pending requests stand."""
        return [request.upto for request in self._requests]

    @property
    def newest(self) -> int:
        """The audio that the newest pending request stands for; -1 without any."""
        return self._requests[-1].upto if self._requests else -1

    @property
    def newest_answered(self) -> bool:
        """Whether anything came since that may be its answer: a final, or the service's own word."""
        return bool(self._requests) and self._requests[-1].final_at is not None

    def asked(self, upto: int, now: float, *, unsettled: float) -> None:
        """A request was written, with all before sample `upto` sent, of which `unsettled` seconds are not settled."""
        self._requests.append(_Request(upto, now, now + unsettled + self._profile.quiet_unanswered))

    def interim(self, now: float) -> None:
        """An interim transcript came: its final is still owed."""
        self._interim_open = True
        self._last_message = now

    def final(self, now: float, words: Sequence[ComparedWord] = ()) -> None:
        """A final came, of these words."""
        self._interim_open = False
        self._last_message = now
        for request in self._requests:
            request.words.extend(words)
            if request.final_at is None:
                request.answer = len(words)
            request.final_at = now

    def finalized(self, now: float) -> None:
        """The service said that it has finalized."""
        self._last_message = now
        waiting = [request for request in self._requests if not request.answered]
        for request in waiting:
            request.words.clear()
            request.answer = 0
        for request in waiting[:1]:
            request.answered = True
            request.final_at = now
            request.latest = min(request.latest, now + self._profile.quiet_after_final)

    def deadline(self) -> float | None:
        """When the oldest request has an outcome, if nothing else comes."""
        if not self._requests:
            return None
        request = self._requests[0]
        return min(self._quiet_at(request), request.latest)

    def _quiet_at(self, request: _Request) -> float:
        profile = self._profile
        if request.final_at is None:
            quiet = profile.quiet_unanswered if request.patient or self._interim_open else profile.quiet_after_final
            return max(request.asked, self._last_message) + quiet
        if self._interim_open:
            return max(request.final_at, self._last_message) + profile.quiet_after_final
        return request.final_at + (profile.quiet_after_finalized if request.answered else profile.quiet_after_final)

    def outcome(self, now: float, is_silence: Callable[[int], bool]) -> FinalizeAnswer | None:
        """What has become of the oldest request by now; `is_silence` looks at the audio before a sample (law 5)."""
        deadline = self.deadline()
        if deadline is None or deadline > now:
            return None
        request = self._requests[0]
        if request.final_at is None and not self._interim_open and is_silence(request.upto):
            request.final_at = now
        elif request.final_at is None and not request.patient and not self._interim_open:
            request.patient = True
            return self.outcome(now, is_silence)
        elif self._answers_in_part(request, is_silence):
            request.final_at = None
            return self.outcome(now, is_silence)
        del self._requests[0]
        return FinalizeAnswer(request.upto, request.final_at is not None, tuple(request.words), request.answer)

    def _answers_in_part(self, request: _Request, is_silence: Callable[[int], bool]) -> bool:
        """Whether finals came, but not the service's own word, and what they leave unacknowledged may be speech."""
        if request.final_at is None or request.answered or self._profile.acknowledges == "finalize":
            return False
        return not is_silence(request.upto)
