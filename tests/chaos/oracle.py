"""Which audio had to be lost, worked out from what a bystander saw, without a line of the library.

It holds for ``overflow="drop_oldest"``. The bystander saw, in order: audio captured; finals delivered, up to which
sample; links coming and going; and, at the gateway, what each link had heard. The rules, in its own words:

    - What is captured and not settled never exceeds the limit: the oldest goes.
    - Audio that goes while a link that has heard it is alive is saved by a later final of that same link.
    - All other audio that goes is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import starmap, takewhile
from operator import eq

_FRAME = 256
"""Bytes that come in one piece, and are found but once."""


@dataclass
class Bystander:
    """Told of everything in the order in which it happened; all positions in samples of the stream."""

    limit: int
    heard: Callable[[], int | None]
    """Up to which sample the link of the moment has heard the stream; ``None``: there is no link."""
    captured: int = 0
    settled: int = 0
    gone: int = 0
    most: int = 0
    """The largest backlog there ever was."""
    lost: list[tuple[int, int]] = field(default_factory=list)
    _risked: list[tuple[int, int]] = field(default_factory=list)

    def capture(self, samples: int) -> None:
        self.captured += samples
        start = max(self.settled, self.gone)
        self.most = max(self.most, self.captured - start)
        end = self.captured - self.limit
        if end <= start:
            return
        self.gone = end
        heard = self.heard()
        on_air = start if heard is None else min(max(start, heard), end)
        self._risked.append((start, on_air))
        self.lost.append((on_air, end))

    def final(self, end: int) -> None:
        self.settled = max(self.settled, end)
        self._risked = [(max(start, end), upto) for start, upto in self._risked if upto > end]

    def link_lost(self) -> None:
        self.lost += self._risked
        self._risked = []

    def gaps(self) -> list[tuple[int, int]]:
        """What is lost for good, once the stream has ended well."""
        return merged(self.lost)


def merged(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same samples in as few runs as there can be."""
    whole: list[tuple[int, int]] = []
    for start, end in sorted(run for run in runs if run[0] < run[1]):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole


class Whereabouts:
    """Finds where in the stream the audio lies that each link was sent; silence must not be all alike.

    A link that catches up slowly is overtaken by what goes: then its audio jumps, and never back.
    """

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._known: dict[int, tuple[int, int]] = {}

    def __call__(self, link: int, audio: bytes | bytearray) -> int:
        """The sample of the stream before which the last one lies that the link has heard."""
        known, at = self._known.get(link, (0, 0))
        while known < len(audio):
            new = bytes(audio[known:])
            same = sum(takewhile(bool, starmap(eq, zip(new, memoryview(self._stream)[at:], strict=False))))
            if not same:
                at = self._found(new, at)
            known, at = known + same, at + same
        self._known[link] = known, at
        return at // 2

    def _found(self, new: bytes, at: int) -> int:
        found = next((found for sure in (new, new[:_FRAME]) if (found := self._stream.find(sure, at)) >= 0), -1)
        assert found >= 0, "what the link was sent is not in the stream"
        return found
