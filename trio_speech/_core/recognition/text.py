"""Splits text into words, compares words, cuts words out of a text and joins texts, in scripts with and without spaces.

Laws
    1. Words are compared in one Unicode normal form, without case and punctuation. Everything else distinguishes them:
       vowel signs, symbols, and apostrophes between letters.
    2. In scripts that are written without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), each
       grapheme (a letter with the signs that belong to it) counts as a word.
    3. When words are cut out of a text, the rest keeps the service's own punctuation and spacing.
    4. Texts are joined with a space, unless both sides of the joint are of a script without spaces.
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
"""Blocks of the Unicode Standard, chapters 16 and 18, whose text has no spaces between words."""

_DENSE = re.compile(f"[{_WITHOUT_BLANKS}]")
# A grapheme, as far as it is needed here: a letter, and the marks and joiners behind it (Unicode Standard Annex 29).
_PIECE = (
    rf"[{_WITHOUT_BLANKS}][\u0300-\u036f\u0e31\u0e33-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb3-\u0ebc\u0ec8-\u0ece\u102b-\u103e"
    rf"\u1056-\u1059\u105e-\u1060\u17b4-\u17d3\u3099\u309a\u200c\u200d\ufe00-\ufe0f]*|[^\s{_WITHOUT_BLANKS}]+"
)
_LONGEST_WORD, _LONGEST_TEXT = 100, 20_000
"""The most characters of a word that are compared, and of a text that is split into graphemes."""
_APOSTROPHES = "'\u2019\u02bc"


def is_dense(character: str) -> bool:
    """Whether the character is of a script without spaces between words; false for an empty string."""
    return bool(_DENSE.match(character))


def words_of(text: str) -> list[str]:
    """Returns the words of `text`, or its graphemes where its script has no spaces between words."""
    if len(text) > _LONGEST_TEXT or not _DENSE.search(text):
        return text.split()
    words: list[str] = []
    for piece in re.findall(_PIECE, text):
        if words and not any(map(_tells_apart, piece)):
            words[-1] += piece  # punctuation belongs to what it follows
        else:
            words.append(piece)
    return words


def plain(word: str) -> str:
    """Returns a word without case and punctuation, for comparison only. One of punctuation alone stays as it is.

    Only the first 100 characters are kept, so that no service can fill the memory with a word.
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
    """Whether two words that differ only in `character` are different words.

    True for letters, marks, digits and symbols, and for ``%#&@``, which Unicode counts as punctuation and people say.
    False for other punctuation, spaces and controls.
    """
    return unicodedata.category(character)[0] in "LMNS" or character in "%#&@"


def join(texts: Iterable[str]) -> str:
    """Returns the texts joined to one (law 4), each stripped of white space at its ends. Empty ones are left out."""
    joined = ""
    for text in filter(None, (each.strip() for each in texts)):
        blank = "" if not joined or (is_dense(joined[-1]) and is_dense(text[0])) else " "
        joined += blank + text
    return joined


def keep(text: str, words: Sequence[str], kept: Sequence[bool]) -> str:
    """Returns `text` without those of its `words` for which `kept` is false.

    The characters behind a word, up to the next one, are cut out with it. Where the words cannot be found in the text
    one after the other, the kept words are joined instead.
    """
    places = _places(text, words)
    if not places:
        return join(word for word, stays in zip(words, kept, strict=True) if stays)
    ends = [*places[1:], len(text)]
    places[0] = 0  # an opening mark, as of a Spanish question, belongs to the first word
    pieces = [text[start:end] for start, end, stays in zip(places, ends, kept, strict=True) if stays]
    return "".join(pieces).strip()


def _places(text: str, words: Sequence[str]) -> list[int] | None:
    """Returns the index in `text` at which each word begins; ``None`` where they are not found one after the other."""
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
