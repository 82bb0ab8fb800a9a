from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.provider import (
    Change,
    FallbackModel,
    NeedsNewLink,
    SttCodec,
    SttProvider,
    SynthesizeRequest,
    TranscribeRequest,
)
from trio_speech.providers.openai import OpenAI

SECRET = "hunter2"
PCM = AudioFormat.pcm16(24_000)
LOCAL = "http://localhost:8000/v1/"


def hearing(audio_format: AudioFormat = PCM, **fields: Any) -> TranscribeRequest:
    return TranscribeRequest(audio_format=audio_format, **fields)


def opening(backend: OpenAI, request: TranscribeRequest | None = None) -> list[Any]:
    return [json.loads(frame) for frame in backend.recognizer(request or hearing()).codec().open()]


def asked(backend: OpenAI, **fields: Any) -> Any:
    return opening(backend, hearing(**fields))[0]["session"]


# ---------------------------------------------------------------- the handshake


async def test_a_dial_names_no_model_and_bears_the_key() -> None:
    provider: SttProvider = OpenAI(SECRET).recognizer(hearing())
    dial = await provider.dial()
    assert dial.url == provider.url == "wss://api.openai.com/v1/realtime?intent=transcription"
    assert provider.endpoint == "wss://api.openai.com/v1/realtime"
    assert dict(dial.headers)["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in repr(provider) + repr(OpenAI(SECRET)) + repr(dial)
    codec: SttCodec = provider.codec()
    assert provider.codec() is not codec


async def test_a_client_secret_may_come_from_an_async_callable() -> None:
    async def secret() -> str:
        return "ek_1"

    assert dict((await OpenAI(secret).recognizer(hearing()).dial()).headers)["Authorization"] == "Bearer ek_1"


async def test_key_and_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-there")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://proxy.test/openai/v1")
    dial = await OpenAI().recognizer(hearing()).dial()
    assert dial.url == "wss://proxy.test/openai/v1/realtime?intent=transcription"
    assert dict(dial.headers)["Authorization"] == "Bearer from-there"
    assert OpenAI(url="https://host").recognizer(hearing()).endpoint == "wss://host/realtime"
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")
    with pytest.raises(ConfigurationError, match="the environment variable OPENAI_BASE_URL must begin"):
        OpenAI()


async def test_a_server_of_ones_own_is_not_given_the_key_for_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    backend = OpenAI(url=LOCAL, dialect="speaches")
    dial = await backend.recognizer(hearing(model="Systran/faster-whisper-small", language="French")).dial()
    assert dial.url == (
        "ws://localhost:8000/v1/realtime?intent=transcription&model=Systran%2Ffaster-whisper-small&language=fr"
    )
    assert "Authorization" not in dict(dial.headers)
    vllm = OpenAI("token", LOCAL, "vllm").recognizer(hearing(AudioFormat.pcm16(16_000), model="mistralai/Voxtral"))
    dial = await vllm.dial()
    assert (dial.url, dict(dial.headers)["Authorization"]) == ("ws://localhost:8000/v1/realtime", "Bearer token")


# ---------------------------------------------------------------- the first message


def test_a_session_of_openai_is_asked_for_by_nested_settings() -> None:
    request = hearing(
        model="openai/gpt-live-transcribe:de",
        keyterms=("trio",),
        options={"prompt": "A call.", "noise_reduction": {"type": "near_field"}, "include": ["logprobs"]},
    )
    assert opening(OpenAI(SECRET), request) == [
        {
            "type": "session.update",
            "session": {
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24_000},
                        "transcription": {
                            "model": "gpt-live-transcribe",
                            "languages": ["de"],
                            "keywords": ["trio"],
                            "prompt": "A call.",
                        },
                        "turn_detection": None,
                        "noise_reduction": {"type": "near_field"},
                    }
                },
                "include": ["logprobs"],
            },
        }
    ]


def test_models_that_show_no_text_before_an_utterance_is_over_leave_its_end_to_the_service() -> None:
    heard = asked(OpenAI(SECRET), model="gpt-4o-transcribe", language="en-GB")["audio"]["input"]
    assert heard["turn_detection"] == {"type": "server_vad"}
    assert heard["transcription"] == {"model": "gpt-4o-transcribe", "language": "en"}
    profiles = [
        OpenAI(SECRET).recognizer(hearing(model=model, options=options)).profile.finalizes_itself
        for model, options in (
            ("gpt-4o-transcribe", {}),
            ("gpt-4o-transcribe", {"turn_detection": None}),
            ("gpt-live-transcribe", {}),
            ("gpt-live-transcribe", {"turn_detection": {"type": "semantic_vad"}}),
        )
    ]
    assert profiles == [True, False, False, True]


@pytest.mark.parametrize(
    ("audio_format", "kind"), [(AudioFormat.mulaw(), "audio/pcmu"), (AudioFormat.alaw(), "audio/pcma")]
)
def test_the_telephone_is_heard(audio_format: AudioFormat, kind: str) -> None:
    assert asked(OpenAI(SECRET), audio_format=audio_format)["audio"]["input"]["format"] == {"type": kind}


def test_a_session_of_speaches_is_asked_for_by_flat_settings() -> None:
    assert asked(OpenAI(url=LOCAL, dialect="speaches"), model="a/b", language="en") == {
        "input_audio_transcription": {"model": "a/b", "language": "en"},
        "turn_detection": None,
    }
    backend, vad = OpenAI(url=LOCAL, dialect="speaches"), {"turn_detection": {"type": "server_vad"}}
    assert backend.recognizer(hearing(model="a/b", options=vad)).profile.acknowledges == "finalize"


def test_a_session_of_vllm_names_its_model_and_begins_to_listen() -> None:
    request = hearing(AudioFormat.pcm16(16_000), model="mistralai/Voxtral")
    assert opening(OpenAI(url=LOCAL, dialect="vllm"), request) == [
        {"type": "session.update", "model": "mistralai/Voxtral"},
        {"type": "input_audio_buffer.commit", "final": False},
    ]


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"dialect": "together"}, "dialect must be one of openai, speaches, vllm, not 'together'"),
        ({"dialect": "vllm"}, "url must be given with dialect='vllm'"),
        ({"url": "localhost"}, "the url of OpenAI must begin"),
        ({"api_key": "two words"}, "api_key of OpenAI"),
    ],
)
def test_a_backend_that_cannot_be_used_is_refused_where_it_is_made(fields: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        OpenAI(**fields)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (hearing(AudioFormat.pcm16(16_000)), "a sample rate of 24000 Hz"),
        (hearing(AudioFormat.mulaw(16_000)), "a sample rate of 8000 Hz"),
        (hearing(AudioFormat.pcm16(24_000, 2)), "1 channel"),
        (hearing(model="deepgram/nova-3"), "not a model of OpenAI"),
        (hearing(model="whisper-1", keyterms=("trio",)), "keyterms are not taken by whisper-1"),
        (hearing(options={"language": "en"}), "options must not hold 'language'"),
        (hearing(options={"prompt": object()}), r"options\['prompt'\]"),
        (hearing(model="gpt-realtime-whisper", options={"turn_detection": {"type": "server_vad"}}), "which has none"),
        (hearing(fallback=(FallbackModel("x"),)), "tries no other model"),
    ],
)
def test_what_openai_cannot_serve_is_refused(request_: TranscribeRequest, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        OpenAI(SECRET).recognizer(request_)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (hearing(AudioFormat.pcm16(16_000)), "model must be given with dialect='vllm'"),
        (hearing(model="m"), "a sample rate of 16000 Hz"),
        (hearing(AudioFormat.mulaw(), model="m"), "the encoding pcm_s16le"),
        (hearing(AudioFormat.pcm16(16_000), model="m", language="en"), "vLLM takes a model alone"),
    ],
)
def test_what_vllm_cannot_serve_is_refused(request_: TranscribeRequest, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        OpenAI(url=LOCAL, dialect="vllm").recognizer(request_)


def test_it_does_not_speak() -> None:
    with pytest.raises(ConfigurationError, match="does not speak"):
        OpenAI(SECRET).voice(SynthesizeRequest(audio_format=PCM))


# ---------------------------------------------------------------- changes


def changes(backend: OpenAI, request: TranscribeRequest, *changes: Change) -> list[Any]:
    codec = backend.recognizer(request).codec()
    return [json.loads(str(codec.update(change)))["session"] for change in changes]


def test_a_change_says_all_of_the_transcription_and_nothing_else() -> None:
    said = changes(
        OpenAI(SECRET),
        hearing(language="en"),
        Change(keyterms=("trio", "anchovies")),
        Change(language="de", options={"prompt": "x"}),
        Change(keyterms=()),
    )
    base = {"model": "gpt-live-transcribe", "languages": ["en"], "keywords": ["trio", "anchovies"]}
    wanted = [base, {**base, "languages": ["de"], "prompt": "x"}]
    wanted.append({**wanted[1], "keywords": []})
    assert [each["audio"]["input"] for each in said] == [{"transcription": each} for each in wanted]
    assert {each["type"] for each in said} == {"transcription"}


def test_what_stands_beside_the_transcription_takes_a_new_connection() -> None:
    codec = OpenAI(SECRET).recognizer(hearing()).codec()
    assert codec.update(Change(options={"turn_detection": None})) == NeedsNewLink()


def test_speaches_takes_a_new_language() -> None:
    backend = OpenAI(url=LOCAL, dialect="speaches")
    assert changes(backend, hearing(model="m"), Change(language="de")) == [
        {"input_audio_transcription": {"model": "m", "language": "de"}}
    ]


@pytest.mark.parametrize(
    ("dialect", "change", "complaint"),
    [
        ("openai", Change(options={"model": "x"}), "options must not hold 'model'"),
        ("speaches", Change(keyterms=("x",)), "keyterms are not taken by m"),
        ("vllm", Change(language="de"), "vLLM takes a model alone"),
    ],
)
def test_what_cannot_be_changed_is_refused(dialect: Any, change: Change, complaint: str) -> None:
    request = hearing(AudioFormat.pcm16(16_000 if dialect == "vllm" else 24_000), model="m")
    codec = OpenAI(SECRET, LOCAL, dialect).recognizer(request).codec()
    with pytest.raises(ConfigurationError, match=complaint):
        codec.update(change)
