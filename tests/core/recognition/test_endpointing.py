from __future__ import annotations

from trio_speech._core.recognition.endpointing import Endpointing


def test_an_interim_that_stays_the_same_ends_the_utterance() -> None:
    endpointing = Endpointing(0.5)
    assert endpointing.due is None
    endpointing.interim("turn", 1.0)
    assert endpointing.due == 1.5
    endpointing.interim("turn", 1.4)
    assert endpointing.due == 1.5
    endpointing.interim("turn left", 1.4)
    assert endpointing.due == 1.9


def test_a_final_ends_the_wait_and_equal_words_begin_another() -> None:
    endpointing = Endpointing(0.5)
    endpointing.interim("no", 1.0)
    endpointing.final()
    assert endpointing.due is None
    endpointing.interim("no", 3.0)
    assert endpointing.due == 3.5


def test_once_asked_for_the_final_has_its_time() -> None:
    endpointing = Endpointing(0.5)
    endpointing.asked(1.0)
    assert endpointing.due is None
    endpointing.interim("no", 1.0)
    endpointing.asked(1.5)
    assert endpointing.due == 2.0
