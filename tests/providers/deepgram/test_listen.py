from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import (
    Acknowledged,
    Closed,
    Failure,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttMessage,
    Unknown,
)
from trio_speech._core.provider.requests import Change
from trio_speech.errors import ProtocolError
from trio_speech.events import Word
from trio_speech.providers._codec import NeedsNewLink
from trio_speech.providers.deepgram.listen import DeepgramCodec
from trio_speech.providers.deepgram.profiles import LISTEN

RESULTS = (
    '{"type":"Results","channel_index":[0,1],"start":1.04,"duration":1.98,"is_final":true,"speech_final":true,'
    '"from_finalize":false,"channel":{"alternatives":[{"transcript":"Hello world.","confidence":0.99,'
    '"languages":["en"],"words":[{"word":"hello","start":1.12,"end":1.44,"confidence":0.99,"punctuated_word":"Hello","speaker":0,'
    '"language":"en"}]}]},"metadata":{"request_id":"a1b2","model_uuid":"x","model_info":{"name":"general-nova-3"}}}'
)


def window(start: float, duration: float, transcript: str = "", **flags: bool) -> str:
    channel = {"alternatives": [{"transcript": transcript, "confidence": 0.0, "words": []}]}
    return json.dumps({"type": "Results", "start": start, "duration": duration, "channel": channel, **flags})


def heard(*frames: str | bytes) -> list[SttMessage]:
    codec = DeepgramCodec("nova-3")
    return [message for frame in frames for message in codec.decode(frame)]


# ---------------------------------------------------------------- requests


def test_what_is_said_while_a_session_lasts() -> None:
    codec = DeepgramCodec("nova-3")
    assert list(codec.open()) == []
    assert codec.audio(memoryview(b"\x01\x02")) == b"\x01\x02"
    assert type(codec.audio(memoryview(b"\x01\x02"))) is bytes
    assert codec.finalize() == '{"type":"Finalize"}'
    assert codec.keepalive() == '{"type":"KeepAlive"}'
    assert codec.close() == '{"type":"CloseStream"}'


def test_keyterms_change_as_a_whole() -> None:
    codec = DeepgramCodec("nova-3-medical")
    assert codec.update(Change(keyterms=("a", "b"))) == '{"type":"Configure","keyterms":["a","b"]}'
    assert codec.update(Change(keyterms=())) == '{"type":"Configure","keyterms":[]}'
    assert codec.update(Change()) is None
    assert codec.update(Change(options={})) is None


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("nova-3", Change(language="fr")),
        ("nova-3", Change(options={"numerals": True}, keyterms=("a",))),
        ("nova-2", Change(keyterms=("a",))),
    ],
)
def test_what_cannot_change_in_flight_needs_a_new_link(model: str, change: Change) -> None:
    assert DeepgramCodec(model).update(change) == NeedsNewLink()


# ---------------------------------------------------------------- results


def test_the_results_of_the_fact_sheet() -> None:
    assert heard(RESULTS) == [
        RecognitionResult(
            kind="final",
            text="Hello world.",
            start=1.12,
            end=1.44,
            words=(Word("Hello", 1.12, 1.44, 0.99, "0"),),
            language="en",
            confidence=0.99,
            ends_speech=True,
        ),
        Acknowledged(1.04 + 1.98),
    ]


def test_a_final_may_be_less_than_an_utterance() -> None:
    [interim, final, _, last, acknowledged] = heard(
        window(0, 1, "so"),
        window(0, 2, "so far", is_final=True),
        window(2, 1, "so good", is_final=True, speech_final=True),
    )
    assert acknowledged == Acknowledged(3.0)
    assert isinstance(interim, RecognitionResult)
    assert isinstance(final, RecognitionResult)
    assert isinstance(last, RecognitionResult)
    assert (interim.kind, interim.ends_speech) == ("interim", False)
    assert (final.kind, final.ends_speech) == ("final", False)
    assert (last.kind, last.ends_speech) == ("final", True)


def test_an_interim_never_ends_speech() -> None:
    [interim] = heard(window(0, 1, "so", speech_final=True))
    assert isinstance(interim, RecognitionResult)
    assert not interim.ends_speech


def test_silence_is_acknowledged_and_is_no_transcript() -> None:
    assert heard(window(0, 1), window(0, 2.5, is_final=True)) == [Acknowledged(2.5)]


def test_silence_may_end_an_utterance_whose_words_are_final_already() -> None:
    assert heard(window(2, 0.5, is_final=True, speech_final=True)) == [SpeechOver(2.5), Acknowledged(2.5)]


def test_an_empty_final_takes_back_what_an_interim_guessed() -> None:
    assert heard(window(0, 1, "uh"), window(0, 2, is_final=True), window(2, 2, is_final=True))[1:] == [
        RecognitionResult(kind="final", text="", start=0.0, end=2.0, confidence=0.0),
        Acknowledged(2.0),
        Acknowledged(4.0),
    ]


def test_an_answer_to_finalize_follows_its_transcript() -> None:
    [final, _, finalized] = heard(window(0, 1, "so", is_final=True, from_finalize=True))
    assert isinstance(final, RecognitionResult)
    assert finalized == FinalizeAnswered()
    assert heard(window(0, 1, is_final=True, from_finalize=True)) == [Acknowledged(1.0), FinalizeAnswered()]


def test_windows_run_forward_and_begin_at_zero() -> None:
    assert heard(window(-1, -2, is_final=True)) == [Acknowledged(0.0)]
    channel = {"alternatives": [{"transcript": "a b", "words": [{"start": -2, "end": -1}, {"start": 2, "end": 1}]}]}
    [final, _] = heard(json.dumps({"type": "Results", "start": 0, "duration": 3, "is_final": True, "channel": channel}))
    assert isinstance(final, RecognitionResult)
    assert [(word.start, word.end) for word in final.words] == [(0.0, 0.0), (2.0, 2.0)]


def test_a_transcript_lasts_from_its_first_word_to_its_last_within_its_window() -> None:
    for words, span in (
        ([(2.0, 2.5), (2.6, 3.5)], (2.0, 3.5)),
        ([(2.0, 2.5), (2.6, 4.5)], (2.0, 4.0)),
        ([(4.5, 5.0)], (4.0, 4.0)),
        ([], (0.0, 4.0)),
    ):
        timed = [{"word": "a", "start": start, "end": end} for start, end in words]
        channel = {"alternatives": [{"transcript": "a b", "words": timed}]}
        message = {"type": "Results", "start": 0, "duration": 4, "is_final": True, "channel": channel}
        final, acknowledged = heard(json.dumps(message))
        assert isinstance(final, RecognitionResult)
        assert (final.start, final.end) == span
        assert acknowledged == Acknowledged(4.0)


def test_a_window_of_no_alternative_is_silence() -> None:
    assert heard('{"type":"Results","start":0,"duration":1,"is_final":true,"channel":{}}') == [Acknowledged(1.0)]


def test_the_other_messages() -> None:
    assert heard(
        '{"type":"SpeechStarted","channel":[0],"timestamp":1.1}',
        '{"type":"SpeechStarted"}',
        '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.95}',
        '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}',
        '{"type":"ConfigureSuccess","request_id":"r","keyterms":["x"]}',
        '{"type":"New"}',
        b"binary",
    ) == [SpeechOnset(1.1), SpeechOnset(), SpeechOver(2.95), SpeechOver(), Unknown("New"), Unknown("binary")]


def test_metadata_is_the_end_once_the_end_was_asked_for() -> None:
    codec = DeepgramCodec("nova-3")
    assert list(codec.decode('{"type":"Metadata","request_id":"r"}')) == []
    codec.close()
    assert list(codec.decode('{"type":"Metadata","request_id":"r"}')) == [Closed()]


@pytest.mark.parametrize(
    ("frame", "failure"),
    [
        (
            '{"type":"ConfigureFailure","request_id":"r","code":"CONFIGURE_ALREADY_PENDING","description":"wait"}',
            Failure(message="the keyterms were not taken: wait", code="CONFIGURE_ALREADY_PENDING", request_id="r"),
        ),
        ('{"type":"ConfigureFailure"}', Failure(message="the keyterms were not taken: no reason given")),
        (
            '{"type":"Error","variant":"SchemaError","description":"no","message":"<offending client text>"}',
            Failure(message="no", code="SchemaError"),
        ),
        ('{"type":"Error"}', Failure(message="no reason given")),
    ],
)
def test_errors_become_failures(frame: str, failure: Failure) -> None:
    assert heard(frame) == [failure]


def test_what_the_service_is_like() -> None:
    assert LISTEN.acknowledges == "span"
    assert LISTEN.keepalive is not None
    assert LISTEN.keepalive < 5
    assert LISTEN.replay_speed is None, "what comes faster is delayed, not refused"
    assert LISTEN.close_fates[1008] == "fatal"
    assert 1011 not in LISTEN.close_fates
    assert LISTEN.failure_fates["CONFIGURE_KEYTERMS_NOT_SUPPORTED"] == "fatal"
    assert LISTEN.failure_fates["CONFIGURE_ALREADY_PENDING"] == "retry"


@given(
    st.lists(
        st.tuples(st.floats(0.01, 9), st.sampled_from(["", "", "word"]), st.booleans(), st.booleans()), max_size=20
    )
)
def test_final_windows_leave_no_audio_without_an_acknowledgment(windows: list[tuple[float, str, bool, bool]]) -> None:
    start = 0.0
    codec = DeepgramCodec("nova-3")
    for duration, transcript, final, ends in windows:
        said = list(codec.decode(window(start, duration, transcript, is_final=final, speech_final=ends)))
        ends_at = [message.upto for message in said if isinstance(message, Acknowledged)]
        assert ends_at == ([start + duration] if final else [])
        start += duration if final else 0.0


@given(
    st.text()
    | st.binary()
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["Results", "SpeechStarted", "UtteranceEnd", "Error", "ConfigureFailure"])},
        optional={
            "start": st.floats(),
            "duration": st.floats(),
            "is_final": st.booleans(),
            "channel": st.just({}) | st.just({"alternatives": [{"transcript": "x", "words": None}]}),
            "timestamp": st.none() | st.floats(),
            "last_word_end": st.none() | st.floats(),
        },
    ).map(json.dumps)
)
def test_whatever_comes_is_in_order_or_a_protocol_error(frame: Any) -> None:
    try:
        said = heard(frame)
    except ProtocolError:
        return
    for message in said:
        if isinstance(message, RecognitionResult):
            assert 0.0 <= message.start <= message.end
        if isinstance(message, (SpeechOnset, SpeechOver)):
            assert message.at is None or message.at >= 0.0
