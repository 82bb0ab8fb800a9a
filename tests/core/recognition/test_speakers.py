"""Labels of speakers mean nothing across links, until a word is heard again."""

from __future__ import annotations

import pytest

from trio_speech._core.recognition.speakers import MOST_LABELS, SpeakerLabels


def test_the_first_link_keeps_its_labels() -> None:
    known: set[str] = set()
    labels = SpeakerLabels(known, is_first=True)
    assert [labels.label("S1", None), labels.label("S2", "S1"), labels.label(None, "S1")] == ["S1", "S2", None]
    assert known == {"S1", "S2"}


def test_a_word_heard_again_tells_who_is_speaking() -> None:
    labels = SpeakerLabels({"S1", "S2"}, is_first=False)
    assert labels.label("S1", "S2") == "S2"
    assert labels.label("S1", None) == "S2"


def test_without_such_a_word_it_is_somebody_new() -> None:
    known = {"S1", "S1.2"}
    labels = SpeakerLabels(known, is_first=False)
    assert labels.label("S1", None) == "S1.3"
    assert labels.label("S9", None) == "S9"
    assert known == {"S1", "S1.2", "S1.3", "S9"}


@pytest.mark.parametrize("is_first", [True, False])
def test_no_more_than_a_thousand_are_told_apart(is_first: bool) -> None:
    known: set[str] = set()
    labels = SpeakerLabels(known, is_first=is_first)
    told = [labels.label(f"S{number}", None) for number in range(MOST_LABELS + 2)]
    assert told == [*(f"S{number}" for number in range(MOST_LABELS)), None, None]
    assert labels.label("S5", None) == "S5"
    assert len(known) == MOST_LABELS
