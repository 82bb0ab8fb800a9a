"""A voice that stops in the middle of a sentence is given up when the player runs dry, sooner than a mute one."""

from __future__ import annotations

import math

import pytest

from trio_speech._core.provider.messages import Audio, Done
from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.retry.causes import Silent
from trio_speech._core.synthesis.audio_flow import AudioFlow
from trio_speech._core.synthesis.resume import Resume
from trio_speech._core.synthesis.session import IN_TIME, SynthesisMachine
from trio_speech.audio import AudioFormat

PCM = AudioFormat.pcm16(1_000)
EXACT = TtsProfile(deterministic=True)


def flow(*gaps: float) -> AudioFlow:
    pieces, now = AudioFlow(), 0.0
    pieces.requested()
    pieces.came(now)
    for gap in gaps:
        now += gap
        pieces.came(now)
    return pieces


def test_three_gaps_must_be_known() -> None:
    assert flow(0.1, 0.1).stalls_at() == math.inf
    assert flow(0.1, 0.1, 0.1).stalls_at() == pytest.approx(0.3 + 2.5)


def test_a_voice_that_comes_in_long_gaps_is_given_longer() -> None:
    assert flow(*[3.0] * 20).stalls_at() == pytest.approx(60.0 + 3.0, abs=0.1)


def test_before_the_first_piece_of_a_sentence_nothing_is_concluded() -> None:
    pieces = flow(*[0.1] * 9)
    pieces.requested()
    assert (pieces.stalls_at(), pieces.is_watched) == (math.inf, False)
    pieces.came(5.0)
    assert pieces.stalls_at() == pytest.approx(7.5)


def test_each_time_one_was_given_up_doubles_the_time() -> None:
    pieces = flow(*[0.1] * 9)
    pieces.given_up(1.0)
    assert pieces.stalls_at() == pytest.approx(0.9 + 5.0)


class Voice:
    """A session whose pieces of 0.1 s come each 0.05 s, and are handed over at once."""

    def __init__(self, resume: Resume = "word", profile: TtsProfile = EXACT) -> None:
        self.machine = SynthesisMachine(PCM, profile, resume)
        self.machine.add("A sentence. ")
        request = self.machine.next_request(0.0)
        assert request is not None
        self.generation, self.now = request.generation, 0.0

    def speaks(self, pieces: int) -> Voice:
        for _ in range(pieces):
            self.now += 0.05
            self.machine.receive(self.generation, Audio(bytes(200)), self.now)
            while self.machine.take(self.now):
                pass
        return self


def test_a_voice_that_hangs_is_given_up_before_the_player_runs_dry() -> None:
    voice = Voice().speaks(60)  # at 3.0, and it plays until 6.05
    due = voice.machine.deadline()
    assert due == pytest.approx(0.05 + 6.0 - IN_TIME)
    assert voice.machine.expired(due - 0.01) is None
    assert voice.machine.expired(due + 0.01) == Silent("more audio for the text that was sent", 2.8)


def test_one_that_hangs_with_little_left_to_play_is_given_some_time() -> None:
    voice = Voice().speaks(10)
    assert voice.machine.deadline() == pytest.approx(0.5 + 2.5)


def test_where_the_user_takes_nothing_there_is_no_hurry() -> None:
    voice = Voice().speaks(10)
    for _ in range(10):
        voice.machine.receive(voice.generation, Audio(bytes(200)), 0.5)
    assert voice.machine.deadline() == pytest.approx(0.5 + EXACT.receive_timeout)


@pytest.mark.parametrize("resume", ["restart", "eager", "never"])
def test_where_the_user_would_hear_of_it_the_profile_decides(resume: Resume) -> None:
    voice = Voice(resume).speaks(10)
    assert voice.machine.deadline() == pytest.approx(0.5 + EXACT.receive_timeout)


def test_after_the_end_of_the_sentence_nothing_is_missed() -> None:
    voice = Voice(profile=TtsProfile(deterministic=True, quiet_after_done=4.0)).speaks(10)
    voice.machine.receive(voice.generation, Done(), voice.now)
    assert voice.machine.deadline() == pytest.approx(0.5 + 4.0)
