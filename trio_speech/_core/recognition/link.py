"""One link's part in a recognition session. Pure: the shell asks `next` what to do, and tells what was received.

Laws
    1. Commands go out in stream order: a finalize or a change when all audio before its place has been sent, and not a
       sample later.
    2. What is received is placed and judged (`incoming_results`), then weighed (`evidence`): every path by which audio
       is committed, be it a final, an answer, or the service's own end, goes through `Evidence.settle`.
    3. A link ends itself only when all is done, when its service ends it, when patience ends with something open
       (doubt), or to make room for another before its service ends it.
    4. Before the session gives a link up that still answers, it sends the close message, and waits for the service's
       own end within a patience: what comes before that counts.
    5. Finals come in stream order. One waits at most a second, and only behind one that was announced.

    state       sends                              ends with
    ─────────   ────────────────────────────────   ──────────────────────────────────────────────────────────────
    hearing     audio, commands, keepalive         a `Failure`, the service's own end, nothing said for too long
    replacing   a finalize, then nothing           Rollover, once that is answered and nothing is open
    closing     the close message, then nothing    the service's own end, or a patience: then None if all is accounted
                                                   for, Rollover if the link was to be replaced, else Silent
"""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec.structs import replace

from ..provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    Going,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    TurnOver,
    Unheard,
    Unknown,
)
from ..provider.profile import SttProfile
from ..retry.causes import Cause, Ended, Reported, Rollover, Silent, Unread
from .asking import Asking
from .commands import Command, EndLink, SendAudio, SendChange, SendClose, SendFinalize, SendKeepalive, Wait
from .evidence import Evidence
from .incoming_results import IncomingResults, Judged
from .outgoing_audio import OutgoingAudio
from .progress_watch import ProgressWatch
from .rollover import RolloverSchedule
from .session import RecognitionMachine

_LONGEST_HOLD = 1.0
"""Seconds that a final waits behind an utterance that lies before it."""
_SHORTEST_WAIT, _CAREFUL_WAIT = 0.5, 2.0
"""Seconds for the service's own end where nothing is owed; the longer one where a final may speak for audio that it
does not cover, since the service tells no times that can be trusted."""
_FOR_A_PAUSE = 30.0  # seconds that a move which is not urgent waits for a pause
_TORN_WITHIN = 0.05  # seconds before the end of the audio: less than the shortest pause between words
_NORMAL = 1000  # RFC 6455 section 7.4.1: the purpose of the connection has been fulfilled


class LinkMachine:
    """What one link sends, and what is made of what it receives. `lost` is to be called when the link is gone.

    `patience`: seconds without a commit after which a full log is worth asking for, twice over. `opened_at`: when the
    connection was made, which may have been ahead of need.
    """

    def __init__(
        self,
        session: RecognitionMachine,
        profile: SttProfile,
        now: float,
        *,
        patience: float,
        progress_timeout: float | None,
        opened_at: float | None = None,
    ) -> None:
        self.session = session
        self.profile = profile
        base, cut = session.resume(profile)
        self._replayed_until = session.log.furthest  # up to there, another link has heard it
        self._results = IncomingResults(session, profile, base, cut)
        self._evidence = Evidence(session, profile)
        self._progress = ProgressWatch(progress_timeout)
        self.feed = OutgoingAudio(session, profile, self._results.timeline, self._progress, now)
        self._rollover = RolloverSchedule(profile.session_cap, now if opened_at is None else opened_at)
        self._asking = Asking(
            session,
            profile,
            evidence=self._evidence,
            feed=self.feed,
            progress=self._progress,
            rollover=self._rollover,
            stalled_after=patience / 2,
            now=now,
        )
        self._longest_doubt = math.inf if progress_timeout is None else progress_timeout
        self._last_said = self._news_at = now
        self._heard_by = now  # when the service can have heard what it was last asked about
        self._has_news = False
        self._guess: tuple[object, ...] = ()
        self._last_guess: RecognitionResult | None = None
        self._opens_by = now + profile.answer_within
        self._held: list[tuple[float, Judged]] = []
        self._closing: Cause | None = None
        self._ends_at = math.inf
        self._closed_at = now
        self._pending: Command | None = None
        self._over: EndLink | None = None
        self._asks_by_close = not profile.finalizes

    @property
    def retiring(self) -> bool:
        """Whether the link is about to be replaced by a fresh one, which may be dialed already."""
        return self.feed.closed and self._ends_at == math.inf

    @property
    def closing(self) -> bool:
        """Whether the close message was sent."""
        return self._ends_at < math.inf

    def retire(self, at: float, by: float) -> None:
        """Make room for a fresh link: at the first pause in speech from the moment `at` on, `by` at the latest."""
        self._rollover.ask(at, by)

    def move(self, now: float) -> None:
        """Make room for a fresh link that is better, in the next pause of the speech."""
        self.retire(now, now + _FOR_A_PAUSE)

    def lost(self) -> None:
        """The link is gone. What it said and was held back is delivered; what it was asked is asked of the next one."""
        self._release(math.inf)
        requests, committed = self._evidence.requests, self.session.log.committed
        words = self._evidence.owed.words(requests.answered)
        if words is not None:  # it answered for them, and went without their final
            self.session.left_open.add(*words)
        asked = {*([requests.answered] if requests.answered > committed else []), *requests.places(committed)}
        self.session.link_lost(sorted(asked))

    # ------------------------------------------------------------ what to do next

    def next(self, now: float) -> Command:
        """The next command; one other than `Wait` counts as carried out."""
        while self._over is None and (act := self._due(now)) is not None:
            act(now)
        if self._over is not None:
            return self._over
        if self._pending is not None:
            pending, self._pending = self._pending, None
            return pending
        if self.closing:
            return Wait(self._wakes_at(now))
        if self.session.finished:
            return self._close(now, Ended()) if self._has_sent else EndLink()
        if self.feed.opened and (command := self._command(now)) is not None:
            return command
        self.feed.new_result_expected = False
        return Wait(self._wakes_at(now))

    def _command(self, now: float) -> Command | None:
        return self._queued(now) or self._audio(now) or self._own_request(now) or self._keepalive(now)

    def _due(self, now: float) -> Callable[[float], None] | None:
        """What is to happen now although nothing is received; the table is asked anew after each such thing."""
        return next((act for due, act in self._timers() if due <= now), None)

    def _timers(self) -> tuple[tuple[float, Callable[[float], None]], ...]:
        """The table of moments at which something happens although nothing is received, and what that is."""
        return (
            (self._held[0][0] if self._held else math.inf, self._release),
            (math.inf if self.feed.opened else self._opens_by, self._not_opened),
            (self._ends_at, self._not_ended),
            (self._patience_ends, self._doubt),
            (self._answer_due, self._stop_asking),
            (math.inf if self.closing else self._progress.overdue_from, self._starve),
        )

    def _wakes_at(self, now: float) -> float | None:
        moments = [due for due, _ in self._timers()]
        if not self.closing:
            moments += [self._keepalive_due, self.feed.due(now), self._asking.wakes_at(now, self._patience_ends)]
        return min([moment for moment in moments if now < moment < math.inf], default=None)

    @property
    def _is_all_sent(self) -> bool:
        """Whether the input has ended, and no audio is left for another link."""
        return self.session.input_ended and not self.session.log.unsent

    @property
    def _has_sent(self) -> bool:
        return self._results.timeline.heard > 0

    @property
    def _patience_ends(self) -> float:
        """When the patience with a silent service ends; infinite where nothing is awaited, or its end is."""
        evidence = self._evidence
        if self.closing or not evidence.waits:
            return math.inf
        # However much is said of other audio: what is open behind an answer must come in the longest patience.
        blocked = evidence.blocked_since + evidence.requests.longest_patience
        return min(blocked, self._starts_waiting(self._news_at) + evidence.requests.patience)

    @property
    def _answer_due(self) -> float:
        """When a request counts as left unanswered, whatever else has come."""
        if self._asks_by_close or self.closing or not self._evidence.unanswered:
            return math.inf
        requests = self._evidence.requests
        return self._starts_waiting(requests.asked_at) + requests.patience

    def _starts_waiting(self, since: float) -> float:
        heard_by = min(
            self._heard_by, self.feed.heard_by
        )  # what was sent since does not matter, and results may tell more
        return max(since, min(heard_by, self.feed.last_given + self._longest_doubt))

    def _queued(self, now: float) -> Command | None:
        mark = None if self.retiring else self.session.due_mark()
        if mark is None:
            return None
        if mark.change is not None:
            return SendChange(mark.change)
        is_end = self.session.input_ended and mark.at >= self.session.log.captured
        if is_end and (self._asks_by_close or self.profile.ends_by == "close"):
            return self._close(now, Ended())
        return None if self._asks_by_close else self._finalize(now)

    def _finalize(self, now: float) -> Command:
        self._evidence.requests.asked(self.session.log.sent, now)
        self._heard_by = self.feed.heard_by
        self._last_said = self._news_at = now
        self._asking.endpointing.asked(now)
        return SendFinalize()

    def _close(self, now: float, cause: Cause) -> Command:
        """Sends the close message. `cause` is why the link is over where something stays open in spite of it."""
        self._closing, self._closed_at = cause, now
        self.feed.closed = True
        self._evidence.requests.asked(self.session.log.sent, now)
        self._heard_by = self.feed.heard_by
        since = now if self.session.finished else self._starts_waiting(now)
        self._ends_at = since + min(self._patience_with_end, self._longest_doubt)
        return SendClose()

    @property
    def _patience_with_end(self) -> float:
        """Seconds to wait for the service's own end: a patience, or, where nothing is owed and all was answered for, no
        longer than this service takes to answer. Some never end by themselves."""
        requests = self._evidence.requests
        if not self.session.finished:
            return requests.patience
        return max(_SHORTEST_WAIT if self.profile.places_words else _CAREFUL_WAIT, requests.usual_answer)

    def _audio(self, now: float) -> Command | None:
        pcm = self.feed.frame(now)
        return SendAudio(pcm) if pcm else None

    def _own_request(self, now: float) -> Command | None:
        if self.retiring:
            return self._leave(now)
        if self._asking.may_replace(now):
            self.feed.closed = True
            return self._leave(now)
        is_due = not self._asks_by_close and self._asking.is_due(now, self._patience_ends)
        return self._finalize(now) if is_due else None

    def _leave(self, now: float) -> Command | None:
        """Makes room for another link: once all that was sent is committed, or, by force, in mid-sound."""
        log = self.session.log
        if log.sent <= log.committed or now >= self._rollover.by:
            return EndLink(Rollover())
        if self._asks_by_close:
            return self._close(now, Rollover())
        requests = self._evidence.requests
        return self._finalize(now) if requests.newest < log.sent else None

    def _keepalive(self, now: float) -> Command | None:
        if now < self._keepalive_due:
            return None
        self._last_said = now
        return SendKeepalive() if self.profile.filler is None else SendAudio(self.feed.filler(self.profile.filler, now))

    @property
    def _keepalive_due(self) -> float:
        log, filler, keepalive = self.session.log, self.profile.filler, self.profile.keepalive
        if filler is not None and not self.feed.is_idle:
            keepalive = None
        elif filler is not None and log.captured > log.committed:
            keepalive = filler  # what was sent is made final by the silence that follows it
        return math.inf if keepalive is None else max(self._last_said, self.feed.last_given) + keepalive

    # ------------------------------------------------------------ when patience ends

    def _doubt(self, now: float) -> None:
        """A patience has passed without news, and something is awaited."""
        requests = self._evidence.requests
        is_open = self._evidence.first_open(self.session.log.sent) is not None
        if self.profile.may_ignore_finalize and self._evidence.unanswered and not is_open:
            self._answered(now)
            self._settle(now)
        else:
            patience = Silent("final for what was sent", requests.patience)
            self._end_by_close(now, patience if is_open else Rollover())

    def _end_by_close(self, now: float, cause: Cause) -> None:
        """Sends the close message, unless it would cut a word: then the next link hears that whole."""
        if self._is_all_sent or self._asking.is_pause(now):
            self._pending = self._close(now, cause)
        else:
            self._give_up(cause, answered=self._evidence.requests.answered > self.session.log.committed)

    def _stop_asking(self, now: float) -> None:
        """Results come, and no answer: the link is replaced in a pause, and what it has is asked for by its end."""
        self._asks_by_close = True
        if self._is_all_sent:
            self._pending = self._close(now, Ended())
        else:
            self._rollover.ask(now, math.inf)

    def _starve(self, now: float) -> None:
        """Speech was sent, and nothing was said of it. Where anything was said before, the service is asked to end."""
        cause = Silent("result, though speech is being sent,", self._progress.timeout or 0.0)
        if self._has_news:
            self._end_by_close(now, cause)
            self._ends_at = min(self._ends_at, now + _CAREFUL_WAIT)  # the policy's patience is spent already
        else:
            self._give_up(cause, answered=False)

    def _not_opened(self, now: float) -> None:
        """The service has not said that it is open."""
        self._over = EndLink(Silent("opening of the session", self.profile.answer_within))

    def _not_ended(self, now: float) -> None:
        """The close message was sent, and a patience has passed without the service's own end."""
        answered = self._evidence.requests.answered > self.session.log.committed
        self._give_up(Silent("end of the session that was asked for", now - self._closed_at), answered=answered)

    def _give_up(self, cause: Cause, *, answered: bool) -> None:
        """The link is over; what it leaves open is for the session to decide."""
        self._release(math.inf)
        sent = self.session.log.sent
        upto = self._evidence.requests.answered if answered else sent
        if upto > self.session.log.committed:
            open_from, owed = self._evidence.first_open(upto), self._evidence.owed.words(upto)
            self.session.doubted(upto, open_from=open_from, owed=owed, answered=answered)
        self._over = EndLink() if self.session.finished else EndLink(cause)

    def peer_closed(self, code: int, now: float) -> EndLink | None:
        """The service closed the connection with `code`: what that means, or ``None`` if it was no polite end."""
        polite = code == _NORMAL or code in self.profile.idle_codes
        return self._ended(now) if polite else None

    def cannot_close(self, now: float) -> None:
        """The protocol has no close message: nothing more will come for the one that `next` asked for."""
        self._ends_at = now

    def _ended(self, now: float) -> EndLink:
        """The service has ended by itself. After the close message, that answers for all that was sent."""
        if self._closing is not None and self._last_guess is not None and self.profile.ends_with_guess:
            self._final(replace(self._last_guess, kind="final", ends_speech=True), now)
        self._release(math.inf)
        if self._closing is None:
            self._settle(now)
            self._over = EndLink() if self.session.finished else EndLink(Ended())
            return self._over
        self._evidence.answered(self._evidence.requests.ended(now), now)
        self._settle(now)
        self._give_up(self._closing, answered=True)
        return self._over or EndLink()

    # ------------------------------------------------------------ what was received

    def receive(self, message: SttMessage, now: float) -> Cause | None:
        """Takes one message in; returns why the link is over, if it is."""
        committed = self.session.log.committed
        cause = self._receive(message, now)
        self._settle(now)
        if cause is None and self.session.is_full_of_unread:
            cause = Unread(self.session.event_queue.unread_bytes)
        if self.session.log.committed > committed:
            self._asking.committed_at = now
            self._news(now)
        return cause

    def _receive(self, message: SttMessage, now: float) -> Cause | None:
        match message:
            case Opened():
                self.feed.opened = True
            case Going(within):
                self.retire(now, now + within / 2)
            case Closed():
                return self._ended(now).cause
            case Failure():
                polite = message.code in self.profile.idle_codes and self.session.input_ended
                return self._ended(now).cause if polite else Reported(message)
            case Unknown():
                self.session.tally.unknown_messages += 1
            case _:
                self._recognize(message, now)
        return None

    def _recognize(
        self,
        message: RecognitionResult | SpeechOnset | SpeechOver | TurnOver | Acknowledged | Unheard | FinalizeAnswered,
        now: float,
    ) -> None:
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
            case FinalizeAnswered():
                self._answered(now)

    def _news(self, now: float) -> None:
        """Something came that was not known before: patience begins anew."""
        self._news_at, self._has_news = now, True
        if self.closing:
            self._ends_at = max(self._ends_at, now + self._patience_with_end)
        self._progress.made(now, owes=self._evidence.owed.worded)

    def _interim(self, result: RecognitionResult, now: float) -> None:
        judged = self._results.judge(result)
        said, owed = judged.said, self._evidence.owed
        if not result.text:
            self._last_guess = None
            if owed.taken_back(said.start, said.end, result.speaker, placed=said.placed):
                self.session.take_back(said)
                self._asking.endpointing.final()
                self._news(now)
            return
        if self._results.is_old_interim(judged):
            return
        kept = self._results.kept(judged)
        owed.interim(kept.start, kept.end, result.speaker, placed=said.placed)
        self._asking.endpointing.interim(result.text, now)
        if not self._results.is_shown_again(said, said.start):
            self.session.speech_started(kept.start)
        self.session.show(kept)
        self._last_guess = result
        guess = (result.text, result.start, result.end, result.kind)
        if guess != self._guess:
            self._guess = guess
            self._news(now)

    def _final(self, result: RecognitionResult, now: float) -> None:
        judged = self._results.judge(result)
        said, owed = judged.said, self._evidence.owed
        if self._is_torn(judged):
            return  # the next link hears it whole
        self._last_guess = None
        owed.final(said.start, said.end, result.speaker, placed=said.placed)
        self._asking.endpointing.final()
        if judged.nothing_new:
            repeated = judged.repeats_final or judged.repeats_words
            self.session.tally.repeated_finals += repeated
            self._acknowledge(judged, now)
            if not repeated:
                self._news(now)  # an earlier link said it: this one shows how far it has heard
            if result.ends_speech:
                self.session.speech_ended(said.end)
            return
        if not result.text and not said.placed:
            self.session.speech_ended(said.end)
            return
        if owed.waits_before(said.start, result.speaker) and self._trusts_span(judged):
            self._held.append((now + _LONGEST_HOLD, judged))
        else:
            self._deliver(judged, now)
        self._release_unblocked(now)
        self._news(now)

    def _is_torn(self, judged: Judged) -> bool:
        """Whether the close message may have cut a word: the final ends with the audio, and more audio is to come.

        Audio that is heard again for doubt already is not let go a second time.
        """
        session = self.session
        if self._closing is None or self._is_all_sent or session.is_doubting or not self._trusts_span(judged):
            return False
        return judged.said.end >= session.log.sent - session.audio_format.samples(_TORN_WITHIN)

    def _deliver(self, judged: Judged, now: float) -> None:
        said = judged.said
        kept = self._results.kept(judged)
        span = (said.start, said.end) if self._trusts_span(judged) else None
        if span is not None and not self._results.overlaps:
            self._evidence.recognized(*span)
        self.session.deliver(kept, judged.new_words, seam=judged.at_seam, span=span)
        self._acknowledge(judged, now)
        if said.result.ends_speech:
            self.session.speech_ended(said.end)

    def _acknowledge(self, judged: Judged, now: float) -> None:
        """What a final says of the audio, be its words new or old."""
        said, trusted = judged.said, self._trusts_span(judged)
        self._results.final(judged)
        self.session.tally.repeated_words += len(judged.is_new) - sum(judged.is_new)
        request = self._evidence.requests.final(judged.compared, said.end if trusted else None, now)
        self._evidence.answered(request, now)
        if not trusted:
            self._evidence.unspanned()
        elif self.profile.acknowledges == "span":
            self._evidence.span(said.start, said.end, overlaps=self._results.overlaps)
            self.feed.heard_up_to(said.end, now)
        else:
            self.session.gaps.recognized(said.start, said.end)
            if self.profile.exact_times:  # what cannot be heard again need not wait for the watermark
                self.session.commit(min(said.end, self.session.log.kept))

    def _trusts_span(self, judged: Judged) -> bool:
        return judged.said.placed and self.profile.acknowledges != "finalize"

    def _release(self, now: float) -> None:
        """Delivers the finals that have waited long enough behind an utterance that lies before them."""
        due = [judged for until, judged in self._held if until <= now]
        self._held = [held for held in self._held if held[0] > now]
        for judged in sorted(due, key=lambda each: each.said.start):
            self._deliver(judged, self._news_at)
        if due:
            self._settle(self._news_at)

    def _release_unblocked(self, now: float) -> None:
        """Delivers the finals behind which nothing is waited for any more."""
        owed = self._evidence.owed
        free = [held for held in self._held if not owed.waits_before(held[1].said.start, held[1].said.result.speaker)]
        self._held = [held for held in self._held if held not in free]
        for _, judged in sorted(free, key=lambda each: each[1].said.start):
            self._deliver(judged, now)

    def _onset(self, at: float | None, now: float) -> None:
        position = self._results.onset(at)
        if position is None:
            return
        since = self._results.untimed_from if at is None else position
        self.session.speech_started(position, since=max(since, self.session.over_until) if at is None else position)
        self._evidence.owed.onset(since, placed=at is not None)
        self._news(now)

    def _speech_over(self, at: float | None, now: float) -> None:
        position = self._results.speech_over(at)
        if position is not None:
            self._evidence.owed.speech_over(position)
            self.session.speech_ended(position)
            self._news(now)

    def _turn_over(self, at: float | None, confidence: float | None, now: float) -> None:
        """The turn is over, so nothing is waited for that lies before its finals."""
        self._release(math.inf)
        position = self.session.log.sent if at is None else self._results.timeline.end_at(at)
        self.session.turn_ended(position, confidence)
        self._news(now)

    def _unheard(self, start: float, end: float, now: float) -> None:
        """A stretch that the service gave up: a `Gap`, and for all else a final without words."""
        [(begins, ends)] = self._results.timeline.spans([(start, end)])
        self._evidence.owed.final(begins, ends, None, placed=True)
        self.session.unheard(begins, ends)
        if self.profile.acknowledges == "span" and not self._results.overlaps:
            self._evidence.span(begins, ends, overlaps=False)
        self._evidence.answered(self._evidence.requests.final((), ends, now), now)
        self.feed.heard_up_to(ends, now)
        self.session.speech_ended(ends)
        self._release_unblocked(now)
        self._news(now)

    def _watermark(self, upto: int, now: float) -> None:
        self.session.commit(upto)
        self.feed.heard_up_to(upto, now)

    def _answered(self, now: float) -> None:
        request = self._evidence.requests.message(now)
        if request is not None:
            self._evidence.answered(request, now)
            self.feed.heard_up_to(request.place, now)
            self._news(now)

    def _settle(self, now: float) -> None:
        """Commits what the evidence allows. Speech of which nothing is owed behind an answered request is over."""
        held_from = min((judged.said.start for _, judged in self._held), default=None)
        again = self.session.log.committed < self._replayed_until
        if self._evidence.settle(held_from, tuple(self._results.awaited) if again else ()):
            self._asking.committed_at = now
            committed = self.session.log.committed
            if committed == self._evidence.requests.answered and not self._evidence.owed:
                self.session.speech_ended(committed)
