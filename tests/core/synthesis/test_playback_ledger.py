from __future__ import annotations

import tracemalloc

import pytest

from trio_speech._core.synthesis.playback_ledger import PlaybackLedger
from trio_speech._core.synthesis.rendition import Release
from trio_speech.audio import AudioFormat
from trio_speech.events import AudioChunk, Word

KILOHERTZ = AudioFormat.mulaw(1_000)
TEXTS = ["One two. ", "Three. "]
ONE_TWO = Release(b"a" * 300, 100, ((Word("One ", 0.1, 0.2), 3), (Word("two.", 0.25, 0.4), 8)))


def test_chunks_are_on_the_session_clock() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 50, 0, ()), restart=False)
    ledger.put(0, ONE_TWO, restart=True)
    assert ledger.waiting == 350
    assert ledger.take() == AudioChunk(b"x" * 50, 0.0, 0)
    chunk = ledger.take()
    assert chunk is not None
    assert (chunk.start, chunk.segment, chunk.restart) == (0.05, 0, True)
    assert [word.text for word in chunk.words] == ["One", "two."]
    assert [word.start for word in chunk.words] == pytest.approx([0.05, 0.2])
    assert [word.end for word in chunk.words] == pytest.approx([0.15, 0.35])
    assert ledger.take() is None
    assert (ledger.handed_over, ledger.waiting) == (350, 0)


def test_words_stay_within_what_is_released() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 100, 100, ((Word("One", 0.05, 0.9, 0.5, "A"), 3),)), restart=False)
    chunk = ledger.take()
    assert chunk is not None
    assert chunk.words == (Word("One", 0.0, 0.1, 0.5, "A"),)


def test_a_word_that_comes_after_its_audio_keeps_its_time() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 100, 0, ()), restart=False)
    ledger.put(0, Release(b"x" * 100, 100, ((Word("One", 0.0, 0.05), 3),)), restart=False)
    ledger.take()
    chunk = ledger.take()
    assert chunk is not None
    assert chunk.words == (Word("One", 0.0, 0.05),)
    assert ledger.spoken(TEXTS, 0.05) == "One"


def test_text_is_spoken_once_it_is_handed_over() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, ONE_TWO, restart=False)
    ledger.mark(0, 9)
    assert ledger.spoken(TEXTS, None) == ledger.spoken(TEXTS, 9.0) == ""
    ledger.take()
    assert ledger.spoken(TEXTS, None) == "One two. "
    assert [ledger.spoken(TEXTS, at) for at in (-1.0, 0.09, 0.1, 0.29, 0.3)] == ["", "", "One", "One", "One two. "]
    assert ledger.spoken(TEXTS, float("inf")) == "One two. "


def test_a_word_that_is_not_in_the_text_covers_none_of_it() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 100, 0, ((Word("um", 0.0, 0.1), 0),)), restart=False)
    ledger.take()
    assert ledger.spoken(TEXTS, None) == ""


def test_a_mark_after_the_last_chunk_counts_at_once() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 100, 0, ()), restart=False)
    ledger.take()
    assert ledger.spoken(TEXTS, None) == ""
    ledger.mark(0, 9)
    ledger.mark(1, 7)
    assert ledger.spoken(TEXTS, None) == "One two. Three. "
    assert ledger.spoken(TEXTS, 0.05) == ""


def test_rewind_takes_back_what_was_not_handed_over() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 100, 0, ()), restart=False)
    ledger.put(0, ONE_TWO, restart=False)
    ledger.take()
    ledger.rewind()
    assert ledger.take() is None
    assert ledger.waiting == 0
    assert ledger.spoken(TEXTS, None) == ""
    ledger.put(1, Release(b"y" * 10, 0, ()), restart=False)
    chunk = ledger.take()
    assert chunk is not None
    assert chunk.start == 0.1


def test_what_begins_again_does_not_take_back_what_was_heard() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, ONE_TWO, restart=False)
    ledger.take()
    ledger.put(0, Release(b"a" * 100, 0, ((Word("One", 0.0, 0.1), 3),)), restart=True)
    ledger.take()
    assert ledger.spoken(TEXTS, None) == "One two."


def test_what_was_marked_and_taken_back_is_not_spoken_by_what_comes_instead() -> None:
    ledger = PlaybackLedger(KILOHERTZ)
    ledger.put(0, Release(b"x" * 100, 0, ()), restart=False)
    ledger.mark(0, 9)
    ledger.rewind()
    ledger.put(1, Release(b"y" * 200, 0, ()), restart=False)
    ledger.mark(1, 7)
    ledger.take()
    assert ledger.spoken(TEXTS, None) == "Three. "


def test_what_is_kept_for_ever_is_three_numbers_a_word() -> None:
    ledger, words = PlaybackLedger(KILOHERTZ), 5_000
    texts = ["word "] * words
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for segment in range(words):
            ledger.put(segment, Release(b"x" * 10, 0, ((Word("word", 0.0, 0.01), 5),)), restart=False)
            ledger.take()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 32 * words
    assert [len(ledger.spoken(texts, at)) for at in (None, 49.99, 0.01, 25.0)] == [25_000, 24_995, 5, 12_500]
