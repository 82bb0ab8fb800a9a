"""The official Cartesia client, unmodified, and ours, against one and the same server.

It needs ``cartesia[websockets]`` installed, and is skipped without.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.providers.cartesia import Cartesia
from trio_speech.testing import Delivery, hear

from ..providers.cartesia.server import KEY, CartesiaServer, listening

pytest.importorskip("websockets")
official = pytest.importorskip("cartesia")

TEXT = "Dr. Smith saw a cat."
FORMAT = ts.AudioFormat.pcm16(24_000)
ASKED: dict[str, Any] = {
    "model_id": "sonic-3",
    "voice": {"mode": "id", "id": "a0e99841-438c-4a64-b679-ae501e7d6091"},
    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000},
    "language": "en",
    "add_timestamps": True,
    "max_buffer_delay_ms": 0,
}
PATIENCE = 60.0


def checked(event: Any) -> Any:
    """The event, which has all that the official types demand: the client itself does not look."""
    type(event).model_validate(event.model_dump(by_alias=True))
    return event


def audio_of(events: Iterable[Any], **fields: Any) -> bytes:
    chunks = (event for event in events if event.type == "chunk")
    return b"".join(
        event.audio for event in chunks if all(getattr(event, name) == value for name, value in fields.items())
    )


def spoken(audio: bytes) -> str:
    return " ".join(word.token for word in hear(audio))


def words_of(events: Iterable[Any]) -> list[tuple[str, float, float]]:
    times = [event.word_timestamps for event in events if event.type == "timestamps"]
    return [word for each in times for word in zip(each.words, each.start, each.end, strict=True)]


async def by_the_official_client(base: str, use: Any) -> Any:
    """What `use` makes of one official connection, in a thread."""

    def run() -> Any:
        client = official.Cartesia(api_key=KEY, websocket_base_url=base)
        with client.tts.websocket_connect() as connection:
            return use(connection)

    with trio.fail_after(PATIENCE):
        return await trio.to_thread.run_sync(run, abandon_on_cancel=True)


def one_sentence(connection: Any) -> list[Any]:
    context = connection.context(**ASKED)
    context.push(TEXT)
    context.no_more_inputs()
    return [checked(event) for event in context.receive()]


async def test_the_official_client_hears_every_word() -> None:
    async with listening(CartesiaServer()) as base:
        events = await by_the_official_client(base, one_sentence)
    assert spoken(audio_of(events)) == TEXT
    assert [word for word, _, _ in words_of(events)] == TEXT.split()
    assert [event.type for event in events[-2:]] == ["flush_done", "done"]


async def test_both_clients_say_the_same_and_hear_the_same() -> None:
    server = CartesiaServer()
    async with listening(server) as base:
        events = await by_the_official_client(base, one_sentence)
        async with ts.open_client(Cartesia(KEY, url=base)) as client:
            clip = await client.render(
                TEXT,
                model=ASKED["model_id"],
                voice=ASKED["voice"]["id"],
                language=ASKED["language"],
                audio_format=FORMAT,
            )
    assert clip.audio == audio_of(events)
    assert [(word.text, word.start, word.end) for word in clip.words] == words_of(events)
    theirs, ours = server.visits
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert ours.resource.partition("?")[0] == theirs.resource.partition("?")[0]
    assert [nameless(message) for message in ours.said] == [nameless(message) for message in theirs.said]


def nameless(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "context_id"}


async def test_the_official_asynchronous_client_hears_every_word() -> None:
    async def speak(base: str) -> list[Any]:
        client = official.AsyncCartesia(api_key=KEY, websocket_base_url=base)
        async with client.tts.websocket_connect() as connection:
            context = connection.context(**ASKED)
            await context.push(TEXT)
            await context.no_more_inputs()
            return [checked(event) async for event in context.receive()]

    async with listening(CartesiaServer()) as base:
        with trio.fail_after(PATIENCE):
            events = await trio.to_thread.run_sync(asyncio.run, speak(base), abandon_on_cancel=True)
    assert spoken(audio_of(events)) == TEXT


async def test_text_that_streams_in_is_one_context() -> None:
    def use(connection: Any) -> list[Any]:
        context = connection.context(**{**ASKED, "max_buffer_delay_ms": 3_000})
        for piece in ("Dr. Smith ", "saw ", "a cat."):
            context.push(piece)
        context.no_more_inputs()
        return [checked(event) for event in context.receive()]

    async with listening(CartesiaServer()) as base:
        events = await by_the_official_client(base, use)
    assert spoken(audio_of(events)) == TEXT


async def test_a_flush_divides_a_context() -> None:
    def use(connection: Any) -> list[Any]:
        context = connection.context(**{**ASKED, "max_buffer_delay_ms": 3_000})
        context.push("Dr. Smith ")
        context.push("", flush=True)
        context.push("saw a cat.")
        context.no_more_inputs()
        return [checked(event) for event in context.receive()]

    async with listening(CartesiaServer()) as base:
        events = await by_the_official_client(base, use)
    assert spoken(audio_of(events, flush_id=1)) == "Dr. Smith"
    assert spoken(audio_of(events, flush_id=None)) == "saw a cat."
    assert [event.flush_id for event in events if event.type == "flush_done"] == [1]
    starts = [start for _, start, _ in words_of(events)]
    assert starts == sorted(starts)


async def test_contexts_speak_at_the_same_time() -> None:
    def use(connection: Any) -> list[str]:
        contexts = [connection.context(**ASKED) for _ in range(3)]
        for number, context in enumerate(contexts):
            context.push(f"This is {number}.")
            context.no_more_inputs()
        return [spoken(audio_of(map(checked, context.receive()))) for context in contexts]

    async with listening(CartesiaServer()) as base:
        assert await by_the_official_client(base, use) == ["This is 0.", "This is 1.", "This is 2."]


async def test_a_connection_serves_on_after_a_cancellation() -> None:
    def use(connection: Any) -> list[Any]:
        context = connection.context(**ASKED)
        context.push(TEXT)
        next(event for event in context.receive() if event.type == "chunk")
        context.cancel()
        following = connection.context(**ASKED)
        following.push("And now?")
        following.no_more_inputs()
        # The client hands over what comes of a context that it has forgotten, up to its `done`, and leaves it to us.
        return [checked(event) for event in following.receive() if event.context_id == following._context_id]

    server = CartesiaServer(Delivery(speed=50.0))
    async with listening(server) as base:
        events = await by_the_official_client(base, use)
    assert spoken(audio_of(events)) == "And now?"
    assert server.visits[0].cancelled == [server.visits[0].said[0]["context_id"]]


async def test_errors_are_understood() -> None:
    error = {
        "status_code": 400,
        "title": "Invalid model",
        "message": "It is not valid.",
        "error_code": "model_not_found",
        "request_id": "r1",
    }
    async with listening(CartesiaServer(errors=deque([error]))) as base:
        (event,) = await by_the_official_client(base, one_sentence)
    assert (event.type, event.done, event.error) == ("error", True, "Invalid model: It is not valid.")
