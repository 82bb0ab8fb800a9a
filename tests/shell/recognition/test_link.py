"""One connection at work: what it sends and when, as the gateway's records tell."""

from __future__ import annotations

import math

import msgspec
import pytest
import trio

import trio_speech as ts
from trio_speech._core.provider.profile import SttProfile
from trio_speech.providers.livekit.stt import LiveKitSttCodec
from trio_speech.testing import (
    Await,
    Close,
    Drop,
    Hear,
    Lapse,
    Manner,
    NeverAnswer,
    Outage,
    ScriptedGateway,
    Send,
    Visit,
    open_gateway,
    say,
    speech,
)

from ..conftest import Listen

SAID = say(0.2, "turn left", 1.0, "now", 1.0)


def sent(visit: Visit) -> list[tuple[float, float]]:
    """When how many seconds of audio had been sent in all."""
    total, record = 0, []
    for message in visit.passed:
        if message.kind == "input_audio":
            total += message.samples
            record.append((message.at, total / visit.sample_rate))
    return record


def profile(**changes: object) -> SttProfile:
    return msgspec.structs.replace(Manner().profile(), **changes)


# ---------------------------------------------------------------- what goes out


async def test_the_session_is_opened_before_any_audio_and_nothing_is_waited_for(gateway: ScriptedGateway) -> None:
    gateway.plan(Lapse(0.0), Send('{"type":"session.created"}'))
    async with gateway.client() as client:
        assert (await client.recognize(SAID)).text == SAID.text
    kinds = gateway.visits[0].kinds("client")
    assert kinds[:2] == ["session.create", "input_audio"]
    assert kinds[-2:] == ["session.finalize", "session.close"]


@pytest.mark.parametrize("chunk", [0.02, 0.05, 0.1])
async def test_frames_have_the_profile_s_length_whatever_the_source_s(
    gateway: ScriptedGateway, listen: Listen, chunk: float
) -> None:
    session = await listen(SAID, SAID.source(chunk=[0.003, 0.17, 0.05]), stt=profile(chunk=chunk))
    session.assert_whole()
    sizes = [message.samples for message in gateway.visits[0].passed if message.kind == "input_audio"]
    assert set(sizes[:-1]) == {round(chunk * 16_000)}


async def test_a_service_that_wants_to_hear_of_silence_is_told(gateway: ScriptedGateway) -> None:
    backend = gateway.backend(profile(keepalive=8.0))
    async with ts.open_client(backend) as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        await trio.sleep(60.0)
        transcript.end_input()
        async for _ in transcript:
            pass
    assert len(gateway.visits) == 1


async def test_an_utterance_that_the_service_does_not_end_is_finalized_when_it_pauses(gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(endpointing=None)
    async with gateway.client() as client, client.transcribe(say(0.2, "turn left", 10.0)) as transcript:
        async for event in transcript:
            if isinstance(event, ts.FinalTranscript):
                break
    assert event.text == "turn left"
    assert trio.current_time() < 3.0


# ---------------------------------------------------------------- pacing


@pytest.mark.parametrize(
    ("of_profile", "of_policy", "pace"),
    [(1.25, None, 1.25), (2.0, None, 2.0), (1.25, 1.5, 1.5), (None, 4.0, 4.0)],
)
async def test_the_catch_up_is_paced(
    gateway: ScriptedGateway, listen: Listen, of_profile: float | None, of_policy: float | None, pace: float
) -> None:
    gateway.plan(Hear(2.0), Outage(2.0))
    said = speech(30.0)
    session = await listen(
        said,
        stt=profile(replay_speed=of_profile),
        replay=ts.ReplayPolicy(speed=of_policy),
        retry=ts.RetryPolicy(max_attempts=None, base_delay=0.1, max_delay=0.2),
    )
    session.assert_whole()
    visit = gateway.visits[-1]
    record = sent(visit)
    begun = record[0][0]
    base = said.seconds - record[-1][1]
    lag = [(at, at - (base + total)) for at, total in record]
    caught_up = next(at for at, behind in lag if behind < 0.2)
    for at, total in record:
        if at <= caught_up:
            assert total <= 0.5 + pace * (at - begun) + 0.125, "faster than the pace, and than what ends it"
    at, total = next(entry for entry in reversed(record) if entry[0] <= caught_up)
    assert total >= pace * (at - begun) - 0.1, "slower than the pace"


@pytest.mark.parametrize(("of_profile", "of_policy"), [(None, None), (1.25, math.inf)])
async def test_the_catch_up_need_not_be_paced(
    gateway: ScriptedGateway, listen: Listen, of_profile: float | None, of_policy: float | None
) -> None:
    gateway.plan(Hear(2.0), Outage(6.0))
    session = await listen(speech(20.0), stt=profile(replay_speed=of_profile), replay=ts.ReplayPolicy(speed=of_policy))
    session.assert_whole()
    record = sent(gateway.visits[-1])
    assert [total for at, total in record if at == record[0][0]][-1] > 5.0


async def test_live_audio_is_not_paced(gateway: ScriptedGateway, listen: Listen) -> None:
    session = await listen(SAID, SAID.source(speed=None))
    session.assert_whole()
    assert sent(gateway.visits[0])[-1][0] < 0.01


async def test_the_first_link_sends_what_has_waited_for_it_at_once(gateway: ScriptedGateway, listen: Listen) -> None:
    gateway.connect_time = 3.0
    session = await listen(speech(8.0))
    session.assert_whole()
    record = sent(gateway.visits[0])
    assert [total for at, total in record if at == record[0][0]][-1] >= 2.9


# ---------------------------------------------------------------- liveness


async def test_pings_go_out_as_the_policy_says(gateway: ScriptedGateway) -> None:
    async with gateway.client(liveness=ts.LivenessPolicy(ping_interval=2.0)) as client, client.transcribe():
        await trio.sleep(21.0)
    (visit,) = gateway.visits
    assert visit.pongs == 11, "the first ping measures the round trip"


async def test_pongs_are_read_though_nobody_reads_events(gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(interim=0.02)
    liveness = ts.LivenessPolicy(ping_interval=0.5, ping_timeout=0.5)
    async with gateway.client(liveness=liveness) as client, client.transcribe(speech(20.0)):
        await trio.sleep(20.0)
    assert len(gateway.visits) == 1


async def test_a_service_that_reads_slowly_is_not_ill() -> None:
    async with open_gateway(capacity=2_048) as gateway:
        async with gateway.client() as client:
            assert (await client.recognize(SAID)).text == SAID.text
        assert len(gateway.visits) == 1


# ---------------------------------------------------------------- endings


@pytest.mark.parametrize("fault", [Drop(), NeverAnswer()])
async def test_goodbyes_do_not_hold_up_the_next_dial(gateway: ScriptedGateway, listen: Listen, fault: object) -> None:
    gateway.plan(Hear(2.0), Drop())
    session = await listen(SAID)
    session.assert_whole()
    first, second = gateway.visits
    assert second.dialed == first.ended == pytest.approx(2.0)


async def test_an_inactive_session_that_is_ended_is_opened_again_and_no_failure(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("audio", 30), Lapse(1_800.0), Send('{"type":"error","message":"inactive","code":2007}'))
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        await trio.sleep(2_000.0)
        await transcript.send(SAID.audio)
        transcript.end_input()
        texts = [event.text async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert texts == ["turn left", "now"] * 2
    assert len(gateway.visits) == 2


async def test_a_service_that_hangs_up_once_it_has_said_all_ends_the_session_well(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.plan(Await("finalized"), Close(1000))
    session = await listen(SAID)
    session.assert_whole()
    assert session.of(ts.LinkLost) == []
    assert len(gateway.visits) == 1


async def test_a_link_that_dies_while_its_successor_is_dialed_waits_for_that_one(
    gateway: ScriptedGateway, listen: Listen
) -> None:
    gateway.connect_time = 1.0
    gateway.plan(Hear(6.0), Drop())
    session = await listen(speech(12.0), stt=profile(session_cap=6.0))
    session.assert_whole()
    assert len(gateway.visits) == 3


async def test_what_only_a_defect_could_raise_leaves_bare_all_the_same(
    gateway: ScriptedGateway, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(codec: object, frame: object) -> object:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(LiveKitSttCodec, "decode", broken)
    with pytest.raises(ts.InternalError, match="please report it") as caught:
        await listen(SAID)
    assert isinstance(caught.value.__cause__, ExceptionGroup)
