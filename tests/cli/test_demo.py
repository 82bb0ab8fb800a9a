"""The demo, with the scripted gateway in the engines' place, and how it lays two lists of words side by side."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from trio_speech import Word
from trio_speech.cli.demo import demonstrate, side_by_side

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
def test_every_word_is_in_its_column(said: list[str], heard: list[str]) -> None:
    rows = list(side_by_side(timed(said), timed(heard)))
    left, right = ([word for word in column if word] for column in zip(*rows, strict=True)) if rows else ([], [])
    assert (tuple(left), tuple(right)) == (timed(said), timed(heard))
    assert all(any(row) for row in rows)


async def test_the_demo_loses_no_word_to_its_cut(
    autojump_clock: Any, monkeypatch: pytest.MonkeyPatch, scripted: Any
) -> None:
    monkeypatch.setattr("trio_speech.Local", lambda: scripted)
    console = Console(file=io.StringIO(), width=100)
    await demonstrate(console)
    printed = console.file.getvalue()
    cut, whole = printed.index("the connection is cut"), printed.index("and restored")
    assert cut < whole < printed.index("35 of 35 words agree")
    assert [visit.endpoint for visit in scripted.gateways[0].visits].count("stt") == 2
