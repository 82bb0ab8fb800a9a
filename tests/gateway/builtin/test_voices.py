"""Both built-in voices themselves, and the alignment of their words."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from trio_speech.gateway import SpokenWord
from trio_speech.gateway.builtin import espeak, hibari
from trio_speech.gateway.builtin.playback import Playback, Utterance
from trio_speech.gateway.builtin.word_alignment import WordMark, align

TEXT = "Dr. Smith said: we paid $5 for it, at 3:30 (or so)."
Speak = Callable[[str, float], Utterance]


@pytest.fixture(scope="module", params=[espeak.EspeakEngine, hibari.HibariEngine])
def speak(request: pytest.FixtureRequest) -> Any:
    return request.param().speak


def test_each_written_word_has_its_time_in_order(speak: Speak) -> None:
    samples, rate, words = speak(TEXT, 1.0)
    assert [word.text for word in words] == TEXT.split()
    assert 2 < len(samples) / rate < 8
    assert all(0 <= word.start <= word.end <= len(samples) for word in words)
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert sum(word.end - word.start for word in words) > len(samples) / 2


def test_equal_texts_give_equal_samples(speak: Speak) -> None:
    first = speak(TEXT, 1.0)
    speak("Something else.", 1.3)
    assert speak(TEXT, 1.0) == first


def test_speed(speak: Speak) -> None:
    slow, normal, fast = (len(speak(TEXT, speed).samples) for speed in (0.7, 1.0, 1.5))
    assert slow > 1.2 * normal > 1.4 * fast


@pytest.mark.parametrize("text", ["...", "?", "«»", "☃"])
def test_a_text_without_words_gives_audio(speak: Speak, text: str) -> None:
    utterance = speak(text, 1.0)
    assert [word.text for word in utterance.words] == [text]
    assert len(Playback(utterance, 16_000).next(10)) > 0


def test_unusual_characters_are_spoken_or_skipped(speak: Speak) -> None:
    for text in ("x" * 300, "1" * 120, "Привет мир", "a\0b c", "tab\tand\nline", "🙂 yes", "<b>&amp;</b>"):
        utterance = speak(text, 1.0)
        assert [word.text for word in utterance.words] == text.split()
        assert len(utterance.samples) / utterance.sample_rate < 130


def test_long_sentences_are_spoken_in_phrases() -> None:
    text = "the quick brown fox jumps over the lazy dog and " * 12
    samples, rate, words = hibari.HibariEngine().speak(text, 1.0)
    assert len(words) == 120
    assert len(samples) / rate > 20
    assert words[-1].end > len(samples) * 0.95


def test_playback_converts_the_utterance_to_another_rate() -> None:
    utterance = Utterance(array("h", [1000] * 24_000), 24_000, (SpokenWord("a", 2_400, 12_000),))
    playback = Playback(utterance, 16_000)
    assert playback.words == (SpokenWord("a", 1_600, 8_000),)
    pieces = list(iter(lambda: playback.next(0.3), b""))
    assert len(pieces) == 4
    assert len(b"".join(pieces)) == 2 * 16_000


def test_words_spoken_in_one_go_share_their_time() -> None:
    samples = array("h", [1000] * 900 + [0] * 100)
    assert align("in the house", samples, [WordMark(0, 0), WordMark(500, 7)]) == (
        SpokenWord("in", 0, 200),
        SpokenWord("the", 200, 500),
        SpokenWord("house", 500, 900),
    )
    assert align("no marks", samples, []) == (SpokenWord("no", 0, 257), SpokenWord("marks", 257, 900))
    assert align(" ", samples, []) == ()
