from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech._core.provider.requests import SynthesizeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers.cartesia import wire
from trio_speech.providers.cartesia.fields import fields, split_model

VOICE = "a0e99841-438c-4a64-b679-ae501e7d6091"


def asking(audio_format: AudioFormat | None = None, **asked: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=audio_format or AudioFormat.pcm16(24_000), **asked)


def test_an_input_is_the_one_of_the_fact_sheet() -> None:
    asked = fields(
        asking(
            model="cartesia/sonic-3",
            voice=VOICE,
            language="en_us",
            options={"generation_config": {"speed": 1.0, "volume": 1.0, "emotion": "neutral"}},
        )
    )
    assert json.loads(wire.generation("turn-42-s1", "Hello there. ", asked, more=True)) == json.loads(
        '{"context_id":"turn-42-s1","model_id":"sonic-3","transcript":"Hello there. ","continue":true,'
        ' "voice":{"mode":"id","id":"a0e99841-438c-4a64-b679-ae501e7d6091"},'
        ' "output_format":{"container":"raw","encoding":"pcm_s16le","sample_rate":24000},'
        ' "language":"en","add_timestamps":true,"max_buffer_delay_ms":0,'
        ' "generation_config":{"speed":1.0,"volume":1.0,"emotion":"neutral"}}'
    )


def test_what_is_not_asked_for_is_left_out() -> None:
    assert fields(asking(voice="v", language=" ")) == {
        "model_id": "sonic-3",
        "voice": {"mode": "id", "id": "v"},
        "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000},
        "add_timestamps": True,
        "max_buffer_delay_ms": 0,
    }


def test_options_win_over_our_defaults_and_none_leaves_them_to_the_service() -> None:
    asked = fields(
        asking(voice="v", options={"add_timestamps": False, "max_buffer_delay_ms": None, "pronunciation_dict_id": "p"})
    )
    assert asked["add_timestamps"] is False
    assert "max_buffer_delay_ms" not in asked
    assert asked["pronunciation_dict_id"] == "p"


@pytest.mark.parametrize(
    ("audio_format", "encoding", "sample_rate"),
    [
        (AudioFormat.pcm16(44_100), "pcm_s16le", 44_100),
        (AudioFormat.mulaw(), "pcm_mulaw", 8_000),
        (AudioFormat.alaw(16_000), "pcm_alaw", 16_000),
    ],
)
def test_audio_formats(audio_format: AudioFormat, encoding: str, sample_rate: int) -> None:
    asked = fields(asking(audio_format, voice="v"))
    assert asked["output_format"] == {"container": "raw", "encoding": encoding, "sample_rate": sample_rate}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        (None, ("sonic-3", None)),
        ("", ("sonic-3", None)),
        ("cartesia", ("sonic-3", None)),
        ("sonic-2", ("sonic-2", None)),
        ("cartesia/sonic-3.5", ("sonic-3.5", None)),
        ("sonic-3:v", ("sonic-3", "v")),
        ("cartesia/sonic-3.5:v", ("sonic-3.5", "v")),
        ("sonic-2:", ("sonic-2", None)),
        (":v", ("sonic-3", "v")),
    ],
)
def test_names_of_models(name: str | None, split: tuple[str, str | None]) -> None:
    assert split_model(name) == split


def test_another_providers_model_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'rime/coda', which is not a model of Cartesia"):
        split_model("rime/coda")


@pytest.mark.parametrize(("model", "voice", "sent"), [("sonic-3:a", None, "a"), ("sonic-3:a", "b", "b")])
def test_an_explicit_voice_wins_over_the_suffix(model: str, voice: str | None, sent: str) -> None:
    assert fields(asking(model=model, voice=voice))["voice"]["id"] == sent


def test_without_a_voice_it_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"voice must be the id of a voice.*sonic-2"):
        fields(asking(model="sonic-2"))


@pytest.mark.parametrize(
    "name",
    [
        "context_id",
        "model_id",
        "transcript",
        "continue",
        "flush",
        "cancel",
        "voice",
        "output_format",
        "language",
    ],
)
def test_options_that_are_ours_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"options must not hold '{name}'"):
        fields(asking(voice="v", options={name: None}))


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"options\['speed'\] cannot be sent"):
        fields(asking(voice="v", options={"speed": object()}))
    with pytest.raises(ConfigurationError, match=r"text that JSON can hold.*sonic-3"):
        fields(asking(voice="\ud83d"))
