"""Finds where sentences and clauses of a text end. All functions take text whose tags are masked (see `markup.mask`).

The `sentencex` library decides where sentences end. It is imported with the first text, and takes some microseconds for
each call. It is called only for text that contains something like an end (`LIKE_AN_END`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import accumulate
from typing import TypeAlias, cast

Splitter: TypeAlias = Callable[[str], Sequence[str]]
"""A function that cuts a text into sentences, which together are as long as the text."""

LIKE_AN_END = re.compile(r"[^\w ,'\"-](?:(?<![.!?])|\W*\w)")
"""A pattern that every end of a sentence matches. It begins with one character class, which is fast to find."""

MOMENT = re.compile(r"(?<=\S)(?=\s)|(?<=[。！？｡][^\s。！？｡])|(?P<blank_line>\n[^\S\n]*\n)")
"""The positions at which to look for the end of a sentence again: behind a word, behind the character that follows a
full stop of a script without spaces, and behind a blank line."""

_WIDE_SPACE = re.compile(r"[^\S\x00-\x7f]")
_CLAUSE = re.compile(r"(?:[,;:—–][\"'”’)]*\s+|[，、；：])(?=\S)")
_SHORTEST_CLAUSE = 12
_SHORTEST_UNSPACED_CLAUSE = 6
_LIST_NUMBER = re.compile(r"(?:\A|[\n:：;])\s*[(（]?(?:\d{1,3}|[A-Za-z])[.)．）、]\s*\Z")
_DECIMAL_POINTS = ".．。｡,，٫"
_ORDINAL = re.compile(r"\d[.．]\s*\Z")
_A_NAME = "Xu"
_COMPLETE = re.compile(r"(?:[.!?…।؟۔։]|(?P<unspaced>[。！？｡]))[\"'”’)\]»」』*_]*\s*\Z")


def sentence_splitter(language: str | None) -> Splitter:
    """Returns a splitter for `language` (a BCP 47 tag), or for English where that has no rules or is ``None``."""
    primary = (language or "en").replace("_", "-").partition("-")[0].lower()

    def split(text: str) -> Sequence[str]:
        if not text.isascii():  # sentencex counts bytes, and fails on such a space after a capital letter
            text = _WIDE_SPACE.sub(" ", text)
        return _library()(primary, text)

    return split


@cache
def _library() -> Callable[[str, str], Sequence[str]]:
    return cast("Callable[[str, str], Sequence[str]]", import_module("sentencex").segment)


def has_words(text: str) -> bool:
    """Whether `text` has a letter or a digit, so that a voice speaks something for it."""
    return any(character.isalnum() for character in text)


def sentence_ends(text: str, split: Splitter) -> Iterator[int]:
    """Yields the indices at which sentences of `text` end, the earliest first; not the end of the last one."""
    for judged in accumulate(len(sentence) for sentence in split(text)[:-1]):
        end = len(text) - len(text[judged:].lstrip())  # sentencex ends a sentence within a long run of spaces
        if has_words(text[end:]) and _is_between_words(text, end) and may_end(text, end):
            yield end


def may_end(text: str, end: int) -> bool:
    """Whether a sentence may end at index `end`.

    It may not inside a number, behind the number of a list item, or where there is no letter or digit before.
    """
    in_number = 2 <= end < len(text) and text[end - 1] in _DECIMAL_POINTS and text[end - 2].isdigit()
    if in_number and text[end].isdigit():
        return False
    return has_words(text[:end]) and not _LIST_NUMBER.search(text, 0, end)


def clause_end(text: str) -> int:
    """Returns the index at which the first clause ends that is long enough to be spoken alone, or 0."""
    for clause in _CLAUSE.finditer(text):
        end = clause.end()
        shortest = _SHORTEST_CLAUSE if text[end - 1].isspace() else _SHORTEST_UNSPACED_CLAUSE
        if len(text[:end].strip()) >= shortest and may_end(text, end):
            return end
    return 0


def looks_complete(text: str) -> bool:
    """Whether `text` ends in a mark that ends sentences."""
    return _COMPLETE.search(text[-40:]) is not None


def is_complete(text: str, split: Splitter) -> bool:
    """Whether `text` is a sentence whatever may follow, and not the beginning of one, such as "Dr." or "On the 3."."""
    mark = _COMPLETE.search(text)
    if mark is None or not may_end(text, len(text)) or _ORDINAL.search(text):
        return False
    text = text.rstrip().rstrip("*_")
    probe = split(f"{text} {_A_NAME}")
    return mark["unspaced"] is not None or len("".join(probe[:-1]).rstrip()) == len(text)


def _is_between_words(text: str, at: int) -> bool:
    """Whether index `at` lies between two words, and not inside one such as "Node.JS"."""
    return text[at - 1].isspace() or not text[at - 1].isascii()
