"""The link loop: what each fault costs, and when the session gives up."""

# ruff: noqa: PT012  # what is left by an exception is a block

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    Drop,
    Fin,
    Garble,
    Hear,
    Idle,
    InBandError,
    Lapse,
    Manner,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    ScriptedGateway,
    Send,
    StallWrites,
    Step,
    TearFrame,
    assert_exactly_once,
    open_gateway,
    say,
    speech,
)

from ..conftest import Listen

SPEECH = speech(8.0)
HAIR = 0.02

ENDS: list[Step] = [Drop(), Fin(), Close(1011), TearFrame(), Garble(), InBandError(500), CloseSession(), Restart()]
PHASES: dict[str, tuple[Step, ...]] = {
    "dialing": (),
    "before session.created": (Await("create"),),
    "mid-word": (MidWord(3),),
    "mid-frame": (Hear(2.017),),
    "between finals": (Await("final"),),
    "during replay": (Hear(3.0), Outage(4.0), Hear(1.0)),
    "during the drain": (Await("finalize"),),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", ENDS, ids=lambda fault: type(fault).__name__)
async def test_every_end_of_a_link_in_every_phase(
    gateway: ScriptedGateway, listen: Listen, fault: Step, phase: str
) -> None:
    gateway.plan(*PHASES[phase], fault)
    session = await listen(SPEECH)
    session.assert_whole()
    assert gateway.planned == ()
    links = 3 if phase == "during replay" else 2
    assert session.statistics.links in (links - 1, links)  # one that breaks while it is dialed never was a link
    assert len(session.of(ts.LinkLost)) >= links - 1


@pytest.mark.parametrize("fault", [CloseSession(), Close(1000), InBandError(2007), Drop()])
@pytest.mark.parametrize("manner", [Manner(endpointing=None), Manner(endpointing=None, interim=None, onsets=False)])
async def test_a_service_that_ends_before_it_has_answered_is_asked_again(
    gateway: ScriptedGateway, listen: Listen, manner: Manner, fault: Step
) -> None:
    gateway.manner = manner
    gateway.plan(Await("finalize"), fault)
    session = await listen(say(0.2, "turn left now"))
    session.assert_whole()
    assert session.statistics.links == 2


async def test_a_service_that_ends_without_an_answer_is_asked_until_one_answers(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.manner = Manner(endpointing=None, interim=None, onsets=False)
    gateway.plan(*[step for _ in range(9) for step in (Await("finalize"), CloseSession())])
    session = await listen(say(0.2, "turn left now"))
    session.assert_whole()
    assert len(gateway.visits) == 10


async def test_a_drop_is_told_and_mended_at_once(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(3.0), Drop())
    session = await listen(SPEECH)
    (lost,), (resumed,) = session.of(ts.LinkLost), session.of(ts.Resumed)
    assert lost == ts.LinkLost("connection broken: connection reset by peer", 1, 0.0)
    assert (resumed.downtime, resumed.attempt) == (0.0, 1)
    assert resumed.replayed == 3.0
    assert session.at(ts.LinkLost) == session.at(ts.Resumed) == [pytest.approx(3.0, abs=HAIR)]


async def test_ten_drops_in_a_row(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(*[step for _ in range(10) for step in (Hear(0.7), Drop())])
    session = await listen(speech(20.0))
    session.assert_whole()
    assert session.statistics.links == 11


async def test_a_restart_of_thirty_seconds(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(3.0), Restart(30.0))
    session = await listen(speech(20.0))
    session.assert_whole()
    (resumed,) = session.of(ts.Resumed)
    assert 30.0 <= resumed.downtime <= 50.0


async def test_an_outage_longer_than_the_log_on_a_mute_source_loses_nothing(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Hear(2.0), Outage(100.0))

    async def source() -> AsyncIterator[bytes]:
        async for chunk in SPEECH:
            yield chunk
            if trio.current_time() == pytest.approx(3.0):
                await trio.sleep(110.0)

    (await listen(SPEECH, source())).assert_whole()


# ---------------------------------------------------------------- detection


async def test_half_open_is_found_by_pings(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(3.0), BlackHole())
    session = await listen(SPEECH)
    session.assert_whole()
    (lost,) = session.of(ts.LinkLost)
    assert lost.cause == "no pong within 0.5 s"
    assert session.at(ts.LinkLost)[0] <= 3.0 + 1.1 + HAIR


async def test_half_open_is_found_while_mute(gateway: ScriptedGateway) -> None:
    gateway.plan(Idle(30.0), BlackHole())
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(bytes(32_000))
        lost = None
        async for event in transcript:
            if isinstance(event, ts.LinkLost):
                lost = trio.current_time()
                break
    assert lost is not None
    assert 30.0 <= lost <= 41.0


async def test_a_stuck_send_is_found_by_its_timeout() -> None:
    async with open_gateway(capacity=4_096) as gateway:
        gateway.plan(Hear(1.0), StallWrites())
        liveness = ts.LivenessPolicy(
            send_timeout=3.0, ping_timeout=60.0, suspect_after_min=60.0, suspect_after_max=60.0
        )
        async with gateway.client(liveness=liveness) as client, client.transcribe(SPEECH) as transcript:
            async for event in transcript:
                if isinstance(event, ts.LinkLost):
                    assert event.cause == "no progress in sending within 3 s"
                    assert 4.0 <= trio.current_time() <= 4.5
                    return


@pytest.mark.parametrize("fault", [NeverAnswer(), BlackHole(), StallWrites(), Outage(6.0, silent=True)])
async def test_a_handshake_that_is_never_answered_costs_the_connect_timeout(
    gateway: ScriptedGateway, listen: Listen, fault: Step
) -> None:
    gateway.plan(fault)
    session = await listen(SPEECH, liveness=ts.LivenessPolicy(connect_timeout=4.0, standby=False))
    session.assert_whole()
    assert session.of(ts.LinkLost)[0].cause == "no answer to the handshake within 4 s"
    assert session.at(ts.LinkLost)[0] == pytest.approx(4.0, abs=HAIR)


async def test_pongs_without_results_are_an_illness(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(1.0), Delay(10_000.0), Lapse(10_000.0))
    session = await listen(speech(15.0), liveness=ts.LivenessPolicy(progress_timeout=6.0))
    session.assert_whole()
    (lost,) = session.of(ts.LinkLost)
    assert lost.cause == "no result, though speech is being sent, within 6 s"
    assert 6.0 <= session.at(ts.LinkLost)[0] <= 10.0


async def test_silence_without_results_is_none(gateway: ScriptedGateway, listen: Listen) -> None:
    session = await listen(say(40.0, "at last", 1.0), liveness=ts.LivenessPolicy(progress_timeout=6.0))
    session.assert_whole()
    assert session.of(ts.LinkLost) == []


async def test_mute_for_forty_minutes(gateway: ScriptedGateway) -> None:
    said = say(0.2, "before", 1.0) + say(0.2, "after", 1.0)
    first = say(0.2, "before", 1.0).samples * 2
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(said.audio[:first])
        await trio.sleep(2_400.0)
        await transcript.send(said.audio[first:])
        transcript.end_input()
        finals = [event async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert [(final.text, final.start) for final in finals] == [("before", 0.2), ("after", pytest.approx(1.7))]
    assert len(gateway.visits) == 1
    statistics = transcript.statistics()
    assert statistics.captured == said.seconds


# ---------------------------------------------------------------- patience


@pytest.mark.parametrize("fault", [Drop(), Close(1011), Close(1000), InBandError(503), CloseSession(), Garble()])
async def test_accept_then_close_does_not_loop(gateway: ScriptedGateway, fault: Step) -> None:
    gateway.plan(*[fault] * 100)
    with pytest.raises(ts.RetriesExhausted) as caught:
        async with gateway.client() as client:
            await client.recognize(SPEECH)
    assert caught.value.attempts <= 50, "some two minutes of ever longer waits"
    assert len(gateway.visits) == caught.value.attempts + 1


async def test_accept_then_close_after_a_while_does_not_loop_either(gateway: ScriptedGateway) -> None:
    gateway.plan(*[step for _ in range(100) for step in (Lapse(5.0), Drop())])
    with pytest.raises(ts.RetriesExhausted):
        async with gateway.client() as client, client.transcribe() as transcript:
            await transcript.send(SPEECH.audio[:16_000])
            await trio.sleep_forever()
    assert len(gateway.visits) <= 21


async def test_progress_refills_the_patience(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Await("final"), Drop(), *[step for _ in range(6) for step in (Await("final", 2), Drop())])
    session = await listen(speech(20.0), retry=ts.RetryPolicy(max_attempts=2, base_delay=0.1))
    session.assert_whole()
    assert session.statistics.links == 8


async def test_a_link_that_held_for_long_refills_it_too(gateway: ScriptedGateway) -> None:
    gateway.plan(*[step for _ in range(5) for step in (Lapse(12.0), Drop())])
    async with gateway.client(retry=ts.RetryPolicy(max_attempts=1)) as client, client.transcribe() as transcript:
        await transcript.send(bytes(16_000))
        await trio.sleep(80.0)
    assert transcript.statistics().links == 6


async def test_retry_after_is_obeyed(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Refuse(503, retry_after=7.5), Refuse(429, retry_after=4.0))
    session = await listen(SPEECH)
    session.assert_whole()
    first, second, third = (visit.dialed for visit in gateway.visits)
    assert second - first >= 7.5
    assert third - second >= 4.0
    assert session.of(ts.LinkLost)[0].retry_in >= 7.5


async def test_an_error_in_band_that_is_retried_is_told(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(2.0), InBandError(503, "busy"))
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.of(ts.LinkLost)[0].cause == "error 503 from the service: busy"


async def test_session_closed_in_mid_stream_opens_another(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(3.0), CloseSession())
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.of(ts.LinkLost)[0].cause == "session closed by the service"


@pytest.mark.parametrize("kind", ["json", "shape", "types"])
async def test_one_malformed_message_loses_nothing(gateway: ScriptedGateway, listen: Listen, kind: str) -> None:
    gateway.plan(Hear(3.0), Garble(kind))
    session = await listen(SPEECH)
    session.assert_whole()
    assert "malformed message" in session.of(ts.LinkLost)[0].cause


async def test_a_message_that_nobody_knows_is_counted(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(Hear(2.0), Send(b"\0binary"), Send('{"type":"news"}'))
    session = await listen(SPEECH)
    session.assert_whole()
    assert (session.statistics.links, session.statistics.unknown_messages) == (1, 2)


async def test_repeated_finals_are_dropped(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.manner = Manner(twice=True)
    gateway.plan(Hear(4.0), Drop())
    session = await listen(SPEECH)
    session.assert_whole()
    assert session.statistics.repeated_finals >= 3


async def test_a_drop_in_mid_utterance_starts_no_second_one(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.plan(MidWord(3), Drop(), MidWord(5), Drop())
    session = await listen(say(0.3, "this is one long utterance of many words", 1.0))
    session.assert_whole()
    assert len(session.of(ts.SpeechStarted)) == len(session.of(ts.SpeechEnded)) == 1


async def test_many_sessions_that_fail_together_spread_out(gateway: ScriptedGateway) -> None:
    texts: list[str] = []
    said = speech(4.0)

    async def one(client: ts.Client) -> None:
        texts.append((await client.recognize(said)).text)

    async def crash() -> None:
        await trio.sleep(3.0)
        await gateway.fail(Outage(0.5))

    async with gateway.client() as client, trio.open_nursery() as nursery:
        nursery.start_soon(crash)
        for _ in range(8):
            nursery.start_soon(one, client)
    assert texts == [said.text] * 8
    redials = sorted(visit.dialed for visit in gateway.visits if visit.dialed > 3.0)
    assert redials[-1] - redials[0] > 0.5


@pytest.mark.parametrize("limit", [20.0, 60.0])
@pytest.mark.parametrize("finalized", ["after", "before"])
async def test_a_replay_that_settles_a_full_log_on_its_way_and_breaks_again_repeats_nothing(
    gateway: ScriptedGateway, limit: float, finalized: Literal["after", "before"]
) -> None:
    """Where words have no place, what the broken replay had not come to was known by the first link alone."""
    heard, out = limit * 0.65, limit * 0.2
    spoken = speech(heard + out + 8.0)
    gateway.manner = Manner(spans="billed", finalized=finalized)
    gateway.plan(Hear(heard), Outage(out), Await("finalized"), Lapse(0.6 if finalized == "after" else 2.6), Drop())
    replay = ts.ReplayPolicy(limit=limit)
    async with gateway.client(replay=replay) as client, client.transcribe(spoken, spoken.audio_format) as transcript:
        events = [event async for event in transcript]
    assert_exactly_once(events, spoken, gateway.visits)
    assert len([visit for visit in gateway.visits if visit.heard]) == 3
