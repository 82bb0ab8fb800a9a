"""A service that says nothing of speech any more is stalled; one that is slow, or hears no speech, is not."""

from __future__ import annotations

import math
from array import array

import pytest

from trio_speech._core.provider.messages import Acknowledged, Going, Opened, SpeechOnset, SttMessage, Unknown
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.stall_watch import ResultTimes, StallWatch

from .one_link import ORDERED, UNTRUSTED, Run, interim, loud, quiet, result

TICK = 0.1


class Watched:
    """A link that is sent audio in real time, and its watch, which is asked when it wants to be."""

    def __init__(self, profile: SttProfile = ORDERED, times: ResultTimes | None = None) -> None:
        self.run = Run(profile)
        self.times = times or ResultTimes()
        self.watch = StallWatch(self.run.link, self.times, 0.0)
        self.now = 0.0

    def says(self, message: SttMessage) -> bool:
        self.run.says(message, now=self.now)
        return self.watch.received(message, self.now)

    def speaks(self, seconds: float, every: float | None = 0.5, audio: bytes = loud(100)) -> float | None:
        """Somebody speaks, and an interim comes in so many seconds. Returns when the service counts as stalled."""
        begun, since = self.now, 0.0
        while self.now < begun + seconds - TICK / 2:
            self.now = round(self.now + TICK, 6)
            since += TICK
            self.run.capture(audio, self.now)
            if every is not None and since >= every - TICK / 2:
                since = 0.0
                self.says(interim(begun, self.now))
            if self.now >= self.watch.looks_at and self.watch.is_stalled(self.now):
                return self.now
        return None

    def rests(self, seconds: float) -> float | None:
        return self.speaks(seconds, None, quiet(100))


def test_speech_of_which_nothing_is_shown_any_more_is_a_stall() -> None:
    watched = Watched()
    assert watched.speaks(5.0) is None
    stalled = watched.speaks(30.0, None)
    assert stalled == pytest.approx(5.0 + 4.0, abs=1.0)
    assert watched.watch.sign_at == 5.0
    assert watched.speaks(30.0, None) is None, "it is told once"


def test_where_no_words_are_owed_more_is_waited_for() -> None:
    watched = Watched()
    watched.speaks(5.0)
    watched.says(result(0.0, 5.0))
    assert watched.speaks(30.0, None) == pytest.approx(5.0 + 6.0, abs=1.0)


@pytest.mark.parametrize("every", [0.5, 1.0, 2.0, 3.9])
def test_the_service_s_own_rhythm_decides(every: float) -> None:
    watched = Watched()
    assert watched.speaks(20 * every, every) is None
    stalled = watched.speaks(60.0, None)
    assert stalled is not None
    assert 20 * every + max(4.0, every) <= stalled <= 20 * every + max(4.0, 1.3 * every) + 1.1


def test_until_three_intervals_were_measured_nothing_is_concluded() -> None:
    watched = Watched()
    watched.speaks(1.5)
    assert watched.speaks(30.0, None) is None
    watched = Watched()
    watched.speaks(2.0)
    assert watched.speaks(30.0, None) is not None


def test_what_was_measured_holds_for_the_next_link_and_not_for_another_service() -> None:
    watched = Watched()
    watched.speaks(5.0)
    assert Watched(times=watched.times).speaks(30.0, None) is not None
    assert Watched(UNTRUSTED, watched.times).speaks(30.0, None) is None


def test_a_service_that_shows_no_interims_is_never_stalled() -> None:
    watched = Watched()
    for turn in range(5):
        watched.speaks(2.0, None)
        watched.says(result(2.0 * turn, 2.0 * turn + 2.0, f"turn {turn}"))
    assert watched.speaks(60.0, None) is None


def test_silence_owes_nothing() -> None:
    watched = Watched()
    watched.speaks(5.0)
    assert watched.rests(60.0) is None


def test_a_cough_now_and_then_is_no_speech() -> None:
    watched = Watched()
    watched.speaks(5.0)
    watched.says(result(0.0, 5.0))
    for _ in range(20):
        assert watched.speaks(0.3, None) is None
        assert watched.rests(5.0) is None


def test_what_is_much_quieter_than_the_words_is_no_speech() -> None:
    breath = array("h", [1_200] * 100).tobytes()
    for audio, is_stalled in ((breath, False), (array("h", [1_300] * 100).tobytes(), True)):
        watched = Watched()
        watched.speaks(5.0)
        watched.says(result(0.0, 5.0))
        assert (watched.speaks(60.0, None, audio) is not None) is is_stalled


@pytest.mark.parametrize("sign", [Acknowledged(5.5), SpeechOnset(5.5), interim(0.0, 8.5), result(0.0, 5.0)])
def test_whatever_is_said_of_the_audio_is_a_sign(sign: SttMessage) -> None:
    watched = Watched()
    watched.speaks(5.0)
    watched.speaks(3.5, None)
    assert not watched.says(sign)
    stalled = watched.speaks(30.0, None)
    assert stalled is not None
    assert stalled >= 8.5 + 4.0


@pytest.mark.parametrize("message", [Opened(), Going(30.0), Unknown("metadata")])
def test_what_a_front_end_may_say_is_none(message: SttMessage) -> None:
    watched = Watched()
    watched.speaks(5.0)
    watched.speaks(3.5, None)
    watched.says(message)
    stalled = watched.speaks(30.0, None)
    assert stalled is not None
    assert stalled <= 10.0


def test_a_service_that_is_behind_is_given_the_time_to_hear_it() -> None:
    watched = Watched()
    watched.speaks(2.0, None)
    for number in range(5):
        watched.speaks(0.5, None)
        watched.says(interim(0.0, (number + 1) / 2))
    assert watched.now == 4.5, "it is 2 s behind, and may take twice as long for them"
    assert watched.speaks(4.0 + 3.9, None) is None
    assert watched.speaks(10.0, None) == pytest.approx(4.5 + 4.0 + 4.0, abs=1.1)


def test_a_sign_of_one_that_counts_as_stalled_is_told() -> None:
    watched = Watched()
    watched.speaks(5.0)
    assert watched.speaks(30.0, None) is not None
    assert watched.says(interim(0.0, 6.0))
    assert not watched.says(interim(0.0, 7.0))


def test_a_wrong_suspicion_doubles_the_time_for_ten_minutes() -> None:
    times = ResultTimes()
    for _ in range(20):
        times.between_interims(0.5)
    usual = times.longest(4.0, 100.0)
    times.was_wrong(100.0, 8_000)
    assert (usual, times.longest(4.0, 101.0), times.longest(4.0, 699.0)) == (4.0, 8.0, 8.0)
    assert times.longest(4.0, 701.0) == 4.0


def test_what_wrong_suspicions_cost_is_a_bounded_share() -> None:
    times = ResultTimes()
    assert times.may_suspect(1_000)
    times.was_wrong(0.0, 8_000)
    assert not times.may_suspect(399_999)
    assert times.may_suspect(400_000)


def test_once_the_input_has_ended_nothing_is_concluded() -> None:
    watched = Watched()
    watched.speaks(5.0)
    watched.run.end(watched.now)
    assert not watched.watch.is_stalled(60.0)
    assert watched.watch.looks_at == math.inf
