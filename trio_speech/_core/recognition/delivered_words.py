"""Remembers the words that were delivered, as far as the next link may hear and repeat them.

It also decides how much committed audio, the *lead-in*, the next link is sent again. *Seam* and *cut*: see
`reconciliation`.

Laws
    1. A word is remembered as long as the audio that it was said in may be sent again.
    2. Where words have times that can be trusted, the lead-in is so long that the last word is heard whole, and so is a
       word into which an answered finalize request fell.
    3. Where they have none, there is no lead-in: only audio that is not committed is sent again.
"""

from __future__ import annotations

from ..provider.profile import SttProfile
from .reconciliation import ComparedWord, OverlappingSeam, Seam, TextSeam, TimedSeam
from .stretches import Stretches

DRIFT_ALLOWANCE = 1.0
"""By how many seconds inexact times of a service may be wrong for repeated words still to be found."""
_MOST = 2_000
"""How many words are remembered. `text.plain` bounds their texts, and `RecognitionResult` the labels of their speakers,
so that all of them take no more than 2 MiB, whatever a service sends."""
_MARGIN = 0.2


class DeliveredWords:
    """The newest delivered words, and the audio that their finals cover.

    `lead_in`: `ReplayPolicy.lead_in`, in seconds. `start`: the first sample of the stream.
    """

    def __init__(self, rate: int, lead_in: float, start: int) -> None:
        self._rate = rate
        self._lead_in = lead_in
        self._words: list[ComparedWord] = []
        self.stretches = Stretches()
        """The audio covered by finals whose times can be trusted."""
        self.said = start
        """The sample at which the last delivered final ends, as far as the service's times tell."""

    def delivered(self, words: tuple[ComparedWord, ...], span: tuple[int, int] | None) -> None:
        """Call when a final is delivered. `span`: the samples that it covers; ``None``: its times cannot be trusted."""
        self._words.extend(words)
        del self._words[:-_MOST]
        if span is not None:
            self.stretches.add(*span)
            self.said = max(self.said, span[1])

    def committed(self, upto: int, later: tuple[ComparedWord, ...] | None) -> None:
        """Call when audio before sample `upto` is committed. Forgets the words that no link will hear again.

        `later`: where words have no times, the delivered words that may have been said behind `upto`; else ``None``.
        """
        if later is not None:
            self._words = list(later[-_MOST:])
            self.said = max(self.said, upto)
        timed = upto - round((self._lead_in + 2 * DRIFT_ALLOWANCE) * self._rate)
        over = 0
        for word in self._words:
            if word.end is None or word.end > (upto if word.start is None else timed):
                break
            over += 1
        del self._words[:over]
        self.stretches.forget(timed)

    def lead_in(self, profile: SttProfile, cut: int) -> int:
        """Returns the length of the lead-in, in samples: how much audio before `cut` the next link is sent again."""
        seconds = min(self._lead_in, profile.max_lead_in)
        if not seconds or not self._placed(profile):
            return 0
        if profile.exact_times:
            reach = cut - self.said
        else:
            last = next((word.start for word in reversed(self._words) if word.start is not None), cut)
            reach = cut - last + round(_MARGIN * self._rate)
        return min(max(round(seconds * self._rate), reach), round((seconds + DRIFT_ALLOWANCE) * self._rate))

    def seam(self, profile: SttProfile, base: int, cut: int, *, overlapping: bool) -> Seam | None:
        """Returns the seam for a link that is sent the audio from sample `base` on; ``None`` where nothing can repeat.

        All words before sample `cut` are old. `overlapping`: whether speakers may overlap.
        """
        if not self._placed(profile):
            ahead = [word for word in self._words if word.end is None or word.end > cut]
            return TextSeam(ahead, timed=self._timed(cut), reach=None) if ahead else None
        reach = round(DRIFT_ALLOWANCE * self._rate)
        again = [word for word in self._words if word.end is not None and word.end > base - reach]
        if overlapping:
            return OverlappingSeam(again, cut, self._tolerance(profile)) if again else None
        if profile.exact_times:
            return self._timed(cut) if base < max(self.said, cut) else None
        if again and (again[-1].midpoint or 0) > base:
            return TextSeam(again, timed=self._timed(cut), reach=reach)
        return self._timed(cut) if again else None

    def may_repeat(self, cut: int) -> int:
        """Returns how many delivered words a link may say again that have no times, or lie behind sample `cut`."""
        return sum(word.end is None or word.end > cut for word in self._words)

    def speaker_at(self, word: ComparedWord) -> str | None:
        """Returns the speaker of the delivered word with the text and time of `word`; ``None`` where there is none."""
        at = word.midpoint
        for old in reversed(self._words):
            if at is not None and old.span is not None and old.span[0] <= at <= old.span[1] and old.text == word.text:
                return old.speaker
        return None

    def _timed(self, cut: int) -> TimedSeam:
        return TimedSeam(cut, self.stretches)

    def _tolerance(self, profile: SttProfile) -> int:
        return round(max(profile.drift, 0.05) * self._rate)

    def _placed(self, profile: SttProfile) -> bool:
        return profile.places_words and all(word.start is not None for word in self._words)
