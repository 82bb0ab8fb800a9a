"""What was delivered, as far as the next link may hear it again.

Laws
    1. A word is remembered for as long as audio that holds it may be played again, and no longer.
    2. Where words can be placed in the audio, so much of it is played again that the last of them is heard whole, and
       so is a word into which an answered finalize fell.
    3. Where they cannot, there is no lead-in: what is heard again is what was not acknowledged.
"""

from __future__ import annotations

from ..provider.profile import SttProfile
from .reconciliation import ComparedWord, OverlappingSeam, Seam, TextSeam, TimedSeam
from .stretches import Stretches

DRIFT_ALLOWANCE = 1.0
"""Seconds by which a provider whose times are not exact may be wrong and still be reconciled."""
_MOST = 2_000
"""Words that are remembered. `text.plain` bounds their texts, and `RecognitionResult` the labels of their speakers, so
that all of them take no more than 2 MiB, whatever a service sends."""
_MARGIN = 0.2


class DeliveredWords:
    """The newest words delivered, and the stretches that their finals cover. `lead_in`: seconds, by the policy."""

    def __init__(self, rate: int, lead_in: float, start: int) -> None:
        self._rate = rate
        self._lead_in = lead_in
        self._words: list[ComparedWord] = []
        self.stretches = Stretches()
        """What the finals cover whose times can be trusted."""
        self.said = start
        """The end of the last final delivered, in samples, where that can be known."""

    def delivered(self, words: tuple[ComparedWord, ...], span: tuple[int, int] | None) -> None:
        """A final was delivered; `span`: its samples, if its times can be trusted so far."""
        self._words.extend(words)
        del self._words[:-_MOST]
        if span is not None:
            self.stretches.add(*span)
            self.said = max(self.said, span[1])

    def committed(self, upto: int, later: tuple[ComparedWord, ...] | None) -> None:
        """No link will hear what lies before `upto`, but for a lead-in.

        `later`: where words have no place in the audio, those delivered that may lie behind `upto`.
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
        """Samples before `cut` that the next link is to hear again."""
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
        """How the words of a link that hears from `base` are told from those delivered, all before `cut` being old."""
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

    def speaker_at(self, word: ComparedWord) -> str | None:
        """Who said the delivered word that lies where `word` does, if any did."""
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
