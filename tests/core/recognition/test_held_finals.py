"""Finals come in the order of the stream, and none waits for long. A sample is a millisecond."""

from __future__ import annotations

from .one_link import ORDERED, Run, interim, loud, result


def test_a_final_waits_a_second_at_most_behind_words_that_were_shown_before_it() -> None:
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(interim(0.1, 0.3), interim(0.5, 0.8, "two"))
    run.says(result(0.5, 0.8, "two"), now=1.0)
    assert run.texts() == []
    run.at(1.99)
    assert run.texts() == []
    run.at(2.0)
    assert run.texts() == ["two"]
    run.says(result(0.1, 0.3), now=2.1)
    assert run.texts() == ["one"]


def test_it_comes_when_the_words_before_it_have_come_or_were_taken_back() -> None:
    run = Run(ORDERED)
    run.capture(loud(2_000))
    run.says(interim(0.1, 0.3), interim(0.5, 0.8, "two"))
    run.says(result(0.5, 0.8, "two"), result(0.1, 0.3), now=0.1)
    assert run.texts() == ["one", "two"]
    assert run.committed == 800


def test_a_final_that_waits_is_delivered_when_the_link_is_lost() -> None:
    run = Run(ORDERED)
    run.capture(loud(1_000))
    run.says(interim(0.1, 0.3), interim(0.5, 0.8, "two"), result(0.5, 0.8, "two"))
    assert (run.committed, run.texts()) == (0, [])
    run.link.lost()
    assert run.texts() == ["two"]
