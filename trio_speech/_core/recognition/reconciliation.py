"""Removes repeated words after a reconnection: which words of a new link had been delivered from an earlier one.

A new link is sent some audio for the second time. A *seam* is the joint between the transcripts of the two links. An
*old* word was delivered before and is heard again. The *cut* is the sample before which all words are old.

Laws
    1. Where the service's times are exact, they decide, whatever the words are: a word is old if its midpoint lies
       before the cut, or in audio that a delivered final covers. No word is halved.
    2. Where times drift, enough audio was sent again for the last delivered words to be heard again, so the new link's
       first words repeat the end of what was delivered. Of all ways to align the two, the one that implies the smallest
       drift is taken. That is right whenever the drift is under half of the shortest word, or only one alignment fits.
       The first word may have lost its beginning, and a few words may be recognized differently than before.
    3. Where there are no times, only the order of the words decides.
    4. Where speakers overlap, a covered stretch of audio does not tell who spoke: a word is old if the same word was
       delivered at about the same time.
    5. A word of which this cannot be decided is delivered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from .stretches import Stretches


class ComparedWord(Struct, frozen=True):
    """A word in the form in which words are compared: its text (see `text.plain`), and its span in samples if known.

    A word without times may still have an `end`: the end of the final that it was in.
    """

    text: str
    start: int | None = None
    end: int | None = None
    speaker: str | None = None

    @property
    def span(self) -> tuple[int, int] | None:
        """The first sample of the word and the one behind its last; ``None`` where they are not known."""
        return None if self.start is None or self.end is None else (self.start, self.end)

    @property
    def length(self) -> int:
        """The length of the word in samples; 0 where it is not known."""
        return 0 if self.span is None else self.span[1] - self.span[0]

    @property
    def midpoint(self) -> float | None:
        """The sample halfway through the word; ``None`` where its span is not known."""
        return None if self.span is None else sum(self.span) / 2


class Seam(Protocol):
    """Tells which words of a link's first results were delivered from an earlier link."""

    def repeated(self, words: Sequence[ComparedWord]) -> list[bool]:
        """Returns, for each of `words`, whether it was delivered before."""
        ...

    def passed(self, words: Sequence[ComparedWord]) -> None:
        """Call with the words of a final once `repeated` has judged them: the next final continues behind them."""
        ...

    @property
    def open(self) -> bool:
        """Whether this link may still repeat delivered words."""
        ...

    @property
    def awaited(self) -> Sequence[ComparedWord]:
        """The delivered words that this link may still repeat; empty where times decide, and not the order of words."""
        ...


class TimedSeam:
    """Decides by time (law 1): words before sample `cut` are old, and words in the stretches `delivered`."""

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
        return midpoint <= self._cut or self._delivered.holds(midpoint - 0.5)  # the end counts as inside

    def passed(self, words: Sequence[ComparedWord]) -> None:
        last = words[-1].midpoint if words else None
        if last is not None and last > self._last:
            self.open = False


class OverlappingSeam:
    """Decides by text and time together, for speakers that overlap (law 4).

    `old`: the delivered words that may be heard again. `tolerance`: by how many samples the two times of one word may
    differ.
    """

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
    """Decides by aligning the new words with the end of the delivered ones (laws 2 and 3).

    `old`: the delivered words that may be heard again. `timed`: decides where no alignment fits. `reach`: by how many
    samples times may be wrong; ``None``: the words have no times.
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
        """Returns how many of the old words are not repeated, and how many of `words` are old.

        The first number is ``None`` where no alignment fits.
        """
        starts = range(1 if self._begun else len(self._old))
        fits = [(*fit, start) for start in starts if (fit := self._fit(words, start)) is not None]
        if not fits:
            return None, 0
        _, _, best = min(fits)
        return best, min(len(words), len(self._old) - best)

    def _fit(self, words: Sequence[ComparedWord], start: int) -> tuple[int, float] | None:
        """Returns how badly `words` match the old ones from index `start` on; ``None`` where they do not match.

        That is the number of words with another text, and then the drift in samples. The number is 0 where the drift
        is so small that the times alone identify the words.
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
    """Whether the new word of `pair` differs from the old one in both text and time."""
    new, old = pair
    return new.text != old.text and abs(_shift([pair])) >= old.length / 2


def _shift(pairs: Sequence[tuple[ComparedWord, ComparedWord]]) -> float:
    """By how many samples the new words end later than the old ones, in the median; 0 without times."""
    spans = [(new.span, old.span) for new, old in pairs]
    shifts = sorted(new[1] - old[1] for new, old in spans if new is not None and old is not None)
    return shifts[len(shifts) // 2] if shifts else 0.0


def _is_torn(new: ComparedWord, old: ComparedWord, shift: float) -> bool:
    """Whether `new` may be the end of `old`, of which the beginning was not sent again: both end at the same sample."""
    if new.text == old.text or new.span is None or old.span is None:
        return False
    return abs(new.span[1] - old.span[1] - shift) < old.length / 2
