"""The segments of a synthesis, and which of them is asked for next."""

from __future__ import annotations

from .segmenter import is_markup
from .spoken_text import Segment


class SegmentQueue:
    """Segments are numbered from 0. `next` only grows, except by `retry` and `restart`."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._first = 0
        self._continues = True
        self._ended = False
        self.next = 0
        """The number of the next segment to ask for."""
        self.characters = 0
        """Length of the text from `next` on."""

    def __len__(self) -> int:
        return len(self._segments)

    def __getitem__(self, number: int) -> Segment:
        return self._segments[number]

    @property
    def has_next(self) -> bool:
        """Whether a segment waits to be asked for."""
        return self.next < len(self._segments)

    @property
    def is_done(self) -> bool:
        """All segments were asked for, and no more will come."""
        return self._ended and not self.has_next

    def add(self, text: str) -> None:
        """Queues one segment. Markup alone is dropped: no service has anything to say for it."""
        if is_markup(text):
            return
        self._segments.append(Segment(text, self._continues))
        self._continues = True
        self.characters += len(text)

    def separate(self) -> None:
        """The next segment does not continue the last one: there was a flush in between."""
        self._continues = False

    def end(self) -> None:
        """No more segments will come."""
        self._ended = True

    def advance(self) -> tuple[int, Segment]:
        """Takes the next segment."""
        number, segment = self.next, self._segments[self.next]
        self.next += 1
        self.characters -= len(segment.text)
        return number, segment

    def retry(self) -> None:
        """Makes the last segment that was taken the next one again."""
        self._go_back_to(self.next - 1)

    def restart(self) -> None:
        """Makes the first segment since the start, or since the last `clear`, the next one again."""
        self._go_back_to(self._first)

    def clear(self) -> None:
        """Drops the segments that were not taken."""
        # Their numbers stay taken, because a chunk names its segment; their text does not.
        self._segments[self.next :] = [Segment("")] * (len(self._segments) - self.next)
        self._first = self.next = len(self._segments)
        self.characters = 0
        self._continues = False

    def _go_back_to(self, number: int) -> None:
        self.characters += sum(len(segment.text) for segment in self._segments[number : self.next])
        self.next = number
