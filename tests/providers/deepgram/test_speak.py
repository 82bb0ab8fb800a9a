"""The codec of Deepgram's voices: generations are known by the order of messages alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Audio, Done, Failure, Opened, TtsMessage, Unknown
from trio_speech.errors import ProtocolError
from trio_speech.providers.deepgram.profiles import SPEAK
from trio_speech.providers.deepgram.speak import DeepgramSpeakCodec

FLUSHED = '{"type":"Flushed","sequence_id":0}'
CLEARED = '{"type":"Cleared","sequence_id":1}'


def speaking() -> DeepgramSpeakCodec:
    codec = DeepgramSpeakCodec()
    codec.speak("Hello.")
    return codec


def said(codec: DeepgramSpeakCodec, *frames: str | bytes) -> list[TtsMessage]:
    return [message for frame in frames for message in codec.decode(frame)]


def test_a_text_is_spoken_and_flushed() -> None:
    codec = DeepgramSpeakCodec()
    assert list(codec.open()) == []
    assert codec.speak('Say "hi".') == ('{"type":"Speak","text":"Say \\"hi\\"."}', '{"type":"Flush"}')
    assert codec.keepalive() is None  # type: ignore[func-returns-value]
    assert codec.close() == '{"type":"Close"}'


def test_binary_frames_are_audio_and_the_flush_ends_the_generation() -> None:
    codec = speaking()
    metadata = '{"type":"Metadata","request_id":"r1","model_name":"aura-2-thalia-en"}'
    assert said(codec, metadata, b"\1\2", b"", FLUSHED) == [Opened("r1"), Audio(b"\1\2"), Done()]
    assert said(codec, FLUSHED) == []


def test_only_a_generation_that_is_under_way_is_cleared() -> None:
    codec = DeepgramSpeakCodec()
    assert codec.cancel() is None
    codec.speak("Hello.")
    assert codec.cancel() == '{"type":"Clear"}'
    assert said(codec, CLEARED) == [Done()]
    assert codec.cancel() is None


@pytest.mark.parametrize("frames", [(CLEARED,), (b"\1\2", CLEARED), (FLUSHED, CLEARED)])
def test_a_cleared_generation_ends_with_cleared_though_its_flush_was_quicker(frames: tuple[str | bytes, ...]) -> None:
    codec = speaking()
    codec.cancel()
    assert [message for message in said(codec, *frames) if message == Done()] == [Done()]
    codec.speak("Next.")
    assert said(codec, b"\3\4", FLUSHED) == [Audio(b"\3\4"), Done()]


def test_a_generation_is_cleared_once_however_often_it_is_cancelled() -> None:
    codec = speaking()
    assert codec.cancel() is not None
    assert codec.cancel() is None


def test_the_flush_of_a_cleared_text_does_not_end_the_next_one() -> None:
    codec = speaking()
    codec.cancel()
    assert said(codec, CLEARED) == [Done()]
    codec.speak("Next.")
    assert said(codec, FLUSHED) == []
    assert said(codec, b"\3\4", FLUSHED) == [Audio(b"\3\4"), Done()]
    codec.speak("Another.")
    assert said(codec, FLUSHED) == [Done()]


@pytest.mark.parametrize(
    "warning",
    [
        {"code": "EXCESSIVE_FLUSH", "description": "later"},
        {"warn_code": "X", "warn_msg": "Too many flushes"},
    ],
)
def test_an_ignored_flush_is_a_failure_that_another_connection_may_mend(warning: dict[str, str]) -> None:
    (failure,) = said(speaking(), json.dumps({"type": "Warning", **warning}))
    assert isinstance(failure, Failure)
    assert failure.retryable


def test_other_warnings_are_passed_over_and_errors_told() -> None:
    codec = speaking()
    assert said(codec, '{"type":"Warning","code":"NUMERALS","description":"odd"}') == []
    assert said(codec, '{"type":"Error","description":"no","code":"NET-0000"}') == [
        Failure(message="no", code="NET-0000")
    ]
    assert said(codec, '{"type":"Error"}') == [Failure(message="no reason given")]
    assert said(codec, '{"type":"New"}') == [Unknown("New")]


def test_the_profile_keeps_within_the_services_limits() -> None:
    assert (SPEAK.max_characters or 9_999) <= 2_400
    assert (SPEAK.generations_per_minute or 99) < 20
    assert SPEAK.close_fates[1008] == "fatal"
    assert SPEAK.close_reason_fates == {"DATA-0001": "retry"}


STEPS = st.sampled_from(["speak", "cancel", FLUSHED, CLEARED, b"\1\2", '{"type":"Warning"}', "?", '{"type":"Flushed"}'])


@given(st.lists(STEPS | st.text() | st.binary()))
def test_each_generation_is_done_at_most_once(steps: list[str | bytes]) -> None:
    codec, begun, done = DeepgramSpeakCodec(), 0, 0
    for step in steps:
        if step == "speak":
            if begun == done:  # one generation at a time, as sessions do
                codec.speak("Hello.")
                begun += 1
        elif step == "cancel":
            codec.cancel()
        else:
            try:
                done += list(codec.decode(step)).count(Done())
            except ProtocolError:
                continue
        assert done <= begun
