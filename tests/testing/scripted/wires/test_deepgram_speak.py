"""The service's side of Deepgram's voices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech._core.provider.messages import Aligned, Audio, Done, Failure, Opened
from trio_speech._core.provider.requests import SynthesizeRequest
from trio_speech.audio import AudioFormat
from trio_speech.testing import Refuse
from trio_speech.testing.scripted.wires.deepgram_speak import DeepgramSpeakWire, speak
from trio_speech.testing.wires import Cancel, Cancelled, ClientClose, Flush, Mistake, Text

QUERY = "model=aura-2-luna-en&encoding=linear16&sample_rate=16000&speed=1.1"


def wire() -> DeepgramSpeakWire:
    made = speak(QUERY, "speak_0001")
    assert isinstance(made, DeepgramSpeakWire)
    return made


def test_the_address_opens_the_session() -> None:
    assert list(wire().opens()) == [
        SynthesizeRequest(audio_format=AudioFormat.pcm16(16_000), model="aura-2-luna-en", options={"speed": "1.1"})
    ]


@pytest.mark.parametrize("query", ["encoding=mp3", "encoding=opus", "sample_rate=many", "sample_rate=1"])
def test_what_it_does_not_speak_is_refused(query: str) -> None:
    refusal = speak(query, "speak_0001")
    assert isinstance(refusal, Refuse)
    assert refusal.status == 400


@pytest.mark.parametrize(
    ("frame", "asks"),
    [
        ('{"type":"Speak","text":"Hi."}', Text("Hi.")),
        ('{"type":"Clear"}', Cancel()),
        ('{"type":"Close"}', ClientClose()),
    ],
)
async def test_requests(frame: str, asks: Any) -> None:
    assert wire().decode(frame).asks == (asks,)


@pytest.mark.parametrize("frame", [b"\0", "?", '{"type":"Dance"}', '{"type":"Speak"}'])
async def test_mistakes(frame: str | bytes) -> None:
    (mistake,) = wire().decode(frame).asks
    assert isinstance(mistake, Mistake)


async def test_the_21st_flush_within_a_minute_is_ignored() -> None:
    made = wire()
    asked = [made.decode('{"type":"Flush"}').asks[0] for _ in range(21)]
    assert asked[:20] == [Flush()] * 20
    assert isinstance(asked[20], Mistake)


def test_replies() -> None:
    made = wire()
    replies = [Opened("x"), Audio(b"\1\2"), Aligned(()), Done(), Cancelled(), Failure(message="no", code="NET-0000")]
    frames = [outgoing.frame for reply in replies for outgoing in made.encode(reply)]
    assert frames[1] == b"\1\2"
    told = [json.loads(frame) for frame in frames if isinstance(frame, str)]
    assert [each["type"] for each in told] == ["Metadata", "Flushed", "Cleared", "Error"]
    assert [each["sequence_id"] for each in told[1:3]] == [0, 1]
