"""Leaving a block early takes at most ``close_timeout``, whatever the peer does; an ending is prompt."""

# ruff: noqa: PT012  # what is left by an exception is a block

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_speech as ts
from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    Delay,
    Drop,
    Freeze,
    Hear,
    Manner,
    NeverAnswer,
    Outage,
    Refuse,
    ScriptedGateway,
    StallWrites,
    Step,
    open_gateway,
    say,
    speech,
)

SAID = say(0.2, "turn left", 1.0, "now", 1.0)
HAIR = 0.01

PEERS: dict[str, tuple[Step, ...]] = {
    "well": (),
    "black hole": (Hear(1.0), BlackHole()),
    "stalled": (Hear(1.0), StallWrites()),
    "frozen": (Hear(1.0), Freeze(60.0)),
    "slow": (Delay(60.0),),
    "black hole at the close": (Await("close"), BlackHole()),
    "stalled at the close": (Await("close"), StallWrites()),
    "frozen at the close": (Await("close"), Freeze(60.0)),
    "close frame, open stream": (Hear(1.0), Close(1011, lingers=60.0)),
    "never answers": (NeverAnswer(),),
    "silent outage": (Outage(60.0, silent=True),),
    "refuses": (Refuse(503, retry_after=30.0),),
    "drops": (Hear(1.0), Drop()),
}


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> tuple[Step, ...]:
    return PEERS[request.param]


@pytest.mark.parametrize("ended", [False, True])
async def test_leaving_early_is_bounded_whatever_the_peer_does(
    gateway: ScriptedGateway, peer: tuple[Step, ...], ended: bool
) -> None:
    gateway.plan(*peer)
    async with gateway.client() as client:
        async with client.transcribe() as transcript:
            await transcript.send(SAID.audio)
            await trio.sleep(1.5)
            if ended:
                transcript.end_input()
            left = trio.current_time()
        assert trio.current_time() - left <= 2.0 + HAIR
        left = trio.current_time()
    assert trio.current_time() - left <= HAIR


async def test_leaving_by_a_timeout_is_bounded_too(gateway: ScriptedGateway, peer: tuple[Step, ...]) -> None:
    gateway.plan(*peer)
    with trio.move_on_after(1.5) as scope:
        async with gateway.client() as client, client.transcribe(SAID) as transcript:
            async for _ in transcript:
                pass
    assert scope.cancelled_caught
    assert trio.current_time() <= 3.5 + HAIR


async def test_leaving_by_an_exception_is_bounded_too(gateway: ScriptedGateway, peer: tuple[Step, ...]) -> None:
    gateway.plan(*peer)
    with pytest.raises(ZeroDivisionError):
        async with gateway.client() as client, client.transcribe(SAID):
            await trio.sleep(1.5)
            raise ZeroDivisionError
    assert trio.current_time() <= 3.5 + HAIR


async def test_the_bound_is_the_policys(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), BlackHole())
    async with gateway.client(liveness=ts.LivenessPolicy(close_timeout=0.25)) as client:
        async with client.transcribe(SAID):
            await trio.sleep(1.52)  # between two frames: a frame that is cut ends the connection at once
            left = trio.current_time()
        assert trio.current_time() - left == pytest.approx(0.25, abs=HAIR)


async def test_no_farewell_at_all(gateway: ScriptedGateway) -> None:
    async with gateway.client(liveness=ts.LivenessPolicy(close_timeout=0.0)) as client:
        async with client.transcribe(SAID):
            await trio.sleep(1.5)
            left = trio.current_time()
        assert trio.current_time() - left <= HAIR
    await wait_all_tasks_blocked()
    assert gateway.open == []


async def test_a_write_that_is_stuck_does_not_hold_the_block() -> None:
    async with open_gateway(capacity=512) as gateway:
        gateway.plan(StallWrites())
        async with gateway.client() as client:
            async with client.transcribe(SAID):
                await trio.sleep(1.5)
                left = trio.current_time()
            assert trio.current_time() - left <= 2.0 + HAIR


async def test_a_source_that_will_not_end_does_not_hold_the_block(gateway: ScriptedGateway) -> None:
    async def mute() -> AsyncIterator[bytes]:
        yield bytes(32_000)
        await trio.sleep_forever()

    async with gateway.client() as client:
        async with client.transcribe(mute()):
            await trio.sleep(1.5)
            left = trio.current_time()
        assert trio.current_time() - left <= HAIR


async def test_the_service_is_told_when_a_session_is_left(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SAID):
        await trio.sleep(1.5)
    (visit,) = gateway.visits
    assert visit.kinds("client")[-1] == "session.close"


async def test_nothing_is_left_open_by_a_block_that_was_left_at_once(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe():
        pass
    assert gateway.open == []
    assert trio.current_time() <= HAIR


async def test_unread_events_do_not_hold_the_block(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        async with client.transcribe(SAID) as transcript:
            await trio.sleep(10.0)
            left = trio.current_time()
        assert trio.current_time() - left <= HAIR
    assert transcript.unacknowledged() == (0.0, SAID.audio)


async def test_once_left_everything_is_closed(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        await trio.sleep(0.1)
    with pytest.raises(trio.ClosedResourceError):
        await transcript.send(b"")
    with pytest.raises(trio.ClosedResourceError):
        await transcript.__anext__()
    with pytest.raises(trio.ClosedResourceError):
        await transcript.settled()
    with pytest.raises(trio.ClosedResourceError):
        transcript.finalize()
    with pytest.raises(trio.ClosedResourceError):
        transcript.update(language="de")
    transcript.end_input()
    assert transcript.unacknowledged() == (0.0, SAID.audio)


async def test_those_that_wait_learn_that_the_block_was_left(gateway: ScriptedGateway) -> None:
    closed: list[str] = []

    async with trio.open_nursery() as nursery, gateway.client(replay=ts.ReplayPolicy(limit=2.0)) as client:
        gateway.plan(NeverAnswer())
        async with client.transcribe() as transcript:

            async def expect_closed(name: str) -> None:
                with pytest.raises(trio.ClosedResourceError):
                    match name:
                        case "next":
                            await transcript.__anext__()
                        case "settled":
                            await transcript.settled()
                        case "send":
                            await transcript.send(bytes(64_000))
                closed.append(name)

            await transcript.send(bytes(64_000))
            for name in ("next", "settled", "send"):
                nursery.start_soon(expect_closed, name)
            await trio.sleep(1.0)
    assert sorted(closed) == ["next", "send", "settled"]


# ---------------------------------------------------------------- endings


@pytest.mark.parametrize(
    ("manner", "within"),
    [
        (Manner(), 0.5),
        (Manner(endpointing=None), 0.5),
        (Manner(finalized="before", trailing=0.4), 1.0),
        (Manner(finalized="never"), 12.0),
        (Manner(word_times=False), 0.5),
        (Manner(spans="billed"), 0.5),
        (Manner(held=5.0), 0.5),
    ],
)
@pytest.mark.parametrize("tail", [0.0, 1.0])
async def test_an_ending_is_prompt(gateway: ScriptedGateway, manner: Manner, within: float, tail: float) -> None:
    gateway.manner = manner
    said = say(0.2, "turn left", 1.0, "now", tail)
    async with gateway.client() as client:
        recognition = await client.recognize(said)
    assert recognition.text == "turn left now"
    assert trio.current_time() - said.seconds <= within + HAIR


async def test_a_peer_that_never_answers_the_close_costs_the_farewell_only(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("close"), BlackHole())
    async with gateway.client() as client:
        async with client.transcribe(SAID) as transcript:
            events = [event async for event in transcript]
            ended = trio.current_time()
        assert trio.current_time() - ended <= 2.0 + HAIR
    assert ended <= SAID.seconds + 0.5 + HAIR
    assert not any(isinstance(event, ts.LinkLost) for event in events)


async def test_silence_alone_ends_promptly(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        recognition = await client.recognize(say(5.0))
    assert (recognition.text, recognition.gaps) == ("", ())
    assert trio.current_time() <= 5.5 + HAIR


async def test_no_audio_at_all_ends_at_once(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        transcript.end_input()
        assert [event async for event in transcript] == []
    assert trio.current_time() <= HAIR


async def test_a_long_session_ends_promptly(gateway: ScriptedGateway) -> None:
    said = speech(120.0)
    async with gateway.client() as client:
        await client.recognize(said)
    assert trio.current_time() <= 120.5 + HAIR


# ---------------------------------------------------------------- a source that is not done


FOREVER = ts.RetryPolicy(max_attempts=None, deadline=None)


async def test_a_timeout_while_the_source_waits_for_room_is_just_that(gateway: ScriptedGateway) -> None:
    gateway.plan(Outage(60.0))
    said = speech(30.0)
    async with (
        gateway.client(retry=FOREVER, replay=ts.ReplayPolicy(limit=5.0)) as client,
        client.transcribe(said, said.audio_format) as transcript,
    ):
        with trio.move_on_after(10.0) as patience:
            async for _ in transcript:
                pass
    assert patience.cancelled_caught
    assert transcript.unacknowledged() == (0.0, said.audio[: len(transcript.unacknowledged()[1])])
    assert transcript.statistics().captured == 5.0


@pytest.mark.parametrize("at", [1.0, 10.0])
async def test_end_input_ends_a_source_too_be_it_waiting_for_room_or_not(gateway: ScriptedGateway, at: float) -> None:
    gateway.plan(Outage(20.0))
    said, closed = speech(30.0), trio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            async for audio in said:
                yield audio
        finally:
            closed.set()

    async with (
        gateway.client(retry=FOREVER, replay=ts.ReplayPolicy(limit=5.0)) as client,
        client.transcribe(source(), said.audio_format) as transcript,
    ):
        await trio.sleep(at)
        transcript.end_input()
        async for _ in transcript:
            pass
        assert closed.is_set()
    statistics = transcript.statistics()
    assert statistics.settled == statistics.captured == pytest.approx(min(at, 5.0), abs=0.1)
