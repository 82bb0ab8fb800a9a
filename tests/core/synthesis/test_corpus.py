"""Three hundred texts as language models write them: what every one of them keeps, however its tokens are split."""

from __future__ import annotations

import re
from random import Random

import pytest

from trio_speech._core.synthesis.markup import mask
from trio_speech._core.synthesis.segmenter import Segmenter, is_markup, speakable

from .corpus import corpus

TEXTS = corpus()
CAPS = (None, 120)
TAG = re.compile(r"</?[a-z]+(?: [^<>]*)?/?>|\[laughs\]")
PAIR = re.compile(r"<prosody [^<>]*>.*?</prosody>")
DECIMAL = re.compile(r"(?:\d[.,．]\d)")
NUMBER_ALONE = re.compile(r"(?:\A|\n)\s*\d{1,2}\.\s*\Z")


def segments_of(pieces: list[str], language: str, cap: int | None) -> list[str]:
    segmenter = Segmenter(language=language, max_characters=cap)
    segments = [segment for piece in pieces for segment in segmenter.push(piece)]
    return [*segments, *segmenter.flush(), *([segmenter.pending] if is_markup(segmenter.pending) else [])]


def pieces_of(text: str, random: Random) -> list[str]:
    """The text as a language model's tokens: of one to eight characters."""
    pieces = []
    while text:
        size = random.randint(1, 8)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("cap", CAPS)
def test_every_word_is_in_one_segment_and_nothing_that_belongs_together_is_cut(cap: int | None) -> None:
    for language, text in TEXTS:
        segments = segments_of([text], language, cap)
        assert squeezed("".join(segments)) == squeezed(text)
        for pattern in (TAG, DECIMAL, PAIR):
            whole = [found for segment in segments for found in pattern.findall(segment)]
            assert whole == pattern.findall(text), (language, text, segments)
        assert not [segment for segment in segments if NUMBER_ALONE.search(mask(segment))], (text, segments)
        assert all(speakable(segment) for segment in segments[:-1]), segments


@pytest.mark.parametrize("cap", CAPS)
def test_segments_are_independent_of_how_the_tokens_are_split(cap: int | None) -> None:
    random = Random("tokens")
    for language, text in TEXTS:
        whole = segments_of([text], language, cap)
        for _ in range(4):
            assert segments_of(pieces_of(text, random), language, cap) == whole
        assert segments_of(list(text), language, cap) == whole


def test_the_corpus_has_eight_languages_and_most_texts_have_markup() -> None:
    assert len(TEXTS) == len({text for _, text in TEXTS}) == 300
    assert len({language for language, _ in TEXTS}) == 8
    assert sum(bool(TAG.search(text)) for _, text in TEXTS) > 150
