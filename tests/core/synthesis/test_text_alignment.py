from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.synthesis.text_alignment import Reached, TextCursor


def spoken(text: str, *words: str) -> str:
    cursor = TextCursor(text)
    position = 0
    for word in words:
        position = cursor.advance(word).position
    return text[:position]


@pytest.mark.parametrize(
    ("text", "words", "covered"),
    [
        ("Hello, world!", ("Hello",), "Hello,"),
        ("Hello, world!", ("hello,", "WORLD!"), "Hello, world!"),
        ("Hello, world!", (" Hello,", " world"), "Hello, world!"),
        ("unbelievable news", ("un", "believable"), "unbelievable"),
        ("It is $5 now, OK", ("It", "is", "five"), "It is"),
        ("It is $5 now, OK", ("It", "is", "five", "dollars", "now"), "It is $5 now,"),
        ("no no no", ("no", "no"), "no no"),
        ("no, yes, no!", ("no", "no"), "no, yes, no!"),
        ("No yes no", ("no", "NO"), "No yes no"),
        ("Unbelievable news", ("un", "BELIEVABLE"), "Unbelievable"),
        ("a cat", ("at",), ""),
        ("the cat, now", ("ca",), ""),
        ("Hello world", ("Hello,", "world!"), "Hello world"),
        ("the cat at it", ("cats", "at"), "the cat at"),
        ("don't (stop)", ("don't", "stop"), "don't (stop)"),
        ("wait — what", ("wait", "—", "what"), "wait — what"),
        ("end", ("end", "end", ""), "end"),
        ("straße", ("STRASSE",), ""),
    ],
)
def test_words_cover_the_text_up_to_the_last_recognized_one(text: str, words: tuple[str, ...], covered: str) -> None:
    assert spoken(text, *words) == covered


def test_a_word_beyond_the_reach_is_not_recognized() -> None:
    far = "x" * 30 + " " + "y" * 30 + " now"
    assert spoken(far, "now") == ""
    assert spoken(far, "ex", "why", "now") == far


def test_unknown_words_are_measured_in_letters() -> None:
    cursor = TextCursor("It is $5 now")
    said = ("It", "is", "five", "dol", "lars ", "now")
    assert [cursor.advance(word) for word in said] == [(2, 0), (5, 0), (5, 4), (5, 7), (5, 11), (12, 0)]


def test_a_place_further_on_compares_greater() -> None:
    assert Reached() < Reached(0, 3) < Reached(5) < Reached(5, 4) < Reached(6)


@given(st.lists(st.text("abcdeé'-$5.,", min_size=1, max_size=8), max_size=20))
def test_the_words_as_written_cover_the_text(words: list[str]) -> None:
    text = " ".join(words)
    cursor = TextCursor(text)
    before = 0
    for word in words:
        after = cursor.advance(word).position
        assert before <= after <= len(text)
        before = after
    unsaid = text[before:]
    assert not any(character.isalnum() for character in unsaid)
