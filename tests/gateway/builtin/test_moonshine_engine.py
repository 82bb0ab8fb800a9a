"""The laws of the default recognizer with its real models, on what the default voice says."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from trio_speech.gateway import Declined, Final, Finalized, Hypothesis, Onset, RecognitionOptions, Result
from trio_speech.gateway.builtin.moonshine_engine import LONGEST, Models, MoonshineEngine
from trio_speech.gateway.builtin.silero import FRAME

Speech = Callable[..., bytes]

SENTENCES = (
    "The weather is very nice today.",
    "I would like to order a large pizza.",
    "It will rain tomorrow afternoon.",
)


def silence(seconds: float, rate: int = 16_000) -> bytes:
    return bytes(2 * round(seconds * rate))


def noise(seconds: float, level: float) -> bytes:
    draw = random.Random(1)
    return array(
        "h", [max(-32_768, min(32_767, round(draw.gauss(0.0, level)))) for _ in range(round(16_000 * seconds))]
    ).tobytes()


@pytest.fixture(scope="module")
def stream(speech: Speech) -> Callable[..., bytes]:
    def at(rate: int = 16_000) -> bytes:
        return b"".join(silence(0.4, rate) + speech(text, rate) + silence(0.8, rate) for text in SENTENCES)

    return at


@pytest.fixture(scope="module")
def recognize(models: Models) -> Callable[..., list[Result]]:
    def recognize(pcm: bytes, chunk: int = 1_600, rate: int = 16_000) -> list[Result]:
        engine = MoonshineEngine(models, RecognitionOptions(sample_rate=rate))
        results = [result for at in range(0, len(pcm), chunk) for result in engine.feed(pcm[at : at + chunk])]
        return [*results, *engine.finalize()]

    return recognize


@pytest.fixture(scope="module")
def results(recognize: Any, stream: Any) -> list[Result]:
    found: list[Result] = recognize(stream())
    return found


def finals(results: list[Result]) -> list[Final]:
    return [result for result in results if isinstance(result, Final)]


def texts(results: list[Result]) -> list[str]:
    return [final.text for final in finals(results)]


def moved(result: Result, by: int) -> Any:
    match result:
        case Onset(start):
            return Onset(start + by)
        case Finalized(at):
            return Finalized(at + by)
        case _:
            words = [(word.text, word.start + by, word.end + by) for word in result.words]
            return (type(result), result.text, result.start + by, result.end + by, words)


def test_each_sentence_is_one_final_with_capitals_and_punctuation(results: list[Result], stream: Any) -> None:
    assert texts(results) == list(SENTENCES)
    assert results[-1] == Finalized(len(stream()) // 2)


def test_onset_interims_and_final_follow_each_other(results: list[Result]) -> None:
    kinds = [type(result) for result in results if not isinstance(result, Hypothesis)]
    assert kinds == [Onset, Final] * 3 + [Finalized]
    assert sum(isinstance(result, Hypothesis) for result in results) >= 6
    assert all(a != b for a, b in pairwise(results))


def test_words_lie_in_order_within_their_final(results: list[Result]) -> None:
    pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")
    settled = 0
    for final in finals(results):
        assert settled <= final.start <= final.words[0].start
        assert all(word.start < word.end for word in final.words)
        assert all(a.end <= b.start for a, b in pairwise(final.words))
        assert final.words[-1].end <= final.end
        assert " ".join(word.text for word in final.words) == final.text
        assert {word.confidence for word in final.words} == {None}
        settled = final.end


def test_a_final_comes_within_a_second_of_the_end_of_speech(results: list[Result], speech: Speech) -> None:
    end = 16_000 * 0.4 + len(speech(SENTENCES[0])) / 2
    assert finals(results)[0].end - end < 16_000


@pytest.mark.parametrize("chunk", [998, 10**7])
def test_results_do_not_depend_on_chunk_sizes(results: list[Result], recognize: Any, stream: Any, chunk: int) -> None:
    assert recognize(stream(), chunk) == results


def test_results_do_not_depend_on_earlier_sessions(results: list[Result], recognize: Any, stream: Any) -> None:
    recognize(noise(1.0, 3_000))
    assert recognize(stream()) == results


@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_a_replay_from_the_end_of_a_final_gives_the_same_results(recognize: Any, stream: Any, rate: int) -> None:
    pcm = stream(rate)
    whole = recognize(pcm, rate=rate)
    for final in finals(whole)[:-1]:
        replayed = recognize(pcm[2 * final.end :], chunk=998, rate=rate)
        rest = whole[whole.index(final) + 1 :]
        assert [moved(result, final.end) for result in replayed] == [moved(result, 0) for result in rest]


def test_a_finalize_closes_the_utterance_and_is_a_resume_point(models: Models, speech: Speech, recognize: Any) -> None:
    pcm = silence(0.3) + speech(SENTENCES[0])
    cut = len(pcm) // 2 + 334
    engine = MoonshineEngine(models, RecognitionOptions(sample_rate=16_000))
    *_, final, finalized = [*engine.feed(pcm[:cut]), *engine.finalize()]
    assert isinstance(final, Final)
    assert finalized == Finalized(cut // 2)
    assert final.end == cut // 2
    second = [*engine.feed(pcm[cut:] + silence(1)), *engine.finalize()]
    afresh = recognize(pcm[cut:] + silence(1))
    assert [moved(result, 0) for result in second] == [moved(result, cut // 2) for result in afresh]


def trimmed(pcm: bytes) -> bytes:
    samples = array("h", pcm)
    loud = [at for at, sample in enumerate(samples) if abs(sample) > 300]
    return samples[loud[0] : loud[-1] + 1].tobytes()


def test_a_breath_does_not_end_an_utterance(recognize: Any, speech: Speech) -> None:
    first, second = trimmed(speech("I would like to order")), trimmed(speech("a large pizza and some water."))
    assert len(texts(recognize(first + silence(0.4) + second + silence(1)))) == 1
    assert len(texts(recognize(first + silence(1.5) + second + silence(1)))) == 2


@pytest.mark.parametrize(
    "pcm",
    [silence(4), noise(4, 30), noise(4, 1_000), noise(4, 8_000), silence(1) + noise(0.1, 9_000) + silence(2)],
    ids=["silence", "faint noise", "noise", "loud noise", "click"],
)
def test_silence_and_noise_are_no_words(recognize: Any, pcm: bytes) -> None:
    results = recognize(pcm)
    assert "".join(texts(results)) == ""
    assert not any(isinstance(result, Hypothesis) for result in results)


def test_speech_without_a_pause_is_cut_at_the_longest_utterance(recognize: Any, speech: Speech) -> None:
    text = "the river and the road and the railway and the canal and the old bridge over the water and "
    pcm = silence(0.3) + speech(text * 4) + silence(1)
    assert len(pcm) > 2 * 16_000 * (LONGEST + 3)
    results = recognize(pcm, chunk=64_000)
    first, *rest = finals(results)
    assert 16_000 * LONGEST / 2 < first.end - first.start <= 16_000 * LONGEST + FRAME
    assert rest
    # What follows the cut is as a new session would recognize it.
    after = results[results.index(first) + 1 :]
    replayed = recognize(pcm[2 * first.end :])
    assert [moved(result, first.end) for result in replayed] == [moved(result, 0) for result in after]
    spoken = text.split() * 4
    said = " ".join(texts(results)).lower().replace(",", "").replace(".", "").split()
    assert sum(a == b for a, b in zip(said, spoken, strict=False)) > 0.8 * len(spoken)


def test_without_an_aligner_finals_have_no_words(models: Models, speech: Speech) -> None:
    engine = MoonshineEngine(models._replace(aligner=None), RecognitionOptions(sample_rate=16_000))
    [final] = finals([*engine.feed(speech(SENTENCES[0])), *engine.finalize()])
    assert (final.text, final.words) == (SENTENCES[0], ())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sample_rate": 16_001}, "sample rate 16001"),
        ({"language": "fr"}, "knows English only, not 'fr'"),
        (
            {"model": "deepgram/nova-3"},
            "no model 'deepgram/nova-3' here: the recognizer moonshine is 'local/moonshine'",
        ),
        ({"options": {"keyterm": ["x"]}}, "no option 'keyterm'"),
    ],
)
def test_what_it_does_not_have_is_declined_by_name(models: Models, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Declined, match=says):
        MoonshineEngine(models, RecognitionOptions(**{"sample_rate": 16_000} | changes))


@pytest.mark.parametrize("language", [None, "", "en", "en-GB", "EN_us", "English", "multi"])
def test_any_name_of_english_is_accepted(models: Models, language: str | None) -> None:
    MoonshineEngine(models, RecognitionOptions(sample_rate=16_000, language=language, model="local/moonshine"))
