"""The demo, with the scripted gateway in the engines' place, and how it lays two lists of words side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech import Word
from trio_speech.cli.demo import side_by_side

TEXTS = st.lists(st.sampled_from(["The", "the", "boat,", "boat", "went", "won't", "by."]), max_size=12)


def timed(texts: list[str]) -> tuple[Word, ...]:
    return tuple(Word(text, float(at), at + 0.5) for at, text in enumerate(texts))


def test_words_that_agree_share_a_row_whatever_their_case_and_marks() -> None:
    rows = list(side_by_side(timed(["The", "boat,", "went", "by."]), timed(["the", "boat", "by", "by"])))
    texts = [tuple(word.text if word else None for word in row) for row in rows]
    assert texts in (
        [("The", "the"), ("boat,", "boat"), ("went", "by"), ("by.", "by")],
        [("The", "the"), ("boat,", "boat"), ("went", None), ("by.", "by"), (None, "by")],
    )


@given(TEXTS, TEXTS)
def test_every_word_has_its_place_in_its_column(said: list[str], heard: list[str]) -> None:
    rows = list(side_by_side(timed(said), timed(heard)))
    left, right = ([word for word in column if word] for column in zip(*rows, strict=True)) if rows else ([], [])
    assert (tuple(left), tuple(right)) == (timed(said), timed(heard))
    assert all(any(row) for row in rows)
