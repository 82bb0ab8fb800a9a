"""Segments wait to be asked for, in order; markup alone never does."""

from __future__ import annotations

from trio_speech._core.synthesis.segment_queue import SegmentQueue


def test_markup_alone_is_no_segment() -> None:
    queue = SegmentQueue()
    queue.add('<break time="1s"/>')
    assert (len(queue), queue.has_next, queue.characters) == (0, False, 0)
    queue.add("One.")
    assert (len(queue), queue.has_next, queue.characters) == (1, True, 4)


def test_all_is_done_once_the_last_segment_was_asked_for_and_no_more_will_come() -> None:
    queue = SegmentQueue()
    queue.add("One.")
    queue.end()
    assert not queue.is_done
    number, segment = queue.advance()
    assert (number, segment.text) == (0, "One.")
    assert queue.is_done
