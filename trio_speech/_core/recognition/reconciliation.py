"""The joint of two links: which words of the new one had been delivered from the old.

Laws
    1. Where times are exact, time decides, whatever the words look like: a word is old if its midpoint lies before the
       cut, or in a stretch that a delivered final covers. No word is halved.
    2. Where they drift, the audio was resumed early enough to hear the last delivered words again, so the new link's
       first words must repeat the end of what was delivered. Of all ways to lay the one over the other, the one that
       implies the smallest drift is taken: right whenever the drift is under half of the shortest word, or only one
       way fits. The first word may be torn, and some few may be heard as others than before.
    3. Where there are no times, only the order of the words decides.
    4. Where speakers overlap, a stretch says nothing of who spoke: a word is old if the same word was delivered at
       about the same time.
    5. What cannot be decided is delivered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from .stretches import Stretches


class ComparedWord(Struct, frozen=True):
    """A word as far as seams care: its text (see `text.plain`), and its span in samples if known.

    Without times of its own it may still have an `end`: that of the final which it was in.
    """

    text: str
    start: int | None = None
    end: int | None = None
    speaker: str | None = None

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


class Seam(Protocol):
    """Tells, for the first finals of a link, which of their words were delivered before."""

    def repeated(self, words: Sequence[ComparedWord]) -> list[bool]:
        """Which of `words` had been delivered before."""
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
    """Law 1: all before sample `cut` is old, and what lies in `delivered`."""

    awaited = ()

    def __init__(self, cut: int, delivered: Stretches) -> None:
        self._cut = cut
        self._delivered = delivered
        self._last = max([cut, *(end for _, end in delivered)])
        self.open = True

    def repeated(self, words: Sequence[ComparedWord]) -> list[bool]:
        return [self._is_old(word.midpoint) for word in words]

    def _is_old(self, midpoint: float | None) -> bool:
        if midpoint is None:
            return False
        return midpoint <= self._cut or self._delivered.holds(midpoint - 0.5)  # at the very end of a stretch is in it

    def passed(self, words: Sequence[ComparedWord]) -> None:
        last = words[-1].midpoint if words else None
        if last is not None and last > self._last:
            self.open = False


class OverlappingSeam:
    """Law 4: `old` are the words delivered that may be heard again; `tolerance`: samples by which times may differ."""

    awaited = ()

    def __init__(self, old: Sequence[ComparedWord], cut: int, tolerance: int) -> None:
        self._old = list(old)
        self._tolerance = tolerance
        self._last = max([cut, *(word.end or 0 for word in old)]) + tolerance
        self.open = True

    def repeated(self, words: Sequence[ComparedWord]) -> list[bool]:
        return [any(self._is_same(word, old) for old in self._old) for word in words]

    def _is_same(self, word: ComparedWord, old: ComparedWord) -> bool:
        if word.text != old.text or word.start is None or old.start is None:
            return False
        return abs(word.start - old.start) <= self._tolerance

    def passed(self, words: Sequence[ComparedWord]) -> None:
        start = words[0].start if words else None
        if start is not None and start > self._last:
            self.open = False


class TextSeam:
    """Laws 2 and 3: the new words laid over the end of the old ones.

    `old` are those which may be heard again, of all that was delivered; where no text fits, `timed` decides. `reach`:
    by how many samples times may be wrong; ``None``: the words have none.
    """

    def __init__(self, old: Sequence[ComparedWord], *, timed: TimedSeam, reach: int | None) -> None:
        self._old = list(old)
        self._timed = timed
        self._reach = math.inf if reach is None else reach
        self._begun = False

    @property
    def open(self) -> bool:
        return bool(self._old)

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        return self._old

    def repeated(self, words: Sequence[ComparedWord]) -> list[bool]:
        skipped, count = self._overlap(words)
        if skipped is None:
            return self._timed.repeated(words)
        return [index < count for index in range(len(words))]

    def passed(self, words: Sequence[ComparedWord]) -> None:
        if not words:
            return
        skipped, count = self._overlap(words)
        if skipped is None and all(self._timed.repeated(words)):
            return
        if skipped is None or count < len(words):
            self._old = []
        else:
            self._old = self._old[skipped + count :]
            self._begun = True

    def _overlap(self, words: Sequence[ComparedWord]) -> tuple[int | None, int]:
        """How many old words are not heard again, and how many of `words` are old; ``None``: no text fits."""
        starts = range(1 if self._begun else len(self._old))
        fits = [(*fit, start) for start in starts if (fit := self._fit(words, start)) is not None]
        if not fits:
            return None, 0
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
