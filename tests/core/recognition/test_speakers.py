"""Labels of speakers mean nothing across links, until a word is heard again."""

from __future__ import annotations

from trio_speech._core.recognition.speakers import SpeakerLabels


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
