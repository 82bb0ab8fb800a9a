from __future__ import annotations

import base64
from typing import Any

import pytest
import trio

from trio_speech._core.retry.causes import PeerClosed
from trio_speech._shell.connection import LinkDown


async def opened(wire: Any, **fields: Any) -> None:
    await wire.send("session.create", **{"sample_rate": "24000", "encoding": "pcm_s16le", "extra": {}} | fields)
    assert await wire.receive() == {"type": "session.created"}


def audio(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(m["audio"]) for m in messages if m["type"] == "output_audio")


def words(messages: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    aligned = [word for m in messages if m["type"] == "output_alignment" for word in m["words"]]
    return [(word["word"], round(word["start"] * 24_000), round(word["end"] * 24_000)) for word in aligned]


async def test_two_generations_on_one_connection(dial: Any, autojump_clock: Any, voice: Any) -> None:
    async with dial("/v1/tts?model=rime%2Fcoda") as wire:
        await opened(wire, voice="luna", language="en-US", extra={"speed": 1.5})
        await wire.send("input_transcript", transcript="Hello there. ", generation_config={}, extra={})
        await wire.send("input_transcript", transcript="Again. ")
        await wire.send("session.flush")
        first = await wire.receive_until("done")
        await wire.send("input_transcript", transcript="Anew. ", generation_config={"voice": "asteria"}, extra={"x": 1})
        await wire.send("session.flush")
        second = await wire.receive_until("done")
        await wire.send("session.close")
        assert await wire.receive() == {"type": "session.closed"}
    assert audio(first) == b"\0\0" * 10 + b"\1\0" * 10 + b"\0\0" * 10
    assert words(first) == [("Hello ", 0, 8), ("there. ", 10, 18), ("Again. ", 20, 28)]
    assert words(second) == [("Anew. ", 0, 8)]
    (text, options), _, (_, changed) = voice.spoken
    assert (text, options.sample_rate, options.voice) == ("Hello there. ", 24_000, "luna")
    assert (options.language, options.model, options.options) == ("en-US", "rime/coda", {"speed": 1.5})
    assert (changed.voice, changed.options) == ("asteria", {"speed": 1.5, "x": 1})


@pytest.mark.parametrize(("encoding", "zero"), [("mulaw", b"\xff"), ("alaw", b"\xd5")])
async def test_telephone_audio_is_sent_as_it_is_asked_for(
    dial: Any, autojump_clock: Any, encoding: str, zero: bytes
) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire, encoding=encoding, sample_rate="8000")
        await wire.send("input_transcript", transcript="one")
        await wire.send("session.flush")
        assert audio(await wire.receive_until("done")) == zero * 10


async def test_the_words_of_cartesia_come_without_spaces(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire, model="cartesia/sonic-3")
        await wire.send("input_transcript", transcript="one two")
        await wire.send("session.flush")
        assert words(await wire.receive_until("done")) == [("one", 0, 8), ("two", 10, 18)]


async def test_blank_text_is_done_without_audio(dial: Any, autojump_clock: Any, voice: Any) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire)
        await wire.send("input_transcript", transcript="  ")
        await wire.send("session.flush")
        assert await wire.receive() == {"type": "done"}
    assert voice.spoken == []


async def test_speaking_begins_before_the_flush(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire, transcript="from the start")
        assert (await wire.receive())["type"] == "output_alignment"
        assert (await wire.receive())["type"] == "output_audio"


async def test_a_client_that_leaves_gives_up_its_speech(dial: Any, autojump_clock: Any, voice: Any) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire)
        await wire.send("input_transcript", transcript="one two three")
        await wire.receive()
        wire.connection.abort("barge-in")
        await trio.testing.wait_all_tasks_blocked()
        assert voice.given_up == 1


async def test_closing_in_mid_speech_is_answered_at_once(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire)
        await wire.send("input_transcript", transcript="one two three")
        began = trio.current_time()
        await wire.send("session.close")
        assert await wire.receive_until("session.closed")
        assert trio.current_time() == began


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"input_transcript","transcript":7}', 400),
        ('{"type":"input_transcript","transcript":"' + "x" * 20_001 + '"}', 400),
        ('{"type":"session.create"}', 400),
        (b"hello", 400),
        ("{", 400),
        ('{"type":"input_transcript","transcript":"crash"}', 500),
    ],
)
async def test_an_error_is_sent_and_ends_the_connection(dial: Any, autojump_clock: Any, frame: Any, code: int) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire)
        await wire.send_raw(frame)
        error = await wire.receive()
        assert (error["type"], error["code"]) == ("error", code)
        with pytest.raises(LinkDown) as ended:
            await wire.receive()
        assert isinstance(ended.value.cause, PeerClosed)


@pytest.mark.parametrize("opening", ['{"type":"session.flush"}', '{"type":"session.create","encoding":"mp3"}'])
async def test_a_bad_session_create_is_answered_with_400(dial: Any, autojump_clock: Any, opening: str) -> None:
    async with dial("/v1/tts") as wire:
        await wire.send_raw(opening)
        error = await wire.receive()
        assert (error["type"], error["code"]) == ("error", 400)


async def test_a_slow_reader_bounds_what_is_made(dial: Any, autojump_clock: Any, voice: Any) -> None:
    async with dial("/v1/tts") as wire:
        await opened(wire)
        for _ in range(10):
            await wire.send("input_transcript", transcript="word " * 2_000)
        await trio.sleep(4_000)
        assert len(voice.spoken) < 5
