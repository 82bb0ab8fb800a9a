"""A suspect link and the connection that is dialed beside it: who takes over, and what that costs."""

from __future__ import annotations

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    BlackHole,
    Close,
    Delay,
    Freeze,
    Hear,
    Manner,
    NeverAnswer,
    Refuse,
    ScriptedGateway,
    open_gateway,
    speech,
)

from ..conftest import Listen

SPEECH = speech(20.0)
NO_INTERIMS = Manner(interim=None)
"""A service that shows nothing while somebody speaks cannot be found stalled (see test_stalls), only doubted."""
NOTICED = 1.0
"""Seconds until a link that has gone silent in mid-speech is suspected, and a hair."""


async def test_a_link_that_goes_silent_is_replaced_within_a_second(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(4.3), BlackHole())
    session = await listen(SPEECH)
    session.assert_whole()
    assert gateway.visits[1].dialed <= 4.3 + NOTICED
    (lost,), (resumed,) = session.of(ts.LinkLost), session.of(ts.Resumed)
    assert (lost.retry_in, resumed.downtime) == (0.0, 0.0)
    assert session.at(ts.Resumed) == session.at(ts.LinkLost)
    assert (session.statistics.suspected, session.statistics.cleared, session.statistics.links) == (1, 0, 2)


async def test_a_stall_of_one_connection_is_not_waited_for(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(4.3), Freeze(4.0))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.at(ts.LinkLost)[0] <= 4.3 + NOTICED + 0.8, "as soon as the standby has told something new"
    assert len(gateway.visits) == 2


async def test_a_suspect_that_speaks_before_the_standby_does_serves_on(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(4.3), Freeze(1.2))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.of(ts.LinkLost) == session.of(ts.Resumed) == []
    statistics = session.statistics
    assert (statistics.suspected, statistics.cleared, statistics.links) == (1, 1, 1)
    suspect, standby = gateway.visits
    assert standby.heard > 0.5, "it was sent audio"
    assert statistics.billed == pytest.approx(suspect.heard + standby.heard), "which is billed"
    assert suspect.heard == SPEECH.seconds


async def test_audio_that_a_service_is_silent_about_is_heard_beside_it_though_it_answers_pings(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.manner = NO_INTERIMS
    gateway.plan(Hear(4.3), Delay(600.0))
    session = await listen(SPEECH)
    session.assert_whole()
    (lost,) = session.at(ts.LinkLost)
    assert lost <= gateway.visits[1].dialed + 3.0, "its first words decide, and not the end of another patience"
    assert session.of(ts.LinkLost)[0].cause == "no final for what was sent within 10 s"
    assert (session.statistics.suspected, session.statistics.links) == (0, 2)


async def test_a_service_that_says_in_time_what_it_was_doubted_for_serves_on(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.manner = NO_INTERIMS
    gateway.plan(Hear(4.3), Delay(45.0))
    gateway.plan(Hear(0.1), Delay(8.0))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.of(ts.LinkLost) == []
    assert gateway.visits[1].heard > 0.0
    assert session.statistics.links == 1


@pytest.mark.parametrize("policy", [ts.ReplayPolicy(doubt=0.0, doubt_at_least=0.0), ts.ReplayPolicy(max_replayed=30.0)])
async def test_nothing_is_heard_beside_where_the_policy_does_not_allow_it(
    gateway: ScriptedGateway, listen: Listen, policy: ts.ReplayPolicy
) -> None:
    gateway.plan(Hear(4.3), Delay(600.0))
    session = await listen(SPEECH, replay=policy)
    assert all(at >= 55.0 for at in session.at(ts.LinkLost)), "after the wait for the service's own end"
    assert sum(visit.heard for visit in gateway.visits[1:]) <= session.statistics.replayed


@pytest.mark.parametrize("dial", [2.5, 8.0])
async def test_a_suspect_that_speaks_before_the_standby_is_open_serves_on(
    gateway: ScriptedGateway, listen: Listen, dial: float
) -> None:
    connect = gateway.connect

    async def slowly(asked: object) -> object:
        await trio.sleep(dial if gateway.visits else 0.0)
        return await connect(asked)  # type: ignore[arg-type]

    gateway.connect = slowly  # type: ignore[method-assign,assignment]
    gateway.plan(Hear(4.3), Freeze(2.0))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.of(ts.LinkLost) == session.of(ts.Resumed) == []
    assert (session.statistics.suspected, session.statistics.cleared, session.statistics.links) == (1, 1, 1)
    assert session.statistics.replayed == 0.0


async def test_a_standby_that_is_never_answered_does_not_keep_the_dead(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(4.3), BlackHole())
    gateway.plan(NeverAnswer())
    session = await listen(SPEECH)
    session.assert_whole()
    assert gateway.visits[2].dialed <= 4.3 + NOTICED + 1.0, "another dial goes beside the one that is not answered"


@pytest.mark.parametrize("heard", [0.1, 0.6, 1.1])
async def test_a_standby_that_falls_silent_itself_is_replaced_as_soon_as_a_link_would_be(
    gateway: ScriptedGateway, listen: Listen, heard: float
) -> None:
    gateway.plan(Hear(4.3), BlackHole())
    gateway.plan(Hear(heard), BlackHole())
    session = await listen(SPEECH)
    session.assert_whole()
    _, second, third = gateway.visits
    assert third.dialed <= second.dialed + 2 * NOTICED
    assert session.at(ts.LinkLost)[0] <= third.dialed + 0.8


async def test_a_standby_that_is_refused_harms_nobody_and_is_not_tried_again_soon(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(4.3), Freeze(3.0), Hear(6.3), Freeze(5.0))
    gateway.plan(Refuse(429))
    session = await listen(SPEECH, retry=ts.RetryPolicy(max_attempts=0))
    session.assert_whole()
    assert session.of(ts.LinkLost) == []
    assert (session.statistics.suspected, session.statistics.cleared, session.statistics.links) == (2, 2, 1)
    assert len(gateway.visits) == 2, "the service has no room for another: none is asked for"


async def test_where_no_standby_may_be_the_suspect_is_closed_at_the_ping_timeout(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(4.3), BlackHole())
    gateway.plan(Refuse(429))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.at(ts.LinkLost)[0] == pytest.approx(4.3 + 0.5 + 5.0, abs=0.3)


async def test_without_standby_a_suspect_is_closed_before_another_is_dialed(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(4.3), BlackHole())
    session = await listen(SPEECH, liveness=ts.LivenessPolicy(standby=False))
    session.assert_whole()
    first, second = gateway.visits
    assert second.dialed == pytest.approx(session.at(ts.LinkLost)[0])
    assert second.dialed <= 4.3 + NOTICED
    assert first.ended is not None


async def test_stall_after_stall_the_session_grows_patient(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(3.0), Freeze(1.2), Hear(3.0), Freeze(1.2), Hear(3.0), Freeze(1.2))
    gateway.plan(NeverAnswer(), NeverAnswer(), NeverAnswer())
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.statistics.links == 1
    assert session.statistics.suspected < 3


async def test_no_link_is_suspected_where_nothing_is_wrong(gateway: ScriptedGateway, listen: Listen) -> None:
    session = await listen(speech(60.0))
    session.assert_whole()
    assert (session.statistics.suspected, session.statistics.replayed) == (0, 0.0)
    assert session.statistics.billed <= 1.02 * session.statistics.captured


@pytest.mark.parametrize("pace", [0.5, 0.75, 1.0])
async def test_a_service_that_hears_slowly_what_comes_at_once_is_not_suspected(pace: float) -> None:
    async with open_gateway(manner=Manner(pace=pace, interim=None), capacity=8_192) as gateway:
        said = speech(21.0)
        async with gateway.client() as client, client.transcribe(said.source(speed=None), said.audio_format) as told:
            events = [event async for event in told]
        statistics = told.statistics()
    assert not any(isinstance(event, ts.LinkLost) for event in events)
    assert (statistics.links, statistics.replayed) == (1, 0.0)
    assert statistics.billed == statistics.captured


async def test_a_service_that_ends_each_standby_at_once_is_not_dialed_again_and_again(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(4.3), BlackHole())
    gateway.plan(*(Close(1013) for _ in range(100)))
    with pytest.raises(ts.RetriesExhausted):
        await listen(SPEECH, retry=ts.RetryPolicy(max_attempts=0))
    assert len(gateway.visits) <= 4
