"""The joint of two links: which words of the new one had been delivered from the old.

Laws
    1. Where times are exact, time decides: a word is old if its midpoint lies at or before the cut. No word is halved.
    2. Where they drift, the audio was resumed early enough to hear the last delivered words again, so the new link's
       first words must repeat the end of what was delivered. Of all ways to lay the one over the other, the one that
       implies the smallest drift is taken: right whenever the drift is under half of the shortest word, or only one
       way fits.
    3. Where there are no times, only the order of the words decides.
    4. What cannot be decided is delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Heard(Struct, frozen=True):
    """A word as far as seams care: its text, stripped of case and punctuation, and its span in samples if known."""

    text: str
    start: int | None = None
    end: int | None = None

    @property
    def midpoint(self) -> float | None:
        """The sample halfway through the word."""
        return None if self.start is None or self.end is None else (self.start + self.end) / 2


def plain(text: str) -> str:
    """A word without case and punctuation, for comparison only; a word of nothing else stays as it is."""
    return "".join(letter for letter in text.casefold() if letter.isalnum()) or text


class Seam(Protocol):
    """Tells how many leading words of a transcript are old."""

    def repeated(self, words: Sequence[Heard]) -> int:
        """How many leading words had been delivered before."""
        ...

    def passed(self, words: Sequence[Heard]) -> None:
        """These words of a final have been judged: the next final continues behind them."""
        ...

    @property
    def open(self) -> bool:
        """Whether old words may still come."""
        ...


class TimedSeam:
    """Law 1: a cut on the sample clock."""

    def __init__(self, cut: int) -> None:
        self._cut = cut
        self.open = True

    def repeated(self, words: Sequence[Heard]) -> int:
        count = 0
        for word in words:
            midpoint = word.midpoint
            if midpoint is None or midpoint > self._cut:
                break
            count += 1
        return count

    def passed(self, words: Sequence[Heard]) -> None:
        last = words[-1].midpoint if words else None
        if last is not None and last > self._cut:
            self.open = False


class TextSeam:
    """Laws 2 and 3: the new words laid over the end of the old ones. `old` are those which may be heard again.

    `anchored`: the replay began exactly where `old` begins, so the first new word is the first old one.
    """

    def __init__(self, old: Sequence[Heard], *, cut: int, anchored: bool) -> None:
        self._old = list(old)
        self._cut = TimedSeam(cut)
        self._anchored = anchored

    @property
    def open(self) -> bool:
        return bool(self._old)

    def repeated(self, words: Sequence[Heard]) -> int:
        return self._lay(words)[0]

    def passed(self, words: Sequence[Heard]) -> None:
        count, start = self._lay(words)
        if count:
            self._old = self._old[start + count :]
            self._anchored = True
        if count < len(words):
            self._old = []

    def _lay(self, words: Sequence[Heard]) -> tuple[int, int]:
        """The number of leading `words` that are old, and the index in `old` at which they lie."""
        starts = range(1) if self._anchored else range(len(self._old))
        fits = [start for start in starts if words and self._fits(words, start)]
        if not fits:
            return (0 if self._anchored else self._cut.repeated(words)), 0
        best = min(fits, key=lambda start: (self._drift(words, start), start))
        return min(len(words), len(self._old) - best), best

    def _fits(self, words: Sequence[Heard], start: int) -> bool:
        pairs = list(zip(words, self._old[start:], strict=False))
        if not pairs:
            return False
        first_may_be_torn = len(pairs) > 1 and not self._anchored
        judged = pairs[1:] if first_may_be_torn else pairs
        return all(new.text == old.text for new, old in judged)

    def _drift(self, words: Sequence[Heard], start: int) -> float:
        shifts = [
            abs(new.midpoint - old.midpoint)
            for new, old in zip(words, self._old[start:], strict=False)
            if new.midpoint is not None and old.midpoint is not None
        ]
        return sorted(shifts)[len(shifts) // 2] if shifts else 0.0
