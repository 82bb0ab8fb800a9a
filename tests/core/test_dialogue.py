from __future__ import annotations

import typing
from types import MappingProxyType
from typing import Any, cast

import msgspec
import pytest
from msgspec import Struct

from trio_speech._core import dialogue
from trio_speech._core.dialogue import (
    Acknowledged,
    Aligned,
    Audio,
    Change,
    Closed,
    Done,
    Failure,
    FallbackModel,
    Finalized,
    Going,
    Hypothesis,
    Onset,
    Opened,
    SpeechOver,
    SttMessage,
    SynthesizeRequest,
    TranscribeRequest,
    TtsMessage,
    Unknown,
    checked,
    listed,
)
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError

PCM = AudioFormat.pcm16(16_000)
REQUESTS: list[Struct] = [TranscribeRequest(audio_format=PCM), SynthesizeRequest(audio_format=PCM), Change()]
MESSAGES: list[Struct] = [
    Opened(),
    Onset(),
    Hypothesis(kind="final", text="", start=0.0, end=0.0),
    SpeechOver(),
    Acknowledged(1.0),
    Finalized(),
    Audio(b""),
    Aligned(()),
    Done(),
    Going(5.0),
    Closed(),
    Failure(message="no"),
    Unknown("new"),
]


def test_each_message_is_one_that_a_machine_takes() -> None:
    taken = {*typing.get_args(SttMessage), *typing.get_args(TtsMessage)}
    assert {type(message) for message in MESSAGES} == taken
    defined = {
        each
        for name, each in vars(dialogue).items()
        if isinstance(each, type) and each.__module__.endswith("dialogue") and not name.startswith("_")
    }
    assert defined == taken | {type(request) for request in REQUESTS} | {FallbackModel}


def test_what_either_may_say_means_the_same_from_both() -> None:
    shared = set(typing.get_args(SttMessage)) & set(typing.get_args(TtsMessage))
    assert shared == {Opened, Going, Closed, Failure, Unknown}


@pytest.mark.parametrize("value", [*REQUESTS, *MESSAGES, FallbackModel("a/b")], ids=lambda value: type(value).__name__)
def test_they_are_frozen_values(value: Struct) -> None:
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    assert value == type(value)(**fields)
    for name in value.__struct_fields__[:1]:
        with pytest.raises(AttributeError):
            setattr(value, name, None)


def test_a_complaint_of_any_length_is_kept_short() -> None:
    failure = Failure(message="m" * 5_000, code="c" * 5_000, request_id="r" * 5_000)
    assert (failure.message, failure.code, failure.request_id) == ("m" * 500, "c" * 500, "r" * 500)
    assert Failure(message="m" * 500, code=401).message == "m" * 500


def test_requests_share_no_options() -> None:
    first, second = TranscribeRequest(audio_format=PCM), TranscribeRequest(audio_format=PCM)
    assert first.options == second.options == {}
    assert first.options is not second.options


def test_a_change_of_nothing_keeps_everything() -> None:
    assert {getattr(Change(), name) for name in Change.__struct_fields__} == {None}


# ---------------------------------------------------------------- what a caller asks for


HALF = "\ud83d"
"""Half of a surrogate pair."""


class Numbered:
    """Items by their numbers, as an array has them: no mapping, though it looks like one from below."""

    def __getitem__(self, index: int) -> int:
        return index


@pytest.mark.parametrize(
    ("kind", "fields", "complaint"),
    [
        (TranscribeRequest, {"audio_format": 16_000}, "audio_format is of type int, and no AudioFormat"),
        (SynthesizeRequest, {"audio_format": None}, "audio_format is of type NoneType, and no AudioFormat"),
        (TranscribeRequest, {"audio_format": PCM, "fallback": (5,)}, "a gateway_fallback is of type int"),
        (SynthesizeRequest, {"audio_format": PCM, "fallback": (FallbackModel(cast(Any, 5)),)}, "of a gateway_fallback"),
        (TranscribeRequest, {"audio_format": PCM, "model": 3}, r"Expected `str \| None`, got `int` - at `model`"),
        (TranscribeRequest, {"audio_format": PCM, "options": 5}, "got `int` - at `options`"),
        (TranscribeRequest, {"audio_format": PCM, "options": {1: 2}}, "got `int` - at `key` in `options`"),
        (TranscribeRequest, {"audio_format": PCM, "keyterms": (1,)}, r"got `int` - at `keyterms\[0\]`"),
        (SynthesizeRequest, {"audio_format": PCM, "voice": b"v"}, "got `bytes` - at `voice`"),
        (TranscribeRequest, {"audio_format": PCM, "options": Numbered()}, "the options are of type Numbered, and no"),
        (
            SynthesizeRequest,
            {"audio_format": PCM, "fallback": (FallbackModel("a/b", options=cast(Any, Numbered())),)},
            "the options of a gateway_fallback are of type Numbered",
        ),
        (SynthesizeRequest, {"audio_format": PCM, "model": HALF}, "an argument cannot be sent: .*surrogates"),
        (SynthesizeRequest, {"audio_format": PCM, "voice": HALF}, "an argument cannot be sent: .*surrogates"),
        (Change, {"language": HALF}, "an argument cannot be sent: .*surrogates"),
        (Change, {"keyterms": ("Trio", HALF)}, "an argument cannot be sent: .*surrogates"),
        (Change, {"options": [1]}, r"Expected `mapping \| None`, got `array` - at `options`"),
    ],
)
def test_a_value_of_another_kind_is_named(kind: Any, fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        checked(kind(**fields))


def test_what_is_asked_for_is_nobody_elses_to_change() -> None:
    options = {"numerals": True}
    for given in (options, MappingProxyType(options)):
        asked = TranscribeRequest(audio_format=PCM, options=given, keyterms=("Trio",), fallback=(FallbackModel("a/b"),))
        found = checked(asked)
        assert found == msgspec.structs.replace(asked, options=options)
        assert found.options is not given
        assert type(found.options) is dict
    changed = checked(Change(options=options))
    assert changed.options == options
    assert changed.options is not options


def test_a_list_is_not_one_string_nor_a_number() -> None:
    assert listed("keyterms", (term for term in ("Trio", "nursery"))) == ("Trio", "nursery")
    with pytest.raises(ConfigurationError, match="keyterms is one string, 'Trio': give a list"):
        listed("keyterms", "Trio")
    with pytest.raises(ConfigurationError, match="keyterms is of type int: give a list"):
        listed("keyterms", typing.cast(Any, 5))


def test_who_has_made_a_kind_of_its_own_is_served() -> None:
    class Telephone(AudioFormat, frozen=True):
        pass

    class Spare(FallbackModel, frozen=True):
        pass

    asked = TranscribeRequest(audio_format=Telephone("mulaw", 8_000), fallback=(Spare("a/b"),))
    assert checked(asked) == asked
