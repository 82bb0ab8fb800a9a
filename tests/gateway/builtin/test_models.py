"""The parts of the default recognizer, each alone: its files, its text, its word times, its decisions on the voice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest
import trio

from trio_speech.gateway import EngineFailed
from trio_speech.gateway.builtin import onnx
from trio_speech.gateway.builtin.endpointer import PAUSE, Endpointer, Event
from trio_speech.gateway.builtin.moonshine_engine import Models


def audio_of(pcm: bytes) -> Any:
    return numpy.frombuffer(pcm, numpy.int16).astype(numpy.float32) / 32_768


class TestModelFile:
    def test_a_file_with_other_content_is_refused_by_name(self) -> None:
        with pytest.raises(EngineFailed, match=r"__init__.py has SHA-256 [0-9a-f]{64}, not 00"):
            onnx.model_file("trio", "__init__.py", "00")

    def test_a_missing_package_or_file_is_named(self) -> None:
        with pytest.raises(EngineFailed, match="the package parrot is missing"):
            onnx.model_file("parrot", "model.onnx", "00")
        with pytest.raises(EngineFailed, match=r"none\.onnx cannot be read"):
            onnx.model_file("trio", "none.onnx", "00")

    def test_the_right_content_is_returned(self) -> None:
        data = Path(trio.__file__).read_bytes()
        assert onnx.model_file("trio", "__init__.py", hashlib.sha256(data).hexdigest()) == data


def test_a_draft_does_not_change_a_clear_text(models: Models, speech: Callable[..., bytes]) -> None:
    moonshine, audio = models.recognizer, audio_of(speech("The museum is open on Sunday."))
    tokens = moonshine.tokens(audio)
    assert moonshine.text(tokens) == moonshine.transcribe(audio) == "The museum is open on Sunday."
    for draft in (tokens, tokens[:3], [*tokens[:3], 99, 100], [99], tokens + [99] * 50):
        assert moonshine.tokens(audio, draft) == tokens


def test_threads_that_share_the_models_get_the_results_of_one(models: Models, speech: Callable[..., bytes]) -> None:
    recordings = [audio_of(speech(text)) for text in ("The museum is open on Sunday.", "It will rain tomorrow.")] * 3
    alone = [models.recognizer.tokens(audio) for audio in recordings[:2]] * 3
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(models.recognizer.tokens, recordings)) == alone


@pytest.fixture
def aligner(models: Models) -> Any:
    pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")
    return models.aligner


def test_words_are_found_where_the_voice_says_them(aligner: Any, speech: Callable[..., bytes]) -> None:
    pcm = bytes(16_000) + speech("The museum is open.") + bytes(16_000)
    words = ["The", "museum", "—", "is", "open."]
    times = aligner.align(pcm, words)
    assert len(times) == len(words)
    assert all(8_000 - 1_600 <= start <= end <= len(pcm) // 2 for start, end in times)
    assert times == aligner.align(pcm, words)


@pytest.mark.parametrize("text", ["The Blorbits came to town.", "In 1984 we came to \u00dcber-town, didn\u2019t we?"])
def test_words_that_no_dictionary_has_are_sounded_out(aligner: Any, speech: Callable[..., bytes], text: str) -> None:
    assert len(aligner.align(speech(text), text.split())) == len(text.split())


def test_a_misheard_word_does_not_cost_the_times_of_the_others(aligner: Any, speech: Callable[..., bytes]) -> None:
    pcm = speech("We came to see the old town by the sea.")
    right = aligner.align(pcm, ["We", "came", "to", "see", "the", "old", "town", "by", "the", "sea."])
    wrong = aligner.align(pcm, ["We", "came", "to", "see", "the", "cold", "brown", "by", "the", "sea."])
    assert [right[0], right[-1]] == [wrong[0], wrong[-1]]


@pytest.mark.parametrize(("pcm", "words"), [(b"", ["hello"]), (bytes(200), ["hello", "there"]), (bytes(32_000), ["—"])])
def test_words_that_cannot_be_there_have_no_times(aligner: Any, pcm: bytes, words: list[str]) -> None:
    assert aligner.align(pcm, words) in ([], [(0, 0)])


class TestEndpointer:
    def run(self, probabilities: list[float]) -> tuple[Endpointer, list[tuple[int, Event]]]:
        endpointer = Endpointer()
        events = [(at, endpointer.push(probability)) for at, probability in enumerate(probabilities)]
        return endpointer, [(at, event) for at, event in events if event is not None]

    def test_speech_begins_after_three_frames_and_pauses_are_told(self) -> None:
        endpointer, events = self.run([0.1] * 5 + [0.9] * 10 + [0.1] * 20)
        assert events == [(7, Event.ONSET), (14 + PAUSE, Event.PAUSE)]
        assert (endpointer.onset, endpointer.spoken, endpointer.voiced, endpointer.silence) == (5, 15, 10, 20)

    def test_two_frames_are_a_click(self) -> None:
        endpointer, events = self.run(([0.9] * 2 + [0.2]) * 10)
        assert (events, endpointer.in_speech) == ([], False)

    def test_within_speech_less_is_enough(self) -> None:
        endpointer, _ = self.run([0.9] * 3 + [0.4] * 10)
        assert endpointer.silence == 0
        endpointer, events = self.run([0.4] * 10)
        assert events == []
