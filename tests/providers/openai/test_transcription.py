"""The codec of OpenAI's transcription: items, their order, their place in the audio, and what answers a commit."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech.audio import AudioFormat
from trio_speech.errors import ProtocolError
from trio_speech.provider import (
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
    SttCodec,
    SttMessage,
    TranscribeRequest,
    Unheard,
    Unknown,
)
from trio_speech.providers.openai import OpenAI

PCM = AudioFormat.pcm16(24_000)
VAD = {"turn_detection": {"type": "server_vad"}}
SECOND = bytes(2 * 24_000)


def codec(dialect: Any = "openai", **options: Any) -> SttCodec:
    backend = OpenAI("key", "http://localhost" if dialect != "openai" else None, dialect)
    return backend.recognizer(TranscribeRequest(audio_format=PCM, model="gpt-live-transcribe", options=options)).codec()


def said(codec: SttCodec, kind: str, **fields: Any) -> list[SttMessage]:
    return list(codec.decode(json.dumps({"type": kind, "event_id": "e", **fields})))


def about(codec: SttCodec, what: str, item: str, **fields: Any) -> list[SttMessage]:
    known = {"delta", "completed", "failed"}
    kind = f"conversation.item.input_audio_transcription.{what}" if what in known else f"input_audio_buffer.{what}"
    return said(codec, kind, item_id=item, **fields)


def final(text: str, start: float, end: float, item: str = "i", **fields: Any) -> RecognitionResult:
    return RecognitionResult(kind="final", text=text, start=start, end=end, id=item, **fields)


def interim(text: str) -> RecognitionResult:
    return RecognitionResult(kind="interim", text=text, start=0.0, end=0.0)


# ---------------------------------------------------------------- what is said to the service


def test_audio_goes_out_as_base64_and_there_is_no_message_to_keep_alive_or_to_close() -> None:
    one = codec()
    assert json.loads(one.audio(memoryview(b"\x01\x02"))) == {
        "type": "input_audio_buffer.append",
        "audio": base64.b64encode(b"\x01\x02").decode(),
    }
    assert one.finalize() == '{"type":"input_audio_buffer.commit","event_id":"commit-1"}'
    assert one.keepalive() is one.close() is None


# ---------------------------------------------------------------- items that the session commits


def test_a_commit_is_answered_by_its_item_which_ends_where_it_was_asked_for() -> None:
    one = codec()
    assert said(one, "session.created", session={"id": "sess"}) == [Opened("sess")]
    one.audio(SECOND)
    assert about(one, "delta", "i", delta="Hey") == [interim("Hey")]
    one.finalize()
    one.audio(SECOND)
    assert about(one, "committed", "i") == []
    assert about(one, "delta", "i", delta=" you") == [interim("Hey you")]
    assert about(one, "delta", "j", delta="And") == [interim("And")]
    assert about(one, "completed", "i", transcript="Hey, you.", languages=[{"code": "en"}]) == [
        final("Hey, you.", 0.0, 1.0, language="en"),
        FinalizeAnswered(),
    ]


def test_items_that_are_completed_out_of_order_come_in_order() -> None:
    one = codec()
    for item in ("i", "j"):
        one.audio(SECOND)
        one.finalize()
        about(one, "committed", item)
    assert about(one, "completed", "j", transcript="two") == []
    assert about(one, "completed", "i", transcript="one") == [
        final("one", 0.0, 1.0),
        FinalizeAnswered(),
        final("two", 1.0, 2.0, "j"),
        FinalizeAnswered(),
    ]


def test_an_item_comes_once() -> None:
    one = codec()
    one.audio(SECOND)
    assert about(one, "completed", "i", transcript="one") == [final("one", 0.0, 1.0)]
    assert about(one, "completed", "i", transcript="one") == about(one, "delta", "i", delta="one") == []
    assert about(one, "committed", "i") == about(one, "speech_started", "i", audio_start_ms=0) == []


def test_what_is_said_of_an_item_after_its_text_changes_nothing() -> None:
    one = codec()
    for item in ("i", "j"):
        one.audio(SECOND)
        one.finalize()
        about(one, "committed", item)
    about(one, "completed", "j", transcript="two")
    unintelligible = {"type": "transcription_error", "code": "audio_unintelligible"}
    assert about(one, "delta", "j", delta=" two") == about(one, "failed", "j", error=unintelligible) == []
    assert about(one, "completed", "i", transcript="one")[2] == final("two", 1.0, 2.0, "j")


def test_a_refused_commit_is_answered_after_those_before_it() -> None:
    one = codec()
    one.audio(SECOND)
    one.finalize()
    one.finalize()
    refused = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "event_id": "commit-2"}
    assert said(one, "error", error=refused) == []
    assert about(one, "committed", "i") == []
    assert about(one, "completed", "i", transcript="one") == [
        final("one", 0.0, 1.0),
        FinalizeAnswered(),
        FinalizeAnswered(),
    ]


def test_an_item_without_words_takes_back_what_was_shown_and_else_says_nothing() -> None:
    one = codec()
    one.audio(SECOND)
    one.finalize()
    about(one, "delta", "i", delta="Uh")
    assert about(one, "completed", "i", transcript=" ") == [final("", 0.0, 1.0), FinalizeAnswered()]
    one.finalize()
    assert about(one, "completed", "j", transcript="") == [FinalizeAnswered()]


@pytest.mark.parametrize(
    "error",
    [
        {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "event_id": "commit-2"},
        {"type": "invalid_request_error", "message": "Error committing input audio buffer: buffer too small."},
    ],
)
def test_a_commit_of_too_little_is_answered_in_its_turn(error: dict[str, str]) -> None:
    one = codec()
    one.audio(SECOND)
    one.finalize()
    about(one, "committed", "i")
    one.finalize()
    assert said(one, "error", error=error) == [], "what was asked before is answered before"
    assert about(one, "completed", "i", transcript="one")[1:] == [FinalizeAnswered(), FinalizeAnswered()]
    [failure] = said(one, "error", error=error)
    assert isinstance(failure, Failure), "nothing is asked that it could be about"


# ---------------------------------------------------------------- items of voice activity detection


def test_what_the_service_commits_lasts_from_the_start_of_speech_to_its_end_and_answers_nothing() -> None:
    one = codec(**VAD)
    one.audio(3 * SECOND)
    assert about(one, "speech_started", "i", audio_start_ms=700) == [SpeechOnset(0.7)]
    assert about(one, "speech_stopped", "i", audio_end_ms=1_900) == []
    one.finalize()
    assert about(one, "committed", "i") == []
    assert about(one, "completed", "i", transcript="one") == [final("one", 0.7, 1.9, ends_speech=True)]
    assert about(one, "completed", "j", transcript="two") == [final("two", 1.9, 3.0, "j"), FinalizeAnswered()]


def test_speech_that_was_none_is_over_without_a_transcript() -> None:
    one = codec(**VAD)
    one.audio(SECOND)
    about(one, "speech_started", "i", audio_start_ms=-5)
    about(one, "speech_stopped", "i", audio_end_ms=9_000)
    assert about(one, "completed", "i", transcript="") == [SpeechOver(1.0)]


def test_times_of_speaches_are_not_used() -> None:
    one = codec("speaches", **VAD)
    one.audio(2 * SECOND)
    assert about(one, "speech_started", "i", audio_start_ms=700) == [SpeechOnset(None)]
    about(one, "speech_stopped", "i", audio_end_ms=900)
    assert about(one, "completed", "i", transcript="one") == [final("one", 0.0, 2.0, ends_speech=True)]


# ---------------------------------------------------------------- what goes wrong


def test_an_item_that_cannot_be_understood_is_named_in_its_place() -> None:
    one = codec()
    for item in ("i", "j"):
        one.audio(SECOND)
        one.finalize()
        about(one, "committed", item)
    error = {"type": "transcription_error", "code": "audio_unintelligible"}
    assert about(one, "failed", "j", error=error) == []
    assert about(one, "completed", "i", transcript="one")[2:] == [
        Unheard(1.0, 2.0),
        FinalizeAnswered(),
    ]
    assert about(one, "failed", "i", error=error) == []


def test_any_other_item_that_failed_is_sent_again() -> None:
    error = {"type": "server_error", "message": "try again"}
    assert about(codec(), "failed", "i", error=error) == [
        Failure(message="try again", code="server_error", retryable=True)
    ]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            {"type": "invalid_request_error", "code": "x", "message": "no"},
            Failure(message="no", code="x", retryable=False),
        ),
        ({"type": "server_error"}, Failure(message="no reason given", code="server_error", retryable=True)),
        ({"message": "no"}, Failure(message="no")),
        (
            {"type": "insufficient_quota", "code": "insufficient_quota", "message": "no"},
            Failure(message="no", code=402, retryable=False),
        ),
    ],
)
def test_an_error_says_whether_the_same_may_succeed_later(error: Any, failure: Failure) -> None:
    assert said(codec(), "error", error=error) == [failure]


def test_what_the_codec_does_not_need_is_skipped_and_what_it_does_not_know_is_told() -> None:
    one = codec()
    for kind in (
        "session.updated",
        "conversation.item.created",
        "conversation.item.added",
        "conversation.item.done",
    ):
        assert said(one, kind) == []
    assert said(one, "rate_limits.updated") == [Unknown("rate_limits.updated")]
    assert about(one, "delta", "i") == []


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ('{"type":"transcription.done","text":"one"}', "give dialect='vllm'"),
        ('{"type":"input_audio_buffer.committed"}', "item_id"),
        (json.dumps({"type": "input_audio_buffer.committed", "item_id": "i" * 201}), "length <= 200"),
    ],
)
def test_what_is_malformed_is_refused(frame: str, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        codec().decode(frame)


def test_a_service_cannot_fill_the_memory() -> None:
    one = codec()
    for item in range(100):
        about(one, "delta", str(item), delta="x" * 1_000)
    with pytest.raises(ProtocolError, match="more than 100 items are open"):
        about(one, "delta", "100", delta="x")
    for _ in range(99):
        about(one, "delta", "0", delta="x" * 1_000)
    with pytest.raises(ProtocolError, match="more than 100000 characters"):
        about(one, "delta", "0", delta="x")


# ---------------------------------------------------------------- the law of order


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_in_whatever_order_items_are_completed_each_is_told_once_and_in_its_place(
    order: list[int], committed_late: set[int], failed: set[int]
) -> None:
    one, messages = codec(), list[SttMessage]()
    for item in range(6):
        one.audio(SECOND)
        one.finalize()
        about(one, "committed", str(item))
    for item in order:
        if item in failed:
            messages += about(one, "failed", str(item), error={"code": "audio_unintelligible"})
        else:
            messages += about(one, "completed", str(item), transcript=f"w{item}")
        if item in committed_late:
            messages += about(one, "committed", str(item))
    told = [message for message in messages if not isinstance(message, FinalizeAnswered)]
    assert [(each.start, each.end) for each in told if isinstance(each, RecognitionResult | Unheard)] == [
        (float(item), float(item + 1)) for item in range(6)
    ]
    assert [isinstance(each, Unheard) for each in told] == [item in failed for item in range(6)]
    assert messages[1::2] == [FinalizeAnswered()] * 6
