"""Times that a service rounds, or gets wrong, become possible ones."""

from __future__ import annotations

import pytest

from trio_speech.events import Word
from trio_speech.provider import span, timed_word


@pytest.mark.parametrize(
    ("given", "possible"),
    [
        ((0.2, 0.9), (0.2, 0.9)),
        ((-0.01, 0.9), (0.0, 0.9)),
        ((0.4, 0.39), (0.4, 0.4)),
        ((-2.0, -1.0), (0.0, 0.0)),
    ],
)
def test_a_span_begins_at_zero_or_later_and_ends_no_earlier(
    given: tuple[float, float], possible: tuple[float, float]
) -> None:
    assert span(*given) == possible
    assert timed_word("turn", *given, 0.5, "A") == Word("turn", *possible, 0.5, "A")
