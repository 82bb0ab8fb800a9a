"""The service's side of Deepgram's wire, without a network; and against the client's side of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import AudioFormat, Word
from trio_speech._core.provider.messages import (
    Acknowledged,
    Aligned,
    Audio,
    Closed,
    Done,
    Failure,
    FinalizeAnswered,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
)
from trio_speech._core.provider.requests import Change, TranscribeRequest
from trio_speech.providers.deepgram.listen import DeepgramCodec
from trio_speech.testing import Close, Drift, LabeledSpeech, Manner, Refuse, ScriptedRecognizer, say, speech
from trio_speech.testing.scripted.recognizer import Pause, RecognizerOutput, UtteranceEnded
from trio_speech.testing.scripted.wires.deepgram import DeepgramWire, listen
from trio_speech.testing.scripted.wires.protocol import Changed, ClientFinalize, ClientFinish, IdleLimit, Mistake, Reply

QUERY: dict[str, Any] = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16_000, "interim_results": "true"}
HELLO = RecognitionResult(
    kind="final",
    text="hello there",
    start=0.3,
    end=0.9,
    words=(Word("hello", 0.3, 0.55, 0.9), Word("there", 0.6, 0.9, 0.8)),
    confidence=1.0,
    language="en",
    ends_speech=True,
)


def wire(**settings: Any) -> DeepgramWire:
    spoken = listen(urlencode(QUERY | settings, doseq=True), "listen_0001")
    assert isinstance(spoken, DeepgramWire)
    return spoken


def told(wire: DeepgramWire, *replies: Reply) -> list[Any]:
    return [json.loads(outgoing.frame) for reply in replies for outgoing in wire.encode(reply)]


# ---------------------------------------------------------------- the address


def test_the_url_holds_the_request() -> None:
    (request,) = wire(language="multi", keyterm=["a b", "c"], smart_format="true", tag="x").opens()
    assert request == TranscribeRequest(
        audio_format=AudioFormat.pcm16(16_000),
        model="nova-3",
        language="multi",
        options={"interim_results": "true", "smart_format": "true", "tag": "x"},
        keyterms=("a b", "c"),
    )


@pytest.mark.parametrize(
    ("settings", "audio_format"),
    [
        ({"encoding": "mulaw", "sample_rate": 8_000}, AudioFormat.mulaw()),
        ({"encoding": "alaw", "sample_rate": 8_000}, AudioFormat.alaw()),
        ({"channels": 2}, AudioFormat.pcm16(16_000, 2)),
    ],
)
def test_the_url_names_the_audio_format(settings: dict[str, Any], audio_format: AudioFormat) -> None:
    (request,) = wire(**settings).opens()
    assert isinstance(request, TranscribeRequest)
    assert (request.audio_format, request.options) == (audio_format, {"interim_results": "true"})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            {"encoding": "opus"},
            "encoding must be one of linear16, mulaw, alaw: the scripted service supports nothing else",
        ),
        ({"channels": 33}, "channels must be a whole number from 1 to 32, not 33"),
        (
            {"multichannel": "true"},
            "multichannel must be false: the scripted service does not recognize channels apart",
        ),
        ({"encoding": []}, "model, encoding and sample_rate must be given for raw audio"),
        ({"sample_rate": []}, "model, encoding and sample_rate must be given for raw audio"),
        ({"model": []}, "model, encoding and sample_rate must be given for raw audio"),
        ({"sample_rate": "fast"}, "invalid literal for int() with base 10: 'fast'"),
        ({"sample_rate": 7}, "sample_rate must be a whole number of hertz from 1,000 to 192,000, not 7"),
    ],
)
def test_a_bad_request_is_refused(settings: dict[str, Any], why: str) -> None:
    refusal = listen(urlencode(QUERY | settings, doseq=True), "listen_0001")
    assert isinstance(refusal, Refuse)
    assert refusal.status == 400
    assert json.loads(refusal.body) == {"err_code": "Bad Request", "err_msg": why, "request_id": "listen_0001"}


@pytest.mark.parametrize(
    ("settings", "manner"),
    [
        ({}, Manner(onsets=False)),
        ({"interim_results": "false"}, Manner(onsets=False, interim=None)),
        ({"vad_events": "true"}, Manner()),
        ({"endpointing": "false"}, Manner(onsets=False)),
        ({"endpointing": 500, "utterance_end_ms": "1000"}, Manner(onsets=False, endpointing=0.5, utterance_end=1.0)),
    ],
)
def test_settings_of_the_url_change_the_manner(settings: dict[str, Any], manner: Manner) -> None:
    assert wire(**settings).manner(Manner(preflight=0.1)) == manner


def test_the_idle_limit_and_its_close_frame() -> None:
    assert wire().idle == IdleLimit(10.0, Close(1011, "NET-0001"))


# ---------------------------------------------------------------- from the client


@pytest.mark.parametrize(
    ("frame", "kind", "asks"),
    [
        (b"\1\2", "audio", (Audio(b"\1\2"),)),
        (b"", "audio", (Mistake("an empty binary frame ends the stream"), ClientFinish())),
        ('{"type":"KeepAlive"}', "KeepAlive", ()),
        ('{"type":"Finalize","channel":0}', "Finalize", (ClientFinalize(),)),
        ('{"type":"CloseStream"}', "CloseStream", (ClientFinish(),)),
        ('{"type":"Configure","keyterms":["a","b"]}', "Configure", (Change(keyterms=("a", "b")),)),
        ('{"type":"Configure","features":{"numerals":true}}', "Configure", (Change(),)),
        ('{"type":"Dance"}', "Dance", (Mistake("unknown message Dance", "SchemaError"),)),
    ],
)
def test_client_messages_become_requests(frame: str | bytes, kind: str, asks: tuple[Any, ...]) -> None:
    incoming = wire().decode(frame)
    assert (incoming.kind, incoming.asks) == (kind, asks)


def test_unreadable_frames_are_mistakes() -> None:
    incoming = wire().decode("no json")
    (mistake,) = incoming.asks
    assert isinstance(mistake, Mistake)
    assert (incoming.kind, mistake.code) == ("malformed", "SchemaError")


def test_new_keyterms_are_for_some_models_only() -> None:
    old = wire(model="nova-2")
    (mistake,) = old.decode('{"type":"Configure","keyterms":[]}').asks
    assert mistake == Mistake("the keyterms of this model cannot change", "CONFIGURE_KEYTERMS_NOT_SUPPORTED")
    assert old.decode('{"type":"Configure"}').asks == (Change(),)
    assert told(old, mistake) == [
        {
            "type": "ConfigureFailure",
            "request_id": "listen_0001",
            "code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
            "description": "the keyterms of this model cannot change",
        }
    ]


# ---------------------------------------------------------------- to the client


def window(start: float, duration: float, transcript: str = "", words: Iterable[Any] = (), **verdicts: bool) -> Any:
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": duration,
        "is_final": True,
        "speech_final": False,
        "from_finalize": False,
        **verdicts,
        "channel": {
            "alternatives": [{"transcript": transcript, "confidence": 1.0 if transcript else 0.0, "words": list(words)}]
        },
        "metadata": {
            "request_id": "listen_0001",
            "model_info": {"name": "nova-3", "version": "0", "arch": "scripted"},
            "model_uuid": "00000000-0000-0000-0000-000000000000",
        },
    }


WORDS = (
    {"word": "hello", "start": 0.3, "end": 0.55, "confidence": 0.9},
    {"word": "there", "start": 0.6, "end": 0.9, "confidence": 0.8},
)


def test_a_window_lasts_from_the_one_before_to_where_all_is_recognized() -> None:
    spoken = wire()
    assert told(spoken, HELLO) == []
    assert told(spoken, Acknowledged(1.25)) == [window(0.0, 1.25, "hello there", WORDS, speech_final=True)]
    assert told(spoken, Acknowledged(1.25)) == []
    assert told(spoken, Acknowledged(4.25)) == [window(1.25, 3.0)]


def test_interims_are_of_the_window_that_is_open() -> None:
    spoken = wire()
    interim = RecognitionResult(
        kind="interim", text="hello there", start=2.3, end=2.9, words=HELLO.words, confidence=1.0
    )
    assert told(spoken, Acknowledged(2.0), interim)[1:] == [
        window(2.0, pytest.approx(0.9), "hello there", WORDS, is_final=False)
    ]


def test_the_window_of_a_finalize_carries_its_answer() -> None:
    assert told(wire(), HELLO, FinalizeAnswered(), Acknowledged(1.0)) == [
        window(0.0, 1.0, "hello there", WORDS, speech_final=True, from_finalize=True)
    ]
    assert told(wire(), FinalizeAnswered(), Acknowledged(0.0)) == [window(0.0, 0.0, from_finalize=True)]


def test_an_utterance_may_end_in_silence_unless_endpointing_is_off() -> None:
    assert told(wire(), SpeechOver(0.9), Acknowledged(1.25)) == [window(0.0, 1.25, speech_final=True)]
    assert told(wire(endpointing="false"), SpeechOver(0.9), HELLO, Acknowledged(1.25)) == [
        window(0.0, 1.25, "hello there", WORDS)
    ]


def test_a_repeated_final_is_a_repeated_window() -> None:
    final = window(0.0, 1.0, "hello there", WORDS, speech_final=True)
    assert told(wire(), HELLO, HELLO, Acknowledged(1.0)) == [final, final]


def test_the_language_is_told_where_there_are_several() -> None:
    (final,) = told(wire(language="multi"), HELLO, Acknowledged(1.0))
    (silence,) = told(wire(language="multi"), Acknowledged(1.0))
    assert final["channel"]["alternatives"][0]["languages"] == ["en"]
    assert "languages" not in silence["channel"]["alternatives"][0]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (SpeechOnset(0.3), {"type": "SpeechStarted", "channel": [0], "timestamp": 0.3}),
        (UtteranceEnded(0.9), {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.9}),
        (
            Changed(Change(keyterms=("a",))),
            {"type": "ConfigureSuccess", "request_id": "listen_0001", "keyterms": ["a"]},
        ),
        (Changed(Change()), {"type": "ConfigureSuccess", "request_id": "listen_0001"}),
        (Failure(message="no"), {"type": "Error", "variant": "InternalError", "description": "no"}),
        (Failure(message="no", code=500), {"type": "Error", "variant": "500", "description": "no"}),
        (Mistake("what?", "SchemaError"), {"type": "Error", "variant": "SchemaError", "description": "what?"}),
    ],
)
def test_the_other_messages(reply: Reply, message: dict[str, Any]) -> None:
    (outgoing,) = wire().encode(reply)
    assert json.loads(outgoing.frame) == message
    assert (outgoing.kind, outgoing.says) == (message["type"], (reply,))


@pytest.mark.parametrize(
    "reply",
    [
        Opened("x"),
        Mistake("never mind"),
        RecognitionResult(kind="preflight", text="", start=0, end=0),
        Audio(b""),
        Aligned(()),
        Done(),
    ],
)
def test_replies_without_a_message_give_no_frame(reply: Reply) -> None:
    assert told(wire(), reply) == []


def test_metadata_comes_last_with_hash_and_duration() -> None:
    spoken = wire()
    spoken.decode(bytes(32_000))
    spoken.decode(b"\1" * 16_000)
    (metadata,) = told(spoken, Closed())
    assert metadata.pop("created").endswith("Z")
    assert metadata == {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": "listen_0001",
        "sha256": sha256(bytes(32_000) + b"\1" * 16_000).hexdigest(),
        "duration": 1.5,
        "channels": 1,
    }


# ---------------------------------------------------------------- both sides


def conversation(spoken: LabeledSpeech, manner: Manner) -> list[RecognizerOutput]:
    recognizer = ScriptedRecognizer(manner, spoken.audio_format)
    said: list[RecognizerOutput] = []
    for piece in spoken.chunks(0.1):
        said += recognizer.hear(piece)
    return [message for message in [*said, *recognizer.finish()] if not isinstance(message, Pause)]


@given(
    seed=st.integers(0, 50),
    manner=st.sampled_from(
        [
            Manner(),
            Manner(longest=0.7),
            Manner(held=0.7),
            Manner(silence=0.3),
            Manner(word_times=False),
            Manner(drift=Drift(0.08)),
        ]
    ),
)
def test_the_client_codec_decodes_the_messages(seed: int, manner: Manner) -> None:
    spoken = speech(6.0, seed=seed, audio_format=AudioFormat.pcm16(1_000))
    said = conversation(spoken, manner)
    service, client = wire(), DeepgramCodec("nova-3")
    frames = [outgoing.frame for message in said for outgoing in service.encode(message)]
    heard = [message for frame in frames for message in client.decode(frame)]

    def finals(messages: Iterable[object]) -> list[tuple[Any, ...]]:
        hypotheses = [each for each in messages if isinstance(each, RecognitionResult) and each.kind == "final"]
        return [(each.text, each.words, each.ends_speech) for each in hypotheses]

    assert finals(heard) == finals(said)
    results = [json.loads(frame) for frame in frames]
    windows = [(each["start"], each["start"] + each["duration"]) for each in results if each.get("is_final")]
    assert [start for start, _ in windows] == pytest.approx([0.0, *(end for _, end in windows[:-1])])
    watermarks = [message.upto for message in heard if isinstance(message, Acknowledged)]
    assert watermarks == pytest.approx([end for _, end in windows])
    assert watermarks == sorted(watermarks)


def test_silence_is_not_the_only_thing_that_is_acknowledged() -> None:
    kinds = [type(message) for message in conversation(say(0.3, "hello there", 0.5), Manner(interim=None))]
    assert kinds == [SpeechOnset, RecognitionResult, Acknowledged, Acknowledged]
