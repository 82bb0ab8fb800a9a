from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech._core.provider.requests import FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import Backend, SttCodec, SttProvider, TtsCodec, TtsProvider
from trio_speech.providers.livekit import LiveKit

KEYS = {"api_key": "key-hunter2", "api_secret": "secret-hunter2"}
VARIABLES = ["LIVEKIT_INFERENCE_API_KEY", "LIVEKIT_INFERENCE_API_SECRET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [*VARIABLES, "LIVEKIT_INFERENCE_URL", "LIVEKIT_URL"]:
        monkeypatch.delenv(variable, raising=False)


def hearing(model: str | None = "deepgram/nova-3", rate: int = 16_000, **fields: Any) -> TranscribeRequest:
    return TranscribeRequest(audio_format=AudioFormat.pcm16(rate), model=model, **fields)


def speaking(model: str | None = "cartesia/sonic-3", rate: int = 24_000, **fields: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=AudioFormat.pcm16(rate), model=model, **fields)


def test_it_is_what_the_interfaces_ask_for() -> None:
    backend: Backend = LiveKit(**KEYS)
    recognizer: SttProvider = backend.recognizer(hearing())
    voice: TtsProvider = backend.voice(speaking())
    ear: SttCodec = recognizer.codec()
    mouth: TtsCodec = voice.codec()
    assert recognizer.codec() is not ear
    assert voice.codec() is not mouth
    assert backend.transport() is None


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("deepgram/nova-3", "?model=deepgram%2Fnova-3"),
        ("deepgram/nova-3:fr", "?model=deepgram%2Fnova-3"),
        ("some:model:fr", "?model=some%3Amodel"),
        ("auto", "?model=auto"),
        (None, ""),
    ],
)
async def test_the_address_names_the_model_where_there_is_one(model: str | None, query: str) -> None:
    recognizer = LiveKit(**KEYS).recognizer(hearing(model))
    dial = await recognizer.dial()
    assert dial.url == f"wss://agent-gateway.livekit.cloud/v1/stt{query}"
    assert recognizer.endpoint == "wss://agent-gateway.livekit.cloud/v1/stt"


async def test_a_voice_has_an_address_of_its_own() -> None:
    voice = LiveKit("http://localhost:9/", **KEYS).voice(speaking())
    assert (await voice.dial()).url == "ws://localhost:9/tts?model=cartesia%2Fsonic-3"
    assert voice.endpoint == "ws://localhost:9/tts"


async def test_each_dial_is_authorized() -> None:
    backend = LiveKit(**KEYS)
    for provider in (backend.recognizer(hearing()), backend.voice(speaking())):
        assert dict((await provider.dial()).headers)["Authorization"].startswith("Bearer eyJ")


# ---------------------------------------------------------------- sessions


def test_codecs_open_with_what_was_asked_for() -> None:
    [heard] = LiveKit(**KEYS).recognizer(hearing("deepgram:fr", rate=48_000)).codec().open()
    assert json.loads(heard)["settings"] == {
        "sample_rate": "48000",
        "encoding": "pcm_s16le",
        "language": "fr",
        "extra": {},
    }
    [spoken] = LiveKit(**KEYS).voice(speaking("cartesia:v", rate=16_000)).codec().open()
    assert json.loads(spoken)["sample_rate"] == "16000"


def test_profiles_are_those_of_the_model_and_its_fallbacks() -> None:
    backend = LiveKit(**KEYS)
    assert backend.recognizer(hearing()).profile.acknowledges == "span"
    weaker = backend.recognizer(hearing(fallback=(FallbackModel("cartesia/ink-2"),)))
    assert weaker.profile.acknowledges == "finalize"
    assert backend.voice(speaking()).profile.aligned
    assert not backend.voice(speaking(options={"add_timestamps": False})).profile.aligned
    assert not backend.voice(speaking(fallback=(FallbackModel("rime/coda"),))).profile.aligned


def test_connections_are_shared_by_equal_requests_alone() -> None:
    def key(backend: LiveKit | None = None, **fields: Any) -> object:
        return (backend or LiveKit(**KEYS)).voice(speaking(**fields)).pool_key

    assert key() == key()
    others = [key(voice="v"), key(rate=16_000), key(options={"speed": 1}), key(model="rime"), key(language="en")]
    others += [key(LiveKit("https://other/v1", **KEYS)), key(LiveKit(api_key="other", api_secret="other"))]
    assert len({key(), *others}) == 1 + len(others)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("audio_format", "model", "says"),
    [
        (AudioFormat.mulaw(), "deepgram/nova-3", "takes the encoding pcm_s16le"),
        (AudioFormat.pcm16(16_000, 2), "deepgram/nova-3", "takes 1 channel"),
        (AudioFormat.pcm16(16_000), "openai/gpt-live-transcribe", "a sample rate of 24000 Hz"),
    ],
)
def test_a_format_that_is_not_taken_is_refused(audio_format: AudioFormat, model: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        LiveKit(**KEYS).recognizer(TranscribeRequest(audio_format=audio_format, model=f"{model}:en"))
    assert caught.value.model == model


def test_a_voice_of_two_channels_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="takes 1 channel"):
        LiveKit(**KEYS).voice(SynthesizeRequest(audio_format=AudioFormat.pcm16(24_000, 2)))


def test_a_fallback_of_other_rates_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a sample rate of 24000 Hz"):
        LiveKit(**KEYS).recognizer(hearing(fallback=(FallbackModel("openai"),)))


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="values that JSON can hold"):
        LiveKit(**KEYS).recognizer(hearing("deep\ud800gram"))
    with pytest.raises(ConfigurationError, match="values that JSON can hold"):
        LiveKit(**KEYS).voice(speaking(voice="\ud800"))


def test_without_credentials_a_session_is_refused_but_not_the_value() -> None:
    backend = LiveKit()
    for ask in (lambda: backend.recognizer(hearing()), lambda: backend.voice(speaking())):
        with pytest.raises(ConfigurationError, match="LIVEKIT_API_KEY and LIVEKIT_API_SECRET"):
            ask()


def test_the_environment_is_read_when_a_session_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = LiveKit()
    monkeypatch.setenv("LIVEKIT_API_KEY", "k")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "s")
    monkeypatch.setenv("LIVEKIT_INFERENCE_URL", "ws://localhost:1")
    assert backend.recognizer(hearing()).endpoint == "ws://localhost:1/stt"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"url": "host"}, "the url of LiveKit"),
        ({"url": "https://k:hunter2@host"}, "a user name or password"),
        ({"api_key": "hunter2"}, "api_key is set but api_secret is not"),
        ({"api_secret": "hunter2"}, "api_secret is set but api_key is not"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        LiveKit(**arguments)
    assert "hunter2" not in str(caught.value)


# ---------------------------------------------------------------- secrets


def test_no_secret_is_shown_by_anything_that_holds_one() -> None:
    backend = LiveKit("https://host/v1", **KEYS)
    recognizer, voice = backend.recognizer(hearing()), backend.voice(speaking())
    assert repr(backend) == "LiveKit(url='https://host/v1')"
    shown = [repr(backend), str(backend), repr([recognizer, voice, voice.pool_key, recognizer.codec(), voice.codec()])]
    shown += [repr(each.__rich_repr__()) for each in (backend, recognizer, voice)]
    assert not any("hunter2" in text for text in shown)


async def test_a_token_provider_needs_no_secret() -> None:
    async def token() -> str:
        return "a-token"

    dial = await LiveKit(api_key=token).recognizer(hearing()).dial()
    assert dict(dial.headers)["Authorization"] == "Bearer a-token"
    assert "token" not in repr(dial)
