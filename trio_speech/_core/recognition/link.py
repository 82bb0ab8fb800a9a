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

from ..provider.messages import Closed, Failure, Going, Opened, SttMessage, Unknown
from ..provider.profile import SttProfile
from ..retry.causes import Broken, Cause, Ended, PeerClosed, Reported, Rollover, Silent, Unread
from .asking import Asking
from .awaiting import Awaiting
from .commands import Command, EndLink, SendAudio, SendChange, SendClose, SendFinalize, SendKeepalive, Wait
from .doubts import LeftOpen
from .evidence import Evidence
from .incoming_results import IncomingResults
from .outgoing_audio import OutgoingAudio
from .progress_watch import ProgressWatch
from .reception import Reception
from .rollover import RolloverSchedule
from .session import RecognitionMachine

_FOR_A_PAUSE = 30.0  # seconds that a move which is not urgent waits for a pause
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
        replayed_until = session.log.furthest  # up to there, another link has heard it
        results = IncomingResults(session, profile, base, cut)
        self._timeline = results.timeline
        self._evidence = Evidence(session, profile)
        self._progress = ProgressWatch(progress_timeout)
        self.feed = OutgoingAudio(session, profile, results.timeline, self._progress, now)
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
        self._awaiting = Awaiting(
            session,
            profile,
            evidence=self._evidence,
            feed=self.feed,
            longest_doubt=math.inf if progress_timeout is None else progress_timeout,
            now=now,
        )
        self._reception = Reception(
            session,
            profile,
            results=results,
            evidence=self._evidence,
            feed=self.feed,
            progress=self._progress,
            asking=self._asking,
            awaiting=self._awaiting,
            replayed_until=replayed_until,
        )
        self._last_said = now
        self._may_go = False  # the service may end the connection in any way
        self._asked_at = 0  # samples of the link's clock, when it was asked for a final last
        self._opens_by = now + profile.answer_within
        self._pending: Command | None = None
        self._over: EndLink | None = None
        self._asks_by_close = not profile.finalizes

    @property
    def retiring(self) -> bool:
        """Whether the link is about to be replaced by a fresh one, which may be dialed already."""
        return self.feed.closed and self._awaiting.closing is None

    @property
    def closing(self) -> bool:
        """Whether the close message was sent."""
        return self._awaiting.closing is not None

    @property
    def owes(self) -> bool:
        """Whether the service owes anything: a word of what may be speech, a final, or an answer."""
        return self._progress.owed or self._evidence.waits

    @property
    def busy_until(self) -> float:
        """Until when the service may be too busy with what it was sent to answer a ping."""
        return min(self.feed.busy_until, self._awaiting.news_at + self._evidence.requests.patience)

    def retire(self, at: float, by: float) -> None:
        """Make room for a fresh link: at the first pause in speech from the moment `at` on, `by` at the latest."""
        self._rollover.ask(at, by)

    def move(self, now: float) -> None:
        """Make room for a fresh link that is better, in the next pause of the speech."""
        self.retire(now, now + _FOR_A_PAUSE)

    def lost(self) -> None:
        """The link is gone. What it said and was held back is delivered; what it was asked is asked of the next one."""
        self._reception.release(math.inf)
        requests, committed = self._evidence.requests, self.session.log.committed
        words = self._evidence.owed.words(requests.answered)
        if words is not None:  # it answered for them, and went without their final
            self.session.left_open.add(*words)
        asked = {*([requests.answered] if requests.answered > committed else []), *requests.repeated(committed)}
        self.session.link_lost(sorted(asked))

    # ------------------------------------------------------------ what was received

    def receive(self, message: SttMessage, now: float) -> Cause | None:
        """Takes one message in; returns why the link is over, if it is."""
        session = self.session
        committed = session.log.committed
        cause = self._receive(message, now)
        self._reception.settle(now)
        if cause is None and session.is_full_of_unread:
            cause = Unread(session.event_queue.unread_bytes)
        if session.log.committed > committed:
            self._asking.committed_at = now
            self._reception.news(now)
        return cause

    def _receive(self, message: SttMessage, now: float) -> Cause | None:
        match message:
            case Opened():
                self.feed.opened = True
            case Closed():
                return self._ended(now).cause
            case Failure():
                polite = message.code in self.profile.idle_codes and self.session.input_ended
                return self._ended(now).cause if polite else Reported(message)
            case Going(within):
                self._may_go = self.closing
                self.retire(now, now + within / 2)
            case Unknown():
                self.session.tally.unknown_messages += 1
            case _:
                self._reception.take(message, now)
        return None

    def went(self, cause: Cause, now: float) -> EndLink | None:
        """The connection has ended: what that means, or ``None`` if it was no polite end."""
        match cause:
            case PeerClosed(code):
                return self.peer_closed(code, now)
            case Broken() if self._may_go:
                return self._ended(now)
            case _:
                return None

    def peer_closed(self, code: int, now: float) -> EndLink | None:
        """The service closed the connection with `code`: what that means, or ``None`` if it was no polite end."""
        polite = code == _NORMAL or code in self.profile.idle_codes or self._may_go
        return self._ended(now) if polite else None

    def cannot_close(self, now: float) -> None:
        """The protocol has no close message: nothing more will come for the one that `next` asked for."""
        self._awaiting.ends_at = now

    def _ended(self, now: float) -> EndLink:
        """The service has ended by itself."""
        self._reception.ended(now)
        closing = self._awaiting.closing
        if closing is None:
            self._over = EndLink() if self.session.finished else EndLink(Ended())
        else:
            self._give_up(closing, answered=True)
        return self._over or EndLink()

    # ------------------------------------------------------------ what to do next

    def next(self, now: float) -> Command:
        """The next command; one other than `Wait` counts as carried out."""
        timers = self._timers()
        while self._over is None and (act := self._due(timers, now)) is not None:
            act(now)
            timers = self._timers()
        if self._over is not None:
            return self._over
        if self._pending is not None:
            pending, self._pending = self._pending, None
            return pending
        if self._awaiting.closing is not None:
            return Wait(self._wakes_at(timers, now))
        if self.session.finished:
            return self._close(now, Ended()) if self._timeline.heard > 0 else EndLink()
        if self.feed.opened and (command := self._command(now)) is not None:
            return command
        self.feed.new_result_expected = False
        return Wait(self._wakes_at(timers, now))

    def _command(self, now: float) -> Command | None:
        return self._queued(now) or self._audio(now) or self._own_request(now) or self._keepalive(now)

    def _due(
        self, timers: tuple[tuple[float, Callable[[float], None]], ...], now: float
    ) -> Callable[[float], None] | None:
        """What is to happen now although nothing is received; the table is asked anew after each such thing."""
        for due, act in timers:
            if due <= now:
                return act
        return None

    def _timers(self) -> tuple[tuple[float, Callable[[float], None]], ...]:
        """The table of moments at which something happens although nothing is received, and what that is."""
        awaiting = self._awaiting
        return (
            (self._reception.hold_ends, self._reception.release),
            (math.inf if self.feed.opened else self._opens_by, self._not_opened),
            (awaiting.ends_at, self._not_ended),
            (awaiting.patience_ends, self._doubt),
            (math.inf if self._asks_by_close else awaiting.answer_due, self._stop_asking),
            (math.inf if awaiting.closing is not None else self._progress.overdue_from, self._starve),
        )

    def _wakes_at(self, timers: tuple[tuple[float, Callable[[float], None]], ...], now: float) -> float | None:
        moments = [due for due, _ in timers]
        if self._awaiting.closing is None:
            patience_ends = self._awaiting.patience_ends
            moments += (self._keepalive_due, self.feed.due(now), self._asking.wakes_at(now, patience_ends))
        return min([moment for moment in moments if now < moment < math.inf], default=None)

    def _queued(self, now: float) -> Command | None:
        mark = self.session.due_mark()
        if mark is None or self.retiring:
            return None
        if mark.change is not None:
            return SendChange(mark.change)
        is_end = self.session.input_ended and mark.at >= self.session.log.captured
        if is_end and (self._asks_by_close or self.profile.ends_by == "close"):
            return self._close(now, Ended())
        return None if self._asks_by_close else self._finalize(now)

    def _finalize(self, now: float, *, own: bool = False) -> Command:
        self._awaiting.asked(now, cuts=own and not self._asking.is_pause(now))
        self._last_said = now
        self._asking.endpointing.asked(now)
        missing = self.profile.least_finalized - (self._timeline.heard - self._asked_at) / self.session.rate
        filler = self.feed.filler(missing, now) if missing > 0.0 else b""
        self._asked_at = self._timeline.heard
        if not filler:
            return SendFinalize()
        self._pending = SendFinalize()
        return SendAudio(filler, alone=True)

    def _close(self, now: float, cause: Cause) -> Command:
        """Sends the close message. `cause` is why the link is over where something stays open in spite of it."""
        self.feed.closed = True
        self._awaiting.closed(now, cause)
        return SendClose()

    def _audio(self, now: float) -> Command | None:
        pcm = self.feed.frame(now)
        return SendAudio(pcm) if pcm else None

    def _own_request(self, now: float) -> Command | None:
        if self.retiring:
            return self._leave(now)
        if self._asking.may_replace(now):
            self.feed.closed = True
            return self._leave(now)
        is_due = not self._asks_by_close and self._asking.is_due(now, self._awaiting)
        return self._finalize(now, own=True) if is_due else None

    def _leave(self, now: float) -> Command | None:
        """Makes room for another link: once all that was sent is committed, or, by force, in mid-sound."""
        log = self.session.log
        if log.sent <= log.committed or now >= self._rollover.by:
            return EndLink(Rollover())
        if self._asks_by_close:
            return self._close(now, Rollover())
        requests = self._evidence.requests
        return self._finalize(now, own=True) if requests.newest < log.sent else None

    def _keepalive(self, now: float) -> Command | None:
        if now < self._keepalive_due:
            return None
        self._last_said = now
        if self.profile.filler is None:
            return SendKeepalive()
        return SendAudio(self.feed.rest(now) + self.feed.filler(self.profile.filler, now))

    @property
    def _keepalive_due(self) -> float:
        keepalive, filler = self.profile.keepalive, self.profile.filler
        if filler is not None:
            log = self.session.log
            if not self.feed.is_idle:
                keepalive = None
            elif log.captured > log.committed:
                keepalive = filler  # what was sent is made final by the silence that follows it
        return math.inf if keepalive is None else max(self._last_said, self.feed.last_given) + keepalive

    # ------------------------------------------------------------ when patience ends

    def _doubt(self, now: float) -> None:
        """A patience has passed without news, and something is awaited."""
        requests = self._evidence.requests
        is_open = self._evidence.first_open(self.session.log.sent) is not None
        if self.profile.may_ignore_finalize and self._evidence.unanswered and not is_open:
            self._reception.answered(now)
            self._reception.settle(now)
        else:
            patience = Silent("final for what was sent", requests.patience)
            self._end_by_close(now, patience if is_open else Rollover())

    def _end_by_close(self, now: float, cause: Cause) -> None:
        """Sends the close message, unless it would cut a word: then the next link hears that whole."""
        if self.session.is_all_sent or self._asking.is_pause(now):
            self._pending = self._close(now, cause)
        else:
            self._give_up(cause, answered=self._evidence.requests.answered > self.session.log.committed)

    def _stop_asking(self, now: float) -> None:
        """Results come, and no answer: the link is replaced in a pause, and what it has is asked for by its end."""
        self._asks_by_close = True
        if self.session.is_all_sent:
            self._pending = self._close(now, Ended())
        else:
            self._rollover.ask(now, math.inf)

    def _starve(self, now: float) -> None:
        """Speech was sent, and nothing was said of it. Where anything was said before, the service is asked to end."""
        cause = Silent("result, though speech is being sent,", self._progress.timeout or 0.0)
        if self._awaiting.has_news:
            self._end_by_close(now, cause)
            self._awaiting.hurry(now)
        else:
            self._give_up(cause, answered=False)

    def _not_opened(self, now: float) -> None:
        """The service has not said that it is open."""
        self._over = EndLink(Silent("opening of the session", self.profile.answer_within))

    def _not_ended(self, now: float) -> None:
        """The close message was sent, and a patience has passed without the service's own end."""
        answered = self._evidence.requests.answered > self.session.log.committed
        cause = Silent("end of the session that was asked for", self._awaiting.since_closed(now))
        self._give_up(cause, answered=answered)

    def _give_up(self, cause: Cause, *, answered: bool) -> None:
        """The link is over; what it leaves open is for the session to decide."""
        self._reception.release(math.inf)
        sent = self.session.log.sent
        upto = self._evidence.requests.answered if answered else sent
        if upto > self.session.log.committed:
            open_from, owed = self._evidence.first_open(upto), self._evidence.owed.words(upto)
            self.session.doubts.left(LeftOpen(upto, open_from, owed, answered))
        self._over = EndLink() if self.session.finished else EndLink(cause)
