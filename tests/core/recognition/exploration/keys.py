"""When two states are one: the key of a state holds all that can still influence what follows, and nothing else."""

from __future__ import annotations

import marshal

from trio_speech.testing.scripted.account import HeardUtterance

from .beside import TwoLinks
from .machine_key import Key, ahead, link_key, moment, plain, session_key, timeline_key
from .oracle import Oracle
from .service import ENDPOINT, Service
from .world import World

RESTATES = frozenset({"doubled final", "restated final", "late interim", "late onset", "speech over", "retraction"})
"""The rows by which more may be said of an utterance that is final."""


def key(world: World) -> int:
    """Equal for two states from which the same things follow."""
    return hash(marshal.dumps(world_key(world), 0))


def world_key(world: World) -> Key:
    if world.done:
        return "done"
    now, profile = world.now, world.case.profile
    service = world.service
    return (
        session_key(world.session, profile, now),
        None if world.link is None else link_key(world.link, now),
        None if service is None else service_key(service, world),
        oracle_key(world.oracle, world),
        world.chunk,
        ahead(world.next_capture, now) if world.chunk < len(world.case.script.chunks) else None,
        None if world.deadline is None else moment(world.deadline, now),
        plain(world.used, now),
        beside_key(world) if isinstance(world, TwoLinks) else None,
    )


def service_key(service: Service, world: World) -> Key:
    now, account = world.now, service.account
    rows = world.case.rows
    restates = not RESTATES.isdisjoint(rows)
    utterances = tuple(plain(each, now) if restates else _utterance(each, now) for each in account.utterances)
    return (
        utterances,
        plain(account.requests, now),
        account.ignorable,
        plain(account.leaving, now),
        account.closed,
        account.blank,
        account._billed if account.diction.times == "billed" else None,
        account._acknowledged if "watermark" in rows else None,
        service.heard,
        (service.value, service.since) if service.value else min(service.quiet, ENDPOINT),
        plain((service.busy_until, service.news_at), now),
        service.unsaid_at_final,
        service.drift or 0.0,
    )


def _utterance(each: HeardUtterance, now: float) -> Key:
    """Of what is final nothing more is said. An onset is not told any more once an interim was shown."""
    if each.concluded:
        return plain(each.words, now), each.over
    begun = each.onset or each.shown > 0
    return plain((each.words, each.over, each.start, each.end, each.by, begun, each.shown, each.final), now)


def oracle_key(oracle: Oracle, world: World) -> Key:
    now = world.now
    return (
        tuple(oracle.delivered) if oracle.placed else tuple(map(bool, oracle.delivered)),
        plain(sorted(oracle.gaps), now),
        oracle.speaking,
        oracle.input_ended,
        oracle.links % 2 if world.case.drift else None,
        plain(oracle.announced, now),
        plain(oracle.shown, now),
        oracle.haunted,
        plain(oracle.received, now),
        tuple(sorted((number, ahead(until, now)) for number, until in oracle.awaited.items())),
        plain(oracle.first, now),
    )


def allowance(world: World) -> tuple[float, ...]:
    """What the oracle still allows, each the less the smaller; and what may still go wrong, the more the smaller.

    Nothing else depends on these. So of two states with one key, whatever can follow from the one with the larger
    numbers can follow from the other, and is allowed no more there. It need not be searched.
    """
    if world.done:
        return ()
    oracle, now = world.oracle, world.now
    kept = world.session.log.kept
    return (
        -world.faults,
        -world.liberties,
        -world.suspicions if isinstance(world, TwoLinks) else 0,
        world.has_lied,
        oracle.patience,
        oracle.excuses - oracle.starts,
        moment(oracle.news_at, now) or 0 if oracle.input_ended else 0,
        *(oracle.faults - oracle.hearings[word.number] for word in world.case.script.words if word.end > kept),
    )


def beside_key(world: TwoLinks) -> Key:
    now, standby = world.now, world.standby
    return (
        world.is_suspect,
        world.shows_life and world.is_suspect,
        moment(world.suspect_until, now) if world.is_suspect else None,
        None if world.beside is None else service_key(world.beside, world),
        None
        if standby is None
        else (
            standby.sent,
            timeline_key(standby.timeline),
            standby.replayed_until,
            plain(standby.messages, now),
            standby.is_void,
            standby._brought_words,
            standby._cut,
            standby._stop,
            standby._may_repeat,
        ),
        tuple(
            (name, plain(said, now), None if of is None else plain(of.words, now), plain(late, now), news)
            for name, said, of, late, news in world.unheard
        ),
    )
