"""A service whose recognizer hangs while its front end answers pings: it is noticed by what the service said before."""

from __future__ import annotations

import pytest

import trio_speech as ts
from trio_speech.testing import (
    Delay,
    Hang,
    Hear,
    Manner,
    Refuse,
    ScriptedGateway,
    Step,
    open_gateway,
    say,
    speech,
)

from ..conftest import Listen, Session

SPEECH = speech(40.0)
NOTICED = 7.5
"""Seconds from a stall in live speech until another connection is dialed."""


def stalls(session: Session) -> tuple[int, int, int]:
    return session.statistics.suspected, session.statistics.cleared, session.statistics.links


@pytest.mark.parametrize("after", [4.0, 4.9, 5.8, 6.7, 7.6, 8.5, 12.1, 17.3])
async def test_a_recognizer_that_hangs_in_live_speech_is_noticed_within_seconds(
    gateway: ScriptedGateway, listen: Listen, after: float
) -> None:
    gateway.plan(Hear(after), Hang())
    session = await listen(SPEECH)
    session.assert_whole()
    assert 4.0 <= gateway.visits[1].dialed - after <= NOTICED
    (lost,) = session.of(ts.LinkLost)
    assert lost.cause.startswith("no result, though speech is being sent, within ")
    assert session.at(ts.LinkLost)[0] <= after + NOTICED + 0.5, "as soon as the standby has told something new"
    assert stalls(session) == (1, 0, 2)


async def test_so_it_is_on_the_next_connection_from_its_first_second_on(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(6.0), Hang(), Hear(8.0), Hang())
    session = await listen(SPEECH)
    session.assert_whole()
    first, second = session.at(ts.LinkLost)
    assert first <= 6.0 + NOTICED + 0.5
    assert second - first <= 8.0 + NOTICED + 0.5
    assert stalls(session) == (2, 0, 3)


async def test_a_service_that_has_shown_nothing_yet_is_given_its_patience(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(0.1), Hang())
    session = await listen(SPEECH)
    session.assert_whole()
    assert gateway.visits[1].dialed >= 30.0
    assert session.statistics.suspected == 0


async def test_a_service_without_interims_may_be_silent_for_as_long_as_somebody_speaks(
    gateway: ScriptedGateway,
) -> None:
    gateway.manner = Manner(interim=None, onsets=False, longest=None)
    said = say(0.5, "a short one", 1.0) + say("this one goes on and on without any pause " * 4, 1.0)
    async with gateway.client() as client, client.transcribe(said, said.audio_format) as told:
        assert [event async for event in told if isinstance(event, ts.LinkLost)] == []
    assert told.statistics().suspected == 0
    assert len(gateway.visits) == 1


@pytest.mark.parametrize("pause", [2.0, 3.5])
async def test_a_hiccup_is_none(gateway: ScriptedGateway, listen: Listen, pause: float) -> None:
    gateway.plan(Hear(5.0), Delay(pause))
    session = await listen(SPEECH)
    session.assert_whole()
    assert stalls(session) == (0, 0, 1)


async def test_a_suspect_that_speaks_before_the_standby_serves_on_and_is_given_more_time(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(5.0), Delay(5.5))
    gateway.plan(Hear(0.1), Delay(8.0))
    session = await listen(speech(60.0))
    session.assert_whole()
    assert session.of(ts.LinkLost) == []
    assert stalls(session) == (1, 1, 1)
    assert session.statistics.billed == pytest.approx(gateway.heard)


@pytest.mark.parametrize("step", [Refuse(429), Refuse(503), Refuse(401)])
async def test_a_refused_standby_harms_nobody(gateway: ScriptedGateway, listen: Listen, step: Step) -> None:
    gateway.plan(Hear(5.0), Delay(8.0))
    gateway.plan(step)
    session = await listen(SPEECH, retry=ts.RetryPolicy(max_attempts=0))
    session.assert_whole()
    assert session.of(ts.LinkLost) == []
    assert len(gateway.visits) == 2
    assert session.statistics.links == 1


@pytest.mark.parametrize(
    "policies",
    [
        {"liveness": ts.LivenessPolicy(standby=False)},
        {"liveness": ts.LivenessPolicy(progress_timeout=None)},
        {"replay": ts.ReplayPolicy(max_replayed=30.0)},
        {"replay": ts.ReplayPolicy(doubt=0.0, doubt_at_least=0.0)},
    ],
)
async def test_nothing_is_sent_beside_where_a_policy_does_not_allow_it(
    gateway: ScriptedGateway, listen: Listen, policies: dict[str, object]
) -> None:
    gateway.plan(Hear(5.0), Delay(8.0))
    session = await listen(SPEECH, **policies)
    session.assert_whole()
    assert (session.statistics.suspected, len(gateway.visits)) == (0, 1)


@pytest.mark.parametrize("pace", [0.5, 0.75, 1.0])
async def test_a_service_that_shows_slowly_what_it_hears_of_all_at_once_is_not_suspected(pace: float) -> None:
    async with open_gateway(manner=Manner(pace=pace), capacity=8_192) as gateway:
        said = speech(15.0) + say(12.0) + speech(15.0, seed=2) + say(8.0) + speech(15.0, seed=3)
        async with gateway.client() as client, client.transcribe(said.source(speed=None), said.audio_format) as told:
            events = [event async for event in told]
        statistics = told.statistics()
    assert not any(isinstance(event, ts.LinkLost) for event in events)
    assert (statistics.links, statistics.suspected, statistics.replayed) == (1, 0, 0.0)
    assert statistics.billed == statistics.captured


async def test_a_pause_of_the_speaker_is_no_stall(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.manner = Manner(endpointing=12.0)
    session = await listen(say(0.5, "one two three four five six", 11.0, "seven", 13.0))
    session.assert_whole()
    assert stalls(session) == (0, 0, 1)
