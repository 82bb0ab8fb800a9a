"""Whole syntheses by the client of the library, which knows nothing of this provider but its codec and its profile."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.providers.cartesia import Cartesia
from trio_speech.testing import Delivery, assert_spoken_once, hear

from .server import KEY, CartesiaServer, Reached

FORMAT = ts.AudioFormat.pcm16(8_000)
TEXT = "Dr. Smith saw a cat. Was it yours? No, ours is at home."
SENTENCES = ["Dr. Smith saw a cat.", "Was it yours?", "No, ours is at home."]
RESTLESS = Delivery(variation=0.4)
SLOW = Delivery(speed=2.0, latency=0.3)
PATIENCE = 60.0
"""Virtual seconds after which a session counts as hanging."""


@asynccontextmanager
async def client(server: CartesiaServer, key: str = KEY) -> AsyncGenerator[Any]:
    with trio.fail_after(PATIENCE):
        async with ts.open_client(Reached(Cartesia(key), server)) as speaking:
            yield speaking


async def said(server: CartesiaServer, text: str = TEXT, **asked: Any) -> tuple[ts.Speech, list[ts.AudioChunk]]:
    asked = {"voice": "v", "audio_format": FORMAT, **asked}
    async with client(server) as speaking, speaking.synthesize(text, **asked) as speech:
        chunks = [chunk async for chunk in speech]
    return speech, chunks


async def test_each_sentence_is_spoken_once_in_a_context_of_its_own_on_one_connection(
    autojump_clock: MockClock,
) -> None:
    server = CartesiaServer(RESTLESS)
    speech, chunks = await said(server)
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)
    assert (speech.resume, speech.spoken()) == ("word", TEXT)
    (visit,) = server.visits
    assert visit.texts == SENTENCES
    assert [message["continue"] for message in visit.said] == [True, False] * 3


@pytest.mark.parametrize("chunks_heard", range(1, 24, 2))
async def test_a_drop_is_not_heard(chunks_heard: int, autojump_clock: MockClock) -> None:
    server = CartesiaServer(RESTLESS, drops=deque([chunks_heard, 3, 3]))
    speech, chunks = await said(server)
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)
    assert speech.spoken() == TEXT
    assert speech.statistics().drops >= 1


async def test_without_word_times_sentences_come_whole(autojump_clock: MockClock) -> None:
    server = CartesiaServer(RESTLESS, drops=deque([9]))
    speech, chunks = await said(server, options={"add_timestamps": False})
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)
    assert speech.resume == "segment"
    assert len(chunks) == 3


async def test_word_times_that_do_not_come_lose_nothing(autojump_clock: MockClock) -> None:
    server = CartesiaServer(Delivery(alignment=None), drops=deque([9]))
    speech, chunks = await said(server)
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)
    assert speech.resume == "word"


async def barge_in(server: CartesiaServer) -> str:
    """What was heard after the user had broken in on the first sentence."""
    async with client(server) as speaking, speaking.synthesize(voice="v", audio_format=FORMAT) as speech:
        await speech.send(TEXT)
        await anext(speech)
        speech.clear()
        await trio.sleep(2.0)
        await speech.send("And now?")
        speech.end_input()
        audio = b"".join([chunk.audio async for chunk in speech])
    return " ".join(word.token for word in hear(audio))


@pytest.mark.parametrize("after_cancel", ["chunk", "done"])
async def test_a_connection_serves_on_after_a_barge_in(after_cancel: Any, autojump_clock: MockClock) -> None:
    server = CartesiaServer(SLOW, after_cancel)
    assert await barge_in(server) == "And now?"
    (visit,) = server.visits
    assert visit.cancelled == [visit.said[0]["context_id"]]
    assert visit.texts == [SENTENCES[0], "And now?"]


async def test_a_connection_on_which_nothing_follows_a_cancellation_is_given_up(autojump_clock: MockClock) -> None:
    server = CartesiaServer(SLOW, "nothing")
    assert await barge_in(server) == "And now?"
    assert [visit.texts for visit in server.visits] == [[SENTENCES[0]], ["And now?"]]


async def test_too_many_contexts_at_once_may_pass(autojump_clock: MockClock) -> None:
    server = CartesiaServer(errors=deque([{"status_code": 429, "title": "Too many"}]))
    _, chunks = await said(server)
    assert_spoken_once(chunks, TEXT, FORMAT.sample_rate)


async def test_a_model_that_is_not_known_ends_the_session(autojump_clock: MockClock) -> None:
    error = {"status_code": 400, "title": "Invalid model", "message": "It is not valid.", "request_id": "r1"}
    with pytest.raises(ts.ProviderError, match="Invalid model: It is not valid") as caught:
        await said(CartesiaServer(errors=deque([error])), model="sonic-9")
    assert (caught.value.code, caught.value.request_id, caught.value.model) == (400, "r1", "sonic-9")


async def test_a_wrong_key_ends_the_session(autojump_clock: MockClock) -> None:
    server = CartesiaServer()
    with pytest.raises(ts.AuthenticationError):
        async with client(server, "another") as speaking:
            await speaking.render(TEXT, voice="v", audio_format=FORMAT)
    assert len(server.visits) == 1


async def test_a_long_sentence_is_cut_before_it_is_too_long(autojump_clock: MockClock) -> None:
    text = " ".join(["word"] * 100) + "."
    server = CartesiaServer(Delivery(letter=0.001, gap=0.001))
    _, chunks = await said(server, text)
    assert_spoken_once(chunks, text, FORMAT.sample_rate)
    assert [len(piece) for piece in server.visits[0].texts] == [399, 100]


async def test_voices_do_not_share_connections(autojump_clock: MockClock) -> None:
    server = CartesiaServer()
    async with client(server) as speaking:
        for voice in ("v", "w", "v"):
            await speaking.render("Hello.", voice=voice, audio_format=FORMAT)
    assert [[message["voice"]["id"] for message in visit.said] for visit in server.visits] == [["v"] * 4, ["w"] * 2]


async def say_side_by_side(server: CartesiaServer, texts: list[str]) -> list[str]:
    """What is heard of each text, all spoken at once; the first begins a little earlier."""
    heard = [""] * len(texts)

    async def say(speaking: Any, number: int) -> None:
        await trio.sleep(0.5 * bool(number))
        clip = await speaking.render(texts[number], voice="v", audio_format=FORMAT)
        heard[number] = " ".join(word.token for word in hear(clip.audio))

    async with client(server) as speaking, trio.open_nursery() as nursery:
        for number in range(len(texts)):
            nursery.start_soon(say, speaking, number)
    return heard


TEXTS = ["Dr. Smith saw a cat.", "Was it yours?", "No, ours is at home."]


async def test_contexts_share_a_connection_that_is_there(autojump_clock: MockClock) -> None:
    server = CartesiaServer(SLOW)
    assert await say_side_by_side(server, TEXTS) == TEXTS
    (visit,) = server.visits
    assert sorted(visit.texts) == sorted(TEXTS)


@pytest.mark.parametrize("chunks_heard", range(3, 32, 4))
async def test_a_drop_of_what_they_share_is_heard_by_none(chunks_heard: int, autojump_clock: MockClock) -> None:
    server = CartesiaServer(Delivery(speed=2.0, latency=0.3, variation=0.4), drops=deque([chunks_heard]))
    assert await say_side_by_side(server, TEXTS) == TEXTS
    assert len(server.visits) >= 2


async def test_a_barge_in_on_one_context_is_not_heard_on_another(autojump_clock: MockClock) -> None:
    server = CartesiaServer(SLOW)
    heard: list[str] = []

    async def listen(speaking: Any) -> None:
        clip = await speaking.render(TEXT, voice="v", audio_format=FORMAT)
        heard.extend(word.token for word in hear(clip.audio))

    async with client(server) as speaking, trio.open_nursery() as nursery:
        nursery.start_soon(listen, speaking)
        await trio.sleep(1.0)
        async with speaking.synthesize("This will never be heard.", voice="v", audio_format=FORMAT) as speech:
            await anext(speech)
            speech.clear()
    assert " ".join(heard) == TEXT
    assert len(server.visits) == 1
