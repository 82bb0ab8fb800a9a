from __future__ import annotations

from typing import Any

import pytest

from trio_speech._core.provider.requests import FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import Backend, SttCodec, SttProvider, TtsCodec, TtsProvider
from trio_speech.providers.deepgram import Deepgram

PCM = AudioFormat.pcm16(16_000)


def hearing(audio_format: AudioFormat = PCM, **fields: Any) -> TranscribeRequest:
    return TranscribeRequest(audio_format=audio_format, **fields)


def test_it_is_what_the_interfaces_ask_for() -> None:
    backend: Backend = Deepgram("key")
    provider: SttProvider = backend.recognizer(hearing())
    codec: SttCodec = provider.codec()
    assert provider.codec() is not codec
    assert provider.profile.keepalive == 4.0


async def test_a_dial_names_the_request_and_bears_the_key() -> None:
    provider = Deepgram("the-key").recognizer(hearing(model="nova-3:fr"))
    dial = await provider.dial()
    assert provider.endpoint == "wss://api.deepgram.com/v1/listen"
    assert dial.url == (
        "wss://api.deepgram.com/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&channels=1"
        "&interim_results=true&language=fr"
    )
    headers = dict(dial.headers)
    assert headers["Authorization"] == "Token the-key"
    assert headers["User-Agent"].startswith("trio-speech/")


def test_a_server_of_ones_own() -> None:
    backend = Deepgram("key", url="http://localhost:8080/")
    assert backend.recognizer(hearing()).endpoint == "ws://localhost:8080/v1/listen"


def test_companded_audio_is_taken_but_not_two_channels() -> None:
    Deepgram("key").recognizer(hearing(AudioFormat.mulaw()))
    Deepgram("key").recognizer(hearing(AudioFormat.alaw()))
    with pytest.raises(ConfigurationError, match="takes 1 channel"):
        Deepgram("key").recognizer(hearing(AudioFormat.pcm16(16_000, 2)))


def test_what_is_not_served_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="tries no other model"):
        Deepgram("key").recognizer(hearing(fallback=(FallbackModel("nova-2"),)))
    with pytest.raises(ConfigurationError, match="tries no other model"):
        Deepgram("key").voice(speaking(fallback=(FallbackModel("aura-2"),)))
    with pytest.raises(ConfigurationError, match="sample rate of 8000 or"):
        Deepgram("key").voice(speaking(AudioFormat.pcm16(44_100)))


# ---------------------------------------------------------------- voices


def speaking(audio_format: AudioFormat | None = None, **asked: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=audio_format or AudioFormat.pcm16(24_000), **asked)


async def test_a_voice_dials_its_model() -> None:
    dial = await Deepgram("key").voice(speaking(options={"speed": 1.1})).dial()
    assert dial.url == (
        "wss://api.deepgram.com/v1/speak?model=aura-2-thalia-en&encoding=linear16&sample_rate=24000&speed=1.1"
    )
    assert dict(dial.headers)["Authorization"] == "Token key"


def test_a_voice_makes_a_codec_for_each_connection() -> None:
    voice: TtsProvider = Deepgram("key").voice(speaking())
    codec: TtsCodec = voice.codec()
    assert voice.codec() is not codec
    assert voice.profile.generations_per_minute == 18


def test_voices_share_connections_where_their_addresses_are_equal() -> None:
    key = Deepgram("key").voice(speaking()).pool_key
    assert key == Deepgram("key").voice(speaking(model="deepgram/aura-2-thalia-en")).pool_key
    others = [
        Deepgram("other").voice(speaking()),
        Deepgram("key").voice(speaking(voice="luna")),
        Deepgram("key").voice(speaking(AudioFormat.mulaw())),
        Deepgram("key").voice(speaking(options={"speed": 1.1})),
    ]
    assert key not in [other.pool_key for other in others]


@pytest.mark.parametrize("model", ["nova-3", "nova-2"])
@pytest.mark.parametrize(
    ("options", "overlap"),
    [
        ({}, False),
        ({"diarize": True}, True),
        ({"diarize": "true"}, True),
        ({"diarize_model": "latest"}, True),
        ({"diarize": False, "diarize_model": None}, False),
        ({"diarize": "false"}, False),
    ],
    ids=str,
)
def test_speakers_who_are_told_apart_may_overlap(model: str, options: dict[str, Any], overlap: bool) -> None:
    assert Deepgram("key").recognizer(hearing(model=model, options=options)).profile.overlapping is overlap
