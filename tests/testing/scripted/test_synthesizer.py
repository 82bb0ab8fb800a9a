"""The scripted voice: its audio says the text, and its alignment tells where."""

from __future__ import annotations

from itertools import count
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import AudioFormat
from trio_speech._core.provider.messages import Aligned, Audio, Done
from trio_speech.events import Word
from trio_speech.testing.scripted.recognizer import Pause
from trio_speech.testing.scripted.synthesizer import AlignedCharacters, Delivery, ScriptedSynthesizer, SynthesizerOutput
from trio_speech.testing.word_signal import hear

RATE = 24_000
FORMAT = AudioFormat.pcm16(RATE)
TEXTS = st.lists(st.lists(st.sampled_from(["a", "hello,", "“quoted”", "été."]), max_size=4).map(" ".join), max_size=4)


def audio(uttered: list[SynthesizerOutput]) -> bytes:
    return b"".join(message.pcm for message in uttered if isinstance(message, Audio))


def words(uttered: list[SynthesizerOutput]) -> list[Word]:
    return [word for message in uttered if isinstance(message, Aligned) for word in message.words]


@given(
    texts=TEXTS,
    delivery=st.builds(Delivery, variation=st.floats(0, 0.5), chunk=st.floats(0.001, 1.0), gap=st.floats(0, 0.2)),
)
def test_the_audio_says_the_text_and_the_alignment_tells_where(texts: list[str], delivery: Delivery) -> None:
    voice = ScriptedSynthesizer(delivery, FORMAT)
    uttered = [message for text in texts for message in voice.speak(text)]
    heard = hear(audio(uttered))
    assert " ".join(word.token for word in heard) == " ".join(" ".join(texts).split())
    assert [(word.text, round(word.start * RATE), round(word.end * RATE)) for word in words(uttered)] == [
        (word.text, word.start, word.end) for word in heard
    ]


@pytest.mark.parametrize("aligns", ["after", "before"])
def test_a_word_is_aligned_beside_the_audio_in_which_it_ends(aligns: Literal["after", "before"]) -> None:
    uttered = list(ScriptedSynthesizer(Delivery(chunk=0.1, aligns=aligns), FORMAT).speak("one two three"))
    assert len(words(uttered)) == 3
    for index, message in enumerate(uttered):
        if isinstance(message, Aligned):
            through = uttered[: index + 1 if aligns == "after" else index + 2]
            heard = [word.text for word in hear(audio(through)) if word.whole]
            before = [word.text for word in hear(audio(through[:-2])) if word.whole]
            assert heard == before + [word.text for word in message.words]


def test_times_start_anew_with_each_generation() -> None:
    voice = ScriptedSynthesizer(Delivery(), FORMAT)
    first = [*voice.speak("one"), *voice.speak("two"), *voice.flush()]
    assert [word.start for word in words(first)] == pytest.approx([0.0, 0.23])
    assert first[-1] == Done()
    assert [word.start for word in words(list(voice.speak("three")))] == [0.0]


def test_without_variation_equal_text_is_equal_audio() -> None:
    voices = ScriptedSynthesizer(Delivery(), FORMAT), ScriptedSynthesizer(Delivery(), FORMAT)
    assert audio(list(voices[0].speak("hello there"))) == audio(list(voices[1].speak("hello there")))
    assert Delivery().profile().deterministic


def test_with_variation_each_synthesis_lasts_differently() -> None:
    delivery, synthesis = Delivery(variation=0.3), count()
    lengths = [
        len(audio(list(ScriptedSynthesizer(delivery, FORMAT, synthesis).speak("hello there")))) for _ in range(8)
    ]
    assert len(set(lengths)) == 8
    even = len(audio(list(ScriptedSynthesizer(Delivery(), FORMAT).speak("hello there"))))
    assert all(0.7 * even <= length <= 1.3 * even for length in lengths)
    again = count()
    assert lengths == [
        len(audio(list(ScriptedSynthesizer(delivery, FORMAT, again).speak("hello there")))) for _ in range(8)
    ]
    assert not delivery.profile().deterministic


def test_alignment_by_characters() -> None:
    uttered = list(ScriptedSynthesizer(Delivery(alignment="chars", chunk=1.0), FORMAT).speak("ab c"))
    spelled = [char for message in uttered if isinstance(message, AlignedCharacters) for char in message.characters]
    assert "".join(char.text for char in spelled) == "ab c "
    assert [char.start for char in spelled] == pytest.approx([0.0, 0.05, 0.1, 0.18, 0.23])
    assert not words(uttered)


def test_without_alignment_only_audio_is_sent() -> None:
    uttered = list(ScriptedSynthesizer(Delivery(alignment=None), FORMAT).speak("ab c"))
    assert {type(message) for message in uttered} == {Audio}
    assert not Delivery(alignment=None).profile().aligned


def test_spaced_words_include_the_space_after_them() -> None:
    assert [word.text for word in words(list(ScriptedSynthesizer(Delivery(spaced=True), FORMAT).speak("ab c")))] == [
        "ab ",
        "c ",
    ]


def test_audio_may_come_late_and_at_a_pace() -> None:
    uttered = list(ScriptedSynthesizer(Delivery(latency=0.4, speed=2.0, alignment=None), FORMAT).speak("hello"))
    waits = [message.seconds for message in uttered if isinstance(message, Pause)]
    assert uttered[0] == Pause(0.4)
    assert sum(waits[1:]) == pytest.approx(len(audio(uttered)) / 2 / RATE / 2)


def test_done_per_text_and_one_for_the_flush() -> None:
    voice = ScriptedSynthesizer(Delivery(done="text"), FORMAT)
    uttered = [*voice.speak("one"), *voice.speak("two"), *voice.flush()]
    assert [message for message in uttered if isinstance(message, Done)] == [Done()] * 3
    assert Delivery(done="text").profile().quiet_after_done > 0


def test_text_without_words_gives_no_audio() -> None:
    uttered = list(ScriptedSynthesizer(Delivery(), FORMAT).speak("one\0two \0 three"))
    assert [word.token for word in hear(audio(uttered))] == ["one", "two", "three"]
