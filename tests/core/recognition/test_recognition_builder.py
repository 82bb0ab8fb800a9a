from __future__ import annotations

from trio_speech._core.recognition.recognition_builder import RecognitionBuilder
from trio_speech.events import FinalTranscript, Gap, Recognition, SpeechStarted


def test_finals_and_gaps_are_kept_and_texts_joined_as_their_script_is_written() -> None:
    first, second = (FinalTranscript(text=text, start=0.0, end=1.0, id=text) for text in ("你好", "再见"))
    gap = Gap(1.0, 2.0, "overflow")
    builder = RecognitionBuilder()
    assert builder.recognition() == Recognition("", (), ())
    for event in (SpeechStarted(0.0), first, gap, second):
        builder.add(event)
    assert builder.recognition() == Recognition("你好再见", (first, second), (gap,))
