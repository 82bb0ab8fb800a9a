"""What a session remembers of what a service sent, beyond the events: bounded in bytes, whatever the service sends."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from trio_speech._core.provider.messages import RecognitionResult, SpeechOnset, SttMessage
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.commands import Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import Word
from trio_speech.policy import ReplayPolicy

ROUNDS = 150
LONG = "x" * 40_000
GROWS = "\ufdfa"
"""One character, of which the form in which words are compared has eighteen."""
MOST = 3 * 2**20


def final(at: float, text: str = "a", **fields: object) -> RecognitionResult:
    return RecognitionResult(kind="final", text=text, start=at, end=at + 0.005, **fields)  # type: ignore[arg-type]


def interim(at: float, text: str = "a", **fields: object) -> RecognitionResult:
    return RecognitionResult(kind="interim", text=text, start=at, end=at + 0.005, **fields)  # type: ignore[arg-type]


FLOODS: dict[str, Callable[[int, float], SttMessage]] = {
    "speakers of finals": lambda number, at: final(at, speaker=f"{number}{LONG}"),
    "speakers of words": lambda number, at: final(at, words=(Word("a", at, at + 0.005, None, f"{number}{LONG}"),)),
    "speakers of interims": lambda number, at: interim(at, speaker=f"{number}{LONG}"),
    "ids": lambda number, at: final(at, id=f"{number}{LONG}"),
    "words that grow when they are compared": lambda number, at: final(at, f"{number}{99 * GROWS} {GROWS}{number}"),
    "interims without a final": lambda number, at: interim(at, f"{number}{LONG}"),
    "finals that wait for their turn": lambda number, at: final(1.0 + at, LONG) if number else interim(0.1),
    "onsets": lambda number, at: SpeechOnset(at),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_no_flood_fills_the_memory_of_a_session_that_is_read(
    flood: Callable[[int, float], SttMessage],
) -> None:
    session = RecognitionMachine(AudioFormat.pcm16(16_000), ReplayPolicy())
    session.capture(bytes(2 * 16_000 * 10))
    link = LinkMachine(session, SttProfile(), 0.0, patience=10.0, progress_timeout=30.0)
    while not isinstance(link.next(0.0), Wait):
        pass
    tracemalloc.start()
    try:
        for number in range(ROUNDS):
            assert link.receive(flood(number, number / 20), 0.5) is None
            link.next(0.5)
            while session.event_queue:
                session.take()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < MOST
