"""Syntheses by the best backend that will serve, on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Await,
    Close,
    Delivery,
    NeverAnswer,
    Outage,
    Refuse,
    ScriptedGateway,
    Speak,
    assert_spoken_once,
    open_gateway,
)

FORMAT = ts.AudioFormat.pcm16(8_000)
SENTENCES = [f"This is sentence {number}." for number in ("one", "two", "three", "four", "five", "six")]
RETRY = ts.RetryPolicy(max_attempts=2, return_after=20.0)


@pytest.fixture(autouse=True)
def _on_virtual_time(autojump_clock: Any) -> None:
    pass


async def slowly() -> AsyncIterator[str]:
    """A sentence every ten seconds."""
    for sentence in SENTENCES:
        yield f"{sentence} "
        await trio.sleep(10.0)


async def say(first: ScriptedGateway, second: ScriptedGateway, **asked: Any) -> list[ts.AudioChunk]:
    with trio.fail_after(600):
        async with (
            ts.open_client([first.backend(), second.backend()], retry=RETRY) as client,
            client.synthesize(slowly(), audio_format=FORMAT, **asked) as speech,
        ):
            chunks = [chunk async for chunk in speech]
    assert_spoken_once(chunks, " ".join(SENTENCES), FORMAT.sample_rate)
    return chunks


def texts(gateway: ScriptedGateway) -> list[str]:
    """What it was asked to speak."""
    return [text.strip() for visit in gateway.visits for text in visit.texts]


async def test_a_backend_that_recovers_is_returned_to_in_order_of_preference(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(Await("text", 2), Outage(15.0))
        await say(gateway, second)
        assert texts(second)
        assert texts(gateway)[-1] == SENTENCES[-1]
        assert len(texts(second)) < len(SENTENCES) - 1


async def test_a_backend_that_stays_down_is_tried_every_return_after(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(*[Refuse(503)] * 4)
        await say(gateway, second)
        assert texts(second)[0] == SENTENCES[0]
        assert texts(gateway)[-1] == SENTENCES[-1]


async def test_a_backend_that_refused_for_good_is_never_tried_again(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(Refuse(401))
        await say(gateway, second)
        assert len(gateway.visits) == 1
        assert texts(second) == SENTENCES


async def test_a_session_returns_to_the_better_backend_between_two_sentences(gateway: ScriptedGateway) -> None:
    slow = Delivery(speed=0.2)
    async with open_gateway() as second:
        gateway.plan(*[Refuse(503)] * 3)
        second.delivery = slow
        chunks = await say(gateway, second)
        assert texts(second)[0] == SENTENCES[0]
        assert texts(gateway)
        assert [chunk.segment for chunk in chunks] == sorted(chunk.segment for chunk in chunks)


async def test_a_full_pool_makes_room_for_a_backend_that_recovered(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(*[Refuse(503)] * 3)
        retry, pool = ts.RetryPolicy(max_attempts=2, return_after=25.0), ts.PoolPolicy(max_size=1)
        async with ts.open_client([gateway.backend(), second.backend()], retry=retry, pool=pool) as client:
            await client.render(slowly(), audio_format=FORMAT)
            assert (texts(second), texts(gateway)) == (SENTENCES[:3], SENTENCES[3:])
            assert client.statistics().evicted == 1


async def test_trying_a_backend_again_delays_no_session_in_a_full_pool(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(*[Refuse(503)] * 3, *[NeverAnswer()] * 9)
        gateway.connect_time = second.connect_time = 0.2
        retry, pool = ts.RetryPolicy(max_attempts=2, return_after=5.0), ts.PoolPolicy(max_size=1)
        waits: list[float] = []
        async with (
            ts.open_client([gateway.backend(), second.backend()], retry=retry, pool=pool) as client,
            client.synthesize(audio_format=FORMAT) as speech,
        ):
            for sentence in SENTENCES:
                began = trio.current_time()
                await speech.send(sentence)
                speech.flush()
                await anext(speech)
                waits.append(trio.current_time() - began)
                await trio.sleep(7.0)
        assert max(waits[1:]) <= 0.21
        assert texts(second) == SENTENCES


async def test_where_all_backends_fail_the_last_error_is_raised(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(Refuse(401))
        second.plan(Speak(0.2), Close(1011), Refuse(403))
        with pytest.raises(ts.AuthenticationError):
            await say(gateway, second)


async def test_return_after_none_never_returns(gateway: ScriptedGateway) -> None:
    async with open_gateway() as second:
        gateway.plan(*[Refuse(503)] * 3)
        never = ts.RetryPolicy(max_attempts=2, return_after=None)
        async with ts.open_client([gateway.backend(), second.backend()], retry=never) as client:
            clip = await client.render(slowly(), audio_format=FORMAT)
        assert clip.duration > 1
        assert texts(second) == SENTENCES
