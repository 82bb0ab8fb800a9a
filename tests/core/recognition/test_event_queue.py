from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.recognition.event_queue import EventQueue
from trio_speech.events import (
    FinalTranscript,
    Gap,
    InterimTranscript,
    LinkLost,
    PreflightTranscript,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
    Word,
)

Transcript: Any = Callable[..., TranscriptEvent]


def interim(number: int) -> InterimTranscript:
    return InterimTranscript(text=f"i{number}", start=0.0, end=0.0)


def preflight(number: int) -> PreflightTranscript:
    return PreflightTranscript(text=f"p{number}", start=0.0, end=0.0)


def final(number: int) -> FinalTranscript:
    return FinalTranscript(text=f"f{number}", start=0.0, end=0.0)


def lost(number: int) -> LinkLost:
    return LinkLost("reset", number, 0.0)


def read_all(event_queue: EventQueue) -> list[TranscriptEvent]:
    return [event_queue.take() for _ in range(len(event_queue))]


def test_an_interim_takes_the_place_of_the_one_before() -> None:
    event_queue = EventQueue()
    for event in (interim(1), preflight(1), SpeechEnded(1.0), interim(2), preflight(2)):
        event_queue.put(event)
    assert read_all(event_queue) == [SpeechEnded(1.0), interim(2), preflight(2)]


@pytest.mark.parametrize("event", [final(1), Gap(0.0, 1.0, "overflow")])
def test_a_final_or_a_gap_takes_away_what_was_guessed(event: TranscriptEvent) -> None:
    event_queue = EventQueue()
    for guess in (SpeechStarted(0.5), interim(1), SpeechEnded(1.0), preflight(1), lost(1)):
        event_queue.put(guess)
    event_queue.put_settling(event, 10)
    event_queue.put(interim(2))
    assert read_all(event_queue) == [SpeechStarted(0.5), SpeechEnded(1.0), lost(1), event, interim(2)]


def test_audio_is_settled_when_what_covers_it_is_delivered() -> None:
    event_queue = EventQueue(settled=5)
    event_queue.settle(7)
    assert event_queue.settled == 7
    event_queue.put_settling(final(1), 10)
    event_queue.put(interim(2))
    event_queue.put_settling(final(2), 10)
    event_queue.settle(30)
    event_queue.put(interim(3))
    event_queue.settle(20)
    settled = [(event_queue.take(), event_queue.settled) for _ in range(3)]
    assert settled == [(final(1), 10), (final(2), 30), (interim(3), 30)]
    event_queue.settle(25)
    assert event_queue.settled == 30


def test_what_is_committed_is_settled_behind_all_that_is_unread() -> None:
    event_queue = EventQueue()
    for number in (1, 2, 3):
        event_queue.put_settling(final(number), 10 * number)
    event_queue.settle(25)
    settled = [(event_queue.take(), event_queue.settled) for _ in range(3)]
    assert settled == [(final(1), 10), (final(2), 20), (final(3), 30)]


def test_of_the_news_of_a_long_outage_the_newest_are_kept() -> None:
    event_queue = EventQueue()
    event_queue.put(interim(0))
    for number in range(1_000):
        event_queue.put(lost(number))
        event_queue.put(Resumed(0.0, 0.0, number))
    events = read_all(event_queue)
    assert len(events) == 1 + 64
    assert events[-2:] == [lost(999), Resumed(0.0, 0.0, 999)]


@pytest.mark.parametrize("begun", [False, True])
def test_of_utterances_of_which_nothing_was_said_the_newest_are_kept(begun: bool) -> None:
    event_queue = EventQueue()
    if begun:  # the user has read that the first one started
        event_queue.put(SpeechEnded(0.5))
    for number in range(1, 1_000):
        event_queue.put(SpeechStarted(number))
        event_queue.put(interim(number))
        event_queue.put(SpeechEnded(number + 0.5))
    event_queue.put(SpeechStarted(1_000))
    states = [event for event in read_all(event_queue) if not isinstance(event, InterimTranscript)]
    assert len(states) <= 64 + begun
    assert [type(state) for state in states[begun:]] == [SpeechStarted, SpeechEnded] * 31 + [SpeechStarted]
    assert states[-3:] == [SpeechStarted(999), SpeechEnded(999.5), SpeechStarted(1_000)]


kinds = st.sampled_from(["final", "gap", "commit", "interim", "preflight", "lost", "resumed", "turn", "read"])


@given(st.lists(st.tuples(kinds, st.integers(1, 20)), max_size=300))
def test_whatever_happens_finals_queue_in_order_and_the_rest_is_bounded(history: list[tuple[str, int]]) -> None:
    event_queue, queued, read = EventQueue(), [], []
    upto, speaking, settling = 0, False, 0
    for number, (kind, times) in enumerate(history):
        for _ in range(times):
            upto += 1
            match kind:
                case "final" | "gap":
                    event = final(number) if kind == "final" else Gap(0.0, number, "overflow")
                    queued.append(event)
                    event_queue.put_settling(event, upto)
                case "commit":
                    event_queue.settle(upto)
                case "interim" | "preflight":
                    event_queue.put(interim(number) if kind == "interim" else preflight(number))
                case "lost" | "resumed":
                    event_queue.put(lost(number) if kind == "lost" else Resumed(0.0, 0.0, number))
                case "turn":
                    event_queue.put(SpeechEnded(upto) if speaking else SpeechStarted(upto))
                    speaking = not speaking
                case "read" if event_queue:
                    read.append(event_queue.take())
                    before, settling = settling, event_queue.settled
                    assert before <= settling <= upto
        assert len(event_queue) <= (len(queued) + 1) * 132
    if not queued:
        event_queue.settle(upto)
        assert event_queue.settled == upto
    read += read_all(event_queue)
    assert [event for event in read if isinstance(event, FinalTranscript | Gap)] == queued
    states = [type(event) for event in read if isinstance(event, SpeechStarted | SpeechEnded)]
    assert all(before is not after for before, after in pairwise(states))
    if "commit" in (kind for kind, _ in history[-1:]):
        assert event_queue.settled == upto


def test_what_is_unread_takes_memory_until_it_is_read() -> None:
    event_queue = EventQueue()
    event_queue.put(SpeechStarted(0.0))
    assert event_queue.unread_bytes == 0
    words = (Word("one", 0.0, 0.1), Word("two", 0.1, 0.2, speaker="a"))
    event_queue.put_settling(FinalTranscript(text="one two", start=0.0, end=0.2, words=words), 1)
    event_queue.put_settling(Gap(0.2, 0.3, "overflow"), 2)
    assert 1_500 < event_queue.unread_bytes < 2_500
    read_all(event_queue)
    assert event_queue.unread_bytes == 0


MANY = "x" * 10_000


@pytest.mark.parametrize(
    "fields",
    [
        {"text": MANY},
        {"text": "字" * 5_000},
        {"language": MANY},
        {"speaker": MANY},
        {"words": (Word(MANY, 0.0, 0.1),)},
        {"words": (Word("", 0.0, 0.1, speaker=MANY),)},
        {"words": tuple(Word(str(number), 0.5 * number, 1.5 * number) for number in range(60))},
        {"extra": {"raw": [MANY]}},
        {"extra": {MANY: None}},
    ],
)
def test_all_that_a_final_holds_counts(fields: dict[str, Any]) -> None:
    event_queue = EventQueue()
    event_queue.put_settling(FinalTranscript(**{"text": "", "start": 0.0, "end": 0.2, **fields}), 1)
    assert 10_000 < event_queue.unread_bytes < 20_000


def test_the_news_before_a_final_counts_with_its_cause() -> None:
    event_queue = EventQueue()
    event_queue.put(LinkLost(MANY, 1, 0.0))
    event_queue.put_settling(final(1), 1)
    assert 10_000 < event_queue.unread_bytes < 12_000
