"""Requests, their answers, and how long they may take."""

from __future__ import annotations

import math

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.finalization import Requests
from trio_speech._core.recognition.reconciliation import ComparedWord

ANSWERED = SttProfile(answer_within=10.0)
BY_FINALS = SttProfile(answers_finalize=False)
WORD = ComparedWord("word")


def test_each_answer_is_of_the_oldest_request() -> None:
    requests = Requests(ANSWERED)
    requests.asked(100, 1.0)
    requests.asked(200, 2.0)
    assert requests.places(0) == [100, 200]
    first = requests.message(3.0)
    assert first is not None
    assert (first.place, requests.answered, requests.newest) == (100, 100, 200)
    assert requests.places(0) == [200]


def test_an_answer_that_nobody_waits_for_is_none() -> None:
    requests = Requests(ANSWERED)
    assert requests.message(1.0) is None
    assert (requests.answered, requests.asked_at) == (-1, -math.inf)


def test_what_was_committed_otherwise_needs_no_answer() -> None:
    requests = Requests(ANSWERED)
    requests.asked(100, 1.0)
    requests.asked(200, 2.0)
    assert requests.places(100) == [200]
    assert requests.asked_at == 2.0


def test_a_final_is_no_answer_where_there_is_a_message_for_it() -> None:
    requests = Requests(ANSWERED)
    requests.asked(100, 1.0)
    assert requests.final([WORD], 100, 2.0) is None


def test_without_such_a_message_a_final_that_reaches_the_place_is_the_answer() -> None:
    requests = Requests(BY_FINALS)
    requests.asked(100, 1.0)
    requests.asked(200, 1.0)
    assert requests.final([], 99, 2.0) is None
    assert requests.final([], None, 2.0) is None
    answered = requests.final([], 200, 3.0)
    assert answered is not None
    assert answered.place == 200


def test_a_request_tells_the_words_of_its_answer_from_those_behind_it() -> None:
    requests = Requests(ANSWERED)
    requests.asked(100, 1.0)
    requests.final([WORD, WORD], None, 2.0)
    requests.final([WORD], None, 3.0)
    request = requests.message(4.0)
    assert request is not None
    assert (len(request.words), request.answer) == (3, 2)


def test_the_services_own_end_answers_all() -> None:
    requests = Requests(ANSWERED)
    assert requests.ended(0.0) is None
    requests.asked(100, 1.0)
    requests.asked(200, 1.0)
    answered = requests.ended(2.0)
    assert answered is not None
    assert (answered.place, requests.places(0)) == (200, [])


def test_patience_rises_with_the_slowest_answer_up_to_three_times_the_usual() -> None:
    requests = Requests(ANSWERED)
    assert requests.patience == 10.0
    for asked, answered, patience in [(0.0, 1.0, 10.0), (0.0, 12.0, 18.0), (0.0, 2.0, 18.0), (0.0, 50.0, 30.0)]:
        requests.asked(100, asked)
        requests.message(answered)
        assert requests.patience == patience
    assert requests.longest_patience == 30.0


def test_the_usual_answer_is_one_and_a_half_times_the_slowest_within_patience() -> None:
    requests = Requests(ANSWERED)
    assert requests.usual_answer == 0.0
    requests.asked(100, 0.0)
    requests.message(2.0)
    assert requests.usual_answer == 3.0
