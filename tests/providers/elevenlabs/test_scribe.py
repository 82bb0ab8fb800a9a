"""ElevenLabs' realtime recognition: the handshake, commits and their answers, and whole sessions."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import trio_speech as ts
from trio_speech.provider import (
    Change,
    Failure,
    FallbackModel,
    FinalizeAnswered,
    NeedsNewLink,
    Opened,
    RecognitionResult,
    SttCodec,
    SttMessage,
    SttProfile,
    TranscribeRequest,
    Unknown,
)
from trio_speech.providers.elevenlabs.profiles import SCRIBE, SCRIBE_COMPANDED
from trio_speech.testing import Drop, Hear, ScriptedGateway, assert_exactly_once, check_provider, speech

SECRET = "hunter2"
PCM = ts.AudioFormat.pcm16(16_000)
SECOND = bytes(2 * 16_000)
TENTH = bytes(2 * 1_600)
TIMED = "committed_transcript_with_timestamps"


def hearing(audio_format: ts.AudioFormat = PCM, **fields: Any) -> TranscribeRequest:
    return TranscribeRequest(audio_format=audio_format, **fields)


def codec(audio_format: ts.AudioFormat = PCM, **options: Any) -> SttCodec:
    return ts.ElevenLabs(SECRET).recognizer(hearing(audio_format, options=options)).codec()


def said(codec: SttCodec, kind: str, **fields: Any) -> list[SttMessage]:
    return list(codec.decode(json.dumps({"message_type": kind, **fields})))


def words(*times: tuple[str, float, float]) -> list[dict[str, Any]]:
    blank = {"text": " ", "start": 0.0, "end": 0.0, "type": "spacing"}
    return [blank, *({"text": text, "start": start, "end": end, "type": "word"} for text, start, end in times)]


def final(text: str, start: float, end: float, *times: tuple[str, float, float]) -> RecognitionResult:
    timed = tuple(ts.Word(word, pytest.approx(first), pytest.approx(last)) for word, first, last in times)
    return RecognitionResult(kind="final", text=text, start=pytest.approx(start), end=pytest.approx(end), words=timed)


# ---------------------------------------------------------------- the handshake


async def test_a_dial_holds_all_settings_and_bears_the_key() -> None:
    request = hearing(
        language="English", keyterms=("trio", "nursery"), options={"no_verbatim": True, "enable_logging": None}
    )
    provider = ts.ElevenLabs(SECRET).recognizer(request)
    dial = await provider.dial()
    parts = urlsplit(dial.url)
    assert (parts.scheme, parts.netloc, parts.path) == ("wss", "api.elevenlabs.io", "/v1/speech-to-text/realtime")
    assert parse_qs(parts.query) == {
        "model_id": ["scribe_v2_realtime"],
        "audio_format": ["pcm_16000"],
        "commit_strategy": ["manual"],
        "include_timestamps": ["true"],
        "language_code": ["en"],
        "keyterms": ["trio", "nursery"],
        "no_verbatim": ["true"],
    }
    assert dict(dial.headers)["xi-api-key"] == SECRET
    assert SECRET not in repr(dial) + repr(provider) + provider.url


async def test_a_single_use_token_goes_into_the_address_and_shows_nowhere() -> None:
    async def token() -> str:
        return "sutkn_1"

    dial = await ts.ElevenLabs(token).recognizer(hearing()).dial()
    assert dial.address.endswith("&token=sutkn_1")
    assert "sutkn_1" not in dial.url + repr(dial)
    assert "xi-api-key" not in dict(dial.headers)


def test_the_telephone_is_heard() -> None:
    provider = ts.ElevenLabs(SECRET).recognizer(
        hearing(ts.AudioFormat.mulaw(), model="elevenlabs/scribe_v2_realtime:de")
    )
    assert "audio_format=ulaw_8000&" in provider.url
    assert provider.url.endswith("language_code=de")


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (hearing(ts.AudioFormat.alaw()), "the encoding mulaw"),
        (hearing(ts.AudioFormat.mulaw(16_000)), "a sample rate of 8000 Hz"),
        (hearing(ts.AudioFormat.pcm16(11_025)), "a sample rate of"),
        (hearing(model="eleven_flash_v2_5"), "model does not recognize speech: use scribe_v2_realtime"),
        (hearing(model="deepgram/nova-3"), "is not a model of ElevenLabs"),
        (hearing(options={"commit_strategy": "vad"}), "options must not hold 'commit_strategy'"),
        (hearing(fallback=(FallbackModel("x"),)), "tries no other model"),
        (hearing(keyterms=("\ud800",)), "as UTF-8"),
    ],
)
def test_what_cannot_be_served_is_refused(request_: TranscribeRequest, complaint: str) -> None:
    with pytest.raises(ts.ConfigurationError, match=complaint):
        ts.ElevenLabs(SECRET).recognizer(request_)


# ---------------------------------------------------------------- what is said to the service


def test_audio_goes_out_as_base64_and_an_empty_chunk_keeps_the_connection_alive() -> None:
    one = codec()
    chunk = {"message_type": "input_audio_chunk", "commit": False, "sample_rate": 16_000}
    assert json.loads(one.audio(memoryview(b"\x01\x02"))) == chunk | {"audio_base_64": "AQI="}
    assert json.loads(str(one.keepalive())) == chunk | {"audio_base_64": ""}
    assert list(one.open()) == []
    assert one.close() is None
    assert one.update(Change(language="de")) == NeedsNewLink()


@pytest.mark.parametrize("profile", [SCRIBE, SCRIBE_COMPANDED])
def test_a_commit_has_more_audio_than_the_service_needs(profile: SttProfile) -> None:
    assert 0.3 < profile.least_finalized < 0.35


# ---------------------------------------------------------------- what the service says


def test_a_commit_is_answered_once_by_the_transcript_with_times() -> None:
    one = codec()
    assert said(one, "session_started", session_id="s", config={}) == [Opened("s")]
    one.audio(SECOND)
    assert said(one, "partial_transcript", text="One") == [
        RecognitionResult(kind="interim", text="One", start=0.0, end=0.0)
    ]
    one.finalize()
    assert said(one, "partial_transcript", text="") == []
    times = [("One", 0.1, 0.4), ("two", 0.5, 0.8)]
    assert said(one, "committed_transcript", text="One two") == []
    assert said(one, TIMED, text="One two", words=words(*times)) == [
        final("One two", 0.1, 0.8, *times),
        FinalizeAnswered(),
    ]
    assert said(one, TIMED, text="One two", words=words(*times)) == [], "it is told once more"


def test_without_times_the_plain_transcript_is_the_answer() -> None:
    one = codec(include_timestamps=False)
    one.audio(SECOND)
    one.finalize()
    assert said(one, "committed_transcript", text="one") == [final("one", 0.0, 1.0), FinalizeAnswered()]


def test_an_empty_transcript_answers_once_and_takes_back_what_was_shown() -> None:
    one = codec()
    one.audio(SECOND)
    one.finalize()
    assert said(one, "committed_transcript", text="") == [FinalizeAnswered()]
    assert said(one, TIMED, text="", words=[]) == []
    one.audio(SECOND)
    one.finalize()
    said(one, "partial_transcript", text="Uh")
    assert said(one, "committed_transcript", text="") == [final("", 1.0, 2.0), FinalizeAnswered()]


def test_the_same_word_said_again_is_told_again_where_words_have_no_times() -> None:
    one = codec()
    untimed = [{"text": "Yes", "type": "word"}]
    for start in (0.0, 1.0):
        one.audio(SECOND)
        one.finalize()
        assert said(one, TIMED, text="Yes", words=untimed) == [final("Yes", start, start + 1.0), FinalizeAnswered()]


def test_an_empty_partial_takes_back_what_was_shown_unless_it_may_be_about_later_audio() -> None:
    one = codec()
    one.audio(SECOND)
    said(one, "partial_transcript", text="Uh")
    assert said(one, "partial_transcript", text="") == [RecognitionResult(kind="interim", text="", start=0.0, end=0.0)]
    assert said(one, "partial_transcript", text="") == []
    said(one, "partial_transcript", text="One")
    one.finalize()
    assert said(one, "partial_transcript", text="") == []


def test_what_was_committed_unasked_answers_nothing() -> None:
    one = codec()
    one.audio(SECOND)
    assert said(one, TIMED, text="one", words=None) == [final("one", 0.0, 1.0)]


def test_times_lie_within_what_was_sent_and_run_forward() -> None:
    one = codec()
    one.audio(SECOND)
    one.finalize()
    [result, _] = said(one, TIMED, text="all", words=words(("one", 0.2, 0.4), ("back", 0.1, 0.3), ("beyond", 0.9, 9.0)))
    assert isinstance(result, RecognitionResult)
    times = [(word.start, word.end) for word in result.words]
    assert times == [(0.2, 0.4), (0.4, 0.4), (0.9, 1.0)]


@given(st.lists(st.tuples(st.floats(-2, 9), st.floats(-2, 9)), max_size=6))
def test_times_run_forward_and_stay_within_what_was_sent(times: list[tuple[float, float]]) -> None:
    one = codec()
    one.audio(TENTH)
    one.finalize()
    [result, _] = said(one, TIMED, text="x", words=words(*(("x", *each) for each in times)))
    assert isinstance(result, RecognitionResult)
    reached = [0.0, *(time for word in result.words for time in (word.start, word.end)), 0.1]
    assert all(one <= other for one, other in pairwise(reached))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("auth_error", 401),
        ("quota_exceeded", 402),
        ("rate_limited", 429),
        ("session_time_limit_exceeded", "session_time_limit_exceeded"),
        ("commit_throttled", "commit_throttled"),
        ("input_error", "input_error"),
    ],
)
def test_errors_are_told(kind: str, code: int | str) -> None:
    assert said(codec(), kind, error="no") == [Failure(message="no", code=code)]
    assert said(codec(), kind) == [Failure(message="no reason given", code=code)]


def test_an_error_of_a_new_kind_is_an_error() -> None:
    assert said(codec(), "brand_new_error", error="no") == [Failure(message="no", code="brand_new_error")]


def test_other_forms_of_a_transcript_are_skipped_and_what_is_not_known_is_told() -> None:
    assert said(codec(), "final_transcript", text="one") == said(codec(), "warning", warning="x") == []
    assert said(codec(), "else") == [Unknown("else")]


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ("{", "malformed message"),
        ('{"message_type":"partial_transcript"}', "without the field `text`"),
        ('{"message_type":"partial_transcript","text":17}', r"\$.text"),
    ],
)
def test_what_is_malformed_is_refused(frame: str, complaint: str) -> None:
    with pytest.raises(ts.ProtocolError, match=complaint):
        codec().decode(frame)


# ---------------------------------------------------------------- whole sessions


@pytest.mark.parametrize("timed", [True, False])
def test_it_passes(timed: bool) -> None:
    options = {} if timed else {"include_timestamps": False}
    check_provider(ts.ElevenLabs(SECRET), model="scribe_v2_realtime", options=options, secrets=[SECRET], runs=0)


async def test_finalize_at_any_moment_costs_no_word(gateway: ScriptedGateway, autojump_clock: object) -> None:
    gateway.plan(Hear(3.0), Drop())
    said = speech(6.0, audio_format=PCM)
    pauses = [word.end for word in said.words]
    async with (
        ts.open_client(gateway.in_place_of(ts.ElevenLabs(SECRET))) as client,
        client.transcribe(audio_format=PCM) as transcript,
    ):
        for start, end in pairwise([0, *pauses, len(said.audio) // 2]):
            await transcript.send(said.audio[2 * start : 2 * end])
            transcript.finalize()  # the words are shorter than the shortest commit
            await trio.sleep((end - start) / 16_000)
        transcript.end_input()
        events = [event async for event in transcript]
    assert_exactly_once(events, said, gateway.visits)
    assert [visit.complaints for visit in gateway.visits] == [[], []]
