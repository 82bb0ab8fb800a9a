"""Joins timed characters into words, for services that give the times of characters instead of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from ..errors import ProtocolError
from ..events import Word

_LONGEST_WORD = 1_000


class Letter(Protocol):
    """A character and its time, in seconds."""

    @property
    def char(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


class Letters:
    """Joins timed characters into words; a message may end inside a word.

    A word ends when a letter follows a blank. Its time is from its first letter to its last. With `spaced`, its text
    includes the blanks after it.
    """

    def __init__(self, *, spaced: bool) -> None:
        self._spaced = spaced
        self._text = ""
        self._start = self._end = 0.0

    def take(self, letters: Iterable[Letter]) -> Iterator[Word]:
        """Yields the words that `letters` complete. Raises `ProtocolError` for a word of more than 1,000 letters."""
        for letter in letters:
            if len(self._text) >= _LONGEST_WORD:
                raise ProtocolError(f"malformed message: a word of more than {_LONGEST_WORD} letters")
            if letter.char.isspace() or not letter.char:
                self._text += letter.char if self._text else ""
                continue
            if self._text[-1:].isspace():
                yield from self.rest()
            if not self._text:
                self._start = max(0.0, letter.start)
                self._end = self._start
            self._text += letter.char
            self._end = max(self._end, letter.end)

    def rest(self) -> Iterator[Word]:
        """Yields the last word, if one has begun. Call it when the generation is over."""
        if self._text:
            yield Word(self._text if self._spaced else self._text.rstrip(), self._start, self._end)
        self._text = ""
