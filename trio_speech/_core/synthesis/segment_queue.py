"""The segments of a synthesis session, and which of them is requested next. A segment is the text of one request."""

from __future__ import annotations

from .segmenter import is_markup
from .spoken_text import Segment


class SegmentQueue:
    """The queue of segments, which are numbered from 0. `next` only grows, except by `retry` and `restart`."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._first = 0
        self._continues = True
        self._ended = False
        self.next = 0
        """The number of the next segment to request."""
        self.characters = 0
        """How many characters the segments from `next` on have."""

    def __len__(self) -> int:
        return len(self._segments)

    @property
    def has_next(self) -> bool:
        """Whether a segment waits to be requested."""
        return self.next < len(self._segments)

    @property
    def is_done(self) -> bool:
        """Whether all segments were requested and `end` was called."""
        return self._ended and not self.has_next

    def add(self, text: str) -> None:
        """Queues one segment. Text that is only markup is dropped, since no service speaks anything for it."""
        if is_markup(text):
            return
        self._segments.append(Segment(text, self._continues))
        self._continues = True
        self.characters += len(text)

    def separate(self) -> None:
        """Call after a flush: the next segment does not continue the text of the last one."""
        self._continues = False

    def end(self) -> None:
        """Call when no more segments will be added."""
        self._ended = True

    def advance(self) -> tuple[int, Segment]:
        """Returns the next segment and its number, and moves on to the one after it. There must be one (`has_next`)."""
        number, segment = self.next, self._segments[self.next]
        self.next += 1
        self.characters -= len(segment.text)
        return number, segment

    def retry(self) -> None:
        """Makes the segment that `advance` returned last the next one again."""
        self._go_back_to(self.next - 1)

    def restart(self) -> None:
        """Makes the first segment after the last `clear`, or the very first, the next one again."""
        self._go_back_to(self._first)

    def clear(self) -> None:
        """Drops the segments that were not requested."""
        # Their numbers are not used again, because a chunk names its segment by number; their text is dropped.
        self._segments[self.next :] = [Segment("")] * (len(self._segments) - self.next)
        self._first = self.next = len(self._segments)
        self.characters = 0
        self._continues = False

    def _go_back_to(self, number: int) -> None:
        self.characters += sum(len(segment.text) for segment in self._segments[number : self.next])
        self.next = number
