from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech._core.provider.requests import FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import Backend, TtsCodec, TtsProvider
from trio_speech.providers.cartesia import Cartesia

PCM = AudioFormat.pcm16(24_000)


def speaking(audio_format: AudioFormat = PCM, **fields: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=audio_format, **{"voice": "v", **fields})


def test_it_is_what_the_interfaces_ask_for() -> None:
    backend: Backend = Cartesia("key")
    provider: TtsProvider = backend.voice(speaking())
    codec: TtsCodec = provider.codec()
    assert provider.codec() is not codec
    assert provider.profile.aligned
    assert provider.profile.generations > 1


async def test_a_dial_names_the_version_and_bears_the_key() -> None:
    provider = Cartesia("the-key").voice(speaking())
    dial = await provider.dial()
    assert provider.endpoint == "wss://api.cartesia.ai/tts/websocket"
    assert dial.url == "wss://api.cartesia.ai/tts/websocket?cartesia_version=2026-03-01"
    headers = dict(dial.headers)
    assert headers["Authorization"] == "Bearer the-key"
    assert headers["User-Agent"].startswith("trio-speech/")


def test_a_server_of_ones_own() -> None:
    assert Cartesia("key", url="http://localhost:8080/").voice(speaking()).endpoint == (
        "ws://localhost:8080/tts/websocket"
    )


def test_only_its_own_formats_are_asked_for() -> None:
    for taken in (AudioFormat.mulaw(), AudioFormat.alaw(), AudioFormat.pcm16(22_050)):
        Cartesia("key").voice(speaking(taken))
    with pytest.raises(ConfigurationError, match="48000 Hz"):
        Cartesia("key").voice(speaking(AudioFormat.pcm16(32_000)))
    with pytest.raises(ConfigurationError, match="takes 1 channel"):
        Cartesia("key").voice(speaking(AudioFormat.pcm16(24_000, 2)))


@pytest.mark.parametrize(
    ("options", "aligned"),
    [
        ({}, True),
        ({"add_timestamps": True}, True),
        ({"add_timestamps": False}, False),
        ({"add_timestamps": None}, False),
    ],
)
def test_words_are_aligned_unless_the_user_says_otherwise(options: dict[str, Any], aligned: bool) -> None:
    assert Cartesia("key").voice(speaking(options=options)).profile.aligned is aligned


def test_connections_are_shared_where_all_that_rides_on_a_text_is_equal() -> None:
    key = Cartesia("key").voice(speaking()).pool_key
    assert hash(key) == hash(Cartesia("key").voice(speaking(model="cartesia/sonic-3")).pool_key)
    assert key == Cartesia("key").voice(speaking(model="cartesia/sonic-3")).pool_key
    others = [
        Cartesia("other").voice(speaking()),
        Cartesia("key").voice(speaking(voice="w")),
        Cartesia("key").voice(speaking(language="fr")),
        Cartesia("key").voice(speaking(AudioFormat.mulaw())),
        Cartesia("key").voice(speaking(options={"generation_config": {"speed": 1.2}})),
    ]
    assert key not in [other.pool_key for other in others]


def test_no_two_connections_name_a_context_alike() -> None:
    provider = Cartesia("key").voice(speaking())
    frames = [next(iter(provider.codec().speak("Hello."))) for _ in range(2)]
    assert len({json.loads(frame)["context_id"] for frame in frames}) == 2


def test_what_is_not_served_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="tries no other model"):
        Cartesia("key").voice(speaking(fallback=(FallbackModel("sonic-2"),)))
    with pytest.raises(ConfigurationError, match="does not recognize"):
        Cartesia("key").recognizer(TranscribeRequest(audio_format=PCM))
