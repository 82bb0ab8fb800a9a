from __future__ import annotations

import typing

import pytest
from msgspec import Struct

from trio_speech._core.provider import messages, requests
from trio_speech._core.provider.messages import (
    Acknowledged,
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    FinalizeAnswered,
    Going,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    TtsMessage,
    TurnOver,
    Unheard,
    Unknown,
)
from trio_speech._core.provider.requests import Change, FallbackModel, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.events import Word

PCM = AudioFormat.pcm16(16_000)
REQUESTS: list[Struct] = [TranscribeRequest(audio_format=PCM), SynthesizeRequest(audio_format=PCM), Change()]
MESSAGES: list[Struct] = [
    Opened(),
    SpeechOnset(),
    RecognitionResult(kind="final", text="", start=0.0, end=0.0),
    SpeechOver(),
    TurnOver(),
    Acknowledged(1.0),
    Unheard(1.0, 2.0),
    FinalizeAnswered(),
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
        for name, each in (vars(messages) | vars(requests)).items()
        if isinstance(each, type) and each.__module__.endswith((".messages", ".requests")) and not name.startswith("_")
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


def test_a_label_of_any_length_is_kept_short_and_told_from_others() -> None:
    long = "s" * 5_000
    words = (Word("a", 0.0, 1.0, None, long), Word("b", 1.0, 2.0, None, "B"), Word("c", 2.0, 3.0))
    final = RecognitionResult(kind="final", text="a b c", start=0.0, end=3.0, words=words, speaker=f"{long}2", id=long)
    assert final.speaker is not None
    assert final.id is not None
    assert final.id == final.words[0].speaker != final.speaker
    assert len(final.speaker) <= 100 >= len(final.id)
    assert [word.speaker for word in final.words[1:]] == ["B", None]
    short = RecognitionResult(kind="final", text="a", start=0.0, end=1.0, speaker="s" * 100, id="i" * 100)
    assert (short.speaker, short.id) == ("s" * 100, "i" * 100)


def test_requests_share_no_options() -> None:
    first, second = TranscribeRequest(audio_format=PCM), TranscribeRequest(audio_format=PCM)
    assert first.options == second.options == {}
    assert first.options is not second.options


def test_a_change_of_nothing_keeps_everything() -> None:
    assert {getattr(Change(), name) for name in Change.__struct_fields__} == {None}
