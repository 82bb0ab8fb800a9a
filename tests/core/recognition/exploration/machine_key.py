"""The machine's part of a state's key: what of a session and its link can still influence what they do.

Each function is the key of one class, and says why it leaves out what it does. `V` (for view) is what they need to know
beside: the moment, the profile, and what else of the session and link decides whether something matters.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from msgspec import Struct

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition import noise as noises
from trio_speech._core.recognition.awaiting import CAREFUL_WAIT, Awaiting
from trio_speech._core.recognition.evidence import Evidence
from trio_speech._core.recognition.finalization import Requests
from trio_speech._core.recognition.incoming_results import IncomingResults
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.noise import NoiseLevel
from trio_speech._core.recognition.outgoing_audio import OutgoingAudio
from trio_speech._core.recognition.reception import Reception
from trio_speech._core.recognition.reconciliation import TextSeam
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.recognition.timeline import Timeline

from .world import EPOCH, TICK

Key = Any


class Unknown(AssertionError):
    """Something holds a value that the key has no place for."""


def moment(at: float, now: float) -> int | None:
    """A moment relative to now."""
    return None if math.isinf(at) else round((at - now) / TICK)


def ahead(at: float, now: float) -> int | None:
    """A moment that only counts while it lies ahead."""
    return moment(max(at, now), now)


_SCALARS = frozenset({int, str, bool, bytes, type(None)})


def plain(value: Any, now: float) -> Key:
    """A value as nested tuples, with the moments in it relative to now."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is float:
        return moment(value, now) if abs(value) >= EPOCH else value
    if isinstance(value, Struct):
        return (kind.__name__, *[plain(getattr(value, name), now) for name in value.__struct_fields__])
    if isinstance(value, list | tuple | deque):
        return tuple([plain(each, now) for each in value]) if value else ()
    if isinstance(value, set):
        return tuple(sorted(plain(each, now) for each in value))
    if isinstance(value, dict):
        return tuple(sorted((plain(key, now), plain(each, now)) for key, each in value.items()))
    raise Unknown(f"{value!r} has no place in a key")


# ------------------------------------------------------------------- the session


def session_key(session: RecognitionMachine, profile: SttProfile, now: float) -> Key:
    """Without the tally, ordinals and whatever else is only told; `next_wakeup_at_sample`, `room_until` and
    `asked_upto` are the shell's."""
    log, queue, gaps, marks = session.log, session.event_queue, session.gaps, session.marks
    committed = log.committed
    return (
        (log.captured, log.sent, committed, log.settled, log.kept, log.owed_from, max(log.furthest, committed)),
        plain((gaps._lost, gaps._unreplayable), now),
        plain((queue._queue, queue._tail), now) if len(queue) else None,
        queue.settled,
        plain(marks.waiting, now),
        session.input_ended,
        session.linked,
        session.speaking_since if session.speaking else None,
        max(session._final_until, committed),
        _noise(session.noise),
        tuple(session.stretches),
        tuple(session.left_open),
        plain(session._unheard, now),
        plain(session.speakers, now),
        plain(session.doubts._first, now) if session.doubts.is_open else None,
        session._shown,
        _delivered(session, profile, now),
    )


def _noise(noise: NoiseLevel) -> Key:
    """The peaks matter through the level alone; and that is decided by the quietest, which in a script are silent."""
    if noise.level != max(noises.FAINTEST, noise._raised):
        raise Unknown("the noise of a script is never heard")
    return noise.level


def _delivered(session: RecognitionMachine, profile: SttProfile, now: float) -> Key:
    """Where words have exact times, what was delivered is told by its stretches."""
    delivered = session.delivered_words
    exact = profile.places_words and profile.exact_times
    return (None if exact else plain(delivered._words, now), tuple(delivered.stretches), delivered.said)


# ------------------------------------------------------------------- the link


def link_key(link: LinkMachine, now: float) -> Key:
    """`replayed` and `_last_said` are for statistics and keepalives, `_asked_at` for filler."""
    profile = link.profile
    evidence, feed, reception, awaiting = link._evidence, link.feed, link._reception, link._awaiting
    closing = awaiting.closing is not None
    since = _waits_since(link, now)
    return (
        timeline_key(link._timeline),
        _evidence(evidence, link, now, closing=closing),
        _requests(evidence.requests, link, now),
        None if closing else _progress(link, now),
        _feed(feed, link, now, since),
        None if closing else plain((link._rollover.at, link._rollover.by), now),
        None if closing or profile.finalizes_itself else _endpointing(link, now),
        _awaiting(awaiting, link, now, since),
        _reception(reception, link, now),
        _results(reception._results, profile, now),
        link._may_go,
        None if feed.opened else moment(link._opens_by, now),
        type(link._pending).__name__,
        link._asks_by_close,
    )


def _waits_since(link: LinkMachine, now: float) -> float:
    """The earliest moment from which patience may be counted; now, where nothing is waited for."""
    awaiting, evidence = link._awaiting, link._evidence
    if awaiting.closing is not None or not (evidence.waits or _may_guess_again(link)):
        return now
    asked_at = evidence.requests.asked_at
    return min(awaiting.news_at, asked_at) if evidence.unanswered else awaiting.news_at


def _may_guess_again(link: LinkMachine) -> bool:
    """Whether the last guess would not be old where it came again, and so be no news."""
    reception, finals = link._reception, link._reception._results._finals
    if not reception._guess:
        return False
    _, start, end, _ = reception._guess
    covered = any(first - 0.01 <= start and end <= last + 0.01 for first, last, _ in finals._spans)
    return not (link.profile.trusts_spans and covered)


def timeline_key(timeline: Timeline) -> Key:
    return (
        tuple(timeline._runs_local),
        tuple(timeline._runs_stream),
        tuple(timeline._runs_end),
        timeline._end,
        timeline._is_filled,
        timeline.heard,
    )


def _evidence(evidence: Evidence, link: LinkMachine, now: float, *, closing: bool) -> Key:
    """What lies behind the commit point is no evidence any more. `_looked` and `_found` are a cache."""
    committed = link.session.log.committed
    by = evidence._answered_by
    return (
        plain(evidence.owed._owed, now),
        evidence._spanned if evidence._spanned > committed else None,
        max(evidence._spoken_for, committed),
        None if by is None or link.profile.places_words else plain((by.place, by.words, by.answer), now),
        None if closing else moment(evidence.blocked_since, now),
    )


def _requests(requests: Requests, link: LinkMachine, now: float) -> Key:
    """The slowest answer counts from what it can lengthen: the shortest wait, and up to what lengthens the longest."""
    profile, committed = link.profile, link.session.log.committed
    placed = profile.places_words
    least = (0.5 if placed else CAREFUL_WAIT) / 1.5
    waiting = [
        (
            each.place,
            moment(max(each.asked, now - requests.longest_patience), now),
            each.cuts,
            None if placed else (plain(each.words, now), each.answer),
        )
        for each in requests._waiting
    ]
    answered = requests.answered
    matters = answered > committed or link._evidence.owed.worded
    return (
        tuple(waiting),
        round(min(max(requests._slowest_answer, least), requests.longest_patience / 1.5) / TICK),
        requests.newest,
        answered if matters else None,
    )


def _progress(link: LinkMachine, now: float) -> Key:
    progress = link._progress
    return (moment(progress.owed_since, now), progress._guessed) if progress.owed else None


def _feed(feed: OutgoingAudio, link: LinkMachine, now: float, since: float) -> Key:
    """`busy_until` and `new_result_expected` are the shell's. The log is never full, and the pace has no limit."""
    if feed._pacer.engaged or feed.is_full or link.profile.keepalive is not None or link.profile.filler is not None:
        raise Unknown("this audio is sent at once, and without fillers and keepalives")
    idle_for = now - 1.5
    return (
        feed.closed,
        feed.opened,
        feed.is_held,
        None if link._awaiting.closing is not None or _sends_no_more(link) else moment(max(feed.heard_by, since), now),
        None if link._awaiting.closing is not None else moment(max(feed.last_given, idle_for), now),
    )


def _sends_no_more(link: LinkMachine) -> bool:
    """Whether all audio was sent: then what was heard by when it was asked for is heard no later than all of it."""
    return link.session.is_all_sent


def _endpointing(link: LinkMachine, now: float) -> Key:
    endpointing = link._asking.endpointing
    return None if endpointing.due is None else (moment(endpointing.due, now), endpointing._text)


def _awaiting(awaiting: Awaiting, link: LinkMachine, now: float, since: float) -> Key:
    if awaiting.closing is not None:
        return (
            type(awaiting.closing).__name__,
            moment(awaiting.ends_at, now),
            moment(awaiting._ends_by, now),
            moment(awaiting._ends_by_at_most, now),
            moment(awaiting.news_at, now) if link._reception._held._held else None,
        )
    counts = moment(since, now) or link._reception._held._held
    heard_by = min(awaiting._heard_by, link.feed.heard_by) if _sends_no_more(link) else awaiting._heard_by
    return (
        moment(max(heard_by, since), now),
        moment(awaiting.news_at, now) if counts else None,
        awaiting.has_news,
    )


def _reception(reception: Reception, link: LinkMachine, now: float) -> Key:
    committed = link.session.log.committed
    again = reception._replayed_until > committed and reception._results.awaited
    return (
        plain(reception._held._held, now),
        reception._guess if _may_guess_again(link) else None,
        plain(reception._last_guess, now) if link.profile.ends_with_guess else None,
        reception._replayed_until if again else None,
        max(reception._acknowledged_until, committed) if link.profile.acknowledges == "watermark" else None,
    )


def _results(results: IncomingResults, profile: SttProfile, now: float) -> Key:
    seam, finals = results._seam, results._finals
    return (
        _seam(seam, now),
        None if seam is None else (results._over_until, results._cut),
        None if seam is None and profile.word_times else results._new_from,
        results._known_until,
        None if profile.trusts_spans else results._consumed,
        results._untimed_from,
        results.overlaps,
        tuple(sorted(finals._ids)),
        tuple(sorted(plain(finals._spans, now))),
        tuple(sorted(plain(finals._words, now))),
        plain(results._speakers._labels, now),
    )


def _seam(seam: Any, now: float) -> Key:
    if seam is None:
        return None
    timed = seam._timed if isinstance(seam, TextSeam) else seam
    more = (plain(seam._old, now), seam._begun) if isinstance(seam, TextSeam) else None
    return (timed._cut, timed._last, timed.open, more)
