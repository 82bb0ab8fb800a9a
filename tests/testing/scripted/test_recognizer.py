"""The scripted recognizer: exact by default, and off in just the ways that it is told to be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_speech import AudioFormat
from trio_speech._core.provider.messages import (
    Acknowledged,
    FinalizeAnswered,
    RecognitionResult,
    SpeechOnset,
    SpeechOver,
)
from trio_speech.testing.scripted.manner import Drift, Manner
from trio_speech.testing.scripted.recognizer import Pause, RecognizerOutput, ScriptedRecognizer, UtteranceEnded
from trio_speech.testing.speech import LabeledSpeech, say, speech
from trio_speech.testing.word_signal import PCM16

EXACT = Manner()
TELEPHONE = AudioFormat.pcm16(8_000)
SHORT = say(0.3, "hello there", 0.6, "now", 0.7)


def recognize(
    spoken: LabeledSpeech, manner: Manner = EXACT, *, chunk: float | Sequence[float] = 0.05, number: int = 0
) -> list[RecognizerOutput]:
    recognizer = ScriptedRecognizer(manner, spoken.audio_format, number)
    said: list[RecognizerOutput] = []
    for piece in spoken.chunks(chunk):
        said += recognizer.hear(piece)
    return said + recognizer.finalize()


def of_kind(said: Sequence[RecognizerOutput], kind: str) -> list[RecognitionResult]:
    return [message for message in said if isinstance(message, RecognitionResult) and message.kind == kind]


def text(said: Sequence[RecognizerOutput]) -> str:
    return " ".join(final.text for final in of_kind(said, "final"))


def test_an_utterance_from_onset_to_final() -> None:
    said = recognize(SHORT, Manner(interim=0.55))
    kinds = [message.kind if isinstance(message, RecognitionResult) else type(message).__name__ for message in said]
    assert kinds == [
        "SpeechOnset", "interim", "interim", "final", "Acknowledged",
        "SpeechOnset", "interim", "final", "Acknowledged",
        "FinalizeAnswered", "Acknowledged",
    ]  # fmt: skip
    onset, interim, _, final, *_ = said
    assert onset == SpeechOnset(0.3)
    assert isinstance(interim, RecognitionResult)
    assert isinstance(final, RecognitionResult)
    assert interim.text == "hello"
    assert (final.text, final.start, final.end, final.ends_speech) == ("hello there", 0.3, 0.88, True)
    assert [(word.text, word.start, word.end) for word in final.words] == [
        ("hello", 0.3, 0.55),
        ("there", 0.63, 0.88),
    ]


@given(seed=st.integers(0, 30), chunks=st.lists(st.floats(0.003, 0.7), min_size=1, max_size=4))
def test_what_is_recognized_does_not_depend_on_the_chunks(seed: int, chunks: list[float]) -> None:
    spoken = speech(4.0, seed=seed, audio_format=TELEPHONE)
    assert recognize(spoken, chunk=chunks) == recognize(spoken)


@settings(max_examples=40)
@given(seed=st.integers(0, 30), rate=st.sampled_from([1_000, 8_000, 22_050]))
def test_each_word_is_in_one_final_with_its_very_samples(seed: int, rate: int) -> None:
    spoken = speech(6.0, seed=seed, audio_format=AudioFormat.pcm16(rate))
    words = [word for final in of_kind(recognize(spoken), "final") for word in final.words]
    assert [(word.text, round(word.start * rate), round(word.end * rate)) for word in words] == [
        (word.text, word.start, word.end) for word in spoken.words
    ]


@given(cuts=st.lists(st.integers(0, 8_000), max_size=5), manner=st.sampled_from([EXACT, Manner(mid_word="cut")]))
def test_asking_for_finals_loses_and_repeats_no_letter(cuts: list[int], manner: Manner) -> None:
    spoken = speech(8.0, audio_format=AudioFormat.pcm16(1_000))
    recognizer, said, at = ScriptedRecognizer(manner, AudioFormat.pcm16(1_000)), list[RecognizerOutput](), 0
    for cut in [*sorted(cuts), 8_000]:
        said += [*recognizer.hear(spoken.audio[2 * at : 2 * cut]), *recognizer.finalize()]
        at = cut
    letters = text(said).replace("-", "").replace(" ", "")
    assert letters == spoken.text.replace(" ", "")
    if manner is EXACT:
        assert text(said) == spoken.text


def test_finalize_in_mid_word_holds_or_cuts_the_word() -> None:
    for manner, finals in ((EXACT, ["hello"]), (Manner(mid_word="cut"), ["hel-", "-lo"])):
        recognizer = ScriptedRecognizer(manner, PCM16)
        said = recognizer.hear(SHORT.audio[: 2 * 7_000])
        assert recognizer.words_begun == 1
        assert recognizer.seconds_into_word == 0.1375
        said += [*recognizer.finalize(), *recognizer.hear(SHORT.audio[2 * 7_000 : 2 * 9_600]), *recognizer.finalize()]
        assert recognizer.seconds_into_word == 0.0
        assert [final.text for final in of_kind(said, "final")] == finals


@given(
    seed=st.integers(0, 30),
    manner=st.sampled_from(
        [EXACT, Manner(longest=0.7), Manner(silence=0.2), Manner(held=0.5, silence=0.5), Manner(drift=Drift(0.08))]
    ),
)
def test_results_lie_between_two_acknowledgments(seed: int, manner: Manner) -> None:
    spoken = speech(8.0, seed=seed, audio_format=AudioFormat.pcm16(1_000))
    said = recognize(spoken, manner)
    before, told = 0.0, list[RecognitionResult]()
    for message in said:
        if isinstance(message, Acknowledged):
            assert all(before <= final.start <= final.end <= message.upto for final in told)
            before, told = message.upto, []
        elif isinstance(message, RecognitionResult) and message.kind == "final":
            told.append(message)
    assert told == []
    assert before == pytest.approx(8.0, abs=0.1 if manner.drift else 1e-9)


def test_silence_is_acknowledged_in_stretches() -> None:
    recognizer = ScriptedRecognizer(Manner(silence=2.0), PCM16)
    assert recognizer.hear(say(5.0).audio) == [Acknowledged(2.0), Acknowledged(4.0)]
    assert recognizer.hear(say(0.5, "hello", 0.1).audio)[-1] != Acknowledged(6.0)
    assert recognizer.finalize()[-1] == Acknowledged(pytest.approx(5.85))


def test_an_acknowledgment_stops_at_a_word_in_progress() -> None:
    recognizer = ScriptedRecognizer(EXACT, PCM16)
    recognizer.hear(SHORT.audio[: 2 * 7_000])
    assert recognizer.finalize() == [FinalizeAnswered(), Acknowledged(0.3)]


def test_at_the_end_a_word_in_progress_is_told_as_far_as_it_was_heard() -> None:
    recognizer = ScriptedRecognizer(EXACT, PCM16)
    recognizer.hear(SHORT.audio[: 2 * 7_000])
    final, acknowledged = recognizer.finish()
    assert isinstance(final, RecognitionResult)
    assert final.text == "hel-"
    assert acknowledged == Acknowledged(7_000 / 16_000)
    assert ScriptedRecognizer(EXACT, PCM16).finish() == [Acknowledged(0.0)]


def test_speech_over_follows_alone_after_a_finalize() -> None:
    said = recognize(say("hello", 0.6), Manner(longest=0.1, interim=None))
    final, *rest = said[1:]
    assert isinstance(final, RecognitionResult)
    assert not final.ends_speech
    assert rest == [Acknowledged(0.26), SpeechOver(0.25), Acknowledged(0.56), FinalizeAnswered(), Acknowledged(0.85)]


def test_an_utterance_end_is_sent_once() -> None:
    said = recognize(say(1.5, "hello", 2.5, "there", 2.5), Manner(utterance_end=1.0))
    lulls = [message for message in said if isinstance(message, UtteranceEnded)]
    assert lulls == [UtteranceEnded(pytest.approx(1.75)), UtteranceEnded(pytest.approx(4.5))]
    asked_for = ScriptedRecognizer(Manner(endpointing=None, utterance_end=0.3), PCM16)
    assert UtteranceEnded(0.25) in asked_for.hear(say("hello", 0.5).audio)


def test_long_speech_is_given_in_parts() -> None:
    spoken = say("one two three four five six", 0.5)
    finals = of_kind(recognize(spoken, Manner(longest=0.6)), "final")
    assert [final.ends_speech for final in finals] == [False, False, False]
    assert [final.text for final in finals] == ["one two", "three four", "five six"]
    assert all(final.end - final.start <= 0.6 for final in finals)
    onsets = [message for message in recognize(spoken, Manner(longest=0.6)) if isinstance(message, SpeechOnset)]
    assert onsets == [SpeechOnset(0.0)]


def test_without_endpointing_finals_come_only_on_finalize() -> None:
    recognizer = ScriptedRecognizer(Manner(endpointing=None), PCM16)
    assert not of_kind(recognizer.hear(SHORT.audio), "final")
    assert [final.text for final in of_kind(recognizer.finalize(), "final")] == ["hello there now"]
    assert not Manner(endpointing=None).profile().finalizes_itself


@pytest.mark.parametrize(
    ("manner", "order"),
    [
        (Manner(finalized="after"), [RecognitionResult, FinalizeAnswered, Acknowledged]),
        (Manner(finalized="before", trailing=0.4), [FinalizeAnswered, Pause, RecognitionResult, Acknowledged]),
        (Manner(finalized="never"), [RecognitionResult, Acknowledged]),
    ],
)
def test_the_answer_to_finalize_comes_after_before_or_never(manner: Manner, order: list[type]) -> None:
    recognizer = ScriptedRecognizer(manner, PCM16)
    recognizer.hear(say("hello").audio)
    answer = recognizer.finalize()
    assert [type(message) for message in answer] == order
    assert not of_kind(recognizer.finalize(), "final")


def test_held_finals_come_later_or_on_finalize() -> None:
    recognizer = ScriptedRecognizer(Manner(held=0.5), PCM16)
    early = recognizer.hear(SHORT.audio[: 2 * round(1.5 * 16_000)])
    assert not of_kind(early, "final")
    late = recognizer.hear(SHORT.audio[2 * round(1.5 * 16_000) :])
    assert [final.text for final in of_kind(late, "final")] == ["hello there"]
    assert [final.text for final in of_kind(recognizer.finalize(), "final")] == ["now"]


def test_finals_that_come_twice() -> None:
    finals = of_kind(recognize(SHORT, Manner(twice=True)), "final")
    assert [final.text for final in finals] == ["hello there", "hello there", "now", "now"]
    assert finals[0] == finals[1]


def test_billed_spans_start_at_0_and_sum_to_the_audio() -> None:
    manner = Manner(spans="billed")
    said = recognize(SHORT, manner)
    finals = of_kind(said, "final")
    assert [final.start for final in finals] == [0.0, 0.0]
    assert not [final.words for final in finals if final.words]
    assert finals[0].end == pytest.approx(0.88 + 0.3)
    assert sum(final.end for final in finals) == pytest.approx(SHORT.seconds - 0.39)  # until the decision after "now"
    assert manner.profile().acknowledges == "finalize"
    assert not manner.profile().word_times


def test_finals_without_words() -> None:
    final = of_kind(recognize(SHORT, Manner(word_times=False)), "final")[0]
    assert (final.words, final.text, final.start, final.end) == ((), "hello there", 0.3, 0.88)


@settings(max_examples=30)
@given(number=st.integers(0, 40), seed=st.integers(0, 5))
def test_drift_is_bounded_and_keeps_the_order(number: int, seed: int) -> None:
    spoken, manner = speech(30.0, audio_format=AudioFormat.pcm16(1_000)), Manner(drift=Drift(0.08, seed), interim=None)
    words = [word for final in of_kind(recognize(spoken, manner, number=number), "final") for word in final.words]
    assert [word.text for word in words] == spoken.text.split()
    off = [word.start - truth.start / 1_000 for word, truth in zip(words, spoken.words, strict=True)]
    assert 0 < max(map(abs, off)) <= 0.08
    assert all(word.start < word.end <= after.start + 0.005 for word, after in pairwise(words))
    assert not manner.profile().exact_times


def test_drift_differs_between_connections_and_is_repeatable() -> None:
    manner = Manner(drift=Drift())
    assert recognize(SHORT, manner, number=1) == recognize(SHORT, manner, number=1)
    assert recognize(SHORT, manner, number=1) != recognize(SHORT, manner, number=2)


def test_a_preflight_comes_before_the_final_once_an_utterance() -> None:
    said = recognize(SHORT, Manner(preflight=0.1, interim=None))
    assert [message.kind for message in said if isinstance(message, RecognitionResult)] == ["preflight", "final"] * 2
    assert of_kind(said, "preflight")[0].text == "hello there"
    assert not of_kind(said, "preflight")[0].ends_speech


def test_without_onsets_no_speech_start_is_sent() -> None:
    assert not [message for message in recognize(SHORT, Manner(onsets=False)) if isinstance(message, SpeechOnset)]


def test_the_default_profile_has_exact_spans() -> None:
    profile = EXACT.profile()
    assert (profile.acknowledges, profile.exact_times, profile.word_times, profile.finalizes_itself) == (
        "span", True, True, True,
    )  # fmt: skip
