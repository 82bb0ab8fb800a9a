"""What is true of every backend that reaches one provider with a key of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from trio_speech._core.provider.requests import SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import SttProvider, TtsProvider
from trio_speech.providers._direct import Direct
from trio_speech.providers.cartesia import Cartesia
from trio_speech.providers.deepgram import Deepgram

Provided: TypeAlias = Callable[[Any], SttProvider | TtsProvider]
PCM = AudioFormat.pcm16(16_000)


def heard(backend: Deepgram) -> SttProvider:
    return backend.recognizer(TranscribeRequest(audio_format=PCM))


def spoken(backend: Cartesia) -> TtsProvider:
    return backend.voice(SynthesizeRequest(audio_format=PCM, voice="v"))


@pytest.fixture(params=[(Deepgram, heard), (Cartesia, spoken)], ids=["Deepgram", "Cartesia"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[type[Direct], Provided]:
    """A backend, and what makes a provider of it."""
    kind, provided = request.param
    monkeypatch.delenv(kind.variable, raising=False)
    return kind, provided


Either: TypeAlias = tuple[type[Direct], Provided]


async def authorization_of(provider: SttProvider | TtsProvider) -> str:
    return dict((await provider.dial()).headers)["Authorization"]


async def test_a_token_provider_is_asked_for_each_dial(either: Either) -> None:
    kind, provided = either
    asked: list[str] = []

    async def token() -> str:
        asked.append(f"token{len(asked)}")
        return asked[-1]

    provider = provided(kind(token))
    assert [await authorization_of(provider) for _ in range(2)] == ["Bearer token0", "Bearer token1"]


async def test_a_token_that_no_header_can_hold_is_refused(either: Either) -> None:
    kind, provided = either

    async def token() -> str:
        return "two words"

    with pytest.raises(ConfigurationError, match="the token that api_key returned"):
        await provided(kind(token)).dial()


async def test_the_environment_gives_the_key(either: Either, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, provided = either
    monkeypatch.setenv(kind.variable, "from-there")
    assert (await authorization_of(provided(kind("")))).endswith(" from-there")


@pytest.mark.parametrize("value", ["", " "])
def test_without_a_key_a_session_is_refused(either: Either, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    kind, provided = either
    monkeypatch.setenv(kind.variable, value)
    with pytest.raises(ConfigurationError, match=kind.variable):
        provided(kind())


@pytest.mark.parametrize("key", [5, "two words", "hunter2\n"])
def test_a_key_that_cannot_be_used_is_refused_where_it_is_given(either: Either, key: Any) -> None:
    kind, _ = either
    complaint = rf"api_key must be a str|api_key of {kind.service} must be printable"
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        kind(key)
    assert "hunter2" not in str(caught.value)


def test_a_server_of_ones_own(either: Either) -> None:
    kind, provided = either
    assert provided(kind("key", url="http://localhost:8080/")).endpoint.startswith("ws://localhost:8080/")
    with pytest.raises(ConfigurationError, match=f"the url of {kind.service}"):
        kind("key", url="localhost")


def test_it_dials_over_the_network(either: Either) -> None:
    kind, _ = either
    assert kind("key").transport() is None


def test_no_secret_is_shown_by_anything_that_holds_one(either: Either) -> None:
    kind, provided = either
    backend: Any = kind("hunter2")
    provider: Any = provided(backend)
    shown = [repr(each) for each in (backend, provider, backend.__rich_repr__(), provider.__rich_repr__())]
    assert not any("hunter2" in text for text in shown)
    assert repr(backend) == f"{kind.service}()"
    assert repr(kind("x", url="wss://mine")) == f"{kind.service}(url='wss://mine')"
    assert kind("x", url="wss://mine").__rich_repr__() == [("url", "wss://mine")]


def test_two_providers_are_never_equal() -> None:
    assert Deepgram("key") == Deepgram("key")
    assert Deepgram("key") != Cartesia("key")
