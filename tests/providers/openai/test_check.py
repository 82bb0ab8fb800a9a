"""Whole sessions of each dialect, with the scripted service in the place of the real one."""

from __future__ import annotations

from typing import Any

import pytest

import trio_speech as ts
from trio_speech.testing import Drop, Hear, ScriptedGateway, Send, check_provider, speech

SECRET = "hunter2"
LOCAL = "http://localhost:8000/v1"
VAD = {"turn_detection": {"type": "server_vad"}}


@pytest.mark.parametrize(
    ("dialect", "model"),
    [
        ("openai", None),
        ("openai", "gpt-transcribe"),
        ("vllm", "mistralai/Voxtral"),
    ],
)
def test_each_protocol_passes(dialect: Any, model: str | None) -> None:
    backend = ts.OpenAI(SECRET, None if dialect == "openai" else LOCAL, dialect)
    check_provider(backend, model=model, secrets=[SECRET], runs=0)


@pytest.mark.parametrize("options", [{}, VAD])
async def test_speaches_is_understood(gateway: ScriptedGateway, autojump_clock: object, options: Any) -> None:
    gateway.plan(Hear(3.0), Drop())
    said = speech(6.0, audio_format=ts.AudioFormat.pcm16(24_000))
    async with ts.open_client(gateway.in_place_of(ts.OpenAI(SECRET, LOCAL, "speaches"))) as client:
        heard = await client.recognize(said, said.audio_format, model="Systran/faster-whisper-small", options=options)
    assert heard.text.split() == [word.text for word in said.words]
    assert [visit.complaints for visit in gateway.visits] == [[], []]


async def test_a_change_reaches_the_service_and_every_later_connection(
    gateway: ScriptedGateway, autojump_clock: object
) -> None:
    gateway.plan(Hear(4.0), Drop())
    said = speech(6.0, audio_format=ts.AudioFormat.pcm16(24_000))
    async with (
        ts.open_client(gateway.in_place_of(ts.OpenAI(SECRET))) as client,
        client.transcribe(said, said.audio_format, keyterms=["one"]) as transcript,
    ):
        transcript.update(keyterms=["two"])
        async for _ in transcript:
            pass
    assert [visit.keyterms for visit in gateway.visits] == [("two",), ("two",)]
    assert [visit.complaints for visit in gateway.visits] == [[], []]


async def test_audio_that_cannot_be_understood_is_one_gap(gateway: ScriptedGateway, autojump_clock: object) -> None:
    failed = (
        '{"type":"conversation.item.input_audio_transcription.failed","item_id":"x","content_index":0,'
        '"error":{"type":"transcription_error","code":"audio_unintelligible","message":"no"}}'
    )
    gateway.plan(Hear(2.0), Send(failed))
    said = speech(6.0, audio_format=ts.AudioFormat.pcm16(24_000))
    async with ts.open_client(gateway.in_place_of(ts.OpenAI(SECRET))) as client:
        heard = await client.recognize(said, said.audio_format)
    [gap] = heard.gaps
    assert (gap.start, gap.reason) == (0.0, "unheard")
    assert gap.end == pytest.approx(2.0, abs=0.05)
    assert len(gateway.visits) == 1
