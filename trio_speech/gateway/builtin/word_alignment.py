"""Finds the time of each word for a voice that reports where only some of its words begin."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from ..engines import SpokenWord

_AUDIBLE = 64
_WORD = re.compile(r"\S+")


class WordMark(NamedTuple):
    """The text from character index `at` on is spoken from `sample` on."""

    sample: int
    at: int


def align(text: str, samples: array[int], marks: list[WordMark]) -> tuple[SpokenWord, ...]:
    """Returns each word of `text` with the samples between which it is spoken."""
    return tuple(word for group in _groups(text, samples, marks) for word in _shares(*group))


def _groups(text: str, samples: array[int], marks: list[WordMark]) -> Iterator[tuple[list[str], int, int]]:
    """Yields groups of words ("in the") of which only the first has a mark, with the start and end of each group."""
    words = [(match.start(), match.group()) for match in _WORD.finditer(text)]
    starts = [_first(marks, index, index + len(word)) for index, word in words]
    firsts = [at for at, start in enumerate(starts) if start is not None or at == 0]
    for first, beyond in pairwise([*firsts, len(words)]):
        start = starts[first] or 0
        following = starts[beyond] if beyond < len(words) else None
        end = _last_audible(samples, start, len(samples) if following is None else following)
        yield [word for _, word in words[first:beyond]], start, end


def _first(marks: list[WordMark], begin: int, end: int) -> int | None:
    return min((mark.sample for mark in marks if begin <= mark.at < end), default=None)


def _shares(words: list[str], start: int, end: int) -> Iterator[SpokenWord]:
    """Divides the time of a group among its words, in proportion to their letters."""
    letters, before = sum(map(len, words)), 0
    for word in words:
        after = before + len(word)
        yield SpokenWord(word, start + (end - start) * before // letters, start + (end - start) * after // letters)
        before = after


def _last_audible(samples: array[int], start: int, following: int) -> int:
    end = following
    while end > start and abs(samples[end - 1]) < _AUDIBLE:
        end -= 1
    return end
