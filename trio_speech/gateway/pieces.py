"""Cuts a text into pieces that a voice can speak one after the other, each within a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 400
"""Characters of a piece: half a minute of speech."""

# Where to cut, best first: after a sentence, after a clause, between words.
_BREAKS = (re.compile(r"[.!?]\s+"), re.compile(r"[,;:]\s+"), re.compile(r"\s+"))


def cut(text: str) -> Iterator[str]:
    """The pieces, which joined are `text`. What is short enough stays whole; a word that is too long does not."""
    while len(text) > LONGEST:
        end = _end_of_piece(text)
        yield text[:end]
        text = text[end:]
    if text.strip():
        yield text


def _end_of_piece(text: str) -> int:
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(text, 0, LONGEST)]
        if ends:
            return ends[-1]
    return LONGEST
