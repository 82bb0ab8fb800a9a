"""The scripted services in the formats of telephones: words arrive in μ-law and A-law, and survive a conversion."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.audio import alaw_to_pcm16, mulaw_to_pcm16, pcm16_to_alaw, pcm16_to_mulaw
from trio_speech.testing import (
    Delivery,
    Drop,
    Hear,
    ScriptedGateway,
    assert_exactly_once,
    assert_spoken_once,
    assert_times_within,
    hear,
    speech,
)

PCM8, MULAW, ALAW = ts.AudioFormat.pcm16(8_000), ts.AudioFormat.mulaw(), ts.AudioFormat.alaw()
TEXT = "Your call is important to us."


@pytest.mark.parametrize(
    ("wire", "audio_format"),
    [
        ("livekit", MULAW),
        ("livekit", ALAW),
        ("deepgram", MULAW),
        ("deepgram", ALAW),
    ],
    ids=str,
)
async def test_every_word_is_recognized_once_across_drops(
    autojump_clock: MockClock, gateway: ScriptedGateway, wire: str, audio_format: ts.AudioFormat
) -> None:
    spoken = speech(15.0, audio_format=audio_format)
    gateway.plan(Hear(4.01), Drop(), Hear(3.3), Drop())
    backend = gateway.backend() if wire == "livekit" else gateway.in_place_of(ts.Deepgram("key"))
    async with ts.open_client(backend) as client, client.transcribe(spoken, audio_format) as transcript:
        events = [event async for event in transcript]
    assert_exactly_once(events, spoken, gateway.visits)
    assert_times_within(0 if wire == "livekit" else 1, events, spoken, gateway.visits)
    assert [visit.heard for visit in gateway.visits[:2]] == [4.01, pytest.approx(3.3, abs=0.001)]
    assert {visit.audio_format for visit in gateway.visits} == {audio_format}


@pytest.mark.parametrize("audio_format", [MULAW, ALAW], ids=str)
async def test_speech_comes_in_g711(
    autojump_clock: MockClock, gateway: ScriptedGateway, audio_format: ts.AudioFormat
) -> None:
    async with gateway.client() as client, client.synthesize(TEXT, audio_format=audio_format) as voice:
        chunks = [chunk async for chunk in voice]
    assert_spoken_once(chunks, TEXT, 8_000, audio_format.encoding)
    said = hear(gateway.visits[0].spoken, 0, audio_format)
    assert " ".join(word.token for word in said) == TEXT


async def test_speech_in_the_telephone_band_survives_a_conversion(
    autojump_clock: MockClock, gateway: ScriptedGateway
) -> None:
    gateway.delivery = Delivery(band="telephone")
    async with gateway.client() as client:
        clip = await client.render(TEXT, audio_format=PCM8)
    for words in (
        hear(clip.audio),
        hear(pcm16_to_mulaw(clip.audio), 0, MULAW),
        hear(pcm16_to_alaw(clip.audio), 0, ALAW),
        hear(alaw_to_pcm16(pcm16_to_alaw(clip.audio))),
    ):
        assert " ".join(word.token for word in words) == TEXT


async def test_a_telephone_call_is_recognized_as_pcm(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    call = speech(10.0, audio_format=MULAW)
    async with gateway.client() as client, client.transcribe(None, PCM8) as transcript:
        async for payload in call.source(chunk=0.02):
            await transcript.send(mulaw_to_pcm16(payload))
        transcript.end_input()
        events = [event async for event in transcript]
    assert_exactly_once(events, call, gateway.visits)
