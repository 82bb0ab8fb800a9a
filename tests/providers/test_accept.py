from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile, TtsProfile
from trio_speech._core.provider.requests import SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError
from trio_speech.providers._accept import accept_format, accept_options, refuse_unused

pcm16 = AudioFormat.pcm16


@pytest.mark.parametrize(
    ("audio_format", "profile"),
    [
        (pcm16(16_000), SttProfile()),
        (pcm16(16_000, 2), SttProfile(max_channels=2)),
        (AudioFormat.mulaw(), SttProfile(encodings=("mulaw",))),
        (pcm16(24_000), SttProfile(sample_rates=(8_000, 24_000))),
        (pcm16(44_100), TtsProfile()),
    ],
)
def test_what_the_service_takes_passes(audio_format: AudioFormat, profile: SttProfile | TtsProfile) -> None:
    accept_format(audio_format, profile, model=None)


@pytest.mark.parametrize(
    ("audio_format", "profile", "says"),
    [
        (AudioFormat.mulaw(), SttProfile(), "takes the encoding pcm_s16le"),
        (AudioFormat.alaw(), TtsProfile(), "takes the encoding pcm_s16le"),
        (pcm16(16_000), SttProfile(sample_rates=(8_000, 24_000)), "a sample rate of 8000 or 24000 Hz"),
        (pcm16(16_000), TtsProfile(sample_rates=(24_000,)), "a sample rate of 24000 Hz"),
        (pcm16(16_000), SttProfile(sample_rates=()), "name other fallback models"),
        (pcm16(16_000, 2), SttProfile(), "takes 1 channel"),
        (pcm16(16_000, 3), SttProfile(max_channels=2), "takes 1 to 2 channels"),
        (pcm16(16_000, 2), TtsProfile(), "takes 1 channel"),
    ],
)
def test_what_it_does_not_take_is_refused_with_what_it_takes(
    audio_format: AudioFormat, profile: SttProfile | TtsProfile, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        accept_format(audio_format, profile, model="some/model")
    assert caught.value.model == "some/model"


def test_options_are_copied_so_that_a_later_change_of_theirs_is_not_ours() -> None:
    terms = ["one"]
    accepted = accept_options({"terms": terms, "smart": True})
    terms.append("two")
    assert accepted == {"terms": ["one"], "smart": True}


@pytest.mark.parametrize("value", [object(), {1j: 2}, "\ud800"])
def test_an_option_that_json_has_no_value_for_is_named(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"options\['odd'\] cannot be sent as JSON"):
        accept_options({"fine": 1, "odd": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("model", "m"), ("language", "de"), ("options", {"x": 1}), ("keyterms", ("turmeric",))],
)
def test_an_argument_without_a_setting_is_refused_by_name(name: str, value: object) -> None:
    request = replace(TranscribeRequest(audio_format=AudioFormat.pcm16(16_000)), **{name: value})
    with pytest.raises(ConfigurationError, match=f"^{name} must be left out for Acme, which has no such setting"):
        refuse_unused(request, "Acme")
    refuse_unused(request, "Acme", name)


def test_a_voice_is_an_argument_too() -> None:
    request = SynthesizeRequest(audio_format=AudioFormat.pcm16(16_000), voice="ann")
    with pytest.raises(ConfigurationError, match=r"^voice must be left out"):
        refuse_unused(request, "Acme", "model")
    refuse_unused(request, "Acme", "voice")
