"""When who waits for settlement asks for it. A sample is a millisecond."""

from __future__ import annotations

from array import array

from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech._core.recognition.settlement_request import SettlementRequest
from trio_speech.audio import AudioFormat
from trio_speech.policy import ReplayPolicy


def quiet(samples: int) -> bytes:
    return bytes(2 * samples)


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def recognition(audio: bytes) -> RecognitionMachine:
    session = RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy())
    session.resume(SttProfile())
    hear(session, audio)
    return session


def hear(session: RecognitionMachine, audio: bytes) -> None:
    session.capture(audio)
    session.log.take(session.log.unsent)


def asked_at(session: RecognitionMachine, goes_on: bytes) -> float | None:
    """When a wait that begins at 0 asks, while `goes_on` is sent a quarter of a second at a time."""
    request, step = SettlementRequest(session, 0.0), 500
    for turn in range(1, 4 * 20):
        hear(session, goes_on[step * (turn - 1) : step * turn])
        if request.is_due(turn / 4):
            return turn / 4
    return None


def test_it_asks_once_nothing_more_was_captured_for_a_while() -> None:
    assert asked_at(recognition(loud(1_000)), b"") == 1.5
    assert asked_at(recognition(loud(1_000)), loud(1_000)) == 2.5


def test_it_asks_in_a_long_pause_of_audio_that_goes_on() -> None:
    assert asked_at(recognition(quiet(3_000)), quiet(20_000)) == 1.5
    assert asked_at(recognition(loud(1_000)), loud(3_000) + quiet(20_000)) == 4.5


def test_it_asks_in_a_short_pause_only_after_a_long_wait() -> None:
    talk = (loud(1_000) + quiet(500)) * 20
    assert asked_at(recognition(loud(1_000)), talk) == 10.5


def test_it_asks_in_no_word() -> None:
    assert asked_at(recognition(loud(1_000)), loud(30_000)) is None


def test_it_leaves_it_to_a_user_who_has_asked() -> None:
    session = recognition(loud(1_000))
    session.finalize()
    request = SettlementRequest(session, 0.0)
    assert request.is_made
    hear(session, loud(100))
    later = SettlementRequest(session, 1.0)
    assert not later.is_made
    session.end_input()
    assert later.is_made
