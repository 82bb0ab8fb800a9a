"""Text that streams in, cut into the segments of a synthesis: one sentence each, as soon as that is safe.

Laws
    1. Nothing is lost or reordered: the segments joined are the text, but for runs of white space between them.
    2. The cuts depend on the text alone, never on the pieces in which it came.
    3. A sentence is over when the first word after it is whole, for only that word tells "at 5 p.m. Then" from
       "at 5 p.m. then", and "Plan B. Go" from "J. R. Smith". Scripts without spaces need one more character.
    4. No segment is longer than the cap: what is longer is cut at a space, or after punctuation, or else anywhere.
    5. A segment has a letter or a digit in it, unless it was flushed or cut by force: a voice has nothing to say
       for "..." alone.

Where sentences end is the judgment of a library, which is asked again for every word that follows something like an
end. It is imported when the first text comes, is compiled, and takes some microseconds a call; in a text with nothing
like an end in it, it finds none in any language, and is not asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import accumulate, chain
from typing import TypeAlias, cast

Splitter: TypeAlias = Callable[[str], Sequence[str]]
"""Cuts a whole text into sentences which, joined, are as long as that text."""

_LONGEST = 1_000
_WIDE_SPACE = re.compile(r"[^\S\x00-\x7f]")
_LIKE_AN_END = re.compile(r"[^\w ,'\"-](?:(?<![.!?])|\W*\w)")  # one class to search for; alternatives are slow
_WORD_WHOLE = re.compile(r"(?<=\S)(?=\s)|(?<=[。！？｡][^\s。！？｡])")
_LEADING_SPACE = re.compile(r"^\s+(?=\s)")


def sentence_splitter(language: str | None) -> Splitter:
    """The rules of `language` (a BCP 47 tag), or of English where there are none for it."""
    primary = (language or "en").replace("_", "-").partition("-")[0].lower()

    def split(text: str) -> Sequence[str]:
        if not text.isascii():  # the library counts bytes: after a capital letter such a space makes it fail
            text = _WIDE_SPACE.sub(" ", text)
        return _library()(primary, text)

    return split


@cache
def _library() -> Callable[[str, str], Sequence[str]]:
    return cast("Callable[[str, str], Sequence[str]]", import_module("sentencex").segment)


class Segmenter:
    """Holds the text of the sentence that is still coming in, never more than one segment of it."""

    def __init__(self, *, language: str | None = None, max_characters: int | None = None) -> None:
        self._split = sentence_splitter(language)
        self._cap = max_characters or _LONGEST
        self._pending = ""
        self._judged = 0

    @property
    def pending(self) -> str:
        """The text that no segment has taken yet."""
        return self._pending

    def push(self, text: str) -> list[str]:
        """Takes a piece of text; returns the segments that are complete with it."""
        self._pending += text.encode(errors="replace").decode()  # half of a surrogate pair is in no message
        segments: list[str] = []
        while cut := self._next_cut():
            segments.append(self._pending[:cut])
            self._pending = self._pending[cut:]
            self._judged = 0
        return segments

    def flush(self, text: str = "") -> list[str]:
        """Takes a last piece, and closes the segment: all that is pending, sentence or not. The last word counts as
        whole.
        """
        segments = self.push(text + " ")
        rest = self._pending.removesuffix(" ")
        self.clear()
        return [*segments, rest] if rest.strip() else segments

    def clear(self) -> None:
        """Drops what is pending."""
        self._pending = ""
        self._judged = 0

    def _next_cut(self) -> int:
        self._pending = _LEADING_SPACE.sub("", self._pending)
        mark = _LIKE_AN_END.search(self._pending)
        if mark is not None:
            for whole in _WORD_WHOLE.finditer(self._pending, max(self._judged, mark.end()), self._cap + 1):
                self._judged = whole.end() + 1
                cut = self._sentence_end(self._pending[: whole.end()])
                if cut:
                    return cut
        return _forced_cut(self._pending, self._cap) if len(self._pending) > self._cap else 0

    def _sentence_end(self, text: str) -> int:
        """Where the first sentence of `text` ends, or 0 while that cannot be told."""
        for end in _ends(self._split(text)):
            if speakable(text[:end]) and speakable(text[end:]) and _between_words(text, end):
                return end
        return 0


def speakable(text: str) -> bool:
    """Whether a voice has anything to say for `text`."""
    return any(character.isalnum() for character in text)


def _ends(sentences: Sequence[str]) -> Iterator[int]:
    return accumulate(len(sentence) for sentence in sentences[:-1])


def _between_words(text: str, at: int) -> bool:
    """Not inside "Node.JS", and with all white space on the left side."""
    return not text[at].isspace() and (text[at - 1].isspace() or not text[at - 1].isascii())


def _forced_cut(text: str, cap: int) -> int:
    """Before the last space that leaves something to say on its left; else after the last mark; else at the cap."""
    spaces = (at for at in range(cap, 0, -1) if text[at].isspace())
    marks = (at for at in range(cap, 0, -1) if not text[at - 1].isalnum() and not unicodedata.combining(text[at]))
    for at in chain(spaces, marks):
        if speakable(text[:at]):
            return at
    return next((at for at in range(cap, 1, -1) if not unicodedata.combining(text[at])), cap)
