"""The joint of two links: which words of the new one had been delivered from the old.

Laws
    1. Where times are exact, time decides: a word is old if its midpoint lies at or before the end of what was said. No
       word is halved.
    2. Where they drift, the audio was resumed early enough to hear the last delivered words again, so the new link's
       first words must repeat the end of what was delivered. Of all ways to lay the one over the other, the one that
       implies the smallest drift is taken: right whenever the drift is under half of the shortest word, or only one
       way fits. The first word may be torn, and some few may be heard as others than before.
    3. Where there are no times, only the order of the words decides.
    4. What cannot be decided is delivered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class ComparedWord(Struct, frozen=True):
    """A word as far as seams care: its text, stripped of case and punctuation, and its span in samples if known.

    Without times of its own it may still have an `end`: that of the final which it was in.
    """

    text: str
    start: int | None = None
    end: int | None = None

    @property
    def span(self) -> tuple[int, int] | None:
        """The samples from and before which it was said, if they are known."""
        return None if self.start is None or self.end is None else (self.start, self.end)

    @property
    def length(self) -> int:
        """How many samples it lasts; 0 where that is not known."""
        return 0 if self.span is None else self.span[1] - self.span[0]

    @property
    def midpoint(self) -> float | None:
        """The sample halfway through the word."""
        return None if self.span is None else sum(self.span) / 2


def plain(text: str) -> str:
    """A word without case and punctuation, for comparison only; a word of nothing else stays as it is."""
    folded = text.casefold()
    return folded if folded.isalnum() else "".join(filter(str.isalnum, folded)) or text


class Seam(Protocol):
    """Tells how many leading words of a transcript are old."""

    def repeated(self, words: Sequence[ComparedWord]) -> int:
        """How many leading words had been delivered before."""
        ...

    def passed(self, words: Sequence[ComparedWord]) -> None:
        """These words of a final have been judged: the next final continues behind them."""
        ...

    @property
    def open(self) -> bool:
        """Whether old words may still come."""
        ...

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        """The old words that may still come, where it is words that are waited for."""
        ...


class TimedSeam:
    """Law 1: all before sample `said` had been delivered."""

    awaited = ()

    def __init__(self, said: int) -> None:
        self._said = said
        self.open = True

    def repeated(self, words: Sequence[ComparedWord]) -> int:
        count = 0
        for word in words:
            midpoint = word.midpoint
            if midpoint is None or midpoint > self._said:
                break
            count += 1
        return count

    def passed(self, words: Sequence[ComparedWord]) -> None:
        last = words[-1].midpoint if words else None
        if last is not None and last > self._said:
            self.open = False


class TextSeam:
    """Laws 2 and 3: the new words laid over the end of the old ones.

    `old` are those which may be heard again, of all that was delivered before sample `said`. `reach`: by how many
    samples times may be wrong; ``None``: the words have none.
    """

    def __init__(self, old: Sequence[ComparedWord], *, said: int, reach: int | None) -> None:
        self._old = list(old)
        self._timed = TimedSeam(said)
        self._reach = math.inf if reach is None else reach
        self._begun = False

    @property
    def open(self) -> bool:
        return bool(self._old)

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        return self._old

    def repeated(self, words: Sequence[ComparedWord]) -> int:
        return self._overlap(words)[1]

    def passed(self, words: Sequence[ComparedWord]) -> None:
        skipped, count = self._overlap(words)
        if count < len(words):
            self._old = []
        elif skipped is not None:
            self._old = self._old[skipped + count :]
            self._begun = True

    def _overlap(self, words: Sequence[ComparedWord]) -> tuple[int | None, int]:
        """How many old words are not heard again, and how many of `words` are old; no text fitting, time decides."""
        starts = range(1 if self._begun else len(self._old))
        fits = [(*fit, start) for start in starts if (fit := self._fit(words, start)) is not None]
        if not fits:
            return None, self._timed.repeated(words)
        _, _, best = min(fits)
        return best, min(len(words), len(self._old) - best)

    def _fit(self, words: Sequence[ComparedWord], start: int) -> tuple[int, float] | None:
        """How badly `words` fit over the old ones from number `start` on; ``None``: not at all.

        First come the words heard as others, unless the drift is so small that time alone would do; then the drift.
        """
        pairs = list(zip(words, self._old[start:], strict=False))
        if not pairs:
            return None
        torn = not self._begun and _is_torn(*pairs[0], _shift(pairs[1:]))
        judged = pairs[1:] if torn else pairs
        others = sum(new.text != old.text for new, old in judged)
        drift = abs(_shift(pairs))
        if drift < min(old.length for _, old in pairs) / 2 and not any(map(_is_elsewhere, judged)):
            return 0, drift
        if drift > self._reach or (others and (self._reach == math.inf or 2 * others >= len(judged))):
            return None
        return others + torn, drift


def _is_elsewhere(pair: tuple[ComparedWord, ComparedWord]) -> bool:
    """Whether it is another word at another time."""
    new, old = pair
    return new.text != old.text and abs(_shift([pair])) >= old.length / 2


def _shift(pairs: Sequence[tuple[ComparedWord, ComparedWord]]) -> float:
    """By how much the new words end later than the old ones, in the median; 0 without times."""
    spans = [(new.span, old.span) for new, old in pairs]
    shifts = sorted(new[1] - old[1] for new, old in spans if new is not None and old is not None)
    return shifts[len(shifts) // 2] if shifts else 0.0


def _is_torn(new: ComparedWord, old: ComparedWord, shift: float) -> bool:
    """Whether `new` may be the rest of `old`, whose beginning was not played again: it ends where `old` does."""
    if new.text == old.text or new.span is None or old.span is None:
        return False
    return abs(new.span[1] - old.span[1] - shift) < old.length / 2
