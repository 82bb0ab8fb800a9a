"""The finals of one link, as its service told them, so that what it says again is known.

Laws
    1. Words are the same if their times are, within the profile's drift. Where times cannot be trusted, the text must
       be the same besides, and only a guess can be old.
    2. A final without word times is the same if it has the same identity or the same span.
    3. What lies behind all finals is new, whatever it says.
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
"""Words and finals that may be said again: some ten minutes of speech."""
_HALF_A_FRAME = 0.01  # seconds: what two roundings of one time may be apart


class _FinalWord(Struct, frozen=True):
    """A word of a final, with the times that the service gave it, in seconds of the link."""

    text: str
    start: float
    end: float
    speaker: str | None


class FinalsOfLink:
    """What one link has made final."""

    def __init__(self, profile: SttProfile) -> None:
        self._drift = profile.drift
        self._trusts_spans = profile.acknowledges != "finalize"
        self._ids: deque[str] = deque(maxlen=_REMEMBERED)
        self._spans: deque[tuple[float, float, str | None]] = deque(maxlen=_REMEMBERED)
        self._words: deque[_FinalWord] = deque(maxlen=_REMEMBERED)
        self._until = 0.0  # the largest end among them: most results lie behind it, and are new at a glance

    def add(self, result: RecognitionResult) -> None:
        """A final was taken in."""
        if result.id is not None:
            self._ids.append(result.id)
        if result.end > result.start:
            self._spans.append((result.start, result.end, result.speaker))
        for word in result.words:
            self._words.append(_FinalWord(plain(word.text), word.start, word.end, word.speaker or result.speaker))
        self._until = max([self._until, result.end, *(word.end for word in result.words)])

    def is_passed_by(self, result: RecognitionResult) -> bool:
        """Whether `result` lies behind all finals, so that there is nothing in it that it could repeat."""
        starts = min(result.start, result.words[0].start) if result.words else result.start
        return starts >= self._until and starts > 0.0 and not self._has_id(result)

    def repeated_by(self, result: RecognitionResult) -> bool:
        """Whether the final `result` is one of them, told again."""
        if self._has_id(result):
            return True
        if result.words or result.end <= result.start or not self._trusts_spans:
            return False
        near = result.end <= self._until + _HALF_A_FRAME
        return near and any(self._is_same_span(result, span) for span in self._spans)

    def words_in(self, result: RecognitionResult) -> Sequence[bool]:
        """For each word of `result` that has times, whether it is in one of them."""
        by_text = not self._trusts_spans  # times may be anything then: the same of another word mean nothing
        if not self._words or (by_text and result.kind == "final"):
            return [False] * len(result.words)
        return [self._holds(word, word.speaker or result.speaker, by_text=by_text) for word in result.words]

    def cover(self, result: RecognitionResult, *, overlaps: bool) -> bool:
        """Whether one of them spans `result`, of which no word times are known.

        `overlaps`: another speaker may have spoken in the same span, so only the very same one counts.
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
