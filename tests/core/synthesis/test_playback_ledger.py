from __future__ import annotations

import tracemalloc
from time import perf_counter

import pytest

from trio_speech._core.synthesis.playback_ledger import PlaybackLedger
from trio_speech._core.synthesis.rendition import Release
from trio_speech._core.synthesis.spoken_text import Segment
from trio_speech.audio import AudioFormat
from trio_speech.events import AudioChunk, Word

KILOHERTZ = AudioFormat.mulaw(1_000)
FIRST, SECOND = Segment("One two. "), Segment("Three. ")
ONE_TWO = Release(b"a" * 300, 100, ((Word("One ", 0.1, 0.2), 3), (Word("two.", 0.25, 0.4), 8)))


def bare(samples: int, *words: tuple[Word, int]) -> Release:
    return Release(b"x" * samples, 0, words)


def take(ledger: PlaybackLedger, now: float = 0.0) -> AudioChunk:
    chunk = ledger.take(now)
    assert chunk is not None
    return chunk


@pytest.fixture
def ledger() -> PlaybackLedger:
    return PlaybackLedger(KILOHERTZ)


def test_chunks_are_on_the_session_clock(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(50))
    ledger.put(0, FIRST, ONE_TWO, restart=True)
    assert ledger.waiting == 350
    assert take(ledger) == AudioChunk(b"x" * 50, 0.0, 0)
    chunk = take(ledger)
    assert (chunk.start, chunk.segment, chunk.restart) == (0.05, 0, True)
    assert [word.text for word in chunk.words] == ["One", "two."]
    assert [word.start for word in chunk.words] == pytest.approx([0.05, 0.2])
    assert [word.end for word in chunk.words] == pytest.approx([0.15, 0.35])
    assert ledger.take(0.0) is None
    assert (ledger.handed_over, ledger.waiting, ledger.has_chunk) == (350, 0, False)


def test_words_stay_within_the_released_audio(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, Release(b"x" * 100, 100, ((Word("One", 0.05, 0.9, 0.5, "A"), 3),)))
    assert take(ledger).words == (Word("One", 0.0, 0.1, 0.5, "A"),)


def test_a_late_word_keeps_its_time_and_comes_with_the_next_chunk(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    ledger.put(0, FIRST, Release(b"", 100, ((Word("One", 0.0, 0.05), 3),)))
    assert not ledger.has_chunk
    assert ledger.spoken(0.05) == ledger.spoken(None) == "One"
    ledger.put(0, FIRST, Release(b"x" * 100, 100, ()))
    assert take(ledger).words == (Word("One", 0.0, 0.05),)


def test_a_late_word_of_audio_that_waits_comes_with_it(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    ledger.put(0, FIRST, Release(b"", 100, ((Word("One", 0.0, 0.05), 3),)))
    assert ledger.spoken(None) == ""
    assert take(ledger).words == (Word("One", 0.0, 0.05),)
    assert ledger.spoken(None) == "One"


def test_text_is_spoken_once_it_is_handed_over(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, ONE_TWO)
    ledger.mark_whole(0, FIRST)
    assert ledger.spoken(None) == ledger.spoken(9.0) == ""
    take(ledger)
    assert ledger.spoken(None) == "One two. "
    assert [ledger.spoken(at) for at in (-1.0, 0.09, 0.1, 0.29, 0.3, 1e9)] == ["", "", "One", "One", *["One two. "] * 2]


def test_a_word_that_is_not_in_the_text_covers_none_of_it(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100, (Word("um", 0.0, 0.1), 0)))
    take(ledger)
    assert ledger.spoken(None) == ""


def test_a_mark_after_the_last_chunk_counts_at_once(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    assert ledger.spoken(None) == ""
    ledger.mark_whole(0, FIRST)
    ledger.mark_whole(1, SECOND)
    assert ledger.spoken(None) == "One two. Three. "
    assert ledger.spoken(0.05) == ""


def test_the_last_chunk_of_a_segment_says_so(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    ledger.put(0, FIRST, bare(50))
    ledger.end_segment(0)
    assert [take(ledger).ends_segment for _ in range(2)] == [False, True]


def test_a_segment_whose_audio_was_taken_ends_with_an_empty_chunk(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    ledger.end_segment(0)
    assert take(ledger) == AudioChunk(b"", 0.1, 0, ends_segment=True)


def test_rewind_drops_what_was_not_handed_over(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    ledger.put(0, FIRST, ONE_TWO)
    take(ledger)
    ledger.rewind()
    assert ledger.take(0.0) is None
    assert ledger.waiting == 0
    assert ledger.spoken(None) == ""
    ledger.put(1, SECOND, bare(10))
    assert take(ledger).start == 0.1


def test_repeated_audio_takes_back_nothing_that_was_heard(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, ONE_TWO)
    take(ledger)
    ledger.put(0, FIRST, bare(100, (Word("One", 0.0, 0.1), 3)), restart=True)
    take(ledger)
    assert ledger.spoken(None) == "One two."


def test_a_mark_that_was_rewound_is_not_claimed_by_later_audio(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    ledger.mark_whole(0, FIRST)
    ledger.rewind()
    ledger.put(1, SECOND, bare(200))
    ledger.mark_whole(1, SECOND)
    take(ledger)
    assert ledger.spoken(None) == "Three. "


# ---------------------------------------------------------------- after a drop


def test_audio_that_waits_is_retracted_and_nothing_is_torn(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    ledger.put(0, FIRST, bare(60))
    ledger.retract(80)
    assert ledger.waiting == 80
    ledger.put(0, FIRST, bare(10))
    assert [(len(chunk.audio), chunk.start, chunk.torn) for chunk in (take(ledger), take(ledger))] == [
        (80, 0.0, 0.0),
        (10, 0.08, 0.0),
    ]


def test_audio_that_was_handed_over_is_torn_once(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    ledger.put(0, FIRST, bare(60))
    ledger.retract(80)
    assert not ledger.has_chunk
    ledger.put(0, FIRST, bare(10))
    ledger.put(0, FIRST, bare(10))
    assert [(chunk.start, chunk.torn) for chunk in (take(ledger), take(ledger))] == [(0.1, 0.02), (0.11, 0.0)]


def test_what_a_retracted_chunk_had_to_say_is_said_by_the_next(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    ledger.retract(20)
    ledger.put(0, FIRST, bare(10))
    ledger.put(0, FIRST, Release(b"", 10, ((Word("One", 0.0, 0.0), 3),)))
    ledger.retract(10)
    ledger.put(0, FIRST, bare(50))
    chunk = take(ledger)
    assert (chunk.torn, [word.text for word in chunk.words]) == (0.02, ["One"])


def test_the_end_of_the_segment_before_is_not_retracted(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    ledger.end_segment(0)
    ledger.put(1, SECOND, bare(30))
    ledger.retract(30)
    assert take(ledger).ends_segment
    assert not ledger.has_chunk


# ---------------------------------------------------------------- barge-in


def test_a_cut_forgets_what_the_player_had_not_played(ledger: PlaybackLedger) -> None:
    ledger.put(0, FIRST, ONE_TWO)
    take(ledger)
    assert ledger.cut(0.2) == "One"
    assert ledger.spoken(None) == ledger.spoken(0.3) == "One"
    ledger.put(1, Segment("Sorry. ", continues=False), bare(100))
    ledger.mark_whole(1, Segment("Sorry. ", continues=False))
    assert take(ledger).start == 0.3
    assert (ledger.spoken(None), ledger.spoken(0.39)) == ("One Sorry. ", "One")


@pytest.mark.parametrize(("heard", "text"), [(None, "One two."), (9.0, "One two."), (0.0, ""), (-1.0, "")])
def test_a_cut_outside_of_the_audio_is_a_cut_at_its_edge(
    ledger: PlaybackLedger, heard: float | None, text: str
) -> None:
    ledger.put(0, FIRST, ONE_TWO)
    ledger.put(0, FIRST, bare(100))
    take(ledger)
    assert ledger.cut(heard) == text
    assert not ledger.has_chunk


# ---------------------------------------------------------------- the player


def test_a_player_has_what_was_handed_over_and_not_played(ledger: PlaybackLedger) -> None:
    assert ledger.left(5.0) == 0.0
    ledger.put(0, FIRST, bare(300))
    assert (ledger.left(5.0), ledger.falls_to(0.1)) == (0.3, None)
    take(ledger, 5.0)
    assert ledger.left(5.1) == pytest.approx(0.2)
    assert ledger.falls_to(0.1) == pytest.approx(5.2)
    assert ledger.left(9.0) == 0.0
    ledger.put(0, FIRST, bare(50))
    take(ledger, 9.0)
    assert ledger.falls_to(0.0) == pytest.approx(9.05)
    ledger.cut(None)
    assert ledger.left(9.0) == 0.0


# ---------------------------------------------------------------- a day of speech


def test_a_day_of_speech_keeps_two_numbers_a_word_and_is_searched_at_once() -> None:
    ledger, words = PlaybackLedger(KILOHERTZ), 60 * 24 * 150
    sentence = Segment("word " * 12)
    aligned = tuple((Word("word", 0.0, 0.001 * at), 5 * at) for at in range(1, 13))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(words // 12):
            ledger.put(number, sentence, Release(b"x" * 12, 0, aligned))
            take(ledger)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 40 * words
    took = []
    for number in range(20):
        began = perf_counter()
        ledger.spoken(None)
        took.append(perf_counter() - began)
        ledger.put(words + number, sentence, Release(b"x" * 12, 0, aligned))
        take(ledger)
    assert min(took) < 1e-4
    assert [len(ledger.spoken(at)) for at in (216.0, 215.999, 0.001, 108.0)] == [1_080_000, 1_079_995, 5, 540_000]
