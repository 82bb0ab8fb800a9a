"""The built-in engines by way of their processes, and the whole gateway over them."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.gateway import (
    Declined,
    Final,
    Finalized,
    Hearing,
    LocalVoice,
    Manner,
    open_local_gateway,
    open_voice,
)

TEXT = "The weather is very nice today. It will rain tomorrow afternoon."


@pytest.fixture
async def voice() -> AsyncGenerator[LocalVoice, None]:
    async with open_voice() as voice:
        yield voice


async def test_a_text_is_spoken_sentence_by_sentence_on_one_clock(voice: LocalVoice) -> None:
    samples, words = 0, []
    async with voice.synthesise(TEXT, Manner(sample_rate=24_000)) as speech:
        async for piece in speech:
            words += piece.words
            samples += len(piece.pcm) // 2
    assert [word.text for word in words] == TEXT.split()
    assert all(a.end <= b.start for a, b in zip(words, words[1:], strict=False))
    assert 3 * 24_000 < words[-1].end <= samples < 6 * 24_000


async def test_a_synthesis_that_is_given_up_frees_its_worker(voice: LocalVoice) -> None:
    for _ in range(4):
        async with voice.synthesise(TEXT * 3, Manner(sample_rate=16_000)) as speech:
            await anext(speech)
    with trio.fail_after(20):
        async with voice.synthesise("Done.", Manner(sample_rate=16_000)) as speech:
            assert [piece async for piece in speech]


async def test_readers_that_do_not_read_hold_up_nobody(voice: LocalVoice) -> None:
    manner = Manner(sample_rate=16_000)
    async with (
        voice.synthesise(TEXT, manner) as a,
        voice.synthesise(TEXT, manner) as b,
        voice.synthesise(TEXT, manner) as c,
    ):
        with trio.fail_after(30):
            for speech in (a, b, c):
                await anext(speech)
            async with voice.synthesise("Done.", manner) as speech:
                assert [piece async for piece in speech]


@pytest.mark.parametrize(
    "manner",
    [
        Manner(sample_rate=23_999),
        Manner(sample_rate=16_000, language="fr"),
        Manner(sample_rate=16_000, options={"speed": "fast"}),
        Manner(sample_rate=16_000, options={"speed": 9}),
    ],
)
async def test_what_it_cannot_do_is_declined(voice: LocalVoice, manner: Manner) -> None:
    with pytest.raises(Declined):
        async with voice.synthesise("Hello.", manner) as speech:
            await anext(speech)


async def in_chunks(pcm: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(pcm), 3_200):
        yield pcm[start : start + 3_200]


async def test_the_client_hears_what_it_says_word_for_word() -> None:
    async with ts.open_client(ts.Local()) as client:
        clip = await client.render(TEXT, audio_format=ts.AudioFormat.pcm16(16_000))
        heard = await client.recognize(in_chunks(clip.audio), ts.AudioFormat.pcm16(16_000))
    assert heard.text == "the weather is very nice today it will rain tomorrow afternoon"
    assert heard.gaps == ()
    assert [word.text for word in clip.words] == TEXT.split()


async def test_a_recogniser_that_is_killed_costs_its_session_alone(dial_on: Any) -> None:
    async with (
        open_local_gateway() as connect,
        dial_on(connect, "/v1/stt") as wire,
        dial_on(connect, "/v1/tts") as other,
    ):
        await wire.send("session.create")
        assert await wire.receive(within=30) == {"type": "session.created"}
        await wire.send("input_audio", audio=base64.b64encode(bytes(3_200)).decode())
        await wire.send("session.finalize")
        assert await wire.receive() == {"type": "session.finalized"}
        await other.send("session.create")
        assert await other.receive() == {"type": "session.created"}


async def test_the_loop_is_not_held_up_while_speech_is_recognised(voice: LocalVoice) -> None:
    lags: list[float] = []

    async def watch() -> None:
        while True:
            due = trio.current_time() + 0.01
            await trio.sleep_until(due)
            lags.append(trio.current_time() - due)

    manner = Manner(sample_rate=16_000)
    async with voice.synthesise(TEXT, manner) as speech:
        pcm = b"".join([piece.pcm async for piece in speech])
    async with (
        ts.gateway.open_recogniser(sessions=1) as recogniser,
        recogniser.open(Hearing(sample_rate=16_000)) as session,
    ):
        finals = []

        async def feed() -> None:
            async for chunk in in_chunks(pcm):
                await session.feed(chunk)
            await session.finalize()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            nursery.start_soon(feed)
            while not isinstance(result := await session.receive(), Finalized):
                if isinstance(result, Final):
                    finals.append(result.text)
            nursery.cancel_scope.cancel()
    assert " ".join(finals) == "the weather is very nice today it will rain tomorrow afternoon"
    lags.sort()
    assert lags[len(lags) // 2] < 0.02  # seconds; the decoding itself takes two
