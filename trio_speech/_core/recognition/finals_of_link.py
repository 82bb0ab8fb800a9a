"""Remembers the finals of one link, to recognize what its service tells a second time.

Some services repeat a final, or send an interim of an utterance that is final already.

Laws
    1. Two words are the same if their times are, within the profile's drift. Where times cannot be trusted, their texts
       must be the same too, and only a word of an interim or preflight transcript can be a repetition.
    2. Two finals without word times are the same if they have the same `id` or the same span.
    3. A result that begins behind the end of all finals is new, whatever its text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from ...events import Word
from ..provider.messages import RecognitionResult
from ..provider.profile import SttProfile
from .text import plain

_REMEMBERED = 2_048
"""How many words and how many finals are remembered: some ten minutes of speech."""
_HALF_A_FRAME = 0.01  # seconds by which two roundings of one time may differ


class _FinalWord(Struct, frozen=True):
    """A word of a final, with the times that the service gave it, in seconds of the link."""

    text: str
    start: float
    end: float
    speaker: str | None


class FinalsOfLink:
    """The newest finals of one link, with their words. Times are in seconds on the link's clock."""

    def __init__(self, profile: SttProfile) -> None:
        self._drift = profile.drift
        self._trusts_spans = profile.trusts_spans
        self._ids: deque[str] = deque(maxlen=_REMEMBERED)
        self._spans: deque[tuple[float, float, str | None]] = deque(maxlen=_REMEMBERED)
        self._words: deque[_FinalWord] = deque(maxlen=_REMEMBERED)
        self._until = 0.0  # their largest end: most results begin behind it, and need no comparison

    def add(self, result: RecognitionResult) -> None:
        """Remembers a final."""
        if result.id is not None:
            self._ids.append(result.id)
        if result.end > result.start:
            self._spans.append((result.start, result.end, result.speaker))
        for word in result.words:
            self._words.append(_FinalWord(plain(word.text), word.start, word.end, word.speaker or result.speaker))
        self._until = max([self._until, result.end, *(word.end for word in result.words)])

    def is_passed_by(self, result: RecognitionResult) -> bool:
        """Whether `result` begins behind the end of all finals, so that nothing in it can be a repetition."""
        starts = min(result.start, result.words[0].start) if result.words else result.start
        return starts >= self._until and starts > 0.0 and not self._has_id(result)

    def repeated_by(self, result: RecognitionResult) -> bool:
        """Whether the final `result` repeats a whole final."""
        if self._has_id(result):
            return True
        if result.words or result.end <= result.start or not self._trusts_spans:
            return False
        near = result.end <= self._until + _HALF_A_FRAME
        return near and any(self._is_same_span(result, span) for span in self._spans)

    def words_in(self, result: RecognitionResult) -> Sequence[bool]:
        """Returns, for each word of `result`, whether a final contains it."""
        by_text = not self._trusts_spans  # untrusted times may be equal by chance
        if not self._words or (by_text and result.kind == "final"):
            return [False] * len(result.words)
        return [self._holds(word, word.speaker or result.speaker, by_text=by_text) for word in result.words]

    def cover(self, result: RecognitionResult, *, overlaps: bool) -> bool:
        """Whether a final covers the span of `result`, which has no word times.

        `overlaps`: another speaker may have spoken in the same span, so only a final of the same span counts.
        """
        if result.end > self._until + _HALF_A_FRAME:
            return False
        if overlaps or not self._trusts_spans:
            return any(self._is_same_span(result, span) for span in self._spans)
        return any(
            start - _HALF_A_FRAME <= result.start and result.end <= end + _HALF_A_FRAME for start, end, _ in self._spans
        )

    def _has_id(self, result: RecognitionResult) -> bool:
        return result.id is not None and result.id in self._ids

    def _holds(self, word: Word, speaker: str | None, *, by_text: bool) -> bool:
        apart = max(_HALF_A_FRAME, min(self._drift, (word.end - word.start) / 2))
        if not word.start < word.end <= self._until + apart:
            return False
        text = plain(word.text) if by_text else None
        return any(
            abs(word.start - old.start) <= apart
            and abs(word.end - old.end) <= apart
            and speaker in (old.speaker, None)
            and text in (old.text, None)
            for old in self._words
        )

    def _is_same_span(self, result: RecognitionResult, span: tuple[float, float, str | None]) -> bool:
        start, end, speaker = span
        apart = max(abs(result.start - start), abs(result.end - end))
        return apart <= _HALF_A_FRAME and result.speaker == speaker
