"""Speech with the truth about it, and how it is played."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import assert_checkpoints

from trio_speech import AudioFormat
from trio_speech.testing.speech import LabeledSpeech, pseudoword, say, speech
from trio_speech.testing.word_signal import hear

TELEPHONE = AudioFormat.pcm16(8_000)


def test_a_script_is_said_as_written() -> None:
    said = say(0.5, "turn left", 1.0, "now", 1, letter=0.1, gap=0.05)
    assert said.text == "turn left now"
    rate = 16_000
    assert [(word.start / rate, word.end / rate) for word in said.words] == [(0.5, 0.9), (0.95, 1.35), (2.35, 2.65)]
    assert said.seconds == 3.65
    assert hear(said.audio) == list(said.words)


def test_an_empty_script_is_no_audio() -> None:
    assert say() == LabeledSpeech(b"", AudioFormat.pcm16(16_000), ())
    assert list(say().chunks()) == []


FORMATS = (
    *(AudioFormat.pcm16(rate) for rate in (1_000, 8_000, 11_025, 48_000)),
    AudioFormat.pcm16(16_000, channels=2),
    AudioFormat.mulaw(),
    AudioFormat.alaw(),
    AudioFormat.alaw(16_000, channels=3),
)


@given(seconds=st.floats(1, 20), seed=st.integers(0, 50), audio_format=st.sampled_from(FORMATS))
def test_speech_lasts_as_long_as_asked_and_says_what_it_claims(
    seconds: float, seed: int, audio_format: AudioFormat
) -> None:
    spoken = speech(seconds, seed=seed, audio_format=audio_format)
    assert spoken.samples == audio_format.samples(seconds)
    assert len(spoken.audio) == spoken.samples * audio_format.frame_size
    assert hear(spoken.audio, 0, audio_format) == list(spoken.words)
    assert len({word.text for word in spoken.words}) == len(spoken.words) > 0
    assert b"".join(spoken.chunks(0.03)) == spoken.audio


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_speech_without_room_for_a_word_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="too short for a word: ask for 1 second or more"):
        speech(seconds)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_script_is_said_in_the_format_of_its_label(audio_format: AudioFormat) -> None:
    said = say(0.5, "turn left", 0.25, audio_format=audio_format) + say("now", audio_format=audio_format)
    assert said.seconds == pytest.approx(0.5 + 8 * 0.05 + 0.08 + 0.25 + 3 * 0.05, abs=0.002)
    assert hear(said.audio, 0, audio_format) == list(said.words)
    assert said.text == "turn left now"


def test_silence_in_g711_is_silence_and_all_channels_hold_the_same() -> None:
    assert say(0.001, audio_format=AudioFormat.mulaw()).audio == b"\xff" * 8
    assert say(0.001, audio_format=AudioFormat.alaw()).audio == b"\xd5" * 8
    stereo, mono = say("hello", audio_format=AudioFormat.pcm16(16_000, 2)).audio, say("hello").audio
    samples = [stereo[at : at + 4] for at in range(0, len(stereo), 4)]
    assert b"".join(each[:2] for each in samples) == b"".join(each[2:] for each in samples) == mono


def test_longer_speech_begins_like_shorter() -> None:
    short, long = speech(10.0), speech(60.0)
    assert short.words
    assert long.words[: len(short.words)] == short.words
    assert speech(10.0) == short != speech(10.0, seed=1)


def test_speech_has_pauses_long_enough_to_end_an_utterance() -> None:
    words = speech(60.0, pause=1.0).words
    gaps = [(after.start - word.end) / 16_000 for word, after in pairwise(words)]
    assert min(gap for gap in gaps if gap > 0.2) >= 0.7
    assert sum(gap > 0.2 for gap in gaps) > 5


def test_words_are_many_and_different() -> None:
    words = [pseudoword(number) for number in range(20_000)]
    assert len(set(words)) == len(words)
    assert {len(word) for word in words} == {4, 8}


def test_two_speeches_are_joined() -> None:
    joined = say("a", audio_format=TELEPHONE) + say(0.5, "b", audio_format=TELEPHONE)
    assert hear(joined.audio) == list(joined.words)
    assert joined.text == "a b"
    with pytest.raises(ValueError, match="cannot be joined"):
        say("a") + joined


@given(st.lists(st.floats(0.0, 0.4), min_size=1, max_size=5))
def test_chunks_are_the_audio_whatever_their_lengths(lengths: list[float]) -> None:
    spoken = speech(2.0, audio_format=TELEPHONE)
    chunks = list(spoken.chunks(lengths))
    assert b"".join(chunks) == spoken.audio
    assert all(chunks)
    for chunk, length in zip(chunks[:-1], lengths, strict=False):
        assert len(chunk) // 2 == max(1, round(length * 8_000))


async def test_it_plays_in_real_time(autojump_clock: trio.testing.MockClock) -> None:
    began = trio.current_time()
    times = [trio.current_time() - began async for _ in say("hello", audio_format=TELEPHONE, letter=0.03)]
    assert times == pytest.approx([0.05, 0.1, 0.15])


async def test_it_plays_at_another_speed(autojump_clock: trio.testing.MockClock) -> None:
    chunks = [chunk async for chunk in speech(60.0).source(chunk=(0.1, 0.3), speed=2.0)]
    assert trio.current_time() == pytest.approx(30.0)
    assert b"".join(chunks) == speech(60.0).audio


async def test_it_plays_as_fast_as_it_is_taken(autojump_clock: trio.testing.MockClock) -> None:
    source = speech(1.0).source(chunk=0.5, speed=None)
    for _ in range(2):
        with assert_checkpoints():
            await anext(source)
    with assert_checkpoints(), pytest.raises(StopAsyncIteration):
        await anext(source)
    assert trio.current_time() == 0.0


async def test_a_cancelled_chunk_comes_again(autojump_clock: trio.testing.MockClock) -> None:
    spoken = say("hello")
    source = spoken.source(chunk=0.1)
    with trio.move_on_after(0.05):
        await anext(source)
    assert b"".join([chunk async for chunk in source]) == spoken.audio
