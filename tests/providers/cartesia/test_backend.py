from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech._core.dialogue import FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import Backend, TtsCodec, TtsProvider
from trio_speech.providers.cartesia import Cartesia

PCM = AudioFormat.pcm16(24_000)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARTESIA_API_KEY", raising=False)


def speaking(audio_format: AudioFormat = PCM, **fields: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=audio_format, **{"voice": "v", **fields})


def test_it_is_what_the_interfaces_ask_for() -> None:
    backend: Backend = Cartesia("key")
    provider: TtsProvider = backend.voice(speaking())
    codec: TtsCodec = provider.codec()
    assert provider.codec() is not codec
    assert provider.profile.aligned
    assert provider.profile.generations > 1
    assert backend.transport() is None


async def test_a_dial_names_the_version_and_bears_the_key() -> None:
    provider = Cartesia("the-key").voice(speaking())
    dial = await provider.dial()
    assert provider.endpoint == "wss://api.cartesia.ai/tts/websocket"
    assert dial.url == "wss://api.cartesia.ai/tts/websocket?cartesia_version=2026-03-01"
    headers = dict(dial.headers)
    assert headers["Authorization"] == "Bearer the-key"
    assert headers["User-Agent"].startswith("trio-speech/")


async def test_a_token_provider_gives_access_tokens() -> None:
    asked: list[str] = []

    async def token() -> str:
        asked.append(f"token{len(asked)}")
        return asked[-1]

    provider = Cartesia(token).voice(speaking())
    tokens = [dict((await provider.dial()).headers)["Authorization"] for _ in range(2)]
    assert tokens == ["Bearer token0", "Bearer token1"]


async def test_a_token_that_no_header_can_hold_is_refused() -> None:
    async def token() -> str:
        return "two words"

    with pytest.raises(ConfigurationError, match="the result of the token provider"):
        await Cartesia(token).voice(speaking()).dial()


async def test_the_environment_gives_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTESIA_API_KEY", "from-there")
    dial = await Cartesia("").voice(speaking()).dial()
    assert dict(dial.headers)["Authorization"] == "Bearer from-there"


@pytest.mark.parametrize("value", ["", " "])
def test_without_a_key_a_session_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CARTESIA_API_KEY", value)
    with pytest.raises(ConfigurationError, match="CARTESIA_API_KEY"):
        Cartesia().voice(speaking())


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="the API key of Cartesia") as caught:
        Cartesia("hunter2\n").voice(speaking())
    assert "hunter2" not in str(caught.value)


def test_a_server_of_ones_own() -> None:
    assert Cartesia("key", url="http://localhost:8080/").voice(speaking()).endpoint == (
        "ws://localhost:8080/tts/websocket"
    )
    with pytest.raises(ConfigurationError, match="the url of Cartesia"):
        Cartesia("key", url="localhost")


def test_only_its_own_formats_are_asked_for() -> None:
    for taken in (AudioFormat.mulaw(), AudioFormat.alaw(), AudioFormat.pcm16(22_050)):
        Cartesia("key").voice(speaking(taken))
    with pytest.raises(ConfigurationError, match="48000 Hz"):
        Cartesia("key").voice(speaking(AudioFormat.pcm16(32_000)))
    with pytest.raises(ConfigurationError, match="it takes 1 channel"):
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
    frames = [provider.codec().text("Hello.") for _ in range(2)]
    assert len({json.loads(frame)["context_id"] for frame in frames}) == 2


def test_what_is_not_served_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="falls back to no other model"):
        Cartesia("key").voice(speaking(fallback=(FallbackModel("sonic-2"),)))
    with pytest.raises(ConfigurationError, match="speaks only"):
        Cartesia("key").recogniser(TranscribeRequest(audio_format=PCM))


def test_no_secret_is_shown_by_anything_that_holds_one() -> None:
    backend = Cartesia("hunter2")
    provider = backend.voice(speaking())
    shown = [repr(each) for each in (backend, provider, backend.__rich_repr__(), provider.__rich_repr__())]
    assert not any("hunter2" in text for text in shown)
    assert repr(backend) == "Cartesia()"
    assert repr(Cartesia("x", url="wss://mine")) == "Cartesia(url='wss://mine')"
    assert Cartesia("x", url="wss://mine").__rich_repr__() == [("url", "wss://mine")]


@pytest.mark.parametrize("key", [5, "two words"])
def test_a_key_that_cannot_be_used_is_refused_where_it_is_given(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"api_key is of type int|the API key of Cartesia is no usable"):
        Cartesia(key)
