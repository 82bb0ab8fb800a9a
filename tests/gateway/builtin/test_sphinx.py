"""The second recognizer with its real decoder, on what the default voice says."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from trio_speech.gateway import Declined, Final, Finalized, Hypothesis, Onset, RecognitionOptions, Result

pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")

from trio_speech.gateway.builtin.sphinx import FRAME, LONGEST, SphinxEngine, load_decoder

Speech = Callable[..., bytes]

SENTENCES = (
    "The weather is very nice today.",
    "I would like to order a large pizza.",
    "It will rain tomorrow afternoon.",
)


@pytest.fixture(scope="module")
def decoder() -> Any:
    return load_decoder()


def silence(seconds: float, rate: int = 16_000) -> bytes:
    return bytes(2 * round(seconds * rate))


@pytest.fixture(scope="module")
def stream(speech: Speech) -> Callable[..., bytes]:
    def at(rate: int = 16_000) -> bytes:
        return b"".join(silence(0.4, rate) + speech(text, rate) for text in SENTENCES) + silence(0.6, rate)

    return at


def hear(decoder: Any, pcm: bytes, chunk: int = 1_600, rate: int = 16_000, **options: Any) -> list[Result]:
    engine = SphinxEngine(decoder, RecognitionOptions(sample_rate=rate, options=options))
    results = [result for start in range(0, len(pcm), chunk) for result in engine.feed(pcm[start : start + chunk])]
    return [*results, *engine.finalize()]


def finals(results: list[Result]) -> list[Final]:
    return [result for result in results if isinstance(result, Final)]


def texts(results: list[Result]) -> list[str]:
    return [final.text for final in finals(results)]


WRITTEN = [sentence.lower().rstrip(".") for sentence in SENTENCES]


def test_sentences_in_one_stream_come_back_word_for_word(decoder: Any, speech: Speech, stream: Any) -> None:
    results = hear(decoder, stream())
    assert texts(results) == WRITTEN
    assert results[-1] == Finalized(len(stream()) // 2)


def test_results_come_in_order_with_times_inside_the_utterance(decoder: Any, speech: Speech, stream: Any) -> None:
    results = hear(decoder, stream())
    turns = [type(result) for result in results if not isinstance(result, Hypothesis)]
    assert turns == [Onset, Final] * 3 + [Finalized]
    assert any(isinstance(result, Hypothesis) and result.words[0].confidence is None for result in results)
    assert {result.language for result in results if isinstance(result, Hypothesis | Final)} == {"en"}
    settled = 0
    for final in finals(results):
        assert settled <= final.start < final.words[0].start
        assert all(word.start < word.end for word in final.words)
        assert all(a.end <= b.start for a, b in pairwise(final.words))
        assert final.words[-1].end <= final.end
        assert all(0 <= (word.confidence or 0) <= 1 for word in final.words)
        assert " ".join(word.text for word in final.words) == final.text
        settled = final.end


@pytest.mark.parametrize("chunk", [962, 10**7])
def test_results_do_not_depend_on_chunk_sizes(decoder: Any, speech: Speech, stream: Any, chunk: int) -> None:
    assert hear(decoder, stream(), chunk) == hear(decoder, stream())


def test_results_do_not_depend_on_earlier_sessions(decoder: Any, speech: Speech, stream: Any) -> None:
    before = hear(decoder, stream())
    hear(decoder, speech("They won the game by two points.") + silence(1))
    assert hear(decoder, stream()) == before


def moved(result: Result, by: int) -> Any:
    match result:
        case Onset(start):
            return Onset(start + by)
        case Finalized(at):
            return Finalized(at + by)
        case _:
            words = [(word.text, word.start + by, word.end + by, word.confidence) for word in result.words]
            return (type(result), result.text, result.start + by, result.end + by, words)


@pytest.mark.parametrize("rate", [22_050])
def test_a_replay_from_the_end_of_a_final_gives_the_same_results(
    decoder: Any, speech: Speech, stream: Any, rate: int
) -> None:
    pcm = stream(rate)
    whole = hear(decoder, pcm, rate=rate)
    for final in finals(whole)[:-1]:
        replayed = hear(decoder, pcm[2 * final.end :], chunk=998, rate=rate)
        rest = whole[whole.index(final) + 1 :]
        assert [moved(result, final.end) for result in replayed] == [moved(result, 0) for result in rest]


def test_a_finalize_closes_the_utterance_and_is_a_resume_point(decoder: Any, speech: Speech, stream: Any) -> None:
    pcm = silence(0.3) + speech(SENTENCES[0])
    cut = len(pcm) // 2 + 334
    engine = SphinxEngine(decoder, RecognitionOptions(sample_rate=16_000))
    first = [*engine.feed(pcm[:cut]), *engine.finalize()]
    *_, final, finalized = first
    assert isinstance(final, Final)
    assert finalized == Finalized(cut // 2)
    assert final.end == cut // 2
    second = [*engine.feed(pcm[cut:] + silence(1)), *engine.finalize()]
    afresh = hear(decoder, pcm[cut:] + silence(1))
    assert [moved(result, 0) for result in second] == [moved(result, cut // 2) for result in afresh]


def test_a_finalize_in_silence_settles_it(decoder: Any, speech: Speech, stream: Any) -> None:
    engine = SphinxEngine(decoder, RecognitionOptions(sample_rate=16_000))
    assert [*engine.feed(silence(1.01)), *engine.finalize(), *engine.finalize()] == [
        Finalized(16_160),
        Finalized(16_160),
    ]


def test_speech_without_a_pause_is_closed_in_time(decoder: Any, speech: Speech, stream: Any) -> None:
    word = speech("The river and the road and the railway and the canal")
    loud = word[6_000:-6_000]
    results = hear(decoder, silence(0.3) + loud * 9 + silence(1), chunk=64_000)
    longest = max(final.end - final.start for final in finals(results))
    assert 16_000 * LONGEST <= longest <= 16_000 * LONGEST + 20 * FRAME
    assert len(finals(results)) >= 2


def test_an_abandoned_utterance_leaves_the_decoder_fit(decoder: Any, speech: Speech, stream: Any) -> None:
    engine = SphinxEngine(decoder, RecognitionOptions(sample_rate=16_000))
    list(engine.feed(stream()[:60_000]))
    engine.close()
    assert texts(hear(decoder, stream())) == WRITTEN


def test_silence_gives_no_final(decoder: Any, speech: Speech, stream: Any) -> None:
    assert texts(hear(decoder, silence(3))) == []


def test_two_passes_give_the_same_text(decoder: Any, speech: Speech, stream: Any) -> None:
    assert texts(hear(decoder, stream(), two_passes=True)) == WRITTEN


@pytest.mark.parametrize("changes", [{"sample_rate": 16_001}, {"language": "fr"}, {"language": "zh-Hans"}])
def test_an_unsupported_rate_or_language_is_declined(decoder: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(Declined):
        SphinxEngine(decoder, RecognitionOptions(**{"sample_rate": 16_000} | changes))
