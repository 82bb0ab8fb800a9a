"""What the next link may hear again, and how its words are told from those delivered. A sample is a millisecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.delivered_words import DeliveredWords
from trio_speech._core.recognition.reconciliation import ComparedWord, TextSeam, TimedSeam

EXACT = SttProfile()
DRIFTING = replace(EXACT, exact_times=False)
UNTIMED = replace(EXACT, word_times=False)
UNTRUSTED = replace(EXACT, acknowledges="finalize")
WORDS = (ComparedWord("one", 0, 400), ComparedWord("two", 500, 900))
ENDS = (ComparedWord("one", None, 900), ComparedWord("two", None, 900))
BARE = (ComparedWord("one"), ComparedWord("two"))


def delivered_words(
    *words: ComparedWord, said: int | None = None, lead_in: float = 0.5, start: int = 0
) -> DeliveredWords:
    memory = DeliveredWords(1_000, lead_in, start)
    memory.delivered(words, None if said is None else (0, said))
    return memory


# ---------------------------------------------------------------- how much is played again


@pytest.mark.parametrize(
    ("profile", "words", "said", "cut", "lead_in"),
    [
        (EXACT, WORDS, 900, 900, 500),
        (EXACT, WORDS, 400, 900, 500),
        (EXACT, WORDS, 300, 900, 600),  # a word into which an answered finalize fell is heard whole
        (EXACT, WORDS, 0, 2_000, 1_500),  # but no more than the lead-in and the drift that is allowed for
        (DRIFTING, WORDS, 900, 900, 600),  # the last word, and a margin
        (DRIFTING, WORDS, 900, 950, 650),
        (DRIFTING, WORDS, 900, 3_000, 1_500),
        (DRIFTING, (), None, 900, 500),
        (UNTIMED, WORDS, 900, 900, 0),
        (UNTRUSTED, WORDS, 900, 900, 0),
        (EXACT, BARE, 900, 900, 0),  # words of a link before that had no times
        (replace(EXACT, max_lead_in=0.2), WORDS, 900, 900, 200),
        (replace(EXACT, max_lead_in=0.0), WORDS, 300, 900, 0),
    ],
)
def test_so_much_is_played_again_that_the_last_word_is_heard_whole(
    profile: SttProfile, words: tuple[ComparedWord, ...], said: int | None, cut: int, lead_in: int
) -> None:
    assert delivered_words(*words, said=said).lead_in(profile, cut) == lead_in


def test_nothing_is_played_again_where_the_policy_says_so() -> None:
    assert delivered_words(*WORDS, said=300, lead_in=0.0).lead_in(EXACT, 900) == 0


# ---------------------------------------------------------------- which seam


@pytest.mark.parametrize(
    ("profile", "words", "base", "kind"),
    [
        (EXACT, WORDS, 899, TimedSeam),
        (EXACT, WORDS, 900, None),  # nothing old will be heard
        (DRIFTING, WORDS, 600, TextSeam),
        (DRIFTING, WORDS, 700, TimedSeam),  # of the last word, at most half is heard again
        (DRIFTING, WORDS, 1_899, TimedSeam),
        (DRIFTING, WORDS, 1_900, None),
        (DRIFTING, (), 0, None),
        (UNTIMED, ENDS, 899, TextSeam),
        (UNTIMED, ENDS, 900, None),
        (UNTRUSTED, BARE, 900, TextSeam),
        (EXACT, BARE, 900, TextSeam),
        (UNTRUSTED, (), 900, None),
    ],
)
def test_the_seam_follows_from_what_can_be_known(
    profile: SttProfile, words: tuple[ComparedWord, ...], base: int, kind: type | None
) -> None:
    seam = delivered_words(*words, said=900).seam(profile, base, base, overlapping=False)
    assert (None if seam is None else type(seam)) is kind


@pytest.mark.parametrize(
    ("profile", "words", "base", "new", "old"),
    [
        (EXACT, WORDS, 0, ComparedWord("x", 800, 1_000), 1),
        (EXACT, WORDS, 0, ComparedWord("x", 802, 1_000), 0),
        (EXACT, BARE, 0, ComparedWord("x", 800, 1_000), 1),  # another service places words, and so said they are
        (EXACT, BARE, 0, ComparedWord("x", 802, 1_000), 0),
        (DRIFTING, WORDS, 600, ComparedWord("two", 1_500, 1_900), 1),
        (DRIFTING, WORDS, 600, ComparedWord("two", 1_501, 1_901), 0),  # more than may be drift
        (DRIFTING, WORDS, 700, ComparedWord("x", 800, 1_000), 1),
        (DRIFTING, WORDS, 700, ComparedWord("x", 802, 1_000), 0),
        (UNTIMED, ENDS, 0, ComparedWord("two", None, 5_000), 1),
        (UNTIMED, ENDS, 0, ComparedWord("x", None, 5_000), 0),
    ],
)
def test_a_seam_tells_a_word_by_all_that_is_known(
    profile: SttProfile, words: tuple[ComparedWord, ...], base: int, new: ComparedWord, old: int
) -> None:
    seam = delivered_words(*words, said=900).seam(profile, base, base, overlapping=False)
    assert seam is not None
    assert sum(seam.repeated([new])) == old


@pytest.mark.parametrize("later", [False, True])
def test_only_the_newest_words_are_remembered(later: bool) -> None:
    words = tuple(ComparedWord(f"w{n}") for n in range(2_001))
    memory = delivered_words(*words)
    if later:
        memory.committed(100, words)
        memory.delivered((ComparedWord("end"),), None)
    seam = memory.seam(UNTRUSTED, 100, 100, overlapping=False)
    assert seam is not None
    assert [sum(seam.repeated(words[at : at + 1])) for at in (0, 1, 2)] == [0, 0 if later else 1, 1]


def test_a_seam_knows_the_words_that_will_be_heard_again_and_no_others() -> None:
    far = [ComparedWord("far", at, at + 80) for at in range(0, 1_000, 100)]
    seam = delivered_words(*far, ComparedWord("one", 3_000, 3_400), said=3_400).seam(
        DRIFTING, 2_900, 3_400, overlapping=False
    )
    assert seam is not None
    assert sum(seam.repeated([ComparedWord("one", 3_000, 3_400), ComparedWord("new", 3_400, 3_800)])) == 1
    seam.passed([ComparedWord("one", 3_000, 3_400)])
    assert not seam.open


# ---------------------------------------------------------------- for how long


def test_how_far_all_was_said_never_goes_back() -> None:
    memory = delivered_words(*WORDS, said=900, start=100)
    memory.delivered((), (0, 300))
    memory.delivered((), None)
    assert memory.said == 900
    assert delivered_words(*WORDS, start=100).said == 100


@pytest.mark.parametrize(("upto", "left"), [(2_899, 3), (2_900, 2), (3_399, 2), (3_400, 1)])
def test_words_with_a_place_are_remembered_for_as_long_as_they_may_be_heard_again(upto: int, left: int) -> None:
    words = (*WORDS, ComparedWord("end", 3_400, 3_500))
    memory = delivered_words(*words, said=0)
    memory.committed(upto, None)
    seam = memory.seam(DRIFTING, 0, 0, overlapping=False)
    assert seam is not None
    assert [sum(seam.repeated(words[at:])) == 3 - at for at in range(3)] == [at >= 3 - left for at in range(3)]


@pytest.mark.parametrize(("upto", "old"), [(899, 2), (900, 0)])
def test_words_with_no_place_but_an_end_go_with_the_commit_point(upto: int, old: int) -> None:
    memory = delivered_words(*ENDS, said=900)
    memory.committed(upto, None)
    seam = memory.seam(UNTIMED, 0, 0, overlapping=False)
    assert (0 if seam is None else sum(seam.repeated(ENDS))) == old


def test_words_with_no_place_at_all_stay_until_it_is_said_which_do() -> None:
    memory = delivered_words(*BARE)
    memory.committed(5_000, None)
    seam = memory.seam(UNTRUSTED, 5_000, 5_000, overlapping=False)
    assert seam is not None
    assert sum(seam.repeated(BARE)) == 2
    memory.committed(6_000, BARE[1:])
    assert memory.said == 6_000
    seam = memory.seam(UNTRUSTED, 6_000, 6_000, overlapping=False)
    assert seam is not None
    assert (seam.repeated(BARE[1:]), seam.repeated(BARE[:1])) == ([True], [False])
    memory.committed(7_000, ())
    assert memory.seam(UNTRUSTED, 7_000, 7_000, overlapping=False) is None


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 300)), max_size=20), st.integers(0, 12_000))
def test_no_word_that_may_be_heard_again_is_forgotten(lengths: list[tuple[int, int]], upto: int) -> None:
    words, at = [], 0
    for pause, length in lengths:
        words.append(ComparedWord(f"w{len(words)}", at + pause, at + pause + length))
        at += pause + length
    memory = delivered_words(*words, said=at)
    memory.committed(upto, None)
    base = upto - memory.lead_in(DRIFTING, upto)
    again = [word for word in words if (word.start or 0) >= base]
    seam = memory.seam(DRIFTING, base, upto, overlapping=False)
    assert not again or (seam is not None and all(seam.repeated(again)))
