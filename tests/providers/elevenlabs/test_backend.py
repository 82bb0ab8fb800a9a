from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from trio_speech._core.provider.requests import FallbackModel, SynthesizeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._codec import Backend
from trio_speech.providers.elevenlabs import ElevenLabs

SECRET = "hunter2"


def speaking(audio_format: AudioFormat | None = None, **asked: Any) -> SynthesizeRequest:
    asked.setdefault("voice", "ann")
    return SynthesizeRequest(audio_format=audio_format or AudioFormat.pcm16(24_000), **asked)


async def test_a_dial_names_voice_model_and_format_and_bears_the_key() -> None:
    backend: Backend = ElevenLabs(SECRET)
    dial = await backend.voice(speaking(language="English", options={"seed": 7, "auto_mode": False})).dial()
    parts = urlsplit(dial.url)
    assert (parts.scheme, parts.netloc) == ("wss", "api.elevenlabs.io")
    assert parts.path == "/v1/text-to-speech/ann/multi-stream-input"
    assert dict(parse_qsl(parts.query)) == {
        "model_id": "eleven_flash_v2_5",
        "output_format": "pcm_24000",
        "language_code": "en",
        "auto_mode": "false",
        "seed": "7",
    }
    assert dict(dial.headers)["xi-api-key"] == SECRET
    assert SECRET not in repr(dial) + repr(backend) + repr(backend.voice(speaking()))


async def test_a_key_may_come_from_an_async_callable_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def key() -> str:
        return "from-a-vault"

    monkeypatch.setenv("ELEVENLABS_API_KEY", "from-there")
    for backend, expected in ((ElevenLabs(key), "from-a-vault"), (ElevenLabs(), "from-there")):
        assert dict((await backend.voice(speaking()).dial()).headers)["xi-api-key"] == expected


def test_a_voice_is_a_part_of_the_path_and_cannot_leave_it() -> None:
    assert "/ann%2F..%3Fx/" in ElevenLabs(SECRET).voice(speaking(voice="ann/..?x")).endpoint


@pytest.mark.parametrize(
    ("audio_format", "output_format"),
    [
        (AudioFormat.pcm16(44_100), "pcm_44100"),
        (AudioFormat.mulaw(), "ulaw_8000"),
        (AudioFormat.alaw(), "alaw_8000"),
    ],
)
def test_formats(audio_format: AudioFormat, output_format: str) -> None:
    assert f"output_format={output_format}&" in ElevenLabs(SECRET).voice(speaking(audio_format)).url


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"voice": None}, "voice must be the id of a voice"),
        ({"model": "cartesia/sonic-3"}, "is not a model of ElevenLabs"),
        ({"model": "eleven_v3"}, "version 3"),
        ({"audio_format": AudioFormat.mulaw(16_000)}, "a sample rate of 8000 Hz"),
        ({"audio_format": AudioFormat.pcm16(48_000)}, "a sample rate of"),
        ({"fallback": (FallbackModel("x"),)}, "tries no other model"),
        ({"options": {"output_format": "mp3"}}, "options must not hold 'output_format'"),
        ({"options": {"authorization": "Bearer x"}}, "options must not hold 'authorization'"),
        ({"options": {"single_use_token": "x"}}, "options must not hold 'single_use_token'"),
        ({"options": {"xi-api-key": "x"}}, "options must not hold 'xi-api-key'"),
        ({"options": {"seed": object()}}, r"options\['seed'\]"),
        ({"voice": "\ud800"}, "as UTF-8"),
    ],
)
def test_what_cannot_be_served_is_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        ElevenLabs(SECRET).voice(speaking(**asked))


@pytest.mark.parametrize("asked", [True, False, None])
def test_words_are_aligned_where_that_is_asked_for(asked: bool | None) -> None:
    options = {} if asked is None else {"sync_alignment": asked}
    assert ElevenLabs(SECRET).voice(speaking(options=options)).profile.aligned is (asked is True)


def test_connections_are_shared_where_address_and_settings_are_equal() -> None:
    key = ElevenLabs(SECRET).voice(speaking()).pool_key
    assert hash(key) == hash(ElevenLabs(SECRET).voice(speaking(model="elevenlabs")).pool_key)
    assert key == ElevenLabs(SECRET).voice(speaking(model="elevenlabs/eleven_flash_v2_5")).pool_key
    others = [
        ElevenLabs("other").voice(speaking()),
        ElevenLabs(SECRET).voice(speaking(voice="bob")),
        ElevenLabs(SECRET).voice(speaking(options={"voice_settings": {"speed": 1.1}})),
        ElevenLabs(SECRET).voice(speaking(options={"seed": 1})),
        ElevenLabs(SECRET).voice(speaking(AudioFormat.mulaw())),
    ]
    assert key not in [other.pool_key for other in others]


def test_each_connection_has_a_codec_of_its_own() -> None:
    voice = ElevenLabs(SECRET).voice(speaking())
    assert voice.codec() is not voice.codec()
