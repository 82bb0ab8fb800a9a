from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import (
    Acknowledged,
    Failure,
    Going,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SttMessage,
    TurnOver,
    Unknown,
)
from trio_speech._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from trio_speech.audio import AudioFormat
from trio_speech.errors import ConfigurationError, ProtocolError
from trio_speech.events import Word
from trio_speech.providers._codec import NeedsNewLink, SttProvider
from trio_speech.providers.deepgram import Deepgram
from trio_speech.providers.deepgram.flux import FluxCodec
from trio_speech.providers.deepgram.profiles import FLUX
from trio_speech.testing import check_provider

SECRET = "hunter2"
PCM = AudioFormat.pcm16(16_000)
END_OF_TURN = (
    '{"type":"TurnInfo","request_id":"0b1e","sequence_id":7,"event":"EndOfTurn","turn_index":2,"trigger":"model",'
    '"audio_window_start":4.16,"audio_window_end":6.32,"transcript":"Yes, tomorrow works.",'
    '"words":[{"word":"Yes,","confidence":0.98,"start":4.4,"end":4.64},{"word":"tomorrow","confidence":0.9,'
    '"start":4.7,"end":5.1},{"word":"works.","confidence":0.9,"start":5.1,"end":5.5}],'
    '"end_of_turn_confidence":0.86,"languages":["en"],"languages_hinted":["en"]}'
)


def turn(event: str, window: tuple[float, float], transcript: str = "", **fields: Any) -> str:
    start, end = window
    told = {"event": event, "audio_window_start": start, "audio_window_end": end, "transcript": transcript}
    return json.dumps({"type": "TurnInfo", "turn_index": 0, "end_of_turn_confidence": 0.5, **told, **fields})


def heard(*frames: str | bytes) -> list[SttMessage]:
    codec = FluxCodec(PCM)
    return [message for frame in frames for message in codec.decode(frame)]


def recognizer(model: str = "flux-general-en", **asked: Any) -> SttProvider:
    return Deepgram(SECRET).recognizer(TranscribeRequest(audio_format=PCM, model=model, **asked))


def asked(model: str = "flux-general-en", **fields: Any) -> list[tuple[str, str]]:
    return parse_qsl(recognizer(model, **fields).url.partition("?")[2])


# ---------------------------------------------------------------- requests


def test_what_is_said_while_a_session_lasts() -> None:
    codec = FluxCodec(PCM)
    assert list(codec.open()) == []
    assert codec.audio(memoryview(b"\x01\x02")) == b"\x01\x02"
    assert codec.finalize() is codec.keepalive() is None
    assert codec.close() == '{"type":"CloseStream"}'


@pytest.mark.parametrize(
    ("change", "frame"),
    [
        (Change(keyterms=("a", "b")), '{"type":"Configure","keyterms":["a","b"]}'),
        (Change(keyterms=()), '{"type":"Configure","keyterms":[]}'),
        (Change(options={"language_hint": "de"}), '{"type":"Configure","language_hints":["de"]}'),
        (
            Change(options={"eot_threshold": 0.8, "eot_timeout_ms": 4_000}, keyterms=("x",)),
            '{"type":"Configure","thresholds":{"eot_threshold":0.8,"eot_timeout_ms":4000},"keyterms":["x"]}',
        ),
        (Change(), None),
        (Change(options={}), None),
        (Change(language="de"), NeedsNewLink()),
        (Change(options={"numerals": True, "eot_threshold": 0.8}), NeedsNewLink()),
        (Change(options={"eager_eot_threshold": None}), NeedsNewLink()),
        (Change(options={"language_hint": None}), NeedsNewLink()),
    ],
)
def test_what_can_change_in_flight_does_and_the_rest_needs_a_new_link(change: Change, frame: object) -> None:
    assert FluxCodec(PCM).update(change) == frame


def test_a_change_that_no_frame_can_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"options\['eot_threshold'\]"):
        FluxCodec(PCM).update(Change(options={"eot_threshold": object()}))


async def test_the_address_holds_all_settings() -> None:
    provider = recognizer(keyterms=("a b",), options={"eager_eot_threshold": 0.4, "tag": "t"})
    dial = await provider.dial()
    assert provider.endpoint == "wss://api.deepgram.com/v2/listen"
    assert dial.url == (
        "wss://api.deepgram.com/v2/listen?model=flux-general-en&encoding=linear16&sample_rate=16000"
        "&eager_eot_threshold=0.4&tag=t&keyterm=a+b"
    )
    assert dict(dial.headers)["Authorization"] == f"Token {SECRET}"


def test_a_language_is_a_hint_to_the_model_that_knows_several() -> None:
    assert asked("deepgram/flux-general-multi:German")[-1] == ("language_hint", "de")
    assert asked("flux-general-multi", language="fr", options={"language_hint": ["de"]})[-2:] == [
        ("language_hint", "de"),
        ("language_hint", "fr"),
    ]
    for same in (asked(), asked(language="en-US"), asked("flux-general-en:en"), asked("flux-general-multi:multi")):
        assert "language_hint" not in dict(same)
    with pytest.raises(ConfigurationError, match="use 'flux-general-multi'"):
        recognizer(language="de")


@pytest.mark.parametrize("option", ["encoding", "sample_rate", "model", "language"])
def test_options_that_would_contradict_the_arguments_are_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"options must not hold '{option}'"):
        recognizer(options={option: "x"})


def test_what_flux_does_not_do_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="takes 1 channel"):
        Deepgram(SECRET).recognizer(TranscribeRequest(audio_format=AudioFormat.pcm16(16_000, 2), model="flux-general"))
    with pytest.raises(ConfigurationError, match="recognizes and does not speak"):
        Deepgram(SECRET).voice(SynthesizeRequest(audio_format=PCM, model="flux-general-en"))


def test_patience_lasts_longer_than_a_turn_may() -> None:
    assert recognizer().profile == FLUX
    assert recognizer(options={"eot_timeout_ms": 60_000}).profile.answer_within == 65.0


# ---------------------------------------------------------------- results


def test_the_end_of_turn_of_the_fact_sheet() -> None:
    words = (Word("Yes,", 4.4, 4.64, 0.98), Word("tomorrow", 4.7, 5.1, 0.9), Word("works.", 5.1, 5.5, 0.9))
    assert heard(END_OF_TURN) == [
        RecognitionResult(
            kind="final",
            text="Yes, tomorrow works.",
            start=4.4,
            end=5.5,
            words=words,
            language="en",
            id="turn-2",
            ends_speech=True,
        ),
        Acknowledged(5.5),
        TurnOver(5.5, 0.86),
    ]


def test_a_turn_is_guessed_at_until_it_ends_and_an_end_that_is_likely_may_be_taken_back() -> None:
    said = heard(
        turn("StartOfTurn", (0, 1)),
        turn("Update", (0, 1.2), "so"),
        turn("EagerEndOfTurn", (0, 1.5), "so far"),
        turn("TurnResumed", (0, 2.0), "so far so"),
        turn("EagerEndOfTurn", (0, 2.5), "so far so good"),
        turn("EndOfTurn", (0, 2.75), "so far so good"),
    )
    assert said[0] == SpeechOnset()
    kinds = [(message.kind, message.text) for message in said if isinstance(message, RecognitionResult)]
    assert kinds == [
        ("interim", "so"),
        ("preflight", "so far"),
        ("interim", "so far so"),
        ("preflight", "so far so good"),
        ("final", "so far so good"),
    ]


def test_silence_is_acknowledged_but_for_a_second_in_which_a_turn_may_have_begun() -> None:
    assert heard(turn("Update", (0, 0.25)), turn("Update", (0, 4.0))) == [Acknowledged(0.0), Acknowledged(3.0)]


def test_nothing_is_acknowledged_within_a_turn() -> None:
    said = heard(turn("StartOfTurn", (0, 2)), turn("Update", (0, 3)), turn("Update", (0, 4)))
    assert said == [SpeechOnset()]


def test_a_guess_may_be_taken_back() -> None:
    said = heard(turn("StartOfTurn", (0, 2), "uh"), turn("Update", (0, 3)), turn("Update", (0, 4)))
    assert [message.text for message in said if isinstance(message, RecognitionResult)] == ["uh", ""]


def test_a_turn_without_words_ends_as_one() -> None:
    final, acknowledged, over = heard(turn("StartOfTurn", (1, 2)), turn("EndOfTurn", (1, 4)))[1:]
    assert isinstance(final, RecognitionResult)
    assert (final.text, final.start, final.end) == ("", 1.0, 4.0)
    assert (acknowledged, over) == (Acknowledged(3.0), TurnOver(4.0, 0.5))


def test_words_without_times_leave_the_window() -> None:
    final, acknowledged, _ = heard(turn("EndOfTurn", (1, 4), "so far", words=[{"word": "so"}, {"word": "far"}]))
    assert isinstance(final, RecognitionResult)
    assert (final.words, final.start, final.end) == ((), 1.0, 4.0)
    assert acknowledged == Acknowledged(3.0)


def test_after_the_close_message_what_reaches_the_end_of_the_audio_lets_the_connection_go() -> None:
    codec = FluxCodec(PCM)
    codec.audio(bytes(2 * 32_000))
    assert Going(0.0) not in codec.decode(turn("Update", (0, 2), "so"))
    codec.close()
    assert Going(0.0) not in codec.decode(turn("Update", (0, 1.75), "so"))
    assert list(codec.decode(turn("Update", (0, 2), "so far")))[-1] == Going(0.0)
    assert list(codec.decode(turn("EndOfTurn", (0, 2), "so far")))[-1] == Going(0.0)


def test_the_other_messages() -> None:
    assert heard(
        '{"type":"Connected","request_id":"r","sequence_id":0}',
        '{"type":"ConfigureSuccess","request_id":"r"}',
        '{"type":"Warning","code":"FORCE_END_TURN_NO_ACTIVE_TURN","description":"no turn"}',
        '{"type":"ConfigureFailure","request_id":"r","code":"C","description":"too many"}',
        '{"type":"Error","sequence_id":1,"code":"INTERNAL_SERVER_ERROR","description":"broken"}',
        '{"type":"Error"}',
        turn("NewEvent", (0, 1), "x"),
        '{"type":"New"}',
    ) == [
        Opened("r"),
        Failure(message="the change was not taken: too many", code="C", request_id="r", retryable=True),
        Failure(message="broken", code="INTERNAL_SERVER_ERROR"),
        Failure(message="no reason given"),
        Unknown("NewEvent"),
        Unknown("New"),
    ]


EVENTS = ["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.floats(0.0, 3.0), st.sampled_from(["", "word"])), max_size=20))
def test_no_watermark_lies_in_an_open_turn_or_closer_than_a_second_to_what_was_heard(
    events: list[tuple[str, float, str]],
) -> None:
    codec, at, opened, ended = FluxCodec(PCM), 0.0, False, 0
    for event, seconds, transcript in events:
        at += seconds
        opened = event != "EndOfTurn" and (opened or event == "StartOfTurn" or bool(transcript))
        said = list(codec.decode(turn(event, (0.0, at), transcript, turn_index=ended)))
        ended += event == "EndOfTurn"
        upto = [message.upto for message in said if isinstance(message, Acknowledged)]
        assert upto == ([] if opened else [max(0.0, at - 1.0)])


NUMBERS = st.integers() | st.floats()
FIELDS = {
    "audio_window_start": NUMBERS,
    "audio_window_end": NUMBERS,
    "transcript": st.text() | st.integers(),
    "end_of_turn_confidence": st.none() | NUMBERS,
    "words": st.none() | st.lists(st.fixed_dictionaries({}, optional={"start": NUMBERS, "end": NUMBERS}), max_size=3),
}


@given(
    st.text()
    | st.binary()
    | st.fixed_dictionaries(
        {"type": st.just("TurnInfo"), "event": st.sampled_from(EVENTS), "turn_index": st.integers()}, optional=FIELDS
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
            assert all(0.0 <= word.start <= word.end for word in message.words)
        if isinstance(message, (SpeechOnset, TurnOver)):
            assert message.at is None or message.at >= 0.0


def test_it_keeps_the_laws_of_a_provider() -> None:
    check_provider(
        Deepgram(SECRET), model="flux-general-en", options={"eager_eot_threshold": 0.5}, secrets=[SECRET], runs=2
    )


def test_what_comes_late_or_twice_of_a_turn_that_has_ended_is_skipped() -> None:
    end = turn("EndOfTurn", (0.0, 3.0), "One two.")
    told = heard(turn("StartOfTurn", (0.0, 1.0), "One"), end)
    late = turn("Update", (0.0, 2.0), "One two")
    assert heard(turn("StartOfTurn", (0.0, 1.0), "One"), end, late, end) == told
    assert heard(end, turn("Update", (3.0, 9.0)))[-1] == Acknowledged(8.0), "silence is still acknowledged"


def test_a_turn_has_a_number() -> None:
    unnumbered = json.loads(END_OF_TURN)
    del unnumbered["turn_index"]
    with pytest.raises(ProtocolError, match="turn_index"):
        heard(json.dumps(unnumbered))
