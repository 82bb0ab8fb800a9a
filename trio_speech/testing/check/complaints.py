"""What the codecs of one session said against law 5, and the bound on what one call of a codec may give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from ..scripted.visits import Visit
from .laws import ENDS, LawBroken

_MOST = 10_000
"""Frames, or messages, that one call of a codec may give."""
_ENDS = ("Closed", "Going", "Failure")
_Item = TypeVar("_Item")


class Complaints:
    """Collects what the codecs of one session say. `WatchedRecognition` and `WatchedSynthesis` add to it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        """What a codec said that it must not."""
        self.said: Counter[str] = Counter()
        """How often the codecs gave each message, by the name of its class."""
        self.recognizes = False
        """Whether the session is one of recognition."""
        self.finalizes = 0
        """Requests for finals that, by the profile, the service answers by a message of its own."""
        self.unended = 0
        """Cancelled generations without `Done`."""

    def of(self, visits: Sequence[Visit]) -> str | None:
        """Returns the first complaint; ``None`` if there is none. `visits`: all that the session dialed."""
        if self.texts:
            return self.texts[0]
        if any(visit.struck for visit in visits):
            return None  # then what the service told need not have arrived
        told = sum((visit.told for visit in visits), Counter[str]())
        if self.finalizes and told["FinalizeAnswered"] and not self.said["FinalizeAnswered"]:
            return "no FinalizeAnswered, and the service has answered a request for finals"
        if self.recognizes and told["Closed"] and not any(map(self.said.__getitem__, _ENDS)):
            return f"none of {', '.join(_ENDS)}, and the service has said that the session is over"
        if told["Cancelled"] and self.unended:
            return "no Done, and the service has said that a cancelled generation is over"
        return None


def bounded(given: Iterable[_Item], method: str) -> Iterator[_Item]:
    """Yields what a method of a codec gives. Raises `LawBroken` if that does not end."""
    items = iter(given)
    yield from islice(items, _MOST)
    if next(items, None) is not None:
        raise LawBroken(f"{method} gives more than {_MOST:,} items at once", ENDS)
