"""The text that was spoken to the user so far, and how much of it at any position of the audio.

Laws
    1. The text only grows, except by `cut`. When a segment is spoken again, only the part that is new is added.
    2. A word counts as spoken from the sample at which its audio ends, and never before.
    3. Segments that continue each other are joined as they are. Where the user closed a segment in between (a flush, a
       barge-in), a space is put between words that have none, in scripts that use spaces.

All positions since the start can be looked up. That takes two numbers for each word, some 4 MB for a day of speech.
"""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_right

from msgspec import Struct

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "FULLWIDTH", "THAI", "LAO", "KHMER", "MYANMAR")
"""How the Unicode names of characters begin whose scripts have no spaces between words."""


class Segment(Struct, frozen=True):
    """The text of one request."""

    text: str
    continues: bool = True
    """Whether it continues the text of the segment before, with no flush or barge-in in between."""


class SpokenText:
    """The spoken text, which grows by `reach`. Positions in the audio are in samples."""

    def __init__(self) -> None:
        self._text = ""
        self._reached = (-1, 0)
        self._ends = array("q")
        self._lengths = array("q")

    def reach(self, end: int, number: int, segment: Segment, position: int) -> None:
        """Call when audio is handed over that, up to sample `end`, speaks segment `number` up to index `position`."""
        last, before = self._reached
        if (number, position) <= self._reached:
            return
        self._reached = (number, position)
        if number == last:
            self._add(segment.text[before:position], end)
        else:
            self._add(self._separated(segment, position), end)

    def until(self, limit: int) -> str:
        """Returns the text spoken in the first `limit` samples."""
        return self._text[: self._length_at(limit)]

    def cut(self, limit: int) -> str:
        """Forgets the text spoken after the first `limit` samples, and returns the text before."""
        index = bisect_right(self._ends, limit)
        self._text = self.until(limit)
        del self._ends[index:], self._lengths[index:]
        return self._text

    def _length_at(self, limit: int) -> int:
        index = bisect_right(self._ends, limit)
        return self._lengths[index - 1] if index else 0

    def _add(self, piece: str, end: int) -> None:
        # Python extends a string in place where nothing else refers to it. A day of speech is a megabyte of text, which
        # must not be copied for each word, or whenever somebody asks.
        text, self._text = self._text, ""
        text += piece
        self._text = text
        # Where a word is aligned only after a later one, it counts from the end of that one, rather than too early.
        self._ends.append(max(end, self._ends[-1]) if self._ends else end)
        self._lengths.append(len(text))

    def _separated(self, segment: Segment, position: int) -> str:
        piece = segment.text[:position]
        return f" {piece}" if not segment.continues and needs_space(self._text, piece) else piece


def needs_space(left: str, right: str) -> bool:
    """Whether a space is missing between two texts that are to be joined."""
    if not left or not right or left[-1].isspace() or right[0].isspace():
        return False
    return not (_is_unspaced(left[-1]) and _is_unspaced(right[0]))


def _is_unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)
