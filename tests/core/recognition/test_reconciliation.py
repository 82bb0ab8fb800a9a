from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.reconciliation import ComparedWord, OverlappingSeam, Seam, TextSeam, TimedSeam
from trio_speech._core.recognition.stretches import Stretches


def timed(*words: tuple[str, int, int]) -> list[ComparedWord]:
    return [ComparedWord(*word) for word in words]


def untimed(text: str) -> list[ComparedWord]:
    return [ComparedWord(word) for word in text.split()]


def shifted(words: Sequence[ComparedWord], by: int) -> list[ComparedWord]:
    return [ComparedWord(word.text, (word.start or 0) + by, (word.end or 0) + by) for word in words]


def all_before(said: int) -> TimedSeam:
    """All before sample `said` was delivered, and nothing behind it."""
    return TimedSeam(said, Stretches())


def test_a_word_has_a_midpoint_where_it_has_a_span() -> None:
    assert (ComparedWord("a", 10, 20).span, ComparedWord("a", 10, 20).midpoint) == ((10, 20), 15)
    assert (ComparedWord("a", None, 20).span, ComparedWord("a", None, 20).midpoint) == (None, None)


# ---------------------------------------------------------------- exact times


@pytest.mark.parametrize(
    ("words", "old"),
    [
        ([], 0),
        (timed(("a", 50, 100)), 1),
        (timed(("a", 50, 150)), 1),  # its midpoint lies at the end of what was said
        (timed(("a", 50, 151)), 0),
        (timed(("a", 0, 40), ("b", 50, 90), ("c", 110, 150)), 2),
        (timed(("a", 110, 150), ("b", 50, 90)), 1),
        ([*timed(("a", 0, 40)), *untimed("b")], 1),
        (timed(("a", 100, 100)), 1),
        (timed(("a", 101, 101)), 0),
    ],
)
def test_where_times_are_exact_the_midpoint_decides(words: list[ComparedWord], old: int) -> None:
    seam = all_before(100)
    assert sum(seam.repeated(words)) == old
    seam.passed(words)
    assert seam.open == (not words or old == len(words) or words[-1].midpoint in (None, 70.0))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12), st.integers(0, 400))
def test_every_word_is_on_one_side_of_a_timed_seam(lengths: list[tuple[int, int]], said: int) -> None:
    words, at = [], 0
    for pause, length in lengths:
        words.append(ComparedWord("w", at + pause, at + pause + length))
        at += pause + length
    assert all_before(said).repeated(words) == [(word.midpoint or 0) <= said for word in words]


def test_a_word_between_two_delivered_stretches_is_new() -> None:
    delivered = Stretches()
    delivered.add(200, 300)
    seam = TimedSeam(100, delivered)
    words = timed(("a", 50, 90), ("b", 120, 180), ("c", 210, 290), ("d", 310, 390))
    assert seam.repeated(words) == [True, False, True, False]
    seam.passed(words[:3])
    assert seam.open
    seam.passed(words)
    assert not seam.open


def test_where_speakers_overlap_the_same_word_at_the_same_time_is_old() -> None:
    seam = OverlappingSeam(timed(("wait", 100, 200), ("so", 120, 180)), 0, 20)
    words = [*timed(("wait", 110, 210), ("so", 200, 260), ("stop", 120, 180)), *untimed("wait")]
    assert seam.repeated(words) == [True, False, False, False]
    seam.passed(words)
    assert seam.open
    seam.passed([])
    seam.passed(timed(("more", 221, 300)))
    assert not seam.open
    assert not seam.awaited


# ---------------------------------------------------------------- drifting times

OLD = timed(("we", 0, 80), ("say", 100, 200), ("no", 220, 300), ("no", 320, 400))


def drifting(old: Sequence[ComparedWord] = OLD) -> TextSeam:
    return TextSeam(old, timed=all_before(400), reach=1_000)


@pytest.mark.parametrize("drift", [-39, 0, 39])
@pytest.mark.parametrize("first", range(4))
def test_a_small_drift_is_seen_through_though_words_repeat(first: int, drift: int) -> None:
    new = shifted(OLD[first:], drift)
    for more in (0, 1, 2):
        words = [*new, *shifted(timed(("no", 420, 500), ("no", 520, 600)), drift)[:more]]
        assert sum(drifting().repeated(words)) == len(new)


@pytest.mark.parametrize("drift", [-900, 900])
def test_a_large_drift_is_seen_through_where_only_one_way_fits(drift: int) -> None:
    assert sum(drifting().repeated(shifted([*OLD[1:3], OLD[3], ComparedWord("more", 420, 500)], drift))) == 3


UNIQUE = timed(("we", 0, 80), ("say", 100, 200), ("no", 220, 300), ("way", 320, 400))


@pytest.mark.parametrize(("drift", "old"), [(900, 3), (-900, 3), (901, 0)])
def test_a_drift_beyond_all_reason_is_none(drift: int, old: int) -> None:
    seam = TextSeam(UNIQUE, timed=all_before(400), reach=900)
    assert sum(seam.repeated(shifted(UNIQUE[1:], drift))) == old


@pytest.mark.parametrize(("off", "old"), [(0, 2), (39, 2), (-39, 2), (40, 0), (-40, 0)])
def test_a_torn_word_ends_where_the_whole_one_did_whatever_the_drift(off: int, old: int) -> None:
    new = timed(("o", 280, 300 + off), ("way", 320, 400), ("more", 420, 500))
    assert sum(drifting(UNIQUE).repeated(shifted(new, 900))) == old


@pytest.mark.parametrize(("heard", "old"), [("say know way", 3), ("say no may", 3), ("no may", 0), ("say know may", 0)])
def test_but_few_words_may_be_heard_as_others_where_times_drift(heard: str, old: int) -> None:
    texts = heard.split()
    new = [ComparedWord(text, word.start, word.end) for text, word in zip(texts, UNIQUE[-len(texts) :], strict=True)]
    assert sum(drifting(UNIQUE).repeated(shifted(new, 900))) == old


@pytest.mark.parametrize(
    ("drift", "off", "by_time"), [(0, 0, True), (39, 0, True), (40, 0, False), (0, 99, True), (0, 100, False)]
)
def test_time_outweighs_the_words_where_each_is_near_its_place(drift: int, off: int, by_time: bool) -> None:
    """By time it is the first half that is heard again, and one word of it as another; by its words, the second."""
    old = timed(("hi", 0, 80), ("there", 100, 300), ("hi", 320, 400), ("friend", 420, 620))
    seam = TextSeam(old, timed=all_before(620), reach=1_000)
    seam.passed(shifted(timed(("hi", 0, 80), ("friend", 100, 300 - off)), drift))
    assert seam.open == by_time


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (timed(("ay", 150, 200), ("no", 220, 300), ("no", 320, 400)), 3),  # torn
        (timed(("oh", 360, 400)), 1),
        (timed(("oh", 402, 439)), 1),
        (timed(("oh", 402, 440)), 0),
        (timed(("oh", 360, 400), ("no", 420, 500)), 1),
        (timed(("we", 0, 80), ("stay", 100, 200), ("no", 220, 300), ("no", 320, 400), ("x", 420, 500)), 4),
        (timed(("x", 0, 80), ("y", 100, 200), ("z", 220, 300), ("q", 420, 500)), 3),  # nothing fits: time decides
        (timed(("x", 410, 480)), 0),
        (timed(("no", 820, 900)), 0),  # as the last one, yet it ends half a second later
        ([], 0),
    ],
)
def test_words_that_are_heard_as_others_are_judged_by_their_place(new: list[ComparedWord], old: int) -> None:
    seam = TextSeam(OLD, timed=all_before(400), reach=300)
    assert sum(seam.repeated(new)) == old


def test_the_old_words_may_come_in_several_finals() -> None:
    seam = drifting()
    for words, old, is_open in [
        ([], 0, True),
        (OLD[1:2], 1, True),
        (shifted(OLD[2:3], 5), 1, True),
        ([*OLD[3:], ComparedWord("no", 420, 500)], 1, False),
    ]:
        assert sum(seam.repeated(words)) == old
        seam.passed(words)
        assert seam.open == is_open


def test_words_that_only_time_knows_leave_the_rest_to_come() -> None:
    seam = drifting()
    seam.passed(timed(("x", 10, 30)))
    assert seam.open
    assert sum(seam.repeated(OLD[2:])) == 2


# ---------------------------------------------------------------- no times


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("a b c", 3),
        ("a b c d", 3),
        ("a", 1),
        ("b c d", 2),  # what is remembered may begin too early
        ("a b x", 0),
        ("x b c", 0),
        ("d", 0),
        ("", 0),
    ],
)
def test_without_times_the_order_decides(new: str, old: int) -> None:
    seam = TextSeam(untimed("a b c"), timed=all_before(400), reach=None)
    assert sum(seam.repeated(untimed(new))) == old


def test_without_times_the_rest_is_expected_next() -> None:
    seam = TextSeam(untimed("a b c d e"), timed=all_before(400), reach=None)
    seam.passed(untimed("b c"))
    assert seam.awaited == untimed("d e")
    assert seam.open
    assert (sum(seam.repeated(untimed("d e f"))), sum(seam.repeated(untimed("e d")))) == (2, 0)
    seam.passed(untimed("x"))
    assert not seam.open
    assert seam.repeated(untimed("d")) == [False]


def test_words_with_times_are_matched_with_such_as_have_none() -> None:
    """Another service may have taken over."""
    seam = TextSeam([ComparedWord("a"), ComparedWord("b", None, 300)], timed=all_before(0), reach=None)
    assert seam.repeated(timed(("a", 0, 80), ("b", 100, 200), ("c", 220, 300))) == [True, True, False]


@given(st.integers(1, 8), st.integers(0, 8), st.lists(st.integers(1, 9), min_size=1, max_size=9), st.booleans())
def test_unique_words_are_told_once_however_they_are_cut(said: int, heard: int, cuts: list[int], times: bool) -> None:
    words = [ComparedWord(f"w{n}", 100 * n, 100 * n + 80) if times else ComparedWord(f"w{n}") for n in range(said + 5)]
    seam: Seam = TextSeam(words[:said], timed=all_before(100 * said), reach=1_000 if times else None)
    new, told = words[min(heard, said) :], list(words[:said])
    for cut in [*cuts, len(new)]:
        final, new = new[:cut], new[cut:]
        told += compress(final, [not each for each in seam.repeated(final)])
        seam.passed(final)
    assert told == words
