"""The state machine of one link, a connection to the recognizer: what to send, and when the link is over.

It does no I/O: the shell calls `next` for what to do, and `receive` with each message. The terms (*link*, *open*,
*owed*, *mark*, ...) are defined in the package `recognition`, *patience* in `finalization`.

Laws
    1. A finalize or a change of settings is sent when all audio before its position was sent, and not a sample later.
    2. Each message is first compared with what was said before (`incoming_results`) and then counted as evidence
       (`evidence`). Finals, answers and the service's own end commit audio only through `Evidence.settle`.
    3. A link ends itself only when the session is complete, when its service ends it, when patience ends with
       something open, or to be replaced before its service ends it.
    4. Before the session gives up a link that still answers, it sends the close message and waits for the service to
       end the session, for one patience. Messages that arrive until then count.
    5. Finals are delivered in stream order. One is held back for a second at most, for the final of an utterance that
       was announced before it (`held_finals`).

    state       sends                              ends with
    ─────────   ────────────────────────────────   ──────────────────────────────────────────────────────────────
    hearing     audio, commands, keepalive         a `Failure`, the service's own end, or too long a silence
    replacing   a finalize, then nothing           `Rollover`, once that is answered and nothing is open
    closing     the close message, then nothing    the service's own end, or the end of patience. The cause is then
                                                   ``None`` if the session is complete, `Rollover` if the link was to
                                                   be replaced, else `Silent`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import itemgetter

from ..provider.messages import Closed, Failure, Going, Opened, RecognitionResult, SttMessage, Unknown
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
from .standby import Standby
from .timeline import Timeline

_FOR_A_PAUSE = 30.0  # seconds that a replacement waits for a pause when it is not urgent
_MOMENT = itemgetter(0)  # of an entry in the table of timers
_NORMAL = 1000  # RFC 6455 section 7.4.1: the purpose of the connection has been fulfilled


class LinkMachine:
    """Decides what one link sends and what its messages mean. Call `lost` when the connection is gone.

    `patience`: where the replay log is nearly full, a finalize request is sent half of so many seconds after the last
    commit. `progress_timeout`: `ReplayPolicy.progress_timeout`. `opened_at`: when the connection was made; ``None``:
    `now`. `standby`: what the connection was sent as a standby, if it was one: call `take_over` then.
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
        standby: Standby | None = None,
    ) -> None:
        self.session = session
        self.profile = profile
        if standby is None:
            base, cut = session.resume(profile)
            self._timeline, replayed_until = Timeline(base, session.rate), session.log.furthest
        else:
            cut = session.take_over(standby.sent)
            self._timeline, replayed_until = standby.timeline, standby.replayed_until
        self.replayed = max(0, replayed_until - self._timeline.base) / session.rate
        """Seconds of audio that this link is sent and that an earlier one was sent, too."""
        results = IncomingResults(session, profile, self._timeline, cut)
        self._evidence = Evidence(session, profile)
        self._progress = ProgressWatch(progress_timeout)
        self.feed = OutgoingAudio(session, profile, self._timeline, self._progress, now)
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
        self._may_go = False  # whether any end of the connection counts as the regular end
        self._asked_at = 0  # the link's clock, in samples, when the last finalize request was sent
        self._opens_by = now + profile.answer_within
        self._pending: Command | None = None
        self._over: EndLink | None = None
        self._asks_by_close = not profile.finalizes
        self._looks_at = math.inf  # when to look again for what the session does in a pause

    def take_over(self, standby: Standby, now: float) -> None:
        """Takes in what the service has said to the standby that this link was made from.

        Each message is received with as much audio sent as when it came.
        """
        log = self.session.log
        self.feed.took_over(now)
        for sent, message in standby.messages:
            log.rewind(sent)
            cause = self.receive(message, now)
            self._over = self._over or (EndLink(cause) if cause is not None else None)
        log.rewind(standby.sent)

    @property
    def retiring(self) -> bool:
        """Whether the link is being replaced by a fresh one, and sends no more audio."""
        return self.feed.closed and self._awaiting.closing is None

    @property
    def closing(self) -> bool:
        """Whether the close message was sent."""
        return self._awaiting.closing is not None

    @property
    def doubt(self) -> Silent | None:
        """Why the link is closing, if that is because its service was silent about audio; else ``None``."""
        cause = self._awaiting.closing
        return cause if isinstance(cause, Silent) else None

    @property
    def owes(self) -> bool:
        """Whether the service owes a result for possible speech, a final, or an answer to a request."""
        return self._progress.owed or self._evidence.waits

    @property
    def owes_words(self) -> bool:
        """Whether words were shown whose final has not come."""
        return self._evidence.owed.worded

    @property
    def is_ending(self) -> bool:
        """Whether no more audio is to be sent on this link."""
        return self.feed.closed or self.session.is_all_sent

    def place(self, result: RecognitionResult) -> int | None:
        """Returns the sample at which `result` ends; ``None`` where its times are missing or cannot be trusted."""
        is_placed = self.profile.trusts_spans and result.end > result.start
        return self._timeline.end_at(result.end) if is_placed else None

    @property
    def busy_until(self) -> float:
        """The moment until which the service may be too busy with the audio it was sent to answer a ping."""
        return min(self.feed.busy_until, self._awaiting.news_at + self._evidence.requests.patience)

    def retire(self, at: float, by: float) -> None:
        """Has the link replaced by a fresh one in the first pause from the moment `at` on, or at the moment `by`."""
        self._rollover.ask(at, by)

    def move(self, now: float) -> None:
        """Has the link replaced by one to a better backend, in the next pause; after 30 seconds in any case."""
        self.retire(now, now + _FOR_A_PAUSE)

    def hold(self) -> None:
        """Call when the link becomes suspect: it is sent no more audio until `go_on`. What it says still counts."""
        self.feed.is_held = True

    def go_on(self) -> None:
        """Call when the suspect has shown life: it is sent audio again, from where it was held."""
        self.feed.is_held = False

    def give_way(self) -> EndLink:
        """Call when another link has brought words of the audio that this one is doubted for (see `doubt`).

        What this one left open counts for its audio as if it had been waited for to the end.
        """
        self._give_up(self.doubt or Rollover(), answered=self._evidence.requests.answered > self.session.log.committed)
        return self._over or EndLink()

    def lost(self) -> None:
        """Call when the connection is gone.

        Delivers the finals that were held back, and queues its unanswered finalize requests for the next link.
        """
        self._reception.release(math.inf)
        requests, committed = self._evidence.requests, self.session.log.committed
        for span in self._evidence.owed.words(requests.answered):
            self.session.left_open.add(*span)  # it answered a request behind them, and their final never came
        asked = {*([requests.answered] if requests.answered > committed else []), *requests.repeated(committed)}
        self.session.link_lost(sorted(asked))

    # ------------------------------------------------------------ what was received

    def receive(self, message: SttMessage, now: float) -> Cause | None:
        """Call with each message that arrives. Returns why the link is over; ``None`` while it is not."""
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
        """Call when the connection has ended because of `cause`.

        Returns the command to end the link where that was the regular end of the session; ``None`` where it is a loss.
        """
        match cause:
            case PeerClosed(code):
                return self.peer_closed(code, now)
            case Broken() if self._may_go:
                return self._ended(now)
            case _:
                return None

    def peer_closed(self, code: int, now: float) -> EndLink | None:
        """Call when the service has closed the connection with the websocket close code `code`.

        Returns the command to end the link where that was the regular end of the session; ``None`` where it is a loss.
        """
        polite = code == _NORMAL or code in self.profile.idle_codes or self._may_go
        return self._ended(now) if polite else None

    def cannot_close(self, now: float) -> None:
        """Call where the protocol has no close message to send for `SendClose`: the link ends without waiting."""
        self._awaiting.ends_at = now

    def _ended(self, now: float) -> EndLink:
        """Takes in that the service has ended the session. Returns the command to end the link."""
        self._reception.ended(now)
        closing = self._awaiting.closing
        if closing is None:
            self._over = EndLink() if self.session.finished else EndLink(Ended())
        else:
            self._give_up(closing, answered=True)
        return self._over or EndLink()

    # ------------------------------------------------------------ what to do next

    def next(self, now: float) -> Command:
        """Returns what to do next. Every command but `Wait` counts as carried out: call `next` again after it."""
        soonest = self._run_timers(now)
        if self._over is not None:
            return self._over
        if self._pending is not None:
            pending, self._pending = self._pending, None
            return pending
        if self._awaiting.closing is not None:
            return Wait(None if soonest == math.inf else soonest)
        if self.session.finished:
            return self._close(now, Ended()) if self._timeline.heard > 0 else EndLink()
        self._looks_at = math.inf
        if self.feed.opened and (command := self._command(now)) is not None:
            return command
        self.feed.new_result_expected = False
        for moment in (self._looks_at, self.feed.due(now), self._keepalive_due):
            if now < moment < soonest:
                soonest = moment
        return Wait(None if soonest == math.inf else soonest)

    def _command(self, now: float) -> Command | None:
        return self._queued(now) or self._audio(now) or self._own_request(now) or self._keepalive(now)

    def _run_timers(self, now: float) -> float:
        """Takes the actions of the table of timers that are due. Returns when the next is; infinite: none."""
        timers = self._timers()
        while (soonest := min(timers, key=_MOMENT)[0]) <= now and self._over is None:
            act = next(act for moment, act in timers if moment <= now)
            act(now)
            timers = self._timers()
        return soonest

    def _timers(self) -> tuple[tuple[float, Callable[[float], None]], ...]:
        """Returns the table of timers: the moment at which each expires, and the action to take then."""
        awaiting = self._awaiting
        return (
            (self._reception.hold_ends, self._reception.release),
            (math.inf if self.feed.opened else self._opens_by, self._not_opened),
            (awaiting.ends_at, self._not_ended),
            (awaiting.patience_ends, self._doubt),
            (math.inf if self._asks_by_close else awaiting.answer_due, self._stop_asking),
            (math.inf if awaiting.closing is not None else self._progress.overdue_from, self._starve),
        )

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
        """Returns the close message. `cause`: why the link is over if something is still open after it."""
        self.feed.closed = True
        self._awaiting.closed(now, cause)
        return SendClose()

    def _audio(self, now: float) -> Command | None:
        pcm = self.feed.frame(now)
        return SendAudio(pcm) if pcm else None

    def _own_request(self, now: float) -> Command | None:
        if not self.retiring:
            self._looks_at = self._asking.replaces_at(now)
            self.feed.closed = self._looks_at <= now
        if self.retiring:
            self._looks_at = self._rollover.by
            return self._leave(now)
        if self._asks_by_close:
            return None
        request_at = self._asking.next_look(now, self._awaiting)
        self._looks_at = min(self._looks_at, request_at)
        return self._finalize(now, own=True) if request_at <= now else None

    def _leave(self, now: float) -> Command | None:
        """Returns the next step of replacing the link; ``None`` while it waits for an answer.

        The link ends once all sent audio is committed, and at `RolloverSchedule.by` in any case.
        """
        log = self.session.log
        if now >= self._rollover.by and self.session.is_all_sent and self._evidence.unanswered:
            self._give_up(Rollover(), answered=False)  # else link after link would end before its patience does
            return self._over
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
                keepalive = filler  # the service finalizes speech only when silence follows it
        return math.inf if keepalive is None else max(self._last_said, self.feed.last_given) + keepalive

    # ------------------------------------------------------------ when patience ends

    def _doubt(self, now: float) -> None:
        """Acts at the end of patience: no news came, and something is awaited."""
        requests = self._evidence.requests
        is_open = self._evidence.first_open(self.session.log.sent) is not None
        if self.profile.may_ignore_finalize and self._evidence.unanswered and not is_open:
            self._reception.answered(now)
            self._reception.settle(now)
        else:
            cause = Ended() if self._awaiting.is_at_end else Silent("final for what was sent", requests.patience)
            self._end_by_close(now, cause if is_open else Rollover())

    def _end_by_close(self, now: float, cause: Cause) -> None:
        """Sends the close message where that cuts no word. Else gives the link up: the next hears the whole word."""
        if self.session.is_all_sent or self._asking.is_pause(now):
            self._pending = self._close(now, cause)
        else:
            self._give_up(cause, answered=self._evidence.requests.answered > self.session.log.committed)

    def _stop_asking(self, now: float) -> None:
        """Stops sending finalize requests, since this service sends results and does not answer them.

        The link is replaced in the next pause, and the close message makes the service finish its results.
        """
        self._asks_by_close = True
        if self.session.is_all_sent:
            self._pending = self._close(now, Ended())
        else:
            self._rollover.ask(now, math.inf)

    def _starve(self, now: float) -> None:
        """Acts where speech was sent and no result came for `progress_timeout`.

        Sends the close message where the link has brought any news, and gives it up where it has not.
        """
        cause = Silent("result, though speech is being sent,", self._progress.timeout or 0.0)
        if self._awaiting.has_news:
            self._end_by_close(now, cause)
            self._awaiting.hurry(now)
        else:
            self._give_up(cause, answered=False)

    def _not_opened(self, now: float) -> None:
        """Ends the link because the service has not sent `Opened` in time."""
        self._over = EndLink(Silent("opening of the session", self.profile.answer_within))

    def _not_ended(self, now: float) -> None:
        """Gives the link up because the service has not ended the session in time after the close message."""
        answered = self._evidence.requests.answered > self.session.log.committed
        cause = Silent("end of the session that was asked for", self._awaiting.since_closed(now))
        self._give_up(cause, answered=answered)

    def _give_up(self, cause: Cause, *, answered: bool) -> None:
        """Ends the link, and hands the audio that it leaves open to the session's `Doubts`.

        `answered`: whether a request for that audio was answered.
        """
        self._reception.release(math.inf)
        sent = self.session.log.sent
        upto = self._evidence.requests.answered if answered else sent
        if upto > self.session.log.committed:
            open_from, shown = self._evidence.first_open(upto), self._evidence.owed.words(upto)
            owed = (min(start for start, _ in shown), max(end for _, end in shown)) if shown else None
            self.session.doubts.left(LeftOpen(upto, open_from, owed, answered))
        self._over = EndLink() if self.session.finished else EndLink(cause)
