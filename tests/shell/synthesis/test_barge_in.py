"""Barge-in through a telephone bridge: a caller behind a real websocket, with a decoder on its side of the line.

The bridge hands every chunk on at once, so only the caller knows how far the playback has come. It plays frames of
20 ms, and interrupts after a number of them, so that the tests need no clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from trio_websocket import WebSocketConnection, WebSocketRequest, open_websocket, serve_websocket

import trio_speech as ts
from trio_speech.testing import Delivery, ScriptedGateway, hear

FORMAT = ts.AudioFormat.pcm16(8_000)
FRAME = FORMAT.samples(0.02)
FLUSH, END = "flush", "end"
CALLS, REPLIES = 10, 20
ALIGNED = [
    Delivery(),
    Delivery(alignment="chars"),
    Delivery(aligns="before"),
    Delivery(variation=0.3),
    Delivery(letter=0.03),
]
OTHER = [Delivery(alignment=None), Delivery(alignment=None, variation=0.3)]
SUBJECTS = ("The next train", "My colleague", "That ticket", "A fast bus", "Your booking")
WHAT = ("leaves at nine", "is still open", "costs four pounds", "will be here soon", "comes from the coast")


def text_of(random: Random) -> str:
    return " ".join(f"{random.choice(SUBJECTS)} {random.choice(WHAT)}, I think." for _ in range(random.randint(1, 3)))


class Caller:
    """The far end of the line."""

    def __init__(self, line: WebSocketConnection) -> None:
        self._line = line
        self.heard = b""
        """What was played of the last reply."""

    async def listen(self, frames: int) -> None:
        """Plays so many frames of a reply, or all of it, and then says how many samples it has played."""
        audio = bytearray()
        while len(audio) < 2 * FRAME * frames and (message := await self._line.get_message()) != END:
            audio += message
        self.heard = bytes(audio[: 2 * FRAME * frames])
        await self._line.send_message(str(len(self.heard) // 2))

    async def fall_silent(self) -> None:
        """Drops what was under way when it interrupted."""
        while await self._line.get_message() != FLUSH:
            pass

    def words(self) -> list[str]:
        """The words that were heard whole."""
        return [word.text for word in hear(self.heard) if not word.token.endswith("-")]


@asynccontextmanager
async def a_call() -> AsyncIterator[tuple[WebSocketConnection, Caller]]:
    """The agent's end of a line, and the caller at the other."""
    accepted, line = trio.open_memory_channel[WebSocketConnection](1)

    async def accept(request: WebSocketRequest) -> None:
        await accepted.send(await request.accept())
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, accept, "127.0.0.1", 0, None)
        async with open_websocket("127.0.0.1", server.port, "/", use_ssl=False) as agent:
            yield agent, Caller(await line.receive())
            nursery.cancel_scope.cancel()


async def bridge(speech: ts.Speech, line: WebSocketConnection, segments: range) -> None:
    """Hands on what is spoken, until the last of these segments ends."""
    async for chunk in speech:
        assert chunk.segment in segments
        if chunk.audio:
            await line.send_message(chunk.audio)
        if chunk.ends_segment and chunk.segment == segments[-1]:
            break
    await line.send_message(END)


def frames_of(random: Random, text: str) -> int:
    """How long the caller listens: sometimes not at all, sometimes to the end."""
    return random.randint(0, 4 * len(text))


@pytest.mark.parametrize("seed", range(CALLS))
async def test_a_synthesis_for_each_reply_tells_what_the_caller_heard(gateway: ScriptedGateway, seed: int) -> None:
    random = Random(seed)
    async with a_call() as (line, caller), gateway.client() as client:
        for _ in range(REPLIES // 2):
            gateway.delivery = random.choice(ALIGNED)
            text = text_of(random)
            frames, played = frames_of(random, text), 0.0
            with trio.CancelScope() as reply:
                async with client.synthesize(text, audio_format=FORMAT) as speech, trio.open_nursery() as nursery:
                    nursery.start_soon(caller.listen, frames)
                    nursery.start_soon(bridge, speech, line, range(9))
                    played = int(await line.get_message()) / FORMAT.sample_rate
                    reply.cancel()
            assert speech.spoken(at=played).split() == caller.words()
            assert text.startswith(speech.spoken(at=played))
            await line.send_message(FLUSH)
            await caller.fall_silent()


@pytest.mark.parametrize("seed", range(CALLS, 2 * CALLS))
async def test_a_session_of_many_replies_is_cut_where_the_caller_interrupted(
    gateway: ScriptedGateway, seed: int
) -> None:
    random = Random(seed)
    gateway.delivery = ALIGNED[seed % len(ALIGNED)]
    heard: list[str] = []
    async with a_call() as (line, caller), gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        for _ in range(REPLIES // 2):
            text, before = text_of(random), speech.statistics()
            await speech.send(text)
            speech.flush()
            segments = range(before.segments, speech.statistics().segments)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(caller.listen, frames_of(random, text))
                nursery.start_soon(bridge, speech, line, segments)
                played = int(await line.get_message()) / FORMAT.sample_rate
                cut = speech.clear(heard=before.handed_over + played)
                nursery.cancel_scope.cancel()
            await line.send_message(FLUSH)
            await caller.fall_silent()
            heard += caller.words()
            assert cut.split() == speech.spoken().split() == heard


@pytest.mark.parametrize("seed", range(4))
async def test_a_voice_without_alignment_never_claims_more_than_was_heard(gateway: ScriptedGateway, seed: int) -> None:
    random = Random(seed)
    gateway.delivery = OTHER[seed % len(OTHER)]
    async with a_call() as (line, caller), gateway.client() as client:
        for _ in range(REPLIES // 2):
            text = text_of(random)
            async with client.synthesize(text, audio_format=FORMAT) as speech, trio.open_nursery() as nursery:
                nursery.start_soon(caller.listen, frames_of(random, text))
                nursery.start_soon(bridge, speech, line, range(9))
                claimed = speech.clear(heard=int(await line.get_message()) / FORMAT.sample_rate).split()
                nursery.cancel_scope.cancel()
            await line.send_message(FLUSH)
            await caller.fall_silent()
            assert claimed == caller.words()[: len(claimed)]


@pytest.mark.parametrize("patience", [0, 1, 7, 15])
async def test_the_line_is_silent_after_a_clear(gateway: ScriptedGateway, patience: int) -> None:
    gateway.delivery = Delivery(speed=2.0)
    async with gateway.client() as client, client.synthesize(audio_format=FORMAT) as speech:
        await speech.send("The next train to the coast leaves at nine. It is a fast one.")
        speech.flush()
        for _ in range(patience):
            await anext(speech)
        speech.clear()
        with trio.move_on_after(60.0) as silence:
            await anext(speech)
        assert silence.cancelled_caught
