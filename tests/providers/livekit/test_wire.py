from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Unknown
from trio_speech.errors import ProtocolError
from trio_speech.providers.livekit import wire

TRANSCRIPT = (
    '{"type":"final_transcript","session_id":"stt_0f31","transcript":"Hello world.","language":"en","start":1.28,'
    '"duration":1.1,"confidence":0.98,"words":[{"word":"Hello","start":1.3,"end":1.62,"confidence":0.99,'
    '"speaker_id":"S0"},{"word":"world.","start":1.7,"end":2.2,"confidence":0.97}]}'
)


def test_the_first_message_of_a_recognition() -> None:
    create = wire.SttCreate(
        model="assemblyai/universal-streaming",
        settings=wire.SttSettings(language="en", extra={"format_turns": True, "keyterms_prompt": ["LiveKit"]}),
        fallback=wire.Fallback(
            (
                wire.FallbackModel("cartesia/ink-whisper"),
                wire.FallbackModel("deepgram/nova-3", extra={"keyterm": ["x"]}),
            )
        ),
        connection=wire.UpstreamPolicy(),
    )
    frame = (
        '{"type":"session.create","model":"assemblyai/universal-streaming",'
        '"settings":{"sample_rate":"16000","encoding":"pcm_s16le","language":"en",'
        '"extra":{"format_turns":true,"keyterms_prompt":["LiveKit"]}},'
        '"fallback":{"models":[{"model":"cartesia/ink-whisper","extra":null},'
        '{"model":"deepgram/nova-3","extra":{"keyterm":["x"]}}]},'
        '"connection":{"timeout":10.0,"retries":3}}'
    )
    assert wire.encode(create) == frame
    assert wire.stt_from_client.decode(frame) == create


def test_the_first_message_of_a_synthesis_is_flat() -> None:
    create = wire.TtsCreate(
        extra={"add_timestamps": True},
        voice="voice-id-1",
        model="cartesia/sonic-3",
        language="en-US",
        fallback=wire.Fallback((wire.FallbackModel("rime/coda", "luna", {}),)),
        connection=wire.UpstreamPolicy(),
    )
    frame = (
        '{"type":"session.create","sample_rate":"24000","encoding":"pcm_s16le","extra":{"add_timestamps":true},'
        '"voice":"voice-id-1","model":"cartesia/sonic-3","language":"en-US",'
        '"fallback":{"models":[{"model":"rime/coda","voice":"luna","extra":{}}]},'
        '"connection":{"timeout":10.0,"retries":3}}'
    )
    assert wire.encode(create) == frame
    assert wire.tts_from_client.decode(frame) == create


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (wire.SessionFinalize(), '{"type":"session.finalize"}'),
        (wire.SessionClose(), '{"type":"session.close"}'),
        (wire.InputAudio(audio=b"\x00\x00\x01\x7f"), '{"type":"input_audio","audio":"AAABfw=="}'),
        (
            wire.SessionUpdate(settings=wire.SttChanges(language="en")),
            '{"type":"session.update","settings":{"language":"en"}}',
        ),
        (
            wire.SttCreate(),
            '{"type":"session.create","settings":{"sample_rate":"16000","encoding":"pcm_s16le","extra":{}}}',
        ),
    ],
)
def test_recognition_clients_say(message: wire.SttClientMessage, frame: str) -> None:
    assert wire.encode(message) == frame
    assert wire.stt_from_client.decode(frame) == message


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (wire.SessionFlush(), '{"type":"session.flush"}'),
        (wire.SessionClose(), '{"type":"session.close"}'),
        (
            wire.InputTranscript(transcript="Hello there. "),
            '{"type":"input_transcript","transcript":"Hello there. ","generation_config":{},"extra":{}}',
        ),
        (wire.TtsCreate(), '{"type":"session.create","sample_rate":"24000","encoding":"pcm_s16le","extra":{}}'),
    ],
)
def test_synthesis_clients_say(message: wire.TtsClientMessage, frame: str) -> None:
    assert wire.encode(message) == frame
    assert wire.tts_from_client.decode(frame) == message


def test_a_server_understands_numbers_nulls_and_what_is_missing() -> None:
    assert wire.stt_from_client.decode('{"type":"session.create"}') == wire.SttCreate()
    said = wire.stt_from_client.decode(
        '{"type":"session.create","model":null,"settings":{"sample_rate":16000,"language":null,"extra":null},'
        '"fallback":null,"connection":null}'
    )
    assert isinstance(said, wire.SttCreate)
    assert (said.settings.sample_rate, said.settings.extra) == (16_000, None)
    assert wire.tts_from_client.decode('{"type":"input_transcript"}') == wire.InputTranscript()


def test_a_final_transcript() -> None:
    assert wire.stt_from_server.decode(TRANSCRIPT) == wire.FinalTranscript(
        session_id="stt_0f31",
        transcript="Hello world.",
        language="en",
        start=1.28,
        duration=1.1,
        confidence=0.98,
        words=(wire.Word("Hello", 1.3, 1.62, 0.99, "S0"), wire.Word("world.", 1.7, 2.2, 0.97)),
    )


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"type":"session.created","session_id":"stt_0f31"}', wire.SessionCreated("stt_0f31")),
        ('{"type":"session.created"}', wire.SessionCreated()),
        ('{"type":"start_of_speech"}', wire.StartOfSpeech()),
        ('{"type":"session.finalized"}', wire.SessionFinalized()),
        ('{"type":"session.closed"}', wire.SessionClosed()),
        (
            '{"type":"interim_transcript","words":null,"language":null,"confidence":null,"start":1}',
            wire.InterimTranscript(words=None, language=None, confidence=None, start=1.0),
        ),
        ('{"type":"preflight_transcript","transcript":"x"}', wire.PreflightTranscript(transcript="x")),
        (
            '{"type":"error","code":2007,"message":"session closed due to agent inactivity","more":{}}',
            wire.Error("session closed due to agent inactivity", 2007),
        ),
        ('{"type":"error"}', wire.Error()),
    ],
)
def test_recognition_servers_say(frame: str, message: wire.SttServerMessage) -> None:
    assert wire.stt_from_server.decode(frame) == message
    assert wire.stt_from_server.decode(wire.encode(message)) == message


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"type":"session.created","session_id":"tts_5c2e"}', wire.SessionCreated("tts_5c2e")),
        (
            '{"type":"output_audio","session_id":"tts_5c2e","audio":"AAAB/v8C"}',
            wire.OutputAudio.of(b"\x00\x00\x01\xfe\xff\x02", "tts_5c2e"),
        ),
        ('{"type":"output_audio","audio":""}', wire.OutputAudio.of(b"")),
        (
            '{"type":"output_alignment","session_id":"tts_5c2e","words":[{"word":"Hello","start":0.0,"end":0.31}]}',
            wire.OutputAlignment("tts_5c2e", (wire.AlignedWord("Hello", 0.0, 0.31),)),
        ),
        (
            '{"type":"output_alignment","words":null,"chars":[{"char":"H","start":0,"end":0.1}]}',
            wire.OutputAlignment(words=None, chars=(wire.AlignedChar("H", 0.0, 0.1),)),
        ),
        ('{"type":"done","session_id":"tts_5c2e"}', wire.Done("tts_5c2e")),
        ('{"type":"session.closed","session_id":"tts_5c2e"}', wire.SessionClosed("tts_5c2e")),
        ('{"type":"error","session_id":"tts_5c2e","message":"..."}', wire.Error("...", session_id="tts_5c2e")),
    ],
)
def test_synthesis_servers_say(frame: str, message: wire.TtsServerMessage) -> None:
    assert wire.tts_from_server.decode(frame) == message
    assert wire.tts_from_server.decode(wire.encode(message)) == message


@pytest.mark.parametrize("time", ["NaN", "Infinity", "-Infinity", "1e999", "1e300", "-1e10", "9" * 400, '"1"', "null"])
@pytest.mark.parametrize("field", ["start", "duration", "words"])
def test_a_time_that_is_none_is_malformed(field: str, time: str) -> None:
    value = f'[{{"word":"x","end":{time}}}]' if field == "words" else time
    with pytest.raises(ProtocolError):
        wire.stt_from_server.decode(f'{{"type":"final_transcript","{field}":{value}}}')


def test_a_time_slightly_before_the_beginning_passes() -> None:
    said = wire.stt_from_server.decode('{"type":"final_transcript","start":-0.01}')
    assert isinstance(said, wire.FinalTranscript)
    assert said.start == -0.01


@pytest.mark.parametrize("audio", ["A", "AAA", "not base64", "\\u00e4"])
def test_audio_that_is_not_base64_is_malformed(audio: str) -> None:
    with pytest.raises(ProtocolError):
        wire.stt_from_client.decode(f'{{"type":"input_audio","audio":"{audio}"}}')


ALMOST_BASE64 = st.text(st.sampled_from("AQgx9+/=-_ \n\0\u00e4\uff21"), max_size=9)


@given(st.binary().map(lambda pcm: base64.b64encode(pcm).decode()) | ALMOST_BASE64 | st.text())
def test_spoken_audio_is_the_same_base64_that_is_heard(audio: str) -> None:
    heard = json.dumps({"type": "input_audio", "audio": audio})
    spoken = wire.OutputAudio(audio=audio)
    assert read(lambda: spoken.pcm) == read(lambda: wire.stt_from_client.decode(heard).audio)  # type: ignore[union-attr]


def read(audio: Callable[[], bytes]) -> bytes | str:
    """The audio, or why there is none."""
    try:
        return audio()
    except ProtocolError as error:
        return error.message


@given(st.binary(), st.none() | st.text())
def test_spoken_audio_comes_back(pcm: bytes, session_id: str | None) -> None:
    message = wire.OutputAudio.of(pcm, session_id)
    assert wire.tts_from_server.decode(wire.encode(message)) == message
    assert (message.pcm, message.session_id) == (pcm, session_id)


def test_audio_is_the_one_field_that_cannot_be_missing() -> None:
    with pytest.raises(ProtocolError):
        wire.tts_from_server.decode('{"type":"output_audio"}')


@given(st.binary(), st.integers(0, 50), st.integers(0, 50))
def test_audio_comes_through_whole_from_bytes_and_from_any_part_of_a_buffer(pcm: bytes, skip: int, cut: int) -> None:
    part = memoryview(bytearray(pcm))[skip : len(pcm) - cut]
    frame = wire.encode_audio(part)
    assert frame == wire.encode_audio(bytes(part))
    assert json.loads(frame) == {"type": "input_audio", "audio": base64.b64encode(part).decode()}
    assert wire.stt_from_client.decode(frame) == wire.InputAudio(audio=bytes(part))


TAGS = st.sampled_from(
    [
        "session.create",
        "input_audio",
        "session.finalize",
        "session.update",
        "session.close",
        "input_transcript",
        "session.flush",
        "session.created",
        "start_of_speech",
        "interim_transcript",
        "preflight_transcript",
        "final_transcript",
        "session.finalized",
        "session.closed",
        "error",
        "output_audio",
        "output_alignment",
        "done",
    ]
)
FIELDS = st.sampled_from(
    [
        "model",
        "settings",
        "fallback",
        "connection",
        "audio",
        "sample_rate",
        "encoding",
        "extra",
        "voice",
        "language",
        "transcript",
        "generation_config",
        "session_id",
        "request_id",
        "start",
        "duration",
        "confidence",
        "words",
        "speaker_id",
        "message",
        "code",
        "chars",
    ]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.builds(
    lambda tag, body: json.dumps({**body, "type": tag}), TAGS, st.dictionaries(FIELDS, JSON, max_size=5)
)
DIRECTIONS: list[Any] = [wire.stt_from_client, wire.stt_from_server, wire.tts_from_client, wire.tts_from_server]


@given(st.sampled_from(DIRECTIONS), MESSAGES | st.text() | st.binary())
def test_whatever_comes_is_a_message_or_a_protocol_error(direction: Any, frame: str | bytes) -> None:
    try:
        said = direction.decode(frame)
    except ProtocolError:
        return
    if isinstance(said, wire.Transcript):
        assert math.isfinite(said.start + said.duration)
    assert isinstance(said, (wire.Said, Unknown))
