"""An aligned voice whose alignment comes late: its audio goes out as the player needs it, and no word comes twice."""

from __future__ import annotations

import array
import itertools
from collections.abc import Iterator

import pytest
from msgspec import Struct

from trio_speech._core.provider.messages import Aligned, Audio, Done, TtsMessage
from trio_speech._core.provider.profile import TtsProfile
from trio_speech._core.synthesis.clip import clip_of
from trio_speech._core.synthesis.rendition import MOST_UNALIGNED
from trio_speech._core.synthesis.resume import Resume
from trio_speech._core.synthesis.session import BRIDGE, LOW, SynthesisMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import AudioChunk, Word

RATE = 1_000
PCM = AudioFormat.pcm16(RATE)
ALIGNED = TtsProfile(aligned=True)
SENTENCE = "w1 w2 w3 w4 w5. "
LENGTHS = (310, 120, 90, 400, 260)
GAP = 20
SPEED = 3.0
PIECE = 30
"""Samples in one message."""


class Timed(Struct, frozen=True):
    """A message of the voice, `at` seconds after it was asked."""

    at: float
    message: TtsMessage


def rendition(delay: float, stretch: float = 1.0, piece: int = PIECE) -> list[Timed]:
    """Word n is so many samples of value n; each is aligned `delay` seconds after its last audio."""
    samples: list[int] = []
    words: list[tuple[int, Word]] = []
    for number, length in enumerate(LENGTHS, 1):
        start = len(samples)
        samples += [number] * round(stretch * length) + [0] * GAP
        end = len(samples) - GAP
        words.append((end, Word(f"w{number}", start / RATE, end / RATE)))
    messages = [
        Timed(min(at + piece, len(samples)) / RATE / SPEED, Audio(array.array("h", samples[at : at + piece]).tobytes()))
        for at in range(0, len(samples), piece)
    ]
    messages += [Timed(end / RATE / SPEED + delay, Aligned((word,))) for end, word in words]
    last = max(timed.at for timed in messages)
    return [*sorted(messages, key=lambda timed: timed.at), Timed(last, Done())]


class Player:
    """Takes each chunk at once, and lets the machine's deadlines pass."""

    def __init__(self, machine: SynthesisMachine) -> None:
        self.machine = machine
        self.now = 0.0
        self.chunks: list[AudioChunk] = []
        self.came: list[float] = []

    def until(self, moment: float) -> None:
        while (due := self.machine.deadline()) is not None and due <= moment:
            self.now = max(self.now, due)
            assert self.machine.expired(self.now) is None
            self.take()
        self.now = moment

    def take(self) -> None:
        while (chunk := self.machine.take(self.now)) is not None:
            self.chunks.append(chunk)
            self.came.append(self.now)

    def hear(self, messages: list[Timed]) -> None:
        request = self.machine.next_request(self.now)
        assert request is not None
        began = self.now
        for timed in messages:
            self.until(began + timed.at)
            assert self.machine.receive(request.generation, timed.message, self.now) is None
            self.take()

    @property
    def handed_over(self) -> int:
        return sum(len(chunk.audio) for chunk in self.chunks) // 2


def speaking(resume: Resume = "word", profile: TtsProfile = ALIGNED) -> Player:
    machine = SynthesisMachine(PCM, profile, resume)
    machine.add(SENTENCE)
    machine.end()
    return Player(machine)


def runs(audio: bytes) -> Iterator[tuple[int, int]]:
    for value, run in itertools.groupby(array.array("h", audio)):
        if value:
            yield value, len(list(run))


@pytest.mark.parametrize(("delay", "piece"), [(0.0, 4), (0.1, PIECE), (0.3, 4), (0.6, PIECE), (1.0, 4)])
def test_dropped_anywhere_no_word_is_completed_twice_or_never(delay: float, piece: int) -> None:
    first, second = rendition(delay, piece=piece), rendition(delay, stretch=1.1, piece=piece)
    torn = 0
    for drop in range(len(first)):
        player = speaking()
        player.hear(first[:drop])
        assert player.machine.lost()
        player.hear(second)
        player.until(player.now + 2.0)
        clip = clip_of(player.chunks, PCM)
        words = list(runs(clip.audio))
        assert [number for number, _ in words] == [1, 2, 3, 4, 5]
        assert all(length in (LENGTHS[number - 1], round(1.1 * LENGTHS[number - 1])) for number, length in words)
        assert [word.text for word in clip.words] == SENTENCE.replace(".", "").split()
        assert all(chunk.torn <= MOST_UNALIGNED for chunk in player.chunks)
        assert player.machine.spoken() == SENTENCE
        torn += any(chunk.torn for chunk in player.chunks)
    assert torn > 5


def test_two_drops_in_a_row_repeat_no_word_either() -> None:
    first, second, third = rendition(0.3), rendition(0.3, 1.2), rendition(0.3, 0.8)
    for one, two in itertools.product(range(0, len(first), 3), range(0, len(second), 3)):
        player = speaking()
        for messages in (first[:one], second[:two]):
            player.hear(messages)
            player.machine.lost()
        player.hear(third)
        assert [number for number, _ in runs(clip_of(player.chunks, PCM).audio)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("resume", ["word", "restart", "never", "eager"])
def test_the_first_audio_goes_out_with_the_first_message(resume: Resume) -> None:
    player = speaking(resume)
    player.hear(rendition(1.0)[:1])
    assert player.handed_over == PIECE


@pytest.mark.parametrize("resume", ["restart", "never", "eager"])
def test_modes_that_repeat_or_fail_hold_nothing_back(resume: Resume) -> None:
    player, received = speaking(resume), 0
    for timed in rendition(1.0):
        if isinstance(timed.message, Audio):
            received += len(timed.message.pcm) // 2
    player.hear(rendition(1.0)[:-6])
    assert player.handed_over == received


def test_unaligned_audio_goes_out_only_as_the_player_needs_it() -> None:
    player = speaking()
    messages = [timed for timed in rendition(9.0) if isinstance(timed.message, Audio)]
    player.hear(messages[:4])
    assert player.handed_over <= PCM.samples(player.now - messages[0].at + LOW + BRIDGE)
    player.until(player.now + 2.0)
    assert player.handed_over == 4 * PIECE
    assert max(len(chunk.audio) // 2 for chunk in player.chunks[3:]) <= PCM.samples(BRIDGE) + 1


def test_no_more_than_a_quarter_of_a_second_goes_out_unaligned() -> None:
    player = speaking()
    player.hear([timed for timed in rendition(9.0) if isinstance(timed.message, Audio)])
    player.until(player.now + 2.0)
    assert player.handed_over == PCM.samples(MOST_UNALIGNED)


def test_a_player_that_has_enough_is_given_no_unaligned_audio() -> None:
    player = speaking()
    player.hear(rendition(0.0)[:-1])
    aligned = sum(LENGTHS) + GAP * (len(LENGTHS) - 1)
    assert player.handed_over == aligned
    player.until(player.now + sum(LENGTHS) / RATE)
    assert player.handed_over == aligned + GAP


def test_after_a_drop_nothing_goes_out_before_the_known_words_are_aligned_again() -> None:
    player = speaking()
    player.hear([timed for timed in rendition(0.0) if timed.at < 0.2])
    before = player.handed_over
    player.machine.lost()
    player.hear([timed for timed in rendition(9.0) if isinstance(timed.message, Audio)])
    player.until(player.now + 2.0)
    assert player.handed_over == before


def test_eager_speaks_the_sentence_again_and_tells_what_was_torn() -> None:
    player = speaking("eager", TtsProfile())
    messages = [timed for timed in rendition(0.0) if not isinstance(timed.message, Aligned)]
    player.hear(messages[:10])
    assert player.machine.lost()
    player.hear(messages)
    torn = [chunk.torn for chunk in player.chunks if chunk.torn]
    assert torn == [10 * PIECE / RATE]
    assert [number for number, _ in runs(clip_of(player.chunks, PCM).audio)] == [1, 2, 3, 4, 5]
    assert player.machine.mode == "eager"
    assert player.machine.spoken() == SENTENCE


@pytest.mark.parametrize(("resume", "profile"), [("word", ALIGNED), ("eager", ALIGNED), ("eager", TtsProfile())])
def test_audio_that_is_torn_again_and_again_is_no_progress(resume: Resume, profile: TtsProfile) -> None:
    player, seen = speaking(resume, profile), set()
    for _ in range(5):
        player.hear([timed for timed in rendition(9.0) if isinstance(timed.message, Audio)][:6])
        seen.add(player.machine.progress)
        player.machine.lost()
    assert len(seen) == 1
