"""A handshake that is not answered costs about a second, and nobody else his turn."""

from __future__ import annotations

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Delay,
    NeverAnswer,
    Outage,
    Refuse,
    ScriptedGateway,
    Visit,
    assert_exactly_once,
    say,
    speech,
)

SAID = say(0.2, "turn left", 1.0)


async def first_word(gateway: ScriptedGateway, **policies: object) -> float:
    said = speech(6.0)
    async with gateway.client(**policies) as client, client.transcribe(said.source(), said.audio_format) as transcript:
        events = [event async for event in transcript]
    assert_exactly_once(events, said, [visit for visit in gateway.visits if visit.opened is not None])
    assert not any(isinstance(event, ts.LinkLost) for event in events)
    return min(visit.opened for visit in gateway.visits if visit.opened is not None)


def dials(gateway: ScriptedGateway) -> list[float]:
    return [visit.dialed for visit in gateway.visits]


async def test_a_handshake_that_is_never_answered_costs_a_second(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    assert await first_word(gateway) == pytest.approx(1.0)


async def test_each_dial_is_given_half_of_the_time_so_far(gateway: ScriptedGateway) -> None:
    gateway.plan(*[NeverAnswer()] * 4)
    assert await first_word(gateway) == pytest.approx(4.5)
    assert dials(gateway) == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.5])


async def test_a_slow_handshake_wins_if_it_is_answered_first(gateway: ScriptedGateway) -> None:
    gateway.plan(Delay(1.5), NeverAnswer())
    assert await first_word(gateway) == pytest.approx(1.5)
    assert await loser(gateway.visits[1]) == pytest.approx(1.5)


async def test_the_slow_one_is_dropped_if_another_is_answered_first(gateway: ScriptedGateway) -> None:
    gateway.plan(Delay(2.5))
    assert await first_word(gateway) == pytest.approx(1.0)
    assert await loser(gateway.visits[0]) <= 2.5


async def loser(visit: Visit) -> float:
    assert visit.heard == 0.0
    assert visit.ended is not None
    return visit.ended


async def test_where_dials_are_quick_one_that_is_not_is_noticed_sooner(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        await client.recognize(SAID)
        gateway.plan(NeverAnswer())
        began = trio.current_time()
        await client.recognize(SAID)
    assert dials(gateway)[1:] == pytest.approx([began, began + 0.75])


async def test_a_dial_that_is_not_answered_is_waited_for_quietly_once_the_one_beside_it_has_failed(
    gateway: ScriptedGateway,
) -> None:
    gateway.plan(NeverAnswer(), Outage(0.5))
    async with gateway.client() as client:
        heard = await client.recognize(SAID)  # a look without a wait would stop the clock for ever
    assert heard.text == SAID.text
    assert dials(gateway)[:2] == pytest.approx([0.0, 1.0])


async def test_a_refusal_is_an_answer(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer(), Refuse(401))
    with pytest.raises(ts.AuthenticationError):
        async with gateway.client() as client:
            await client.recognize(SAID)
    assert trio.current_time() == pytest.approx(1.0)


async def test_all_dials_together_have_the_time_of_one(gateway: ScriptedGateway) -> None:
    await gateway.fail(Outage(1_000.0, silent=True))
    retry = ts.RetryPolicy(max_attempts=0)
    with pytest.raises(ts.RetriesExhausted, match="no answer to the handshake within 10 s"):
        async with gateway.client(retry=retry) as client:
            await client.recognize(SAID)
    assert trio.current_time() == pytest.approx(10.0)
    assert dials(gateway) == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.5, 6.75])


async def test_without_standby_nobody_dials_beside_another(gateway: ScriptedGateway) -> None:
    await gateway.fail(Outage(1_000.0, silent=True))
    liveness, retry = ts.LivenessPolicy(standby=False), ts.RetryPolicy(max_attempts=0)
    with pytest.raises(ts.RetriesExhausted):
        async with gateway.client(retry=retry, liveness=liveness) as client:
            await client.recognize(SAID)
    assert len(dials(gateway)) == 1


async def test_dials_beside_others_count_toward_those_at_once_and_take_nobody_s_turn(gateway: ScriptedGateway) -> None:
    await gateway.fail(Outage(9.0, silent=True))
    async with gateway.client(retry=ts.RetryPolicy(max_concurrent_dials=4)) as client, trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(client.recognize, SAID)
        await trio.sleep(8.9)
        assert len(gateway.visits) == 4
