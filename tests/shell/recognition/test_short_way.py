"""Sessions over real sockets, where audio goes out from the task that captured it: what that may not pass over."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio

import trio_speech as ts
from trio_speech.providers._codec import Dial
from trio_speech.testing import (
    Await,
    Drop,
    Hear,
    Manner,
    ScriptedGateway,
    Speak,
    assert_exactly_once,
    assert_ledger,
    assert_spoken_once,
    say,
    speech,
)
from trio_speech.testing.scripted.backend import ScriptedBackend

ON_REQUEST = Manner(endpointing=None, longest=None, interim=None, onsets=False, silence=1e9)
"""Says nothing until it is asked for finals."""

IMPATIENT = ts.LivenessPolicy(progress_timeout=10.0)

Wired = Callable[[], ScriptedBackend]
"""The gateway, of its manner at the time, behind sockets."""


@pytest.fixture
async def wired(gateway: ScriptedGateway) -> AsyncGenerator[Wired, None]:
    async with trio.open_nursery() as nursery:
        yield lambda: ScriptedBackend(
            partial(_through_sockets, nursery, gateway),
            "ws://gateway.test/v1",
            gateway.manner.profile(),
            gateway.delivery.profile(),
        )
        nursery.cancel_scope.cancel()


async def _through_sockets(nursery: trio.Nursery, gateway: ScriptedGateway, dial: Dial) -> trio.SocketStream:
    far = await gateway.connect(dial)
    ours, theirs = (trio.SocketStream(trio.socket.from_stdlib_socket(each)) for each in socket.socketpair())
    nursery.start_soon(_join, theirs, far)
    return ours


async def _join(near: trio.abc.Stream, far: trio.abc.Stream) -> None:
    async with near, far, trio.open_nursery() as nursery:
        nursery.start_soon(_pump, near, far, nursery.cancel_scope)
        nursery.start_soon(_pump, far, near, nursery.cancel_scope)


async def _pump(source: trio.abc.Stream, sink: trio.abc.Stream, scope: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError):
        while data := await source.receive_some(65_536):
            await sink.send_all(data)
    scope.cancel()


@pytest.mark.parametrize("chunk", [0.02, 0.05, 0.07, 0.3])
async def test_a_result_that_is_owed_is_asked_for_however_the_audio_is_cut(
    gateway: ScriptedGateway, wired: Wired, chunk: float
) -> None:
    gateway.manner = ON_REQUEST
    said = speech(30.0)
    async with (
        ts.open_client(wired(), liveness=IMPATIENT, replay=ts.ReplayPolicy(limit=15.0)) as client,
        client.transcribe(said.source(chunk=chunk), said.audio_format) as transcript,
    ):
        with trio.fail_after(31.0):  # for the log never fills
            events = [event async for event in transcript]
    assert_exactly_once(events, said, gateway.visits)
    assert_ledger(transcript.statistics(), events, said.seconds)


@pytest.mark.parametrize("pieces", [1, 2, 6])
async def test_a_result_that_is_owed_is_asked_for_though_nothing_follows(
    gateway: ScriptedGateway, wired: Wired, pieces: int
) -> None:
    gateway.manner = ON_REQUEST
    said = say("hello", 0.05)  # six whole frames
    async with (
        ts.open_client(wired(), liveness=IMPATIENT) as client,
        client.transcribe(audio_format=said.audio_format) as transcript,
    ):
        await trio.sleep(1.0)
        for piece in said.chunks(0.3 / pieces):
            await transcript.send(piece)
        with trio.fail_after(5.1):
            while not isinstance(event := await anext(transcript), ts.FinalTranscript):
                continue
    assert event.text == "hello"


async def test_a_link_over_a_socket_that_breaks_loses_nothing(gateway: ScriptedGateway, wired: Wired) -> None:
    gateway.plan(Hear(3.0), Drop(), Hear(5.0), Drop())
    said = speech(20.0)
    async with ts.open_client(wired()) as client, client.transcribe(said, said.audio_format) as transcript:
        events = [event async for event in transcript]
    assert_exactly_once(events, said, gateway.visits)
    assert transcript.statistics().links == 3


async def test_a_synthesis_over_a_socket_that_breaks_repeats_nothing(gateway: ScriptedGateway, wired: Wired) -> None:
    gateway.plan(Await("done"), Speak(0.3), Drop(), Await("done"), Await("text"), Drop())
    spoken, audio_format = "Hello there. You are late.", ts.AudioFormat.pcm16(8_000)
    async with ts.open_client(wired()) as client:
        for _ in range(3):
            async with client.synthesize(spoken, audio_format=audio_format) as speech:
                chunks = [chunk async for chunk in speech]
            assert_spoken_once(chunks, spoken, audio_format.sample_rate)
    assert len(gateway.visits) == 3
