"""Follows the words that a voice aligns through the text that it was given.

A voice aligns what it says, which need not be what was written: the case differs, punctuation is missing, "$5" comes as
"five dollars", and one written word may come in several parts. The cursor moves only to words that it recognizes in the
text. An unknown word leaves it where it is, and the next known word takes it past the text in between. Unknown words
are counted by their letters, because that count is the same however finely a voice divides its words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_REACH = 40
_REACH_PER_LETTER = 5
"""How many characters ahead a word is looked for: more after unknown words, which may stand for long text."""


class Reached(NamedTuple):
    """A place in the text. Of two, the greater is further on."""

    position: int = 0
    """The end of the last recognized word, closing punctuation included."""
    beyond: int = 0
    """Letters in the unknown words since then."""


START = Reached()


class TextCursor:
    """The place in `text` that the aligned words have reached."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reached = START

    def advance(self, word: str) -> Reached:
        """Takes the next word that was spoken."""
        end = self._find(_core_of(word))
        if end:
            self._reached = Reached(_past_marks(self._text, end))
        else:
            position, beyond = self._reached
            self._reached = Reached(position, beyond + sum(not character.isspace() for character in word))
        return self._reached

    def _find(self, word: str) -> int:
        """The end of `word` in the text ahead, or 0 where it is not recognized."""
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
    """`word` without the punctuation around it."""
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
