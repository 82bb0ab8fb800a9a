from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import (
    Closed,
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SttMessage,
    Unknown,
)
from trio_speech._core.provider.requests import Change, FallbackModel, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError, ProtocolError
from trio_speech.events import Word
from trio_speech.providers.livekit import wire
from trio_speech.providers.livekit.stt import LiveKitSttCodec, creation, models


def asking(**fields: Any) -> TranscribeRequest:
    return TranscribeRequest(audio_format=AudioFormat.pcm16(16_000), **fields)


def opening(**fields: Any) -> Any:
    return json.loads(wire.encode(creation(asking(**fields))))


def codec(**fields: Any) -> LiveKitSttCodec:
    return LiveKitSttCodec(asking(**fields), wire.encode(creation(asking(**fields))))


def heard(frame: str, model: str = "deepgram/nova-3") -> list[SttMessage]:
    return list(codec(model=model).decode(frame))


# ---------------------------------------------------------------- opening


def test_the_first_frame_is_the_one_of_the_fact_sheet() -> None:
    assert opening(
        model="assemblyai/universal-streaming",
        language="en",
        options={"format_turns": True},
        keyterms=("LiveKit",),
        fallback=(FallbackModel("cartesia/ink-whisper"), FallbackModel("deepgram/nova-3", {"keyterm": ["x"]})),
    ) == json.loads(
        '{"type":"session.create","model":"assemblyai/universal-streaming",'
        ' "settings":{"sample_rate":"16000","encoding":"pcm_s16le","language":"en",'
        '             "extra":{"format_turns":true,"keyterms_prompt":["LiveKit"]}},'
        ' "fallback":{"models":[{"model":"cartesia/ink-whisper","extra":null},'
        '                       {"model":"deepgram/nova-3","extra":{"keyterm":["x"]}}]},'
        ' "connection":{"timeout":10.0,"retries":3}}'
    )


@pytest.mark.parametrize("model", [None, "auto"])
def test_where_the_gateway_chooses_the_model_none_is_named(model: str | None) -> None:
    assert opening(model=model) == {
        "type": "session.create",
        "settings": {"sample_rate": "16000", "encoding": "pcm_s16le", "extra": {}},
        "connection": {"timeout": 10.0, "retries": 3},
    }


@pytest.mark.parametrize(
    ("model", "language", "sent"),
    [
        ("deepgram/nova-3", None, None),
        ("deepgram/nova-3:fr", None, "fr"),
        ("deepgram/nova-3:fr", "English", "en"),
        ("auto:pt_br", None, "pt-BR"),
        ("deepgram/nova-3:multi", "", "multi"),
    ],
)
def test_an_explicit_language_wins_over_the_suffix(model: str, language: str | None, sent: str | None) -> None:
    assert opening(model=model, language=language)["settings"].get("language") == sent


def test_the_suffix_of_a_fallback_is_dropped() -> None:
    fallback = (FallbackModel("deepgram/nova-3:fr", {}),)
    assert opening(fallback=fallback)["fallback"] == {"models": [{"model": "deepgram/nova-3", "extra": {}}]}
    assert models(asking(model="auto:pt", fallback=fallback)) == ("auto", "deepgram/nova-3")


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="keyterms must be empty"):
        opening(model="xai/stt-1", keyterms=("x",))
    with pytest.raises(ConfigurationError, match="'tag'"):
        opening(options={"tag": object()})
    with pytest.raises(ConfigurationError, match="'tag'"):
        opening(fallback=(FallbackModel("deepgram", {"tag": object()}),))
    with pytest.raises(ConfigurationError, match="names no model"):
        opening(fallback=(FallbackModel(":fr"),))


# ---------------------------------------------------------------- requests


def test_what_is_said_while_a_session_lasts() -> None:
    session = codec(model="deepgram/nova-3")
    assert list(session.open()) == [wire.encode(creation(asking(model="deepgram/nova-3")))]
    assert session.audio(memoryview(b"\x01\x02")) == '{"type":"input_audio","audio":"AQI="}'
    assert session.finalize() == '{"type":"session.finalize"}'
    assert session.close() == '{"type":"session.close"}'
    assert session.keepalive() is None


def updated(session: LiveKitSttCodec, **fields: Any) -> Any:
    frame = session.update(Change(**fields))
    if frame is None:
        return None
    message = json.loads(frame)
    assert message.pop("type") == "session.update"
    return message["settings"]


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({}, None),
        ({"language": "French"}, {"language": "fr"}),
        ({"language": " "}, None),
        ({"options": {"prompt": "x"}}, {"extra": {"prompt": "x"}}),
        ({"options": {}}, None),
        ({"keyterms": ("a",)}, {"extra": {"keyterms_prompt": ["a"]}}),
        ({"keyterms": ()}, None),
        (
            {"language": "en", "options": {"prompt": "x"}, "keyterms": ("a", "b")},
            {"language": "en", "extra": {"prompt": "x", "keyterms_prompt": ["a", "b"]}},
        ),
        ({"options": {"keyterms_prompt": ["b"]}, "keyterms": ("a",)}, {"extra": {"keyterms_prompt": ["b", "a"]}}),
    ],
)
def test_an_update_says_only_what_changes(change: dict[str, Any], settings: Any) -> None:
    assert updated(codec(model="assemblyai"), **change) == settings


def test_keyterms_are_always_sent_as_the_whole_list() -> None:
    session = codec(model="deepgram/nova-3", options={"keyterm": "own"}, keyterms=("first",))
    assert updated(session, keyterms=("second",)) == {"extra": {"keyterm": ["own", "second"]}}
    assert updated(session, options={"smart_format": True}) == {"extra": {"smart_format": True}}
    assert updated(session, options={"keyterm": ["new"]}) == {"extra": {"keyterm": ["new", "second"]}}
    assert updated(session, keyterms=()) == {"extra": {"keyterm": ["new"]}}


def test_a_refused_update_changes_nothing() -> None:
    session = codec(model="xai/stt-1")
    with pytest.raises(ConfigurationError, match="keyterms must be empty"):
        session.update(Change(keyterms=("a",), options={"diarize": True}))
    with pytest.raises(ConfigurationError, match="'tag'"):
        session.update(Change(options={"tag": object()}))
    assert updated(session, options={"format": True}) == {"extra": {"format": True}}


# ---------------------------------------------------------------- results


def test_the_messages_of_the_fact_sheet() -> None:
    assert heard('{"type":"session.created","session_id":"stt_0f31"}') == [Opened("stt_0f31")]
    assert heard(
        '{"type":"interim_transcript","session_id":"stt_0f31","transcript":"hello wor","language":"en","start":1.28,'
        '"duration":0.64,"confidence":0.91,"words":[{"word":"hello","start":1.3,"end":1.62,"confidence":0.97}],'
        '"extra":null}'
    ) == [
        RecognitionResult(
            kind="interim",
            text="hello wor",
            start=1.28,
            end=1.92,
            words=(Word("hello", 1.3, 1.62, 0.97),),
            language="en",
            confidence=0.91,
        )
    ]
    assert heard(
        '{"type":"final_transcript","session_id":"stt_0f31","transcript":"Hello world.","language":"en","start":1.28,'
        '"duration":1.1,"confidence":0.98,"words":[{"word":"Hello","start":1.3,"end":1.62,"confidence":0.99,'
        '"speaker_id":"S0"},{"word":"world.","start":1.7,"end":2.2,"confidence":0.97}]}'
    ) == [
        RecognitionResult(
            kind="final",
            text="Hello world.",
            start=1.28,
            end=1.28 + 1.1,
            words=(Word("Hello", 1.3, 1.62, 0.99, "S0"), Word("world.", 1.7, 2.2, 0.97)),
            language="en",
            confidence=0.98,
            ends_speech=True,
        )
    ]
    assert heard('{"type":"session.finalized"}') == [FinalizeAnswered()]
    assert heard('{"type":"error","code":2007,"message":"session closed due to agent inactivity"}') == [
        Failure(message="session closed due to agent inactivity", code=2007)
    ]


def test_the_other_messages() -> None:
    assert heard('{"type":"start_of_speech"}') == [SpeechOnset()]
    assert heard('{"type":"session.closed"}') == [Closed()]
    assert heard('{"type":"something.new"}') == [Unknown("something.new")]
    assert list(codec().decode(b"binary")) == [Unknown("binary")]
    assert heard(
        '{"type":"preflight_transcript","transcript":"so","start":1,"duration":2,"speaker_id":"S1","extra":{"p":1}}'
    ) == [RecognitionResult(kind="preflight", text="so", start=1.0, end=3.0, speaker="S1", extra={"p": 1})]


def test_what_is_missing_is_not_made_up() -> None:
    frame = '{"type":"final_transcript","words":[{"word":"a"}],"language":"","speaker_id":""}'
    assert heard(frame) == [
        RecognitionResult(kind="final", text="", start=0.0, end=0.0, words=(Word("a", 0.0, 0.0),), ends_speech=True)
    ]


@pytest.mark.parametrize("kind", ["interim", "preflight"])
def test_an_empty_interim_is_told_since_it_takes_back_the_one_shown(kind: str) -> None:
    (taken_back,) = heard(f'{{"type":"{kind}_transcript","start":1.0,"duration":2.0}}', "xai/stt-1")
    assert isinstance(taken_back, RecognitionResult)
    assert (taken_back.kind, taken_back.text, taken_back.start, taken_back.end) == (kind, "", 1.0, 3.0)


def test_an_empty_final_is_delivered_and_ends_speech() -> None:
    assert heard('{"type":"final_transcript","start":1.0,"duration":2.0}') == [
        RecognitionResult(kind="final", text="", start=1.0, end=3.0, ends_speech=True)
    ]


def test_times_run_forward_and_begin_at_zero() -> None:
    frame = (
        '{"type":"final_transcript","start":-0.5,"duration":-1,"words":'
        '[{"word":"a","start":-0.2,"end":-0.1},{"word":"b","start":2,"end":1}]}'
    )
    [final] = heard(frame)
    assert isinstance(final, RecognitionResult)
    assert (final.start, final.end) == (0.0, 0.0)
    assert [(word.start, word.end) for word in final.words] == [(0.0, 0.0), (2.0, 2.0)]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
TIMES = st.one_of(st.floats(), st.integers(), st.floats(-10, 10))
WORDS = st.lists(
    st.fixed_dictionaries({}, optional={"word": st.text(), "start": TIMES, "end": TIMES, "confidence": TIMES})
)
TRANSCRIPTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["interim_transcript", "preflight_transcript", "final_transcript"])},
    optional={"transcript": st.text(), "start": TIMES, "duration": TIMES, "words": st.none() | WORDS, "extra": JSON},
)


@given(
    st.text() | st.binary() | TRANSCRIPTS.map(json.dumps) | JSON.map(json.dumps),
    st.sampled_from(["deepgram/nova-3", "cartesia/ink-2"]),
)
def test_whatever_comes_is_in_order_or_a_protocol_error(frame: str | bytes, model: str) -> None:
    try:
        said = list(codec(model=model).decode(frame))
    except ProtocolError:
        return
    for message in said:
        if isinstance(message, RecognitionResult):
            assert 0.0 <= message.start <= message.end
            assert all(0.0 <= word.start <= word.end for word in message.words)
