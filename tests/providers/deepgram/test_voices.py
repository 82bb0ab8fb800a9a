from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from trio_speech._core.provider.requests import SynthesizeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers.deepgram.voices import query, voice_model


def asking(audio_format: AudioFormat | None = None, **asked: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=audio_format or AudioFormat.pcm16(24_000), **asked)


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ({}, "aura-2-thalia-en"),
        ({"model": "deepgram"}, "aura-2-thalia-en"),
        ({"model": "deepgram/aura-2"}, "aura-2-thalia-en"),
        ({"model": "aura-2:luna"}, "aura-2-luna-en"),
        ({"model": "aura-2:luna", "voice": "zeus"}, "aura-2-zeus-en"),
        ({"voice": "celeste", "language": "Spanish"}, "aura-2-celeste-es"),
        ({"voice": "celeste", "language": "es-MX"}, "aura-2-celeste-es"),
        ({"model": "aura:asteria"}, "aura-asteria-en"),
        ({"model": "deepgram/aura-2-thalia-en"}, "aura-2-thalia-en"),
        ({"voice": "aura-2-thalia-en"}, "aura-2-thalia-en"),
    ],
)
def test_model_voice_and_language_make_the_name(asked: dict[str, Any], model: str) -> None:
    assert voice_model(asking(**asked)) == model


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"model": "cartesia/sonic-3"}, "is not a model of Deepgram"),
        ({"model": "aura-2-thalia-en", "voice": "luna"}, "names a voice already"),
        ({"model": "aura-2-thalia-en:luna"}, "names a voice already"),
    ],
)
def test_what_names_no_voice_is_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        voice_model(asking(**asked))


def test_audio_and_options_become_parameters() -> None:
    assert parse_qsl(
        query(asking(AudioFormat.mulaw(), options={"speed": 0.9, "tag": ["a", "b"], "mip_opt_out": True}))
    ) == [
        ("model", "aura-2-thalia-en"),
        ("encoding", "mulaw"),
        ("sample_rate", "8000"),
        ("speed", "0.9"),
        ("tag", "a"),
        ("tag", "b"),
        ("mip_opt_out", "true"),
    ]


@pytest.mark.parametrize("name", ["encoding", "sample_rate", "container", "model"])
def test_options_that_would_contradict_the_arguments_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"options must not hold '{name}'"):
        query(asking(options={name: "x"}))
