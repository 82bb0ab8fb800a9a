from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers.deepgram.address import query, split_model


def asked(audio_format: AudioFormat | None = None, **fields: Any) -> list[tuple[str, str]]:
    return parse_qsl(query(TranscribeRequest(audio_format=audio_format or AudioFormat.pcm16(16_000), **fields)))


def test_audio_is_described() -> None:
    assert asked() == [
        ("model", "nova-3"),
        ("encoding", "linear16"),
        ("sample_rate", "16000"),
        ("channels", "1"),
        ("interim_results", "true"),
    ]
    assert dict(asked(AudioFormat.mulaw()))["encoding"] == "mulaw"
    assert dict(asked(AudioFormat.alaw(16_000)))["sample_rate"] == "16000"


@pytest.mark.parametrize(
    ("name", "model", "language"),
    [
        (None, "nova-3", None),
        ("nova-2-phonecall", "nova-2-phonecall", None),
        ("deepgram/nova-3-medical", "nova-3-medical", None),
        ("deepgram/nova-3:fr", "nova-3", "fr"),
        ("deepgram", "nova-3", None),
        ("deepgram:fr", "nova-3", "fr"),
        (":fr", "nova-3", "fr"),
        ("nova-3:", "nova-3", None),
    ],
)
def test_models_are_named_as_everywhere_or_alone(name: str | None, model: str, language: str | None) -> None:
    assert split_model(name) == (model, language)
    assert dict(asked(model=name))["model"] == model
    assert dict(asked(model=name)).get("language") == language


def test_an_explicit_language_wins() -> None:
    assert dict(asked(model="nova-3:fr", language="English"))["language"] == "en"


def test_models_of_others_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a model of Deepgram"):
        split_model("cartesia/ink-2")


def test_options_become_parameters() -> None:
    options = {
        "smart_format": True,
        "interim_results": False,
        "endpointing": 300,
        "redact": ["pci", "ssn"],
        "replace": ("a:b",),
        "tag": None,
        "utterance_end_ms": 1000.5,
        "extra": "key:ä &",
    }
    assert asked(options=options)[4:] == [
        ("interim_results", "false"),
        ("smart_format", "true"),
        ("endpointing", "300"),
        ("redact", "pci"),
        ("redact", "ssn"),
        ("replace", "a:b"),
        ("utterance_end_ms", "1000.5"),
        ("extra", "key:ä &"),
    ]


def test_keyterms_join_those_among_the_options() -> None:
    assert asked(keyterms=("a b", "c"))[-2:] == [("keyterm", "a b"), ("keyterm", "c")]
    assert asked(keyterms=("b",), options={"keyterm": "a"})[-2:] == [("keyterm", "a"), ("keyterm", "b")]
    assert asked(keyterms=("b",), model="nova-2", options={"keywords": ["a:2"]})[-2:] == [
        ("keywords", "a:2"),
        ("keywords", "b"),
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "flac"},
        {"sample_rate": 8_000},
        {"channels": 2},
        {"multichannel": True},
        {"callback": "https://elsewhere"},
        {"callback_method": "put"},
        {"model": "nova-2"},
        {"language": "en"},
    ],
)
def test_options_that_would_contradict_us_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"options must not hold '{next(iter(options))}'"):
        asked(options=options)


@pytest.mark.parametrize("value", [{"a": 1}, [["a", 1]], [None], object()])
def test_options_that_no_address_can_hold_are_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"options\['tag'\]"):
        asked(options={"tag": value})


def test_text_that_no_address_can_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="text that an address can hold"):
        asked(keyterms=("\ud800",))
