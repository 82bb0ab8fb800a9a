"""The service's side of the LiveKit wire, without a network."""

from __future__ import annotations

from typing import Any

import pytest

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
from trio_speech._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from trio_speech.providers.livekit import wire
from trio_speech.testing import Manner
from trio_speech.testing.scripted.recognizer import UtteranceEnded
from trio_speech.testing.scripted.synthesizer import AlignedCharacters
from trio_speech.testing.scripted.wires.livekit import recognition, synthesis
from trio_speech.testing.scripted.wires.protocol import (
    Changed,
    ClientClose,
    ClientFinalize,
    Flush,
    Mistake,
    Reply,
    Request,
    Text,
)

PCM8 = AudioFormat.pcm16(8_000)
WORD = Word("a", 0.1, 0.2)


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (
            wire.SttCreate(model="x/y", settings=wire.SttSettings("8000", language="de", extra={"a": 1})),
            TranscribeRequest(audio_format=PCM8, model="x/y", language="de", options={"a": 1}),
        ),
        (wire.SttCreate(settings=wire.SttSettings(8_000, extra=None)), TranscribeRequest(audio_format=PCM8)),
        (wire.InputAudio(b"\1\2"), Audio(b"\1\2")),
        (wire.SessionFinalize(), ClientFinalize()),
        (wire.SessionUpdate(wire.SttChanges(language="fr", extra={"b": 2})), Change(language="fr", options={"b": 2})),
        (wire.SessionUpdate(), Change()),
        (wire.SessionClose(), ClientClose()),
    ],
)
def test_stt_client_messages_become_requests(message: wire.Said, request_: Request) -> None:
    incoming = recognition("", "stt_0001").decode(wire.encode(message))
    assert (incoming.kind, incoming.asks) == (message.__struct_config__.tag, (request_,))


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (
            wire.TtsCreate("8000", extra={"a": 1}, voice="v", model="x/y", language="de"),
            SynthesizeRequest(audio_format=PCM8, model="x/y", voice="v", language="de", options={"a": 1}),
        ),
        (wire.TtsCreate(8_000, extra=None), SynthesizeRequest(audio_format=PCM8)),
        (wire.InputTranscript("hello "), Text("hello ")),
        (wire.SessionFlush(), Flush()),
        (wire.SessionClose(), ClientClose()),
    ],
)
def test_tts_client_messages_become_requests(message: wire.Said, request_: Request) -> None:
    incoming = synthesis("", "tts_0001").decode(wire.encode(message))
    assert (incoming.kind, incoming.asks) == (message.__struct_config__.tag, (request_,))


@pytest.mark.parametrize(
    ("frame", "kind", "complaint"),
    [
        ('{"type":"dance"}', "dance", "unknown message dance"),
        (b"\0", "binary", "unknown message binary"),
        ("no json", "malformed", "malformed message"),
        ('{"type":"session.create","settings":{"sample_rate":"fast"}}', "session.create", "invalid literal"),
        ('{"type":"session.create","settings":{"sample_rate":3}}', "session.create", "sample_rate must be"),
    ],
)
def test_invalid_frames_are_mistakes(frame: str | bytes, kind: str, complaint: str) -> None:
    incoming = recognition("", "stt_0001").decode(frame)
    (mistake,) = incoming.asks
    assert isinstance(mistake, Mistake)
    assert mistake.complaint.startswith(complaint)
    assert incoming.kind == kind


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Opened(), wire.SessionCreated("stt_0001")),
        (SpeechOnset(0.3), wire.StartOfSpeech()),
        (
            RecognitionResult(kind="final", text="a", start=0.1, end=0.3, words=(WORD,), language="en", confidence=0.5),
            wire.FinalTranscript(
                session_id="stt_0001",
                transcript="a",
                language="en",
                start=0.1,
                duration=0.3 - 0.1,
                confidence=0.5,
                words=(wire.Word("a", 0.1, 0.2, None),),
            ),
        ),
        (FinalizeAnswered(), wire.SessionFinalized()),
        (Audio(b"\1\2"), wire.OutputAudio(audio="AQI=", session_id="stt_0001")),
        (Aligned((WORD,)), wire.OutputAlignment("stt_0001", (wire.AlignedWord("a", 0.1, 0.2),))),
        (AlignedCharacters((WORD,)), wire.OutputAlignment("stt_0001", (), (wire.AlignedChar("a", 0.1, 0.2),))),
        (Done(), wire.Done("stt_0001")),
        (Closed(), wire.SessionClosed("stt_0001")),
        (Failure(message="no", code=500), wire.Error("no", 500, "stt_0001")),
    ],
)
def test_replies_become_messages(reply: Reply, message: wire.Said) -> None:
    (outgoing,) = recognition("", "stt_0001").encode(reply)
    assert outgoing.frame == wire.encode(message)
    assert (outgoing.kind, outgoing.says) == (message.__struct_config__.tag, (reply,))


@pytest.mark.parametrize("kind", ["interim", "preflight", "final"])
def test_each_kind_of_transcript_is_a_message_of_its_own(kind: Any) -> None:
    (outgoing,) = recognition("", "stt_0001").encode(RecognitionResult(kind=kind, text="a", start=0.0, end=1.0))
    assert outgoing.kind == f"{kind}_transcript"


@pytest.mark.parametrize(
    "reply", [Acknowledged(1.0), SpeechOver(1.0), UtteranceEnded(1.0), Changed(Change()), Mistake("what?")]
)
def test_replies_without_a_message_give_no_frame(reply: Reply) -> None:
    assert list(recognition("", "stt_0001").encode(reply)) == []


def test_the_url_holds_no_request_and_no_settings() -> None:
    spoken = recognition("model=x", "stt_0001")
    assert list(spoken.opens()) == []
    assert spoken.idle is None
    assert spoken.manner(Manner(held=1.0)) == Manner(held=1.0)
