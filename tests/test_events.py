from __future__ import annotations

import typing

import pytest
from msgspec import Struct

from trio_speech import events
from trio_speech.audio import AudioFormat
from trio_speech.events import (
    AudioChunk,
    AudioClip,
    FinalTranscript,
    Gap,
    InterimTranscript,
    LinkLost,
    PreflightTranscript,
    Recognition,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
    TurnEnded,
    Word,
)

HELLO, WORLD = Word("Hello", 0.1, 0.4, 0.9, "A"), Word("world.", 0.5, 0.9)
SAMPLES: list[Struct] = [
    HELLO,
    SpeechStarted(0.1),
    SpeechEnded(0.9),
    TurnEnded(0.9, 0.7),
    InterimTranscript(text="Hello", start=0.1, end=0.4),
    PreflightTranscript(text="Hello", start=0.1, end=0.4),
    FinalTranscript(text="Hello world.", start=0.1, end=0.9, words=(HELLO, WORLD), id="f1"),
    Gap(1.0, 2.0, "overflow"),
    LinkLost("connection broken: reset", 1, 0.0),
    Resumed(0.5, 0.2, 1),
    AudioChunk(b"\0\0", 0.0, 0),
    Recognition("Hello world.", (), ()),
    AudioClip(b"\0\0", AudioFormat.pcm16(8_000), ()),
]


def test_there_is_a_sample_of_each_event() -> None:
    defined = {each for each in vars(events).values() if isinstance(each, type) and each.__module__ == events.__name__}
    assert {type(each) for each in SAMPLES} == defined
    told = set(typing.get_args(TranscriptEvent))
    assert told == defined - {Word, AudioChunk, Recognition, AudioClip}


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_events_are_frozen_values(event: Struct) -> None:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    assert event == type(event)(**fields)
    assert hash(event) == hash(type(event)(**fields))
    with pytest.raises(AttributeError):
        setattr(event, event.__struct_fields__[0], None)


def test_a_final_alone_has_identity_and_may_lie_at_a_seam() -> None:
    own = set(FinalTranscript.__struct_fields__) - set(InterimTranscript.__struct_fields__)
    assert own == {"id", "seam"}
    assert PreflightTranscript.__struct_fields__ == InterimTranscript.__struct_fields__


def test_a_recognition_has_the_words_of_its_finals_in_order() -> None:
    first = FinalTranscript(text="Hello", start=0.1, end=0.4, words=(HELLO,))
    second = FinalTranscript(text="world.", start=0.5, end=0.9, words=(WORLD,))
    assert Recognition("Hello world.", (first, second), ()).words == (HELLO, WORLD)


def test_a_clip_knows_how_long_it_is() -> None:
    assert AudioClip(bytes(4 * 12_000), AudioFormat.pcm16(24_000, 2), ()).duration == 0.5


def test_audio_stays_out_of_reprs() -> None:
    audio = b"SAMPLES!" * 100
    clip = AudioClip(audio, AudioFormat.pcm16(8_000), ())
    assert repr(clip) == "AudioClip(0.05 s, pcm_s16le at 8000 Hz, mono)"
    assert repr(AudioChunk(audio, 1.5, 2)) == "AudioChunk(800 bytes, start=1.5, segment=2)"
