from __future__ import annotations

import pytest

from trio_speech._core.synthesis.rendition import LONGEST, MOST_WORDS, Release, ReleasedSegment, Rendition
from trio_speech._core.synthesis.resume import ResumePolicy
from trio_speech.audio import AudioFormat
from trio_speech.events import Word

PCM = AudioFormat.pcm16(1_000)
BY_WORDS = ResumePolicy("word", "word", "words")
BY_SAMPLES = ResumePolicy("word", "received", "samples")
WHOLE = ResumePolicy("segment", "complete", "whole")

ONE, TWO, THREE = Word("One", 0.0, 0.1), Word("two", 0.15, 0.3), Word("three.", 0.3, 0.5)


def audio(samples: int) -> bytes:
    return b"\1\2" * samples


def released() -> ReleasedSegment:
    return ReleasedSegment("One two three.")


def test_audio_waits_for_its_word_and_words_for_their_audio() -> None:
    rendition = Rendition(PCM, BY_WORDS, released())
    rendition.add_audio(audio(120))
    assert rendition.release() is None
    rendition.add_words((ONE, TWO))
    assert rendition.release() == Release(audio(100), 0, ((ONE, 3),))
    assert rendition.release() is None
    rendition.add_audio(audio(180))
    assert rendition.release() is None
    rendition.add_audio(audio(1))
    assert rendition.release() == Release(audio(200), 100, ((TWO, 7),))
    rendition.add_audio(audio(300))
    rendition.add_words((THREE,))
    assert rendition.release() == Release(audio(200), 300, ((THREE, 14),))
    rendition.finish()
    assert rendition.release() == Release(audio(101), 500, ())


def test_a_complete_rendition_is_released_whole() -> None:
    rendition = Rendition(PCM, BY_WORDS, released())
    rendition.add_audio(audio(400))
    rendition.add_words((ONE, TWO, THREE))
    rendition.release()
    rendition.finish()
    assert rendition.release() == Release(audio(100), 300, ((THREE, 14),))
    assert rendition.release() is None


@pytest.mark.parametrize("late", [THREE, Word("three.", 0.3, 0.31), Word("three.", 0.3, 0.3)])
def test_words_aligned_beyond_the_audio_are_released_with_the_last_of_it(late: Word) -> None:
    rendition = Rendition(PCM, BY_WORDS, released())
    rendition.add_audio(audio(300))
    rendition.add_words((ONE, TWO))
    assert rendition.release() == Release(audio(100), 0, ((ONE, 3),))
    rendition.add_words((late,))
    assert rendition.release() is None
    rendition.finish()
    assert rendition.release() == Release(audio(200), 100, ((TWO, 7), (late, 14)))


def test_half_a_sample_waits_for_its_other_half() -> None:
    rendition = Rendition(PCM, BY_SAMPLES, released())
    rendition.add_audio(b"\1")
    assert rendition.release() is None
    rendition.add_audio(b"\2\1\2\1")
    assert rendition.received == 2
    assert rendition.release() == Release(audio(2), 0, ())


def test_the_next_rendition_is_cut_after_the_words_known() -> None:
    known = released()
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(330))
    first.add_words((ONE, TWO))
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_words((Word("One", 0.0, 0.2),))
    second.add_audio(audio(1_000))
    assert second.release() is None
    late = Word("three.", 0.6, 0.8)
    second.add_words((Word("two", 0.3, 0.6), late))
    assert second.release() == Release(audio(200), 600, ((late, 14),))
    assert (known.samples, known.reached) == (500, (14, 0))
    second.finish()
    assert second.release() == Release(audio(200), 800, ())


def test_a_faster_repetition_is_cut_at_its_own_word_times() -> None:
    known = released()
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(301))
    first.add_words((ONE, TWO))
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_audio(audio(250))
    second.add_words((Word("One", 0.0, 0.1), Word("two", 0.1, 0.2)))
    second.finish()
    assert second.release() == Release(audio(50), 200, ())


def test_a_word_that_contains_a_known_one_is_repeated_whole() -> None:
    known = released()
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(101))
    first.add_words((ONE,))
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_audio(audio(401))
    both = Word("One two", 0.0, 0.3)
    second.add_words((both,))
    assert second.release() == Release(audio(300), 0, ((both, 7),))


def test_the_cut_does_not_depend_on_how_words_are_divided() -> None:
    known = released()
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(101))
    first.add_words((ONE,))
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_audio(audio(401))
    second.add_words((Word("O", 0.0, 0.1), Word("ne", 0.1, 0.2), Word(" two", 0.2, 0.4)))
    release = second.release()
    assert release is not None
    assert (release.start, len(release.pcm) // 2) == (200, 200)


def test_the_cut_is_found_where_the_words_are_not_those_of_the_text() -> None:
    known = ReleasedSegment("It is $5 now.")
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(301))
    first.add_words((Word("It", 0.0, 0.1), Word("is", 0.1, 0.2), Word("five", 0.2, 0.3)))
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_audio(audio(900))
    words = (Word("it", 0.0, 0.2), Word("is", 0.2, 0.4), Word("five", 0.4, 0.6), Word("dollars", 0.6, 0.8))
    second.add_words(words)
    assert second.release() == Release(audio(200), 600, ((words[3], 5),))


def test_the_cut_is_found_where_the_repetition_words_it_otherwise() -> None:
    known = ReleasedSegment("It is $5 now, said I.")
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(301))
    first.add_words(
        (Word("It", 0.0, 0.05), Word("is", 0.05, 0.1), Word("five dollars", 0.1, 0.2), Word("now", 0.2, 0.3))
    )
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_audio(audio(900))
    said = Word("said", 0.6, 0.8)
    second.add_words((Word("It", 0.0, 0.2), Word("is", 0.2, 0.4), Word("5", 0.4, 0.5), Word("now,", 0.5, 0.6), said))
    assert second.release() == Release(audio(200), 600, ((said, 18),))


@pytest.mark.parametrize("words", [(), (ONE,), (Word("One", 0.0, 0.0), Word("two", 0.0, 0.0))])
def test_known_words_that_do_not_all_come_with_times_are_cut_by_length(words: tuple[Word, ...]) -> None:
    known = released()
    first = Rendition(PCM, BY_WORDS, known)
    first.add_audio(audio(301))
    first.add_words((ONE, TWO))
    first.release()
    second = Rendition(PCM, BY_WORDS, known)
    second.add_audio(audio(500))
    second.add_words(words)
    assert second.release() is None
    second.finish()
    assert second.release() == Release(audio(200), 300, ())


@pytest.mark.parametrize("policy", [BY_WORDS, BY_SAMPLES, WHOLE])
def test_blank_words_are_ignored(policy: ResumePolicy) -> None:
    rendition = Rendition(PCM, policy, released())
    rendition.add_words((Word(" ", 0.0, 0.2), ONE, Word("", 0.1, 0.4)))
    rendition.add_audio(audio(500))
    rendition.finish()
    assert rendition.release() == Release(audio(500), 0, ((ONE, 3),))


@pytest.mark.parametrize("words", [(), (ONE,)])
def test_a_deterministic_voice_is_cut_at_the_sample(words: tuple[Word, ...]) -> None:
    known = released()
    first = Rendition(PCM, BY_SAMPLES, known)
    first.add_words(words)
    first.add_audio(audio(70))
    first.release()
    second = Rendition(PCM, BY_SAMPLES, known)
    second.add_audio(audio(60))
    assert second.release() is None
    second.add_audio(audio(60))
    assert second.release() == Release(audio(50), 70, ())
    second.finish()
    assert second.release() is None
    assert known.samples == 120


def test_by_sample_the_alignment_is_not_used_for_the_cut() -> None:
    known = released()
    first = Rendition(PCM, BY_SAMPLES, known)
    first.add_words((ONE, TWO))
    first.add_audio(audio(350))
    first.release()
    second = Rendition(PCM, BY_SAMPLES, known)
    second.add_audio(audio(400))
    assert second.release() == Release(audio(50), 350, ())
    second.add_words((ONE, TWO))
    second.add_audio(audio(100))
    assert second.release() == Release(audio(100), 400, ())


def test_words_that_go_backwards_release_nothing_twice() -> None:
    rendition = Rendition(PCM, BY_WORDS, released())
    rendition.add_audio(audio(301))
    rendition.add_words((TWO, ONE))
    release = rendition.release()
    assert release is not None
    assert len(release.pcm) // 2 == 300
    assert len(release.words) == 2


def test_by_segment_nothing_is_released_before_it_is_complete() -> None:
    rendition = Rendition(PCM, WHOLE, released())
    rendition.add_audio(audio(300))
    rendition.add_words((ONE, TWO))
    assert rendition.release() is None
    rendition.finish()
    assert rendition.release() == Release(audio(300), 0, ((ONE, 3), (TWO, 7)))


def test_a_rendition_is_too_long_beyond_its_limit_of_audio() -> None:
    rendition = Rendition(PCM, WHOLE, released())
    rendition.add_audio(audio(PCM.samples(LONGEST)))
    assert not rendition.too_long
    rendition.add_audio(audio(1))
    assert rendition.too_long


def test_a_rendition_is_too_long_beyond_its_limit_of_waiting_words() -> None:
    rendition = Rendition(PCM, WHOLE, released())
    rendition.add_words((ONE,) * MOST_WORDS)
    assert not rendition.too_long
    rendition.add_words((TWO,))
    assert rendition.too_long


def test_without_any_audio_there_is_nothing_to_release() -> None:
    rendition = Rendition(PCM, BY_SAMPLES, released())
    assert rendition.received == 0
    assert rendition.release() is None
    rendition.finish()
    assert rendition.release() is None
