"""What a service has announced on one link and still owes: utterances of which an interim or an onset was shown.

Laws
    1. An interim announces its utterance; a newer one of the same utterance takes its place.
    2. A final settles the announcements that it overlaps, and no other: the final of one utterance answers for no
       other. Of one that goes on for longer than the final covers, the rest stays owed (finals may be split). A final
       without a place in the audio settles the oldest.
    3. An empty interim, and the end of speech where only an onset was told, take the announcement back.
    4. Announcements without a place cannot be told apart: they are one.
    5. At most 64 are kept apart. Where there are more, the two oldest are taken for one utterance: that forgets nothing
       that is owed.
"""

from __future__ import annotations

from msgspec import Struct

_MOST = 64
_TOUCH = 0.5
"""How much of the shorter of two spans must be shared for them to be of one utterance."""


class Announced(Struct):
    """An utterance, in samples of the stream; `end` is its start where only its onset is known.

    `placed` is false where the service told no times: then `start` is the earliest sample that it can be about.
    `worded` is true once words of it were shown.
    """

    start: int
    end: int
    speaker: str | None = None
    placed: bool = True
    worded: bool = True


class Announcements:
    """The utterances owed by one link, oldest first. `reach`: samples by which an onset may be told too early or
    late."""

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._owed: list[Announced] = []

    def __bool__(self) -> bool:
        return bool(self._owed)

    @property
    def worded(self) -> bool:
        """Whether words are owed, and not only an onset."""
        return any(each.worded for each in self._owed)

    def first(self, before: int) -> int | None:
        """Where the earliest utterance starts that is owed and starts before sample `before`."""
        return min((each.start for each in self._owed if each.start < before), default=None)

    def words(self, before: int) -> tuple[int, int] | None:
        """From where to where words were shown of which no final came, as far as they start before sample `before`."""
        shown = [each for each in self._owed if each.worded and each.start < before]
        return (min(each.start for each in shown), max(each.end for each in shown)) if shown else None

    def onset(self, at: int, *, placed: bool) -> None:
        """Speech began at sample `at`; nothing new where words of it were shown already."""
        if not any(not (placed and each.placed) or each.start <= at <= each.end for each in self._owed):
            self._put(Announced(at, at, None, placed, worded=False))

    def interim(self, start: int, end: int, speaker: str | None, *, placed: bool) -> None:
        """Words of ``[start, end)`` were shown."""
        new = Announced(start, end, speaker, placed)
        self._owed = [each for each in self._owed if not self._is_same(each, new)]
        self._put(new)

    def taken_back(self, start: int, end: int, speaker: str | None, *, placed: bool) -> bool:
        """The interim was empty; says whether anything had been announced there."""
        return self._settle(Announced(start, end, speaker, placed))

    def final(self, start: int, end: int, speaker: str | None, *, placed: bool) -> None:
        """A final came."""
        if not self._settle(Announced(start, end, speaker, placed)) and self._owed and not placed:
            del self._owed[0]

    def speech_over(self, at: int) -> None:
        """Speech ended before sample `at`, with no word of it: onsets before that were of nothing."""
        self._owed = [each for each in self._owed if each.worded or each.start >= at]

    def waits_before(self, start: int, speaker: str | None) -> bool:
        """Whether an utterance is owed that lies before the one at sample `start`, of the same speaker."""
        return any(each.placed and each.end <= start and each.speaker in (speaker, None) for each in self._owed)

    def _put(self, announced: Announced) -> None:
        self._owed.append(announced)
        self._owed.sort(key=lambda each: each.start)
        if len(self._owed) > _MOST:
            self._owed[:2] = [_joined(*self._owed[:2])]

    def _settle(self, by: Announced) -> bool:
        """Drops what `by` settles, but for a rest that is more than half of it; says whether there was anything."""
        matching = [each for each in self._owed if self._is_same(each, by)]
        for each in matching:
            if by.placed and each.placed and each.worded and each.start < by.end < (each.start + each.end) / 2:
                each.start = by.end
            else:
                self._owed.remove(each)
        return bool(matching)

    def _is_same(self, each: Announced, new: Announced) -> bool:
        if not new.placed:
            return not each.placed
        if not each.placed:
            return each.start < new.end or not each.worded
        if each.speaker is not None and new.speaker is not None and each.speaker != new.speaker:
            return False
        shared = min(new.end, each.end) - max(new.start, each.start)
        if not each.worded:
            return shared >= -self._reach
        return shared > 0 and shared >= _TOUCH * min(new.end - new.start, each.end - each.start)


def _joined(first: Announced, second: Announced) -> Announced:
    return Announced(
        first.start,
        max(first.end, second.end),
        first.speaker if first.speaker == second.speaker else None,
        first.placed and second.placed,
        first.worded or second.worded,
    )
