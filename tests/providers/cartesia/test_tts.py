from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Aligned, Audio, Done, Failure, TtsMessage, Unknown
from trio_speech._core.retry.causes import PeerClosed, Reported
from trio_speech._core.retry.verdict import judge
from trio_speech.errors import ProtocolError
from trio_speech.events import Word
from trio_speech.providers.cartesia.profiles import VOICE
from trio_speech.providers.cartesia.tts import CartesiaCodec

FIELDS = {"model_id": "sonic-3", "voice": {"mode": "id", "id": "v"}}


@pytest.fixture
def codec() -> CartesiaCodec:
    return CartesiaCodec(FIELDS, "c")


def begun(*, name: str = "c") -> CartesiaCodec:
    """A codec in its first context, ``name-1``, whose text is complete."""
    codec = CartesiaCodec(FIELDS, name)
    codec.speak("Hello.")
    return codec


def heard(codec: CartesiaCodec, *frames: str | bytes) -> list[TtsMessage]:
    return [message for frame in frames for message in codec.decode(frame)]


def context_of(frame: Any) -> str:
    context: str = json.loads(frame)["context_id"]
    return context


def said(kind: str, context: str | None = "c-1", **fields: Any) -> str:
    return json.dumps({"type": kind, "context_id": context, "done": False, "status_code": 206, **fields})


def audio(pcm: bytes, context: str = "c-1") -> str:
    return said("chunk", context, data=base64.b64encode(pcm).decode(), step_time=1.0)


def times(words: list[str], start: list[float], end: list[float], context: str = "c-1") -> str:
    return said("timestamps", context, word_timestamps={"words": words, "start": start, "end": end})


# ---------------------------------------------------------------- requests


def test_a_text_is_sent_and_its_context_ended(codec: CartesiaCodec) -> None:
    assert codec.speak("Hello.") == (
        '{"context_id":"c-1","model_id":"sonic-3","voice":{"mode":"id","id":"v"},"transcript":"Hello.","continue":true}',
        '{"context_id":"c-1","model_id":"sonic-3","voice":{"mode":"id","id":"v"},"transcript":"","continue":false}',
    )


def test_each_generation_has_a_context_of_its_own(codec: CartesiaCodec) -> None:
    contexts: list[str] = []
    for _ in range(3):
        contexts += map(context_of, codec.speak("Hello."))
        heard(codec, said("done", contexts[-1]))
    assert contexts == ["c-1", "c-1", "c-2", "c-2", "c-3", "c-3"]


def test_what_is_cancelled_is_the_running_context(codec: CartesiaCodec) -> None:
    assert codec.cancel() is None
    codec.speak("Hello.")
    assert codec.cancel() == '{"context_id":"c-1","cancel":true}'
    assert codec.cancel() is None
    codec.speak("Hello.")
    assert codec.cancel() == '{"context_id":"c-2","cancel":true}'


def test_a_context_that_is_over_is_not_cancelled() -> None:
    for end in ("done", "error"):
        codec = begun()
        heard(codec, said(end))
        assert codec.cancel() is None


@given(st.text())
def test_any_text_can_be_sent_and_none_of_it_is_lost(text: str) -> None:
    sent = "".join(json.loads(frame)["transcript"] for frame in CartesiaCodec(FIELDS, "c").speak(text))
    assert sent == text


def test_nothing_else_is_said_while_a_connection_lasts(codec: CartesiaCodec) -> None:
    assert list(codec.open()) == []
    assert codec.keepalive() is codec.close() is None  # type: ignore[func-returns-value]


# ---------------------------------------------------------------- results


def test_the_messages_of_the_fact_sheet() -> None:
    codec = begun()
    assert heard(
        codec,
        '{"type":"chunk","context_id":"c-1","data":"AAAB/v8C","done":false,"status_code":206,"step_time":123.4,"flush_id":1}',
        '{"type":"timestamps","context_id":"c-1","done":false,"status_code":206,"flush_id":1,'
        '"word_timestamps":{"words":["Hello","world"],"start":[0.0,0.5],"end":[0.4,0.9]}}',
        '{"type":"phoneme_timestamps","context_id":"c-1","done":false,"status_code":206,'
        '"phoneme_timestamps":{"phonemes":["h"],"start":[0.09],"end":[0.17]}}',
        '{"type":"flush_done","context_id":"c-1","done":false,"flush_done":true,"flush_id":1,"status_code":206}',
        '{"type":"done","context_id":"c-1","done":true,"status_code":206}',
    ) == [
        Audio(b"\x00\x00\x01\xfe\xff\x02"),
        Aligned((Word("Hello", 0.0, 0.4), Word("world", 0.5, 0.9))),
        Done(),
    ]


def test_the_parts_of_a_context_are_not_told_apart() -> None:
    assert heard(begun(), said("flush_done", flush_id="of any kind")) == []


def test_the_error_of_the_fact_sheet() -> None:
    assert heard(
        begun(),
        '{"type":"error","context_id":"c-1","done":true,"title":"Invalid model","message":"It is not valid.",'
        '"error_code":"model_not_found","status_code":400,"doc_url":"https://x","request_id":"r1"}',
    ) == [Failure(message="Invalid model: It is not valid.", code=400, request_id="r1")]


def test_an_error_as_older_versions_say_it() -> None:
    frame = '{"type":"error","done":true,"error":"text","status_code":400,"context_id":"c-1"}'
    assert heard(begun(), frame) == [Failure(message="text", code=400)]


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({}, Failure(message="no reason given")),
        ({"title": "Oh", "error_code": "quota"}, Failure(message="Oh", code="quota")),
        ({"message": "x" * 1_000}, Failure(message="x" * 500)),
    ],
)
def test_errors_that_say_little_or_much(fields: Any, failure: Failure) -> None:
    assert heard(begun(), json.dumps({"type": "error", "context_id": "c-1", **fields})) == [failure]


def test_an_error_of_no_context_concerns_the_connection(codec: CartesiaCodec) -> None:
    idle = '{"type":"error","done":true,"title":"Timeout","status_code":408}'
    assert heard(codec, idle) == [Failure(message="Timeout", code=408)]


def test_what_holds_nothing_says_nothing() -> None:
    frames = said("chunk", data=""), said("chunk", data=None), said("chunk"), said("timestamps"), times([], [], [])
    assert heard(begun(), *frames) == []


def test_what_is_not_known_is_named(codec: CartesiaCodec) -> None:
    assert heard(codec, '{"type":"something.new"}', b"binary") == [Unknown("something.new"), Unknown("binary")]


def test_word_times_run_forward_and_begin_at_zero_and_blank_words_are_none() -> None:
    assert heard(begun(), times(["a", " ", "b"], [-1.0, 0.0, 2.0], [-0.5, 0.1, 1.0])) == [
        Aligned((Word("a", 0.0, 0.0), Word("b", 2.0, 2.0)))
    ]


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        "{",
        '{"type":"done"}',
        '{"type":"chunk","context_id":"c-1","data":"!"}',
        times(["a"], [0.0], []),
        times(["a"], [], [0.0]),
        times([], [0.0], [0.0]),
        times(["a"], [1e300], [1e300]),
    ],
)
def test_what_is_malformed_is_refused(frame: str) -> None:
    with pytest.raises(ProtocolError, match="malformed message"):
        heard(begun(), frame)


# ---------------------------------------------------------------- contexts


def test_another_context_is_not_heard() -> None:
    codec = begun()
    frames = audio(b"\1\2", "x"), times(["a"], [0.0], [1.0], "x"), said("error", "x"), said("done", "x")
    assert heard(codec, *frames) == []
    assert heard(codec, audio(b"\1\2"), said("done")) == [Audio(b"\1\2"), Done()]


@pytest.mark.parametrize("frame", [audio(b"\1\2"), times(["a"], [0.0], [1.0]), said("done"), said("error")])
def test_the_first_that_comes_of_a_cancelled_context_is_its_end_and_all_else_is_not_heard(frame: str) -> None:
    codec = begun()
    codec.cancel()
    assert heard(codec, audio(b"\1\2", "x"), frame, frame, said("done")) == [Done()]


def test_what_still_comes_of_a_cancelled_context_is_not_taken_for_the_next_one() -> None:
    codec = begun()
    codec.cancel()
    codec.speak("Next.")
    frames = audio(b"\1\2"), said("done"), audio(b"\3\4", "c-2"), said("done"), said("done", "c-2")
    assert heard(codec, *frames) == [Audio(b"\3\4"), Done()]


def test_what_still_comes_of_a_context_that_is_over_is_not_heard() -> None:
    codec = begun()
    assert heard(codec, said("done"), audio(b"\1\2"), said("done")) == [Done()]


def test_the_next_text_begins_the_next_context_and_the_last_one_is_heard_no_more() -> None:
    codec = begun()
    assert [context_of(frame) for frame in codec.speak("Next.")] == ["c-2", "c-2"]
    assert heard(codec, audio(b"\1\2"), audio(b"\3\4", "c-2")) == [Audio(b"\3\4")]


# ---------------------------------------------------------------- anything


SECONDS = st.floats() | st.integers() | st.floats(-10, 10)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["chunk", "timestamps", "phoneme_timestamps", "flush_done", "done", "error", "new"])},
    optional={
        "context_id": st.none() | st.sampled_from([f"c-{number}" for number in range(1, 5)]),
        "data": st.none() | st.binary().map(lambda pcm: base64.b64encode(pcm).decode()) | st.text(),
        "word_timestamps": st.none()
        | st.fixed_dictionaries(
            {}, optional={"words": st.lists(st.text()), "start": st.lists(SECONDS), "end": st.lists(SECONDS)}
        ),
        "status_code": st.integers() | st.text() | st.none(),
        "message": st.none() | st.text(),
    },
)
FRAMES = MESSAGES.map(json.dumps) | st.text() | st.binary()


@given(st.lists(FRAMES | st.sampled_from(["speak", "cancel"]).map(lambda name: (name,))))
def test_whatever_comes_is_of_the_running_context_or_a_protocol_error(steps: list[Any]) -> None:
    codec = CartesiaCodec(FIELDS, "c")
    running: str | None = None
    for step in steps:
        if isinstance(step, tuple):
            if step == ("speak",):
                running = context_of(next(iter(codec.speak("Hello."))))
            else:
                codec.cancel()
                running = None
            continue
        try:
            messages = list(codec.decode(step))
        except ProtocolError:
            continue
        for message in messages:
            check(message)
        if any(isinstance(message, Audio | Aligned) for message in messages):
            assert json.loads(step)["context_id"] == running
        if any(isinstance(message, Done) for message in messages):
            running = None


def check(message: TtsMessage) -> None:
    if isinstance(message, Aligned):
        assert message.words
        assert all(word.text.strip() and 0.0 <= word.start <= word.end for word in message.words)
    elif isinstance(message, Audio):
        assert message.pcm


def dealt(audio_bytes: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(min(cut, len(audio_bytes)) for cut in cuts), len(audio_bytes)]
    return (audio_bytes[a:b] for a, b in pairwise(edges))


@given(st.binary(), st.lists(st.integers(0, 50)), st.lists(st.binary(min_size=1)))
def test_however_it_is_dealt_out_and_whatever_comes_between_the_audio_is_the_same(
    pcm: bytes, cuts: list[int], others: list[bytes]
) -> None:
    frames: list[str] = []
    for index, piece in enumerate(dealt(pcm, cuts)):
        frames += [audio(piece), *(audio(other, "x") for other in others[index : index + 1])]
    messages = heard(begun(), *frames)
    assert b"".join(message.pcm for message in messages if isinstance(message, Audio)) == pcm


# ---------------------------------------------------------------- what the service is like


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        *((code, "fatal") for code in (400, 401, 402, 403, 404, 422)),
        *((code, "retry") for code in (408, 429, 500, 503, "internal", None)),
    ],
)
def test_errors_mean_what_they_mean_in_http(code: Any, fate: str) -> None:
    assert judge(Reported(Failure(message="", code=code)), VOICE).fate == fate


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 1013])
def test_a_close_may_pass(code: int) -> None:
    assert judge(PeerClosed(code), VOICE).fate == "retry"


@pytest.mark.parametrize("code", [1003, 1007, 1008])
def test_a_close_that_blames_us_is_final(code: int) -> None:
    assert judge(PeerClosed(code), VOICE).fate == "fatal"
