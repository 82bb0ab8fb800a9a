"""The utterances that a service has announced on one link, and of which the final has not come.

An utterance is *announced* by an interim, or by its *onset*: a message that speech began. It is *owed* from then on,
until its final comes or the announcement is taken back.

Laws
    1. A newer interim of the same utterance takes the place of the older one.
    2. A final ends the announcements that it overlaps, and no others. Where an announced utterance is much longer than
       the final, the rest of it stays owed (finals may be split). A final without times ends the oldest announcement.
    3. An empty interim takes an announcement back, and so does the end of speech where only an onset was told.
    4. Announcements without times cannot be told apart, so they count as one.
    5. At most 64 announcements are kept. Where there are more, the two oldest are joined to one, which loses nothing
       that is owed.
"""

from __future__ import annotations

from msgspec import Struct

ONSET_REACH = 0.5
"""Seconds by which an onset may be told before or after the words that follow it."""

_MOST = 64
_TOUCH = 0.5
"""The share of the shorter of two spans that must overlap for them to be of one utterance."""


class Announced(Struct):
    """An announced utterance, from sample `start` to sample `end` of the stream; they are equal after a mere onset.

    `placed`: whether the service told its times. If not, `start` is the earliest sample at which it can begin.
    `worded`: whether words of it were shown.
    """

    start: int
    end: int
    speaker: str | None = None
    placed: bool = True
    worded: bool = True


class Announcements:
    """The utterances owed by one link, oldest first.

    `reach`: by how many samples the time of an onset may differ from that of the words that follow it.
    """

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._owed: list[Announced] = []

    def __bool__(self) -> bool:
        return bool(self._owed)

    @property
    def worded(self) -> bool:
        """Whether an utterance is owed of which words were shown, and not only its onset."""
        return any(each.worded for each in self._owed)

    def first(self, before: int) -> int | None:
        """Returns the start of the earliest owed utterance; ``None`` where none starts before sample `before`."""
        return min((each.start for each in self._owed if each.start < before), default=None)

    def words(self, before: int) -> list[tuple[int, int]]:
        """Returns the spans of the owed utterances of which words were shown, if they start before sample `before`."""
        return [(each.start, each.end) for each in self._owed if each.worded and each.start < before]

    def onset(self, at: int, *, placed: bool) -> None:
        """Call when the service tells that speech began at sample `at`. Ignored where the utterance is owed already."""
        if not any(not (placed and each.placed) or each.start <= at <= each.end for each in self._owed):
            self._put(Announced(at, at, None, placed, worded=False))

    def interim(self, start: int, end: int, speaker: str | None, *, placed: bool) -> None:
        """Notes that the final of an utterance is owed: call when an interim arrives that covers ``[start, end)``."""
        new = Announced(start, end, speaker, placed)
        self._owed = [each for each in self._owed if not self._is_same(each, new)]
        self._put(new)

    def taken_back(self, start: int, end: int, speaker: str | None, *, placed: bool) -> bool:
        """Call when an empty interim arrives. Returns whether it takes an announced utterance back."""
        return self._settle(Announced(start, end, speaker, placed))

    def final(self, start: int, end: int, speaker: str | None, *, placed: bool) -> None:
        """Call when a final about the samples ``[start, end)`` arrives."""
        if not self._settle(Announced(start, end, speaker, placed)) and self._owed and not placed:
            del self._owed[0]

    def speech_over(self, at: int) -> None:
        """Call when the service tells that speech ended at sample `at`: drops the onsets before it without words."""
        self._owed = [each for each in self._owed if each.worded or each.start >= at]

    def waits_before(self, start: int, speaker: str | None) -> bool:
        """Whether an utterance of this speaker, or of an unknown one, is owed that ends at or before sample `start`."""
        return any(each.placed and each.end <= start and each.speaker in (speaker, None) for each in self._owed)

    def _put(self, announced: Announced) -> None:
        self._owed.append(announced)
        self._owed.sort(key=lambda each: each.start)
        if len(self._owed) > _MOST:
            self._owed[:2] = [_joined(*self._owed[:2])]

    def _settle(self, by: Announced) -> bool:
        """Drops the announcements of the same utterance as `by`; returns whether there were any.

        Where `by` covers less than the first half of one, the rest of that one is kept.
        """
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
