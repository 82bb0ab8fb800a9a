"""The built-in engines by way of their processes, and the whole gateway over them."""

from __future__ import annotations

import base64
import math
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.gateway import (
    Declined,
    Final,
    Finalized,
    LocalVoice,
    RecognitionOptions,
    SynthesisOptions,
    open_local_gateway,
    open_recognizer,
    open_voice,
)

TEXT = "The weather is very nice today. It will rain tomorrow afternoon."


@pytest.fixture
async def voice() -> AsyncGenerator[LocalVoice, None]:
    async with open_voice() as voice:
        yield voice


async def test_a_text_is_spoken_sentence_by_sentence_on_one_clock(voice: LocalVoice) -> None:
    samples, words = 0, []
    async with voice.synthesize(TEXT, SynthesisOptions(sample_rate=24_000)) as speech:
        async for piece in speech:
            words += piece.words
            samples += len(piece.pcm) // 2
    assert [word.text for word in words] == TEXT.split()
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert 3 * 24_000 < words[-1].end <= samples < 6 * 24_000


async def test_a_synthesis_that_is_given_up_frees_its_worker(voice: LocalVoice) -> None:
    for _ in range(4):
        async with voice.synthesize(TEXT * 3, SynthesisOptions(sample_rate=16_000)) as speech:
            await anext(speech)
    with trio.fail_after(20):
        async with voice.synthesize("Done.", SynthesisOptions(sample_rate=16_000)) as speech:
            assert [piece async for piece in speech]


async def test_a_reader_that_does_not_read_holds_up_no_other(voice: LocalVoice) -> None:
    options = SynthesisOptions(sample_rate=16_000)
    with trio.fail_after(60):
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await anext(await stack.enter_async_context(voice.synthesize(TEXT, options)))
            speech = await stack.enter_async_context(voice.synthesize("Done.", options))
            assert [piece async for piece in speech]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sample_rate": 23_999}, "sample rate 23999"),
        ({"language": "fr"}, "the voice hibari knows English only, not 'fr'"),
        ({"voice": "alice"}, "no voice 'alice' here: there is 'hibari'"),
        ({"model": "rime/coda"}, "no model 'rime/coda' here: the voice hibari is 'local/hibari'"),
        ({"options": {"pitch": 2}}, "no option 'pitch'"),
        *(({"options": {"speed": speed}}, "speed must be") for speed in ("fast", True, 0.4, 2.1, math.nan, math.inf)),
    ],
)
async def test_what_the_voice_does_not_have_is_declined_by_name(
    voice: LocalVoice, changes: dict[str, Any], says: str
) -> None:
    options = SynthesisOptions(**{"sample_rate": 16_000} | changes)
    with pytest.raises(Declined, match=says):
        async with voice.synthesize("Hello.", options) as speech:
            await anext(speech)


CHINESE, RUSSIAN, THAI, ARABIC = "\u4f60\u597d", "\u041f\u0440\u0438", "\u0e2a\u0e27\u0e31", "\u0645\u0631"


@pytest.mark.parametrize("text", [CHINESE, f"Hello {CHINESE} there.", RUSSIAN, THAI, ARABIC])
async def test_a_script_that_the_voice_cannot_read_is_declined(voice: LocalVoice, text: str) -> None:
    with pytest.raises(Declined, match="reads Latin letters only"):
        async with voice.synthesize(text, SynthesisOptions(sample_rate=16_000)) as speech:
            await anext(speech)


async def test_accents_digits_and_signs_are_no_other_script(voice: LocalVoice) -> None:
    text = "Caf\u00e9 \u2014 \uff11 \u20ac5 \U0001f600."
    async with voice.synthesize(text, SynthesisOptions(sample_rate=16_000, voice="hibari")) as speech:
        assert [piece async for piece in speech]


async def in_chunks(pcm: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(pcm), 3_200):
        yield pcm[start : start + 3_200]


async def test_rendered_text_is_recognized_word_for_word() -> None:
    async with ts.open_client(ts.Local()) as client:
        clip = await client.render(TEXT, audio_format=ts.AudioFormat.pcm16(16_000))
        heard = await client.recognize(in_chunks(clip.audio), ts.AudioFormat.pcm16(16_000))
    assert heard.text == TEXT
    assert heard.gaps == ()
    assert [word.text for word in clip.words] == TEXT.split()


def children() -> set[int]:
    """The processes that this one has started and not waited for: Linux only."""
    ours = [int(task) for task in os.listdir("/proc/self/task")]
    return {int(child) for task in ours for child in Path(f"/proc/self/task/{task}/children").read_text().split()}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_recognizer_that_is_killed_costs_its_session_alone(dial_on: Any) -> None:
    pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")
    audio = base64.b64encode(bytes(3_200)).decode()
    before = children()
    async with open_local_gateway(recognizer="pocketsphinx") as connect:
        async with dial_on(connect, "/v1/stt") as other, dial_on(connect, "/v1/stt") as wire:
            await other.send("session.create")
            assert await other.receive(within=60) == {"type": "session.created"}
            others = children()
            await wire.send("session.create")
            assert await wire.receive(within=60) == {"type": "session.created"}
            [worker] = children() - others - before
            os.kill(worker, signal.SIGKILL)
            await wire.send("input_audio", audio=audio)
            error = await wire.receive()
            assert (error["code"], "ended with status -9" in error["message"]) == (500, True)
            await other.send("input_audio", audio=audio)
            await other.send("session.finalize")
            assert await other.receive() == {"type": "session.finalized"}
        async with dial_on(connect, "/v1/stt") as wire:
            await wire.send("session.create")
            assert await wire.receive(within=60) == {"type": "session.created"}
    assert children() == before


async def test_the_loop_is_not_held_up_while_speech_is_recognized(voice: LocalVoice) -> None:
    lags: list[float] = []

    async def watch() -> None:
        while True:
            due = trio.current_time() + 0.01
            await trio.sleep_until(due)
            lags.append(trio.current_time() - due)

    options = SynthesisOptions(sample_rate=16_000)
    async with voice.synthesize(TEXT, options) as speech:
        pcm = b"".join([piece.pcm async for piece in speech])
    async with (
        open_recognizer(sessions=1) as recognizer,
        recognizer.open(RecognitionOptions(sample_rate=16_000)) as session,
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
    assert " ".join(finals) == TEXT
    lags.sort()
    assert lags[len(lags) // 2] < 0.02  # seconds; the recognition itself takes one
