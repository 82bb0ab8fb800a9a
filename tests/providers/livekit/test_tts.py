from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Aligned, Audio, Closed, Done, Failure, Opened, TtsMessage, Unknown
from trio_speech._core.provider.requests import FallbackModel, SynthesizeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError, ProtocolError
from trio_speech.events import Word
from trio_speech.providers.livekit import wire
from trio_speech.providers.livekit.tts import LiveKitTtsCodec, creation, models


def asking(**fields: Any) -> SynthesizeRequest:
    return SynthesizeRequest(audio_format=AudioFormat.pcm16(24_000), **fields)


def opening(**fields: Any) -> Any:
    return json.loads(wire.encode(creation(asking(**fields))))


def codec(*, spaced: bool = False, **fields: Any) -> LiveKitTtsCodec:
    created = creation(asking(**fields))
    return LiveKitTtsCodec(created, wire.encode(created), spaced=spaced)


# ---------------------------------------------------------------- opening


def test_the_first_frame_is_the_one_of_the_fact_sheet() -> None:
    assert opening(
        model="cartesia/sonic-3",
        voice="voice-id-1",
        language="en_us",
        fallback=(FallbackModel("rime/coda:luna"), FallbackModel("deepgram/aura-2", {"mip_opt_out": True}, "asteria")),
    ) == json.loads(
        '{"type":"session.create","sample_rate":"24000","encoding":"pcm_s16le","extra":{"add_timestamps":true},'
        ' "voice":"voice-id-1","model":"cartesia/sonic-3","language":"en-US",'
        ' "fallback":{"models":[{"model":"rime/coda","voice":"luna","extra":{}},'
        '                       {"model":"deepgram/aura-2","voice":"asteria","extra":{"mip_opt_out":true}}]},'
        ' "connection":{"timeout":10.0,"retries":3}}'
    )


def test_what_is_unset_is_left_out() -> None:
    assert opening() == {
        "type": "session.create",
        "sample_rate": "24000",
        "encoding": "pcm_s16le",
        "extra": {},
        "connection": {"timeout": 10.0, "retries": 3},
    }


@pytest.mark.parametrize(
    ("model", "voice", "sent"),
    [("rime/coda:luna", None, "luna"), ("rime/coda:luna", "asteria", "asteria"), ("rime/coda", None, None)],
)
def test_an_explicit_voice_wins_over_the_suffix(model: str, voice: str | None, sent: str | None) -> None:
    created = opening(model=model, voice=voice)
    assert (created["model"], created.get("voice")) == ("rime/coda", sent)


def test_a_fallback_keeps_its_voice_and_is_asked_for_word_times_too() -> None:
    fallback = (
        FallbackModel("rime/coda"),
        FallbackModel("cartesia:v", {"speed": "fast"}),
        FallbackModel("a:b", {}, "c"),
    )
    assert opening(fallback=fallback)["fallback"]["models"] == [
        {"model": "rime/coda", "voice": "", "extra": {}},
        {"model": "cartesia", "voice": "v", "extra": {"add_timestamps": True, "speed": "fast"}},
        {"model": "a", "voice": "c", "extra": {}},
    ]
    assert models(creation(asking(model="inworld:Ashley", fallback=fallback[:2]))) == [
        ("inworld", {"timestamp_type": "WORD"}),
        ("rime/coda", {}),
        ("cartesia", {"add_timestamps": True, "speed": "fast"}),
    ]
    assert models(creation(asking())) == [(None, {})]


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'emotion'"):
        opening(options={"emotion": object()})
    with pytest.raises(ConfigurationError, match="names no model"):
        opening(model=":voice")


# ---------------------------------------------------------------- requests


def test_every_text_carries_what_was_asked_for() -> None:
    session = codec(model="cartesia/sonic-3", voice="voice-id-1", language="en-US")
    assert next(iter(session.speak("Hello there."))) == (
        '{"type":"input_transcript","transcript":"Hello there. ",'
        '"generation_config":{"voice":"voice-id-1","model":"cartesia/sonic-3","language":"en-US"},'
        '"extra":{"add_timestamps":true}}'
    )


def test_a_text_ends_with_one_blank_and_the_config_is_there_even_where_it_is_empty() -> None:
    plain = '{"type":"input_transcript","transcript":"Hi. ","generation_config":{},"extra":{}}'
    assert codec().speak("Hi.") == (plain, '{"type":"session.flush"}')


def test_what_else_is_said_while_a_connection_lasts() -> None:
    session = codec()
    assert [json.loads(frame) for frame in session.open()] == [opening()]
    assert session.close() == '{"type":"session.close"}'
    assert session.cancel() is session.keepalive() is None


# ---------------------------------------------------------------- results


def heard(*frames: str | bytes, spaced: bool = False) -> list[TtsMessage]:
    session = codec(spaced=spaced)
    return [message for frame in frames for message in session.decode(frame)]


def test_the_messages_of_the_fact_sheet() -> None:
    assert heard(
        '{"type":"session.created","session_id":"tts_5c2e"}',
        '{"type":"output_audio","session_id":"tts_5c2e","audio":"AAAB/v8C"}',
        '{"type":"output_alignment","session_id":"tts_5c2e","words":[{"word":"Hello","start":0.0,"end":0.31},'
        '{"word":"there.","start":0.31,"end":0.72}]}',
        '{"type":"done","session_id":"tts_5c2e"}',
        '{"type":"error","session_id":"tts_5c2e","message":"..."}',
    ) == [
        Opened("tts_5c2e"),
        Audio(b"\x00\x00\x01\xfe\xff\x02"),
        Aligned((Word("Hello", 0.0, 0.31), Word("there.", 0.31, 0.72))),
        Done(),
        Failure(message="...", request_id="tts_5c2e"),
    ]


def test_the_other_messages() -> None:
    assert heard('{"type":"session.closed","session_id":"x"}', '{"type":"something.new"}', b"binary") == [
        Closed(),
        Unknown("something.new"),
        Unknown("binary"),
    ]


def test_what_holds_nothing_says_nothing() -> None:
    assert heard('{"type":"output_audio","audio":""}', '{"type":"output_alignment","words":null,"chars":[]}') == []


def test_word_times_run_forward_and_begin_at_zero() -> None:
    assert heard(
        '{"type":"output_alignment","words":[{"word":"a","start":-1,"end":-0.5},{"word":"b","start":2,"end":1}]}'
    ) == [Aligned((Word("a", 0.0, 0.0), Word("b", 2.0, 2.0)))]


def audio(pcm: bytes) -> str:
    return wire.encode(wire.OutputAudio.of(pcm))


def test_audio_goes_on_as_it_was_cut() -> None:
    said = heard(*map(audio, (b"\1", b"", b"\2\3")), '{"type":"done"}', audio(b"next"))
    assert said == [Audio(b"\1"), Audio(b"\2\3"), Done(), Audio(b"next")]


def spelled(text: str) -> list[wire.AlignedChar]:
    return [wire.AlignedChar(char, at / 10, (at + 1) / 10) for at, char in enumerate(text)]


def spelling(letters: Iterable[wire.AlignedChar]) -> str:
    return wire.encode(wire.OutputAlignment(chars=tuple(letters)))


def words_of(said: list[TtsMessage]) -> list[Word]:
    return [word for message in said if isinstance(message, Aligned) for word in message.words]


def test_characters_are_put_together_to_words() -> None:
    said = heard(spelling(spelled("Hi  you ")), '{"type":"done"}')
    assert said == [Aligned((Word("Hi", 0.0, 0.2),)), Aligned((Word("you", 0.4, 0.7),)), Done()]


def test_words_of_characters_bring_their_blanks_where_the_others_do() -> None:
    said = heard(spelling(spelled(" Hi  you")), '{"type":"done"}', spaced=True)
    assert said == [Aligned((Word("Hi  ", 0.1, 0.3),)), Aligned((Word("you", 0.5, 0.8),)), Done()]


def test_characters_are_left_aside_where_there_are_words() -> None:
    frame = '{"type":"output_alignment","words":[{"word":"a","start":0,"end":1}],"chars":[{"char":"b"}]}'
    assert heard(frame, '{"type":"done"}') == [Aligned((Word("a", 0.0, 1.0),)), Done()]


@given(st.text(" ab.", max_size=30), st.sets(st.integers(0, 30)), st.booleans())
def test_however_characters_are_dealt_out_the_words_are_the_same(text: str, cuts: set[int], spaced: bool) -> None:
    letters = spelled(text)
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    frames = [spelling(letters[a:b]) for a, b in pairwise(edges)]
    words = words_of(heard(*frames, '{"type":"done"}', spaced=spaced))
    assert [word.text.strip() for word in words] == text.split()
    if spaced:
        assert "".join(word.text for word in words) == text.lstrip()
    for word in words:
        start, end = round(word.start * 10), round(word.end * 10)
        assert text[start:end] == word.text.rstrip()


def test_a_generation_leaves_nothing_behind_for_the_next() -> None:
    said = heard(spelling(spelled("ab")), '{"type":"done"}', spelling(spelled("cd ")), '{"type":"done"}')
    assert [word.text for word in words_of(said)] == ["ab", "cd"]
    assert [type(message) for message in said] == [Aligned, Done, Aligned, Done]


@pytest.mark.parametrize("letters", ["a" * 1_001, "a" + " " * 1_000])
def test_a_word_without_end_is_malformed(letters: str) -> None:
    assert heard(spelling(spelled(letters[:-1])), '{"type":"done"}')
    with pytest.raises(ProtocolError, match="more than 1000 letters"):
        heard(spelling(spelled(letters[:500])), spelling(spelled(letters[500:])))


def test_character_times_run_forward_and_begin_at_zero() -> None:
    frame = (
        '{"type":"output_alignment","chars":[{"char":"a","start":-1,"end":-1},{"char":"","start":5,"end":9},'
        '{"char":"b","start":3,"end":0.5}]}'
    )
    assert words_of(heard(frame, '{"type":"done"}')) == [Word("ab", 0.0, 0.5)]


TIMES = st.one_of(st.floats(), st.integers(), st.floats(-10, 10))
TIMED = {"start": TIMES, "end": TIMES, "word": st.text(), "char": st.text(max_size=2)}
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["output_audio", "output_alignment", "done", "error", "session.created"])},
    optional={
        "audio": st.binary().map(lambda pcm: base64.b64encode(pcm).decode()) | st.text(),
        "words": st.none() | st.lists(st.fixed_dictionaries({}, optional=TIMED)),
        "chars": st.none() | st.lists(st.fixed_dictionaries({}, optional=TIMED)),
        "code": st.integers() | st.text() | st.floats(),
        "message": st.none() | st.text(),
    },
)


@given(st.lists(MESSAGES.map(json.dumps) | st.text() | st.binary()), st.booleans())
def test_whatever_comes_is_in_order_or_a_protocol_error(frames: list[str | bytes], spaced: bool) -> None:
    session = codec(spaced=spaced)
    for frame in frames:
        try:
            said = list(session.decode(frame))
        except ProtocolError:
            continue
        assert all(0.0 <= word.start <= word.end for word in words_of(said))
        assert all(message.pcm for message in said if isinstance(message, Audio))
