"""The codec of vLLM's transcription: one final for the whole of a connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trio_speech.audio import AudioFormat
from trio_speech.errors import ProtocolError
from trio_speech.provider import Closed, Failure, Opened, RecognitionResult, SttCodec, TranscribeRequest, Unknown
from trio_speech.providers.openai import OpenAI

PCM = AudioFormat.pcm16(16_000)


def codec() -> SttCodec:
    backend = OpenAI(url="http://localhost:8000/v1", dialect="vllm")
    return backend.recognizer(TranscribeRequest(audio_format=PCM, model="mistralai/Voxtral")).codec()


def said(codec: SttCodec, **message: Any) -> list[Any]:
    return list(codec.decode(json.dumps(message)))


def test_text_grows_until_the_end_is_asked_for_and_then_is_final() -> None:
    one = codec()
    assert said(one, type="session.created", id="sess-1", created=1) == [Opened("sess-1")]
    one.audio(bytes(32_000))
    assert said(one, type="transcription.delta", delta=" ") == []
    assert said(one, type="transcription.delta", delta="one") == [
        RecognitionResult(kind="interim", text="one", start=0.0, end=1.0)
    ]
    assert one.finalize() is one.keepalive() is None
    assert one.close() == '{"type":"input_audio_buffer.commit","final":true}'
    assert said(one, type="transcription.done", text=" one two") == [
        RecognitionResult(kind="final", text="one two", start=0.0, end=1.0, ends_speech=True),
        Closed(),
    ]


def test_silence_has_no_final() -> None:
    one = codec()
    one.close()
    assert said(one, type="transcription.done", text="") == [Closed()]


def test_a_final_without_words_takes_back_what_was_shown() -> None:
    one = codec()
    said(one, type="transcription.delta", delta="Uh")
    one.close()
    assert said(one, type="transcription.done", text=" ") == [
        RecognitionResult(kind="final", text="", start=0.0, end=0.0, ends_speech=True),
        Closed(),
    ]


def test_a_generation_that_ends_by_itself_is_made_again() -> None:
    [failure] = said(codec(), type="transcription.done", text="one")
    assert isinstance(failure, Failure)
    assert failure.retryable


def test_errors_are_told() -> None:
    assert said(codec(), type="error", error="no such model", code="processing_error") == [
        Failure(message="no such model", code="processing_error")
    ]
    assert said(codec(), type="error", error={}) == [Failure(message="no reason given")]
    [failure] = said(codec(), type="error", error={"type": "invalid_request_error", "code": "bad_model"})
    assert isinstance(failure, Failure)
    assert (failure.code, failure.retryable) == ("bad_model", False)
    assert said(codec(), type="else") == [Unknown("else")]


def test_what_is_malformed_is_refused() -> None:
    one = codec()
    with pytest.raises(ProtocolError, match="give another dialect"):
        said(one, type="input_audio_buffer.committed", item_id="i")
    for _ in range(100):
        said(one, type="transcription.delta", delta="x" * 1_000)
    with pytest.raises(ProtocolError, match="more than 100000 characters"):
        said(one, type="transcription.delta", delta="x")
