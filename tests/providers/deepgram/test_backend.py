from __future__ import annotations

from typing import Any

import pytest

from trio_speech._core.dialogue import FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import Backend, SttCodec, SttProvider
from trio_speech.providers.deepgram import Deepgram

PCM = AudioFormat.pcm16(16_000)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)


def hearing(audio_format: AudioFormat = PCM, **fields: Any) -> TranscribeRequest:
    return TranscribeRequest(audio_format=audio_format, **fields)


def test_it_is_what_the_interfaces_ask_for() -> None:
    backend: Backend = Deepgram("key")
    provider: SttProvider = backend.recogniser(hearing())
    codec: SttCodec = provider.codec()
    assert provider.codec() is not codec
    assert provider.profile.keepalive == 4.0
    assert backend.transport() is None


async def test_a_dial_names_the_request_and_bears_the_key() -> None:
    provider = Deepgram("the-key").recogniser(hearing(model="nova-3:fr"))
    dial = await provider.dial()
    assert provider.endpoint == "wss://api.deepgram.com/v1/listen"
    assert dial.url == (
        "wss://api.deepgram.com/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&channels=1"
        "&interim_results=true&language=fr"
    )
    headers = dict(dial.headers)
    assert headers["Authorization"] == "Token the-key"
    assert headers["User-Agent"].startswith("trio-speech/")


async def test_a_token_provider_gives_temporary_tokens() -> None:
    asked: list[str] = []

    async def token() -> str:
        asked.append(f"token{len(asked)}")
        return asked[-1]

    provider = Deepgram(token).recogniser(hearing())
    tokens = [dict((await provider.dial()).headers)["Authorization"] for _ in range(2)]
    assert tokens == ["Bearer token0", "Bearer token1"]


async def test_a_token_that_no_header_can_hold_is_refused() -> None:
    async def token() -> str:
        return "two words"

    with pytest.raises(ConfigurationError, match="the result of the token provider"):
        await Deepgram(token).recogniser(hearing()).dial()


async def test_the_environment_gives_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "from-there")
    dial = await Deepgram("").recogniser(hearing()).dial()
    assert dict(dial.headers)["Authorization"] == "Token from-there"


@pytest.mark.parametrize("value", ["", " "])
def test_without_a_key_a_session_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", value)
    with pytest.raises(ConfigurationError, match="DEEPGRAM_API_KEY"):
        Deepgram().recogniser(hearing())


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="the API key of Deepgram") as caught:
        Deepgram("hunter2\n").recogniser(hearing())
    assert "hunter2" not in str(caught.value)


def test_a_server_of_ones_own() -> None:
    backend = Deepgram("key", url="http://localhost:8080/")
    assert backend.recogniser(hearing()).endpoint == "ws://localhost:8080/v1/listen"
    with pytest.raises(ConfigurationError, match="the url of Deepgram"):
        Deepgram("key", url="localhost")


def test_companded_audio_is_taken_but_not_two_channels() -> None:
    Deepgram("key").recogniser(hearing(AudioFormat.mulaw()))
    Deepgram("key").recogniser(hearing(AudioFormat.alaw()))
    with pytest.raises(ConfigurationError, match="it takes 1 channel"):
        Deepgram("key").recogniser(hearing(AudioFormat.pcm16(16_000, 2)))


def test_what_is_not_served_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="falls back to no other model"):
        Deepgram("key").recogniser(hearing(fallback=(FallbackModel("nova-2"),)))
    with pytest.raises(ConfigurationError, match="recognises speech only"):
        Deepgram("key").voice(SynthesizeRequest(audio_format=PCM))


def test_no_secret_is_shown_by_anything_that_holds_one() -> None:
    backend = Deepgram("hunter2")
    provider = backend.recogniser(hearing())
    shown = [repr(each) for each in (backend, provider, backend.__rich_repr__(), provider.__rich_repr__())]
    assert not any("hunter2" in text for text in shown)
    assert repr(backend) == "Deepgram()"
    assert repr(Deepgram("x", url="wss://mine")) == "Deepgram(url='wss://mine')"
    assert Deepgram("x", url="wss://mine").__rich_repr__() == [("url", "wss://mine")]


@pytest.mark.parametrize("key", [5, "two words"])
def test_a_key_that_cannot_be_used_is_refused_where_it_is_given(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"api_key is of type int|the API key of Deepgram is no usable"):
        Deepgram(key)
