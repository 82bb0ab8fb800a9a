"""Words in text, in scripts with blanks and without."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.text import is_dense, join, keep, plain, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello,", "hello"),
        ("STRASSE", "straße"),
        ("caf\u00e9", "cafe\u0301"),
        ("we\u2019re", "we're"),
        ("\u201cyes\u201d", "yes."),
        ("ＡＢＣ", "abc"),
    ],
)
def test_case_punctuation_and_normal_forms_tell_no_words_apart(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("मैं", "में"),
        ("கா", "கி"),
        ("C", "C++"),
        ("5%", "$5"),
        ("we're", "were"),
        ("น้ำ", "นำ"),
        ("C#", "C"),
        ("résumé", "resume"),
    ],
)
def test_vowel_signs_symbols_and_apostrophes_tell_words_apart(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_a_word_of_punctuation_alone_stays_as_it_is() -> None:
    assert plain(" ... ") == "..."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How are  you?", ["How", "are", "you?"]),
        ("你好，世界。", ["你", "好，", "世", "界。"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("我用 Python 3", ["我", "用", "Python", "3"]),
        ("ミャンマー", ["ミ", "ャ", "ン", "マ", "ー"]),
        ("", []),
    ],
)
def test_words_are_divided_by_blanks_or_by_graphemes(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["one", "two"], "one two"),
        (["今日は", "いい天気です。"], "今日はいい天気です。"),
        (["我用", "Python"], "我用 Python"),
        (["", " one ", ""], "one"),
        ([], ""),
    ],
)
def test_texts_are_joined_as_their_script_is(texts: list[str], joined: str) -> None:
    assert join(texts) == joined


@pytest.mark.parametrize(
    ("text", "words", "kept", "left"),
    [
        ("So, how are you?", ["So,", "how", "are", "you?"], [False, True, True, True], "how are you?"),
        ("Hello, my friend !", ["Hello", "my", "friend"], [False, False, True], "friend !"),
        ("¿Cómo estás?", ["Cómo", "estás"], [True, False], "¿Cómo"),
        ("one two three", ["one", "two", "three"], [True, False, True], "one three"),
        ("你好世界", ["你", "好", "世", "界"], [False, False, True, True], "世界"),
        ("in other words", ["uno", "dos"], [False, True], "dos"),
        ("ab", ["ab", " "], [True, False], "ab"),
    ],
)
def test_text_is_cut_and_not_rebuilt(text: str, words: list[str], kept: list[bool], left: str) -> None:
    assert keep(text, words, kept) == left


@given(st.text(max_size=30))
def test_comparing_a_compared_word_changes_nothing(text: str) -> None:
    once = plain(text)
    assert plain(once) == once or not any(unicodedata.category(each)[0] in "LN" for each in text)


def test_a_script_without_blanks_is_known_by_its_letters() -> None:
    assert is_dense("你")
    assert not is_dense("a")
