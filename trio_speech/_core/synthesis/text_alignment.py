"""Finds the aligned words of a voice in the text that it was given, to tell how much of the text was spoken.

A voice tells the words that it says with their times. They need not be the words of the text: the case differs,
punctuation is missing, "$5" comes as "five dollars", and one written word may come in several parts. A cursor moves
through the text to each word that it finds there. A word that it does not find leaves the cursor where it is, and the
next one that it finds moves it past the text in between. Words that are not found are counted by their letters, because
that count is the same however finely a voice divides its words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_REACH = 40
_REACH_PER_LETTER = 5
"""How many characters ahead a word is looked for: more for each letter of words that were not found before it."""


class Reached(NamedTuple):
    """How far the spoken words have come in the text. They compare: the greater one is further on."""

    position: int = 0
    """The index in the text behind the last word that was found, closing punctuation included."""
    beyond: int = 0
    """How many letters the words have that came since and were not found."""


START = Reached()


class TextCursor:
    """Follows the aligned words through `text`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reached = START

    def advance(self, word: str) -> Reached:
        """Call with each aligned word, in order. Returns how far the words have come in the text."""
        end = self._find(_core_of(word))
        if end:
            self._reached = Reached(_past_marks(self._text, end))
        else:
            position, beyond = self._reached
            self._reached = Reached(position, beyond + sum(not character.isspace() for character in word))
        return self._reached

    def _find(self, word: str) -> int:
        """Returns the index at which `word` ends in the text ahead, or 0 where it is not found."""
        if not word:
            return 0
        ahead = _first_letter(self._text, self._reached.position)
        if self._text.startswith(word, ahead):  # most often; a pattern for each new word costs more than all else
            return ahead + len(word)
        pattern = re.compile(re.escape(word), re.IGNORECASE)
        here = pattern.match(self._text, ahead)
        if here:
            return here.end()
        reach = ahead + len(word) + _REACH + _REACH_PER_LETTER * self._reached.beyond
        found = (match.end() for match in pattern.finditer(self._text, ahead, reach) if _whole(self._text, match))
        return next(found, 0)


def _core_of(word: str) -> str:
    """Returns `word` without the punctuation around it."""
    if word[:1].isalnum() and word[-1].isalnum():
        return word
    inside = [at for at, character in enumerate(word) if character.isalnum()]
    return word[inside[0] : inside[-1] + 1] if inside else ""


def _first_letter(text: str, at: int) -> int:
    while at < len(text) and not text[at].isalnum():
        at += 1
    return at


def _past_marks(text: str, at: int) -> int:
    while at < len(text) and not (text[at].isalnum() or text[at].isspace()):
        at += 1
    return at


def _whole(text: str, match: re.Match[str]) -> bool:
    return not (text[match.start() - 1 : match.start()].isalnum() or text[match.end() : match.end() + 1].isalnum())
