"""What a service has announced is owed until it is final or taken back."""

from __future__ import annotations

from trio_speech._core.recognition.announcements import Announcements

REACH = 100


def owed(*interims: tuple[int, int], speaker: str | None = None) -> Announcements:
    announcements = Announcements(REACH)
    for start, end in interims:
        announcements.interim(start, end, speaker, placed=True)
    return announcements


def test_an_interim_announces_until_its_final_comes() -> None:
    announcements = owed((200, 500))
    assert announcements.first(1_000) == 200
    assert announcements.first(200) is None
    announcements.final(210, 520, None, placed=True)
    assert not announcements


def test_a_newer_interim_of_the_same_utterance_takes_the_place_of_the_older() -> None:
    announcements = owed((200, 500), (200, 900))
    assert announcements.words(1_000) == [(200, 900)]
    announcements.final(200, 900, None, placed=True)
    assert not announcements


def test_the_final_of_one_utterance_answers_for_no_other() -> None:
    announcements = owed((200, 500), (600, 900))
    announcements.final(600, 900, None, placed=True)
    assert announcements.first(1_000) == 200
    announcements.final(200, 500, None, placed=True)
    assert not announcements


def test_a_joined_final_settles_all_that_it_covers() -> None:
    announcements = owed((200, 500), (600, 900))
    announcements.final(200, 900, None, placed=True)
    assert not announcements


def test_the_rest_behind_a_split_final_stays_owed() -> None:
    announcements = owed((200, 900))
    announcements.final(200, 400, None, placed=True)
    assert announcements.words(1_000) == [(400, 900)]
    announcements.final(400, 850, None, placed=True)
    assert not announcements


def test_an_empty_interim_takes_back_what_was_shown_there() -> None:
    announcements = owed((200, 500), (600, 900))
    assert announcements.taken_back(600, 900, None, placed=True)
    assert announcements.words(1_000) == [(200, 500)]
    assert not announcements.taken_back(600, 900, None, placed=True)


def test_two_speakers_owe_each_their_own_final() -> None:
    announcements = Announcements(REACH)
    announcements.interim(200, 500, "a", placed=True)
    announcements.interim(250, 450, "b", placed=True)
    announcements.final(200, 500, "a", placed=True)
    assert announcements.words(1_000) == [(250, 450)]


def test_an_onset_announces_no_words() -> None:
    announcements = Announcements(REACH)
    announcements.onset(200, placed=True)
    assert announcements
    assert announcements.first(1_000) == 200
    assert announcements.words(1_000) == []
    assert not announcements.worded
    announcements.onset(200, placed=True)
    announcements.interim(220, 500, None, placed=True)
    assert announcements.worded
    announcements.onset(300, placed=True)
    announcements.final(220, 500, None, placed=True)
    assert not announcements


def test_an_onset_far_from_any_final_stays_owed_until_speech_is_over() -> None:
    announcements = Announcements(REACH)
    announcements.onset(200, placed=True)
    announcements.final(500, 700, None, placed=True)
    assert announcements
    announcements.speech_over(200)
    assert announcements
    announcements.speech_over(201)
    assert not announcements


def test_announcements_without_a_place_are_one() -> None:
    announcements = Announcements(REACH)
    announcements.onset(0, placed=False)
    announcements.interim(0, 300, None, placed=False)
    announcements.interim(0, 400, None, placed=False)
    announcements.final(0, 500, None, placed=False)
    assert not announcements


def test_a_final_without_a_place_settles_the_oldest() -> None:
    announcements = owed((200, 500), (600, 900))
    announcements.final(0, 1_000, None, placed=False)
    assert announcements.words(1_000) == [(600, 900)]


def test_a_placed_final_settles_what_was_shown_without_a_place_before_its_end() -> None:
    announcements = Announcements(REACH)
    announcements.interim(600, 700, None, placed=False)
    announcements.final(100, 500, None, placed=True)
    assert announcements
    announcements.final(650, 900, None, placed=True)
    assert not announcements


def test_a_final_waits_behind_words_of_its_speaker_that_lie_before_it() -> None:
    announcements = owed((200, 500))
    assert announcements.waits_before(500, None)
    assert not announcements.waits_before(499, None)
    announcements = owed((200, 500), speaker="a")
    assert not announcements.waits_before(500, "b")
    announcements.onset(600, placed=True)
    assert announcements.waits_before(700, "b")


def test_beyond_a_bound_the_oldest_are_taken_for_one_and_nothing_is_forgotten() -> None:
    announcements = Announcements(0)
    for number in range(70):
        announcements.interim(100 * number, 100 * number + 50, str(number), placed=True)
    assert announcements.first(1_000_000) == 0
    spans = announcements.words(1_000_000)
    assert (len(spans), spans[0], spans[-1]) == (64, (0, 650), (6_900, 6_950))
    for number in range(7, 70):
        announcements.final(100 * number, 100 * number + 50, str(number), placed=True)
    assert announcements.words(1_000_000) == [(0, 650)]
    announcements.final(0, 650, None, placed=True)
    assert not announcements
