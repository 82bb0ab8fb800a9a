"""Messages that are almost right, and bytes that are nothing: only a `ProtocolError` comes of them, and whatever gets
through breaks no law of a session."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trio_speech as ts
from trio_speech._core.provider.requests import SynthesizeRequest, TranscribeRequest
from trio_speech._core.recognition.commands import SendAudio, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.synthesis.session import SynthesisMachine
from trio_speech.errors import ProtocolError
from trio_speech.providers._codec import SttCodec, SttProvider, TtsCodec, TtsProvider
from trio_speech.providers.livekit import wire

PCM = ts.AudioFormat.pcm16(16_000)
CONTEXT = "context-1"
LIVEKIT = ts.LiveKit(url="https://speech.test/v1", api_key="key", api_secret="s" * 40)
DEEPGRAM = ts.Deepgram("key")
CARTESIA = ts.Cartesia("key")
OPENAI = ts.OpenAI("key")
WIDE = ts.AudioFormat.pcm16(24_000)
ITEM = "conversation.item.input_audio_transcription"

WORD = {"word": "one", "start": 0.1, "end": 0.3, "confidence": 0.9, "speaker_id": None}
SAID = {
    "session_id": "s",
    "request_id": "r",
    "transcript": "one",
    "language": "en",
    "start": 0.0,
    "duration": 0.5,
    "confidence": 0.9,
    "words": [WORD, {**WORD, "start": 0.3, "end": 0.5}],
    "extra": {"any": [1, None]},
}
ALTERNATIVE = {"transcript": "one", "confidence": 1, "words": [{**WORD, "speaker": 0, "punctuated_word": "One."}]}

MESSAGES: dict[str, list[dict[str, Any]]] = {
    "livekit stt": [
        {"type": "session.created", "session_id": "s"},
        {"type": "start_of_speech"},
        {"type": "interim_transcript", **SAID},
        {"type": "preflight_transcript", **SAID},
        {"type": "final_transcript", **SAID},
        {"type": "session.finalized"},
        {"type": "session.closed", "session_id": "s"},
        {"type": "error", "message": "no", "code": 500, "session_id": "s", "request_id": "r"},
    ],
    "deepgram": [
        {
            "type": "Results",
            "start": 0.0,
            "duration": 0.5,
            "is_final": True,
            "speech_final": True,
            "from_finalize": True,
            "channel": {"alternatives": [ALTERNATIVE]},
        },
        {"type": "SpeechStarted", "timestamp": 0.1},
        {"type": "UtteranceEnd", "last_word_end": 0.3},
        {"type": "Metadata", "request_id": "r"},
        {"type": "ConfigureSuccess"},
        {"type": "ConfigureFailure", "code": "CONFIGURE_INTERNAL_ERROR", "description": "no"},
        {"type": "Error", "variant": "no", "description": "no"},
    ],
    "flux": [
        {"type": "Connected", "request_id": "r"},
        *(
            {
                "type": "TurnInfo",
                "event": event,
                "turn_index": 0,
                "audio_window_start": 0.0,
                "audio_window_end": 0.5,
                "transcript": "one",
                "words": [{"word": "one", "start": 0.1, "end": 0.3, "confidence": 0.9}],
                "end_of_turn_confidence": 0.5,
                "languages": ["en"],
            }
            for event in ("StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn")
        ),
        {"type": "ConfigureSuccess"},
        {"type": "ConfigureFailure", "code": "no", "description": "no"},
        {"type": "Warning", "code": "no", "description": "no"},
        {"type": "Error", "code": "INTERNAL_SERVER_ERROR", "description": "no"},
    ],
    "scribe": [
        {"message_type": "session_started", "session_id": "s", "config": {}},
        {"message_type": "partial_transcript", "text": "one"},
        {"message_type": "committed_transcript", "text": ""},
        {
            "message_type": "committed_transcript_with_timestamps",
            "text": "one",
            "language_code": "en",
            "words": [{"text": "one", "start": 0.1, "end": 0.3, "type": "word", "speaker_id": None}],
        },
        {"message_type": "commit_throttled", "error": "no"},
    ],
    "openai": [
        {"type": "session.created", "session": {"id": "s"}},
        {"type": "input_audio_buffer.speech_started", "item_id": "i", "audio_start_ms": 100},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "i", "audio_end_ms": 300},
        {"type": "input_audio_buffer.committed", "item_id": "i", "previous_item_id": None},
        {"type": f"{ITEM}.delta", "item_id": "i", "content_index": 0, "delta": "one"},
        {"type": f"{ITEM}.completed", "item_id": "i", "transcript": "one", "languages": [{"code": "en"}]},
        {"type": f"{ITEM}.failed", "item_id": "i", "error": {"code": "audio_unintelligible"}},
        {"type": "error", "error": {"type": "server_error", "code": None, "message": "no", "event_id": "commit-1"}},
    ],
    "livekit tts": [
        {"type": "session.created", "session_id": "s"},
        {"type": "output_audio", "audio": "AAAAAAAA"},
        {"type": "output_alignment", "words": [{"word": "one", "start": 0.0, "end": 0.1}]},
        {"type": "output_alignment", "words": None, "chars": [{"char": "o", "start": 0.0, "end": 0.1}]},
        {"type": "done", "session_id": "s"},
        {"type": "session.closed"},
        {"type": "error", "message": None, "code": "500"},
    ],
    "cartesia": [
        {"type": "chunk", "context_id": CONTEXT, "data": "AAAAAAAA", "done": False},
        {
            "type": "timestamps",
            "context_id": CONTEXT,
            "word_timestamps": {"words": ["one"], "start": [0.0], "end": [0.1]},
        },
        {"type": "phoneme_timestamps", "context_id": CONTEXT},
        {"type": "flush_done", "context_id": CONTEXT, "flush_id": 1},
        {"type": "done", "context_id": CONTEXT},
        {"type": "error", "context_id": CONTEXT, "message": "no", "status_code": 500},
    ],
    "to a recognizer": [
        {"type": "session.create", "model": "m", "settings": {"sample_rate": "16000", "extra": {}}},
        {"type": "input_audio", "audio": "AAAA"},
        {"type": "session.finalize"},
        {"type": "session.update", "settings": {"language": "en", "extra": {}}},
        {"type": "session.close"},
    ],
    "to a voice": [
        {"type": "session.create", "sample_rate": "24000", "voice": "v", "fallback": {"models": [{"model": "m"}]}},
        {"type": "input_transcript", "transcript": "one", "generation_config": {"voice": "v"}, "extra": {}},
        {"type": "session.flush"},
        {"type": "session.close"},
    ],
}

# ---------------------------------------------------------------- almost right

EXTREME = [
    0,
    -1,
    1e308,
    -1e308,
    1e9,
    1e9 + 1,
    2**63,
    -(2**64),
    10**300,
    float("nan"),
    float("inf"),
    -0.0,
    5e-324,
    "",
    "\0",
    "\ud800",
    "x" * 2_000,
    "NaN",
    "٣",
    None,
    True,
    [],
    {},
    [[]],
    {"": None},
]
ANY = st.sampled_from(EXTREME).map(copy.deepcopy) | st.integers() | st.floats() | st.text(max_size=5)
Mutation: TypeAlias = Callable[[Any], Any]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all that lies inside `value`."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inside for place in places(each, (*path, key)))]


@st.composite
def almost(draw: st.DrawFn, wire: str) -> str | bytes:
    """A message of a wire with a few things changed, as text, as a part of it, or as bytes."""
    message: Any = copy.deepcopy(draw(st.sampled_from(MESSAGES[wire])))
    for _ in range(draw(st.integers(0, 3))):
        if not message:
            break
        *way, last = draw(st.sampled_from(places(message)[1:]))
        holder = message
        for key in way:
            holder = holder[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "repeat", "add"]))
        if change == "replace":
            holder[last] = draw(ANY)
        elif change == "remove":
            del holder[last]
        elif change == "repeat" and isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[last]) for _ in range(3))
        elif isinstance(holder, dict):
            holder[draw(st.text(max_size=5))] = draw(ANY)
    text = json.dumps(message, ensure_ascii=draw(st.booleans()))
    match draw(st.integers(0, 9)):
        case 0:
            return text[: draw(st.integers(0, len(text)))]
        case 1:
            return text.encode(errors="surrogatepass")
        case 2:
            at = draw(st.integers(0, len(text)))
            return text[:at] + draw(st.characters()) + text[at:]
        case _:
            return text


def frames(wire: str) -> st.SearchStrategy[list[str | bytes]]:
    return st.lists(almost(wire) | st.text(max_size=9) | st.binary(max_size=9), max_size=12)


# ---------------------------------------------------------------- recognition

RECOGNIZERS: dict[str, SttProvider] = {
    "livekit stt": LIVEKIT.recognizer(TranscribeRequest(audio_format=PCM, model="deepgram/nova-3")),
    "deepgram": DEEPGRAM.recognizer(TranscribeRequest(audio_format=PCM)),
    "flux": DEEPGRAM.recognizer(TranscribeRequest(audio_format=PCM, model="flux-general-en")),
    "scribe": ts.ElevenLabs("key").recognizer(TranscribeRequest(audio_format=PCM)),
    "openai": OPENAI.recognizer(
        TranscribeRequest(audio_format=WIDE, options={"turn_detection": {"type": "server_vad"}})
    ),
}


def refused_or(decode: Callable[[], Any]) -> Any:
    """What was decoded, or nothing where a `ProtocolError` says, in short, that it cannot be; all else is a failure."""
    refusal = ""
    try:
        return decode()
    except ProtocolError as error:
        refusal = str(error)
    assert 0 < len(refusal) < 300
    return None


def heard(codec: SttCodec | TtsCodec, frame: str | bytes) -> list[Any]:
    return refused_or(lambda: list(codec.decode(frame))) or []


def check_ledger(session: RecognitionMachine) -> None:
    log = session.log
    assert 0 <= log.settled <= log.committed <= log.captured
    assert log.kept <= log.sent <= log.captured
    while session.event_queue:
        event = session.take()
        times = [getattr(event, name) for name in ("start", "end") if hasattr(event, name)]
        assert times == sorted(times)
        assert all(0.0 <= time <= log.captured / PCM.sample_rate for time in times), event


@pytest.mark.parametrize("wire", RECOGNIZERS)
def test_no_message_of_a_recognizer_breaks_a_law_of_its_session(wire: str) -> None:
    provider = RECOGNIZERS[wire]

    @given(frames(wire), st.lists(st.integers(0, 1_600), min_size=12, max_size=12), st.booleans())
    def run(said: list[str | bytes], sizes: list[int], ended: bool) -> None:
        session = RecognitionMachine(PCM, ts.ReplayPolicy(limit=1.0))
        codec, now = provider.codec(), 0.0
        link_machine = LinkMachine(session, provider.profile, now, patience=10.0, progress_timeout=60.0)
        for frame, size in zip(said, sizes, strict=False):
            session.capture(b"\x7f\x7f" * size)
            while isinstance(link_machine.next(now), SendAudio):
                pass
            now += 0.1
            for message in heard(codec, frame):
                if link_machine.receive(message, now) is not None:
                    link_machine.lost()
                    link_machine = LinkMachine(session, provider.profile, now, patience=10.0, progress_timeout=60.0)
                    break
            check_ledger(session)
        if ended:
            session.end_input()
            step = link_machine.next(now)
            assert isinstance(step, Wait) or step is not None
        session.end()
        check_ledger(session)

    run()


# ---------------------------------------------------------------- synthesis

VOICES: dict[str, TtsProvider] = {
    "livekit tts": LIVEKIT.voice(SynthesizeRequest(audio_format=PCM, model="cartesia/sonic-3", voice="v")),
    "cartesia": CARTESIA.voice(SynthesizeRequest(audio_format=PCM, voice="v")),
}


@pytest.mark.parametrize("resume", ["word", "segment", "restart", "never"])
@pytest.mark.parametrize("wire", VOICES)
def test_no_message_of_a_voice_breaks_a_law_of_its_session(wire: str, resume: Any) -> None:
    provider = VOICES[wire]

    @given(frames(wire))
    def run(said: list[str | bytes]) -> None:
        machine, codec, now = SynthesisMachine(PCM, provider.profile, resume), provider.codec(), 0.0
        if hasattr(codec, "_name"):
            codec._name = CONTEXT.removesuffix("-1")
        machine.add("One. ")
        machine.add("Two. ")
        clock = 0.0
        for frame in said:
            request = machine.next_request(now)
            if request is not None:
                generation = request.generation
                codec.speak(request.text)
            now += 0.1
            for message in heard(codec, frame):
                if machine.receive(generation, message, now) is not None and not machine.lost():
                    return
            while (chunk := machine.take(now)) is not None:
                assert len(chunk.audio) % 2 == 0
                assert chunk.start >= clock - 1e-9
                assert all(0.0 <= word.start <= word.end for word in chunk.words)
                clock = chunk.start + len(chunk.audio) / 2 / PCM.sample_rate
            assert machine.spoken() in "One. Two. "

    run()


# ---------------------------------------------------------------- what clients say


@pytest.mark.parametrize("name", ["to a recognizer", "to a voice"])
def test_no_bytes_of_a_client_break_the_parser(name: str) -> None:
    union: Any = wire.stt_from_client if name == "to a recognizer" else wire.tts_from_client

    @given(almost(name) | st.text() | st.binary())
    def run(frame: str | bytes) -> None:
        refused_or(lambda: union.decode(frame))

    run()
