"""The official ElevenLabs client, unmodified, and ours, recognizing speech by one and the same scripted server.

It needs ``elevenlabs`` installed, and is skipped without.
"""

from __future__ import annotations

import asyncio
import base64
import warnings
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import ScriptedGateway, speech

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    official = pytest.importorskip("elevenlabs")
    types = pytest.importorskip("elevenlabs.types")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = "the-key"
FORMAT = ts.AudioFormat.pcm16(16_000)
SPOKEN = speech(6.0, audio_format=FORMAT)
WORDS = " ".join(word.text for word in SPOKEN.words)
PATIENCE = 60.0


async def by_the_official_client(gateway: ScriptedGateway, audio: bytes) -> list[tuple[str, Any]]:
    """All that comes of sending `audio` and committing it, on one official connection, in a thread."""
    base = (await gateway.listen()).removesuffix("/v1")

    async def talk() -> list[tuple[str, Any]]:
        client = official.ElevenLabs(api_key=KEY, base_url=base)
        asked = {
            "model_id": "scribe_v2_realtime",
            "audio_format": official.AudioFormat.PCM_16000,
            "sample_rate": 16_000,
            "include_timestamps": True,
        }
        connection = await client.speech_to_text.realtime.connect(asked)
        events: list[tuple[str, Any]] = []
        answered = asyncio.Event()

        def note(kind: str) -> None:
            def take(data: Any) -> None:
                events.append((kind, data))
                if kind in ("committed_transcript_with_timestamps", "error"):
                    answered.set()

            connection.on(kind, take)

        for kind in (
            "session_started",
            "partial_transcript",
            "committed_transcript",
            "committed_transcript_with_timestamps",
            "error",
        ):
            note(kind)
        for at in range(0, len(audio), 3_200):
            await connection.send({"audio_base_64": base64.b64encode(audio[at : at + 3_200]).decode()})
        await connection.commit()
        await asyncio.wait_for(answered.wait(), PATIENCE)
        await connection.close()
        return events

    with trio.fail_after(PATIENCE):
        return await trio.to_thread.run_sync(lambda: asyncio.run(talk()), abandon_on_cancel=True)


async def test_both_clients_ask_the_same_and_hear_the_same(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, SPOKEN.audio)
    said = dict(events)
    types.CommittedTranscriptPayload.model_validate(said["committed_transcript"])
    timed = types.CommittedTranscriptWithTimestampsPayload.model_validate(said["committed_transcript_with_timestamps"])
    assert said["committed_transcript"]["text"] == timed.text == WORDS
    assert said["partial_transcript"]["text"]
    spoken = [(word.text, word.start / 16_000, word.end / 16_000) for word in SPOKEN.words]
    assert [(word.text, word.start, word.end) for word in timed.words if word.type == "word"] == spoken
    backend = ts.ElevenLabs(KEY, url=(await gateway.listen()).removesuffix("/v1"))
    async with ts.open_client(backend) as client:
        heard = await client.recognize(SPOKEN, FORMAT)
    assert heard.text == WORDS
    theirs, ours = gateway.visits
    assert ours.headers["xi-api-key"] == theirs.headers["xi-api-key"] == KEY
    assert (ours.resource.partition("?")[0], ours.model, ours.sample_rate) == (
        theirs.resource.partition("?")[0],
        theirs.model,
        theirs.sample_rate,
    )
    assert theirs.complaints == ours.complaints == []


async def test_a_commit_of_less_than_three_tenths_of_a_second_is_an_error(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, bytes(3_200))
    assert events[-1][1]["message_type"] == "commit_throttled"
