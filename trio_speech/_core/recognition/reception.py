"""Handles the messages that one link receives: what each one means for the session.

The terms (*owed*, *old*, *news*, ...) are defined in the package `recognition`.

Laws
    1. A result is first placed on the stream's clock and compared with earlier ones (`incoming_results`). Repetitions
       change nothing that was told to the user.
    2. Finals, answers and the service's own end are only recorded as `Evidence`; `settle` then commits audio by it.
    3. Finals are delivered in stream order. One is held back only for the final of an utterance that was announced
       before it (`held_finals`).
"""

from __future__ import annotations

import math
from typing import TypeAlias

from msgspec.structs import replace

from ..provider.messages import (
    Acknowledged,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    TurnOver,
    Unheard,
)
from ..provider.profile import SttProfile
from .asking import Asking
from .awaiting import Awaiting
from .evidence import Evidence
from .held_finals import HeldFinals
from .incoming_results import IncomingResults, Judged
from .outgoing_audio import OutgoingAudio
from .progress_watch import ProgressWatch
from .session import RecognitionMachine

Said: TypeAlias = RecognitionResult | SpeechOnset | SpeechOver | TurnOver | Acknowledged | Unheard | FinalizeAnswered
"""The messages that say something of the audio."""

_TORN_WITHIN = 0.05  # seconds before the end of the audio: less than the shortest pause between words


class Reception:
    """Handles the messages of one link. `replayed_until`: audio before this sample was sent on an earlier link too."""

    def __init__(
        self,
        session: RecognitionMachine,
        profile: SttProfile,
        *,
        results: IncomingResults,
        evidence: Evidence,
        feed: OutgoingAudio,
        progress: ProgressWatch,
        asking: Asking,
        awaiting: Awaiting,
        replayed_until: int,
    ) -> None:
        self._session = session
        self._profile = profile
        self._results = results
        self._evidence = evidence
        self._feed = feed
        self._progress = progress
        self._asking = asking
        self._awaiting = awaiting
        self._replayed_until = replayed_until
        self._spans_settle = profile.acknowledges == "span"
        self._trusts_spans = profile.trusts_spans
        self._guess: tuple[object, ...] = ()
        self._last_guess: RecognitionResult | None = None
        self._held = HeldFinals()
        self._margin = session.audio_format.samples(profile.drift)
        self._acknowledged_until = results.timeline.base

    @property
    def hold_ends(self) -> float:
        """When the first held final is to be released; infinite where none is held."""
        return self._held.due

    def take(self, message: Said, now: float) -> None:
        """Handles one message. Call `settle` afterwards, which commits audio by it."""
        match message:
            case RecognitionResult(kind="final"):
                self._final(message, now)
            case RecognitionResult():
                self._interim(message, now)
            case SpeechOnset(at):
                self._onset(at, now)
            case SpeechOver(at):
                self._speech_over(at, now)
            case TurnOver(at, confidence):
                self._turn_over(at, confidence, now)
            case Acknowledged(upto):
                self._watermark(self._results.timeline.end_at(upto), now)
            case Unheard(start, end):
                self._unheard(start, end, now)
            case _:  # FinalizeAnswered
                self.answered(now)

    def settle(self, now: float) -> None:
        """Commits the audio that the evidence allows.

        Where that is all audio before an answered request, and nothing is owed, speech has ended.
        """
        log = self._session.log
        again = log.committed < self._replayed_until
        if self._evidence.settle(self._held.first, tuple(self._results.awaited) if again else ()):
            self._asking.committed_at = now
            if log.committed == self._evidence.requests.answered and not self._evidence.owed:
                self._session.speech_ended(log.committed)

    def release(self, now: float) -> None:
        """Delivers the finals that were held back long enough by the moment `now`; infinite: all of them."""
        due = self._held.take_due(now)
        for judged in due:
            self._deliver(judged, self._awaiting.news_at)
        if due:
            self.settle(self._awaiting.news_at)

    def answered(self, now: float) -> None:
        """Call when the answer to the oldest request arrives, or is not waited for any more."""
        request = self._evidence.requests.message(now)
        if request is not None:
            self._evidence.answered(request, now)
            self._feed.heard_up_to(request.place, now)
            self.news(now)

    def ended(self, now: float) -> None:
        """Call when the service ends the session. After the close message, that answers all requests."""
        closing = self._awaiting.closing is not None
        if closing and self._last_guess is not None and self._profile.ends_with_guess:
            self._final(replace(self._last_guess, kind="final", ends_speech=True), now)
        self.release(math.inf)
        if closing:
            self._evidence.answered(self._evidence.requests.ended(now), now)
        self.settle(now)

    def news(self, now: float) -> None:
        """Call when a message tells something not known before: the waits for the service start again."""
        self._awaiting.news(now)
        self._progress.made(now, owes=self._evidence.owed.worded)

    # ------------------------------------------------------------ results

    def _interim(self, result: RecognitionResult, now: float) -> None:
        judged = self._results.judge(result)
        said, owed = judged.said, self._evidence.owed
        if not result.text:
            self._last_guess = None
            if owed.taken_back(said.start, said.end, result.speaker, placed=said.placed):
                self._session.take_back(said)
                self._asking.endpointing.final()
                self.news(now)
            return
        if self._results.is_old_interim(judged):
            return
        kept = self._results.kept(judged)
        begins = not any(end >= kept.end for _, end in owed.words(self._session.log.sent))
        owed.interim(kept.start, kept.end, result.speaker, placed=said.placed)
        self._asking.endpointing.interim(result.text, now)
        if not self._results.is_shown_again(said, said.start):
            self._session.speech_started(kept.start)
        self._session.show(kept)
        self._last_guess = result
        guess = (result.text, result.start, result.end, result.kind)
        if guess != self._guess:
            self._guess = guess
            self._awaiting.news(now, is_guess=not begins)
            self._progress.guessed(now)

    def _final(self, result: RecognitionResult, now: float) -> None:
        judged = self._results.judge(result)
        said, owed = judged.said, self._evidence.owed
        if self._is_torn(judged):
            return  # the next link hears it whole
        self._last_guess = None
        owed.final(said.start, said.end, result.speaker, placed=said.placed)
        self._asking.endpointing.final()
        if judged.nothing_new:
            self._results.final(judged)
            self._repeated(judged, now)
            return
        if not result.text and not said.placed:
            self._session.speech_ended(said.end)
            return
        self._results.final(judged)  # also of one that is held back: its service may say it again meanwhile
        if self._trusts_span(judged) and owed.waits_before(said.start, result.speaker):
            self._held.hold(judged, now)
        else:
            self._deliver(judged, now)
        self._release_free(now)
        self.news(now)

    def _unheard(self, start: float, end: float, now: float) -> None:
        """Handles audio that the service gave up: it becomes a `Gap`, and counts like a final without words."""
        [(begins, ends)] = self._results.timeline.spans([(start, end)])
        self._evidence.owed.final(begins, ends, None, placed=True)
        self._asking.endpointing.final()
        self._session.unheard(begins, ends)
        if self._spans_settle and not self._results.overlaps:
            self._evidence.span(begins, ends, overlaps=False)
        self._evidence.answered(self._evidence.requests.final((), ends, now), now)
        self._feed.heard_up_to(ends, now)
        self._session.speech_ended(ends)
        self._release_free(now)
        self.news(now)

    def _release_free(self, now: float) -> None:
        for free in self._held.take_free(self._evidence.owed):
            self._deliver(free, now)

    def _repeated(self, judged: Judged, now: float) -> None:
        """Handles a final of which all words were delivered before: it is counted, and acknowledges its audio."""
        repeated = judged.repeats_final or judged.repeats_words
        self._session.tally.repeated_finals += repeated
        self._acknowledge(judged, now)
        if not repeated:
            self.news(now)  # an earlier link delivered it: this one shows how far it has heard
        if judged.said.result.ends_speech and not self._leaves_speech_before(judged.said.start):
            self._session.speech_ended(judged.said.end)

    def _leaves_speech_before(self, start: int) -> bool:
        """Whether the current speech began before sample `start`, and holds possible speech that no final covers.

        Finals may come out of order. One that comes again then tells nothing about the end of that speech.
        """
        session = self._session
        return session.first_possible_speech(session.speaking_since, start, 0) is not None

    def _is_torn(self, judged: Judged) -> bool:
        """Whether the close message may have cut a word of this final.

        It may have where the final ends at the end of the audio sent, and more audio is to come. False where audio is
        being sent again for doubt already (see `doubts`), so that it is not sent a third time.
        """
        session = self._session
        if self._awaiting.closing is None or session.is_all_sent or session.doubts.is_open:
            return False
        end = session.log.sent - session.audio_format.samples(_TORN_WITHIN)
        return self._trusts_span(judged) and judged.said.end >= end

    def _deliver(self, judged: Judged, now: float) -> None:
        said = judged.said
        kept = self._results.kept(judged)
        span = (said.start, said.end) if self._trusts_span(judged) else None
        if span is not None and not self._results.overlaps:
            self._evidence.recognized(*span)
        self._session.deliver(kept, judged.new_words, seam=judged.at_seam, span=span)
        self._acknowledge(judged, now)
        if said.result.ends_speech:
            self._session.speech_ended(said.end)

    def _acknowledge(self, judged: Judged, now: float) -> None:
        """Records a final as evidence for its audio, whether its words are new or old."""
        said, trusted = judged.said, self._trusts_span(judged)
        self._session.tally.repeated_words += len(judged.is_new) - sum(judged.is_new)
        request = self._evidence.requests.final(judged.compared, said.end if trusted else None, now)
        self._evidence.answered(request, now)
        if not trusted:
            self._evidence.unspanned()
        elif self._spans_settle:
            self._evidence.span(said.start, said.end, overlaps=self._results.overlaps)
            self._feed.heard_up_to(said.end - self._margin, now)
        else:
            self._session.gaps.recognized(said.start, said.end)
            if not self._results.overlaps:
                self._evidence.covered(said.start, said.end)
            if self._profile.exact_times:  # evicted audio cannot be sent again, so it need not wait for the watermark
                self._session.commit(min(said.end, self._session.log.kept))

    def _trusts_span(self, judged: Judged) -> bool:
        return judged.said.placed and self._trusts_spans

    # ------------------------------------------------------------ speech state, watermarks

    def _onset(self, at: float | None, now: float) -> None:
        position = self._results.onset(at)
        if position is None:
            return
        since = self._results.untimed_from if at is None else position
        self._session.speech_started(position, since=max(since, self._session.over_until) if at is None else position)
        self._evidence.owed.onset(since, placed=at is not None)
        self.news(now)

    def _speech_over(self, at: float | None, now: float) -> None:
        position = self._results.speech_over(at)
        if position is not None:
            self._evidence.owed.speech_over(position)
            self._session.speech_ended(position)
            self.news(now)

    def _turn_over(self, at: float | None, confidence: float | None, now: float) -> None:
        """Handles the end of a turn: its finals have all come, so no final is held back any more."""
        self.release(math.inf)
        position = self._session.log.sent if at is None else self._results.timeline.end_at(at)
        self._session.turn_ended(position, confidence)
        self.news(now)

    def _watermark(self, upto: int, now: float) -> None:
        self._session.commit(upto)
        self._feed.heard_up_to(upto, now)
        if upto > self._acknowledged_until:  # also behind the commit point: the service has heard more than it had said
            self._acknowledged_until = upto
            self.news(now)
