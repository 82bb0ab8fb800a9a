"""Compares transcripts as people would: by words, whatever their case, punctuation, spelling or figures."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SAME = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "st": "saint",
    "colour": "color",
    "coloured": "colored",
    "colours": "colors",
    "favourite": "favorite",
    "theatre": "theater",
    "centre": "center",
    "grey": "gray",
    "okay": "ok",
    "tonight": "to night",
    "today": "to day",
    "tomorrow": "to morrow",
    "cannot": "can not",
    "woodblocks": "wood blocks",
    "woodcutters": "wood cutters",
    "superimposition": "super imposition",
}


def words_of(text: str) -> list[str]:
    """The words of a text, in one spelling each."""
    text = text.lower().replace("’", "'").replace("&", " and ").replace("%", " percent")
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"\$(\d+)", r"\1 dollars", text)
    text = re.sub(r"\d+", lambda digits: f" {_spelled(digits.group())} ", text)
    words = re.sub(r"[^a-z' ]", " ", text).split()
    return [part for word in words for part in _SAME.get(word.strip("'"), word.strip("'")).split()]


def _spelled(digits: str) -> str:
    if len(digits) > 4 or (digits.startswith("0") and len(digits) > 1):
        return " ".join(_ONES[int(digit)] for digit in digits)
    return _cardinal(int(digits))


def _cardinal(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
    size, name = (100, "hundred") if number < 1_000 else (1_000, "thousand")
    rest = f" {_cardinal(number % size)}" if number % size else ""
    return f"{_cardinal(number // size)} {name}{rest}"


def mistakes(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest insertions, deletions and substitutions that turn one into the other."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]
