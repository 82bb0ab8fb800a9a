"""The codec of ElevenLabs' voices: one context a text, and words out of aligned characters."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Aligned, Audio, Done, Failure, TtsMessage
from trio_speech.audio import AudioFormat
from trio_speech.errors import ProtocolError
from trio_speech.events import Word
from trio_speech.providers.elevenlabs.profiles import VOICE
from trio_speech.providers.elevenlabs.tts import ElevenLabsCodec

FORMAT = AudioFormat.pcm16(8_000)


def speaking(**settings: Any) -> ElevenLabsCodec:
    codec = ElevenLabsCodec(settings, "c", FORMAT)
    codec.speak("Hello.")
    return codec


def said(codec: ElevenLabsCodec, *messages: dict[str, Any]) -> list[TtsMessage]:
    return [each for message in messages for each in codec.decode(json.dumps(message))]


def sound(milliseconds: int, text: str = "", *, step: int = 10, context: str = "c-1", **fields: Any) -> dict[str, Any]:
    """Audio, and an alignment of `step` milliseconds a character."""
    alignment = {
        "chars": list(text),
        "charStartTimesMs": [step * at for at in range(len(text))],
        "charDurationsMs": [step] * len(text),
    }
    audio = base64.b64encode(bytes(16 * milliseconds)).decode()
    return {"audio": audio, "alignment": alignment if text else None, "contextId": context, **fields}


FINAL = {"isFinal": True, "contextId": "c-1"}


def words_of(messages: list[TtsMessage]) -> list[Word]:
    return [word for message in messages if isinstance(message, Aligned) for word in message.words]


def test_a_text_opens_a_context_with_its_settings_and_closes_it() -> None:
    codec = ElevenLabsCodec({"voice_settings": {"speed": 1.1}}, "c", FORMAT)
    assert list(codec.open()) == []
    assert [json.loads(frame) for frame in codec.speak("Hello.")] == [
        {"text": "Hello. ", "context_id": "c-1", "voice_settings": {"speed": 1.1}},
        {"text": "", "context_id": "c-1", "flush": True},
        {"context_id": "c-1", "close_context": True},
    ]
    assert {json.loads(frame)["context_id"] for frame in codec.speak("Next.")} == {"c-2"}
    assert codec.cancel() is codec.close() is None  # type: ignore[func-returns-value]


def test_a_connection_is_kept_alive_while_no_context_is_open() -> None:
    codec = ElevenLabsCodec({}, "c", FORMAT)
    assert codec.keepalive() == '{"text":""}'
    codec.speak("Hello.")
    assert codec.keepalive() is None
    said(codec, FINAL)
    assert codec.keepalive() == '{"text":""}'


@pytest.mark.parametrize("final", [FINAL, {"is_final": True, "context_id": "c-1"}])
def test_audio_and_the_end_of_the_context(final: dict[str, Any]) -> None:
    codec = speaking()
    assert said(codec, sound(1), final) == [Audio(bytes(16)), Done()]
    assert said(codec, sound(1), final) == []


def test_other_contexts_are_not_heard() -> None:
    codec = speaking()
    assert said(codec, sound(1, "x ", context="d-1"), {"isFinal": True, "contextId": "d-1"}, {"audio": "AAAA"}) == []


def test_times_begin_at_0_in_each_message() -> None:
    codec = speaking()
    messages = said(codec, sound(200, "Hello th"), sound(300, "ere. "), FINAL)
    hello, there = words_of(messages)
    assert (hello.text, hello.start, hello.end) == ("Hello ", 0.0, pytest.approx(0.05))
    assert (there.text, there.start, there.end) == ("there. ", pytest.approx(0.06), pytest.approx(0.24))
    assert messages[-1] == Done()


def test_a_sentence_that_is_aligned_again_and_further_is_not_told_twice() -> None:
    codec = speaking()
    words = words_of(said(codec, sound(200, "Hello there, y"), sound(300, "Hello there, you two."), FINAL))
    assert [word.text for word in words] == ["Hello ", "there, ", "you ", "two."]
    assert words[-1].end == pytest.approx(0.21)


def test_a_short_text_may_be_spoken_twice() -> None:
    words = words_of(said(speaking(), sound(30, "no "), sound(50, "no no"), FINAL))
    assert [word.text.strip() for word in words] == ["no", "no", "no"]


def test_both_spellings_of_times_are_read() -> None:
    message = {
        "audio": "",
        "context_id": "c-1",
        "alignment": {"chars": ["a", " "], "charsStartTimesMs": [0, 10], "charsDurationsMs": [10, 0]},
    }
    assert [word.text for word in words_of(said(speaking(), message, FINAL))] == ["a "]


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (
            {
                "message": "Have not received a new text input within the timeout of 20 s",
                "error": "input_timeout_exceeded",
            },
            True,
        ),
        ({"message": "Too many contexts", "error": "max_active_conversations", "code": 1008}, True),
        ({"message": "Invalid API key", "error": "invalid_api_key", "code": 1008}, None),
    ],
)
def test_errors_of_the_connection_or_the_context_are_told(error: dict[str, Any], retryable: bool | None) -> None:
    for context in ({}, {"contextId": "c-1"}):
        (failure,) = said(speaking(), {**error, **context})
        assert failure == Failure(message=error["message"], code=error["error"], retryable=retryable)
    assert said(speaking(), {**error, "contextId": "d-1"}) == []


@pytest.mark.parametrize("frame", ["?", "[]", '{"audio":1}', '{"audio":"?","contextId":"c-1"}', b"\0"])
def test_what_is_malformed_is_a_protocol_error(frame: str | bytes) -> None:
    with pytest.raises(ProtocolError, match="malformed message"):
        speaking().decode(frame)


def test_characters_without_times_are_malformed() -> None:
    message = sound(1, "ab")
    message["alignment"]["chars"] = ["a"]
    with pytest.raises(ProtocolError, match="differ in number"):
        said(speaking(), message)


def test_the_profile_keeps_within_the_services_limits() -> None:
    assert VOICE.generations < 5
    assert (VOICE.keepalive or 99) < 20
    assert not VOICE.aligned


TEXTS = st.text(st.sampled_from("ab "), max_size=6)


@given(st.lists(TEXTS, max_size=6))
def test_every_character_is_in_one_word(pieces: list[str]) -> None:
    messages = said(speaking(), *(sound(100, piece) for piece in pieces), FINAL)
    assert "".join(word.text for word in words_of(messages)).split() == "".join(pieces).split()
    times = [time for word in words_of(messages) for time in (word.start, word.end)]
    assert times == sorted(times)
