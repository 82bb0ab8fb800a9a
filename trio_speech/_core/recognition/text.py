"""Words in text: told apart, compared, cut out and joined, in scripts with blanks and without.

Laws
    1. Two words are compared without case and punctuation, in one Unicode normal form, and by nothing less: vowel
       signs, symbols and apostrophes between letters tell words apart.
    2. Scripts that are written without blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are taken by
       grapheme: a letter with the signs that belong to it.
    3. Text is cut, never rebuilt: what stays is the service's own text, with its own punctuation and spacing.
    4. Texts are joined with a blank, unless both sides of the joint are of a script without blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WITHOUT_BLANKS = (
    "\u0e00-\u0e7f"  # Thai
    "\u0e80-\u0eff"  # Lao
    "\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff"  # Myanmar and its extensions
    "\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    "\u2e80-\u303f\u3040-\u30ff\u31f0-\u31ff"  # CJK radicals and punctuation, Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\uff00-\uffef"  # full-width and half-width forms
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"  # Kana supplements, Han extensions
)
"""Blocks of the Unicode Standard, chapters 16 and 18, whose text has no blanks between words."""

_DENSE = re.compile(f"[{_WITHOUT_BLANKS}]")
# A grapheme, as far as it is needed here: a letter, and the marks and joiners behind it (Unicode Standard Annex 29).
_PIECE = re.compile(
    rf"[{_WITHOUT_BLANKS}][\u0300-\u036f\u0e31\u0e33-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb3-\u0ebc\u0ec8-\u0ece\u102b-\u103e"
    rf"\u1056-\u1059\u105e-\u1060\u17b4-\u17d3\u3099\u309a\u200c\u200d\ufe00-\ufe0f]*|[^\s{_WITHOUT_BLANKS}]+"
)
_LONGEST_WORD, _LONGEST_TEXT = 100, 20_000
"""Characters of a word that are compared, and of a text that is looked at grapheme by grapheme."""
_APOSTROPHES = "'\u2019\u02bc"


def is_dense(character: str) -> bool:
    """Whether the character is of a script without blanks between words; false for none."""
    return bool(_DENSE.match(character))


def words_of(text: str) -> list[str]:
    """The words of `text`, or its graphemes where its script has no blanks between words."""
    if len(text) > _LONGEST_TEXT or not _DENSE.search(text):
        return text.split()
    words: list[str] = []
    for piece in _PIECE.findall(text):
        if words and not any(map(_tells_apart, piece)):
            words[-1] += piece  # punctuation belongs to what it follows
        else:
            words.append(piece)
    return words


def plain(word: str) -> str:
    """A word without case and punctuation, for comparison only; one of punctuation alone stays as it is.

    Of a word beyond all reason only the beginning is compared, so that no service can fill the memory with it.
    """
    return _plain(word[:_LONGEST_WORD])


@lru_cache(maxsize=4_096)
def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word).casefold())[:_LONGEST_WORD]
    kept = "".join(
        character
        for index, character in enumerate(folded)
        if _tells_apart(character) or (character in _APOSTROPHES and 0 < index < len(folded) - 1)
    )
    return kept.replace("\u2019", "'").replace("\u02bc", "'") or word.strip()


def _tells_apart(character: str) -> bool:
    """Letters, marks, digits and symbols do; punctuation, blanks and controls do not, but for a percent sign, a number
    sign, an ampersand and an at sign, which Unicode counts as punctuation and people say."""
    return unicodedata.category(character)[0] in "LMNS" or character in "%#&@"


def join(texts: Iterable[str]) -> str:
    """The texts in one, each stripped of blanks at its ends; empty ones are none."""
    joined = ""
    for text in filter(None, (each.strip() for each in texts)):
        blank = "" if not joined or (is_dense(joined[-1]) and is_dense(text[0])) else " "
        joined += blank + text
    return joined


def keep(text: str, words: Sequence[str], kept: Sequence[bool]) -> str:
    """`text`, which says `words`, without those that are not `kept`.

    What follows on a word belongs to it. Where the words cannot be found in the text one after the other, those that
    stay are joined.
    """
    places = _places(text, words)
    if not places:
        return join(word for word, stays in zip(words, kept, strict=True) if stays)
    ends = [*places[1:], len(text)]
    places[0] = 0  # an opening mark, as of a Spanish question, belongs to the first word
    pieces = [text[start:end] for start, end, stays in zip(places, ends, kept, strict=True) if stays]
    return "".join(pieces).strip()


def _places(text: str, words: Sequence[str]) -> list[int] | None:
    """Where each word begins in `text`."""
    places: list[int] = []
    at = 0
    for word in words:
        bare = word.strip()
        found = text.find(bare, at)
        if found < 0 or not bare:
            return None
        places.append(found)
        at = found + len(bare)
    return places
