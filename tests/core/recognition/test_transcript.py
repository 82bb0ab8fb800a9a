"""What becomes of a transcript on the stream's clock."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import asdict

from trio_speech._core.provider.messages import RecognitionResult
from trio_speech._core.recognition.transcript import PlacedTranscript
from trio_speech.events import FinalTranscript, InterimTranscript, PreflightTranscript, Word

WORDS = (Word("one", 1.5, 1.75, 0.9, "S1"),)
TOLD: dict[str, Any] = {"text": "one", "language": "en", "confidence": 0.5, "speaker": "S1", "extra": {"a": 1}}


def said(kind: Any) -> PlacedTranscript:
    """From 1.5 s to 2 s of a stream of 8,000 samples a second, whatever its link's clock said."""
    return PlacedTranscript(
        RecognitionResult(kind=kind, start=0.0, end=0.5, id="7", **TOLD), 12_000, 16_000, WORDS, "S1"
    )


@pytest.mark.parametrize(("kind", "event"), [("interim", InterimTranscript), ("preflight", PreflightTranscript)])
def test_a_guess_is_an_event_of_its_kind(kind: str, event: type) -> None:
    guess = said(kind).guess(8_000)
    assert type(guess) is event
    assert asdict(guess) == {**TOLD, "start": 1.5, "end": 2.0, "words": WORDS}


def test_a_final_has_the_session_s_identity_and_not_the_provider_s() -> None:
    final = said("final").final(8_000, id="f1", seam=True)
    assert final == FinalTranscript(start=1.5, end=2.0, words=WORDS, id="f1", seam=True, **TOLD)


def test_words_have_spans_in_samples_of_the_stream() -> None:
    told = said("final")
    told.words = (Word("one", 1.5, 1.75), Word("two", 1.8, 1.99994))
    assert told.spans(8_000) == [(12_000, 14_000), (14_400, 16_000)]
    assert told.texts == ["one", "two"]


def test_without_words_the_text_has_them() -> None:
    told = PlacedTranscript(RecognitionResult(kind="final", text="one  two", start=0.0, end=0.5), 0, 4_000, ())
    assert (told.texts, told.spans(8_000)) == (["one", "two"], [])
