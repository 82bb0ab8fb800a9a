"""The truthful recognizer: untidy in every way that the grammar allows, and never untrue."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace

from trio_speech._core.provider.messages import Acknowledged, Closed, FinalizeAnswered, RecognitionResult
from trio_speech.audio import AudioFormat
from trio_speech.testing import FREEDOMS, Manner, random_manner, say, speech
from trio_speech.testing.scripted.grammar import GRAMMAR, Said
from trio_speech.testing.scripted.truthful import TruthfulRecognizer

PCM = AudioFormat.pcm16(8_000)
FREE = Manner(freedoms=FREEDOMS, often=0.9, late=2.0)
CHUNK = 800


def told(recognizer: TruthfulRecognizer, audio: bytes, *, ends: bool = True) -> list[tuple[float, Said]]:
    """What is said of this audio, played in real time, and when."""
    said: list[tuple[float, Said]] = []
    now = 0.0
    for start in range(0, len(audio), CHUNK):
        now += CHUNK / 2 / PCM.sample_rate
        recognizer.hear(audio[start : start + CHUNK], now)
        said += [(now, each) for each in recognizer.speak(now)]
    if ends:
        recognizer.finalize(now)
        recognizer.finish(now)
        while not recognizer.closed:
            now = recognizer.due
            assert now < 600
            said += [(now, each) for each in recognizer.speak(now)]
    return said


def finals(said: list[tuple[float, Said]]) -> Counter[str]:
    texts = [each.text for _, each in said if isinstance(each, RecognitionResult) and each.kind == "final"]
    return Counter(" ".join(texts).split())


@pytest.mark.parametrize("seed", range(12))
def test_every_word_is_final_before_the_end(seed: int) -> None:
    manner = replace(random_manner(Random(seed)), early_ends=0)
    spoken = speech(12.0, seed=seed, audio_format=PCM)
    said = told(TruthfulRecognizer(manner, PCM), spoken.audio)
    words = Counter(word.text for word in spoken.words)
    assert set(finals(said)) == set(words)
    if not {"doubled final", "restated final"} & set(manner.freedoms or ()):
        assert finals(said) == words
    assert isinstance(said[-1][1], Closed)
    assert sum(isinstance(each, FinalizeAnswered) for _, each in said) == (manner.finalized != "never")


def test_a_manner_without_freedoms_says_each_thing_once_and_in_order() -> None:
    spoken = say(0.2, "one two", 0.6, "three", 0.6, audio_format=PCM)
    said = told(TruthfulRecognizer(Manner(freedoms=(), late=0.0, interim=None), PCM), spoken.audio, ends=False)
    transcripts = [each for _, each in said if isinstance(each, RecognitionResult)]
    assert [(each.kind, each.text) for each in transcripts] == [("final", "one two"), ("final", "three")]
    assert [word.start for each in transcripts for word in each.words] == [
        word.start / PCM.sample_rate for word in spoken.words
    ]


def test_what_is_owed_comes_within_the_time_that_the_manner_has_for_it() -> None:
    spoken = say(0.2, "one", 4.0, audio_format=PCM)
    for seed in range(20):
        said = told(TruthfulRecognizer(replace(FREE, seed=seed), PCM), spoken.audio, ends=False)
        first = next(
            at for at, each in said if isinstance(each, RecognitionResult) and each.kind == "final" and each.text
        )
        assert first <= spoken.words[0].end / PCM.sample_rate + FREE.endpointing + FREE.late + 0.2


def test_every_freedom_is_taken_sooner_or_later(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[str] = set()
    for name, row in GRAMMAR.items():

        def noted(account: object, number: int, name: str = name, say: object = row.say) -> object:
            taken.add(name)
            return say(account, number)  # type: ignore[operator]

        monkeypatch.setitem(GRAMMAR, name, replace(row, say=noted))  # type: ignore[arg-type]
    hum = b"\x00\x20" * 4_000 + bytes(4_000)
    for seed in range(40):
        audio = hum + speech(8.0, seed=seed, audio_format=PCM).audio + hum
        told(TruthfulRecognizer(replace(FREE, seed=seed), PCM), audio)
    assert taken >= {*FREEDOMS, "onset", "interim", "final", "answer", "watermark", "end"}


def test_only_the_first_connections_end_early() -> None:
    spoken = speech(12.0, audio_format=PCM)
    manner = replace(FREE, early_ends=2)
    for number, early in ((1, True), (2, True), (3, False)):
        recognizer = TruthfulRecognizer(manner, PCM, number)
        told(recognizer, spoken.audio, ends=False)
        assert recognizer.closed is early


def test_nothing_is_acknowledged_that_has_not_become_final() -> None:
    spoken = speech(12.0, audio_format=PCM)
    said = told(TruthfulRecognizer(FREE, PCM), spoken.audio, ends=False)
    ends = {word.text: word.end / PCM.sample_rate for word in spoken.words}
    final: set[str] = set()
    for _, each in said:
        if isinstance(each, RecognitionResult) and each.kind == "final":
            final |= set(each.text.split())
        elif isinstance(each, Acknowledged):
            assert {text for text, end in ends.items() if end <= each.upto} <= final


def test_a_word_in_progress_waits_for_its_end_or_is_cut_where_finals_are_asked_for() -> None:
    spoken = say(0.1, "abcdefgh", 0.5, audio_format=PCM)
    middle = 2 * round(0.3 * PCM.sample_rate)
    for mid_word, texts in (("hold", {"abcdefgh"}), ("cut", {"abcd-", "-efgh"})):
        recognizer = TruthfulRecognizer(Manner(freedoms=(), late=0.0, mid_word=mid_word), PCM)  # type: ignore[arg-type]
        recognizer.hear(spoken.audio[:middle], 0.3)
        assert recognizer.words_begun == 1
        assert recognizer.seconds_into_word == pytest.approx(0.2)
        recognizer.finalize(0.3)
        said = [(0.3, each) for each in recognizer.speak(0.3)]
        recognizer.hear(spoken.audio[middle:], 0.9)
        assert set(finals([*said, *((0.9, each) for each in recognizer.speak(0.9))])) == texts
