from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.synthesis.spoken_text import Segment, SpokenText, needs_space


def spoken(*segments: Segment) -> SpokenText:
    text = SpokenText()
    for number, segment in enumerate(segments):
        text.reach(10 * (number + 1), number, segment, len(segment.text))
    return text


def test_segments_that_continue_each_other_are_joined_as_they_are() -> None:
    assert spoken(Segment("abcd"), Segment("efg. "), Segment("Go. ")).until(99) == "abcdefg. Go. "


@pytest.mark.parametrize(
    ("left", "right", "whole"),
    [
        ("Hello.", "How are you?", "Hello. How are you?"),
        ("Hello. ", "How are you?", "Hello. How are you?"),
        ("Hello.", "\nFine.", "Hello.\nFine."),
        ("你好。", "再见。", "你好。再见。"),
        ("你好", "OK", "你好 OK"),
        ("สวัสดี", "ครับ", "สวัสดีครับ"),
        ("안녕", "하세요", "안녕 하세요"),
    ],
)
def test_a_closed_segment_is_separated_as_its_script_separates(left: str, right: str, whole: str) -> None:
    assert spoken(Segment(left), Segment(right, continues=False)).until(99) == whole


def test_the_first_text_is_not_separated_from_nothing() -> None:
    assert spoken(Segment("Hello.", continues=False)).until(99) == "Hello."
    assert not needs_space("", "a")


def test_getting_less_far_again_adds_nothing() -> None:
    text, segment = SpokenText(), Segment("One two three.")
    for end, position in ((5, 3), (9, 7), (12, 3), (20, 14)):
        text.reach(end, 0, segment, position)
    assert [text.until(limit) for limit in (4, 5, 9, 19, 20)] == ["", "One", *["One two"] * 2, "One two three."]


def test_a_word_aligned_late_counts_no_earlier_than_the_one_before() -> None:
    text, segment = SpokenText(), Segment("One two three.")
    text.reach(10, 0, segment, 3)
    text.reach(5, 0, segment, 7)
    assert (text.until(9), text.until(10)) == ("", "One two")


def test_a_cut_in_mid_sentence_is_followed_by_another_reply() -> None:
    text = SpokenText()
    text.reach(5, 0, Segment("One two."), 3)
    text.reach(9, 0, Segment("One two."), 8)
    assert text.cut(6) == "One"
    text.reach(30, 1, Segment("Sorry.", continues=False), 6)
    assert (text.until(29), text.until(30)) == ("One", "One Sorry.")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=30), st.integers(0, 300))
def test_a_cut_is_what_was_spoken_by_then(steps: list[tuple[int, int]], limit: int) -> None:
    text, end = SpokenText(), 0
    for step, position in steps:
        end += step
        text.reach(end, position // 10, Segment("0123456789"), position % 10)
    before = [text.until(at) for at in range(limit + 1)]
    assert text.cut(limit) == before[-1]
    assert [text.until(at) for at in range(limit + 1)] == before
    assert text.until(end) == before[-1]
