"""Which recording is tried next, and when one is set aside. Pure: time is an argument.

Laws:
    1. Each recording is settled or set aside exactly once.
    2. A failure costs it a try, and the next try waits, each time twice as long. After the last try it is set aside.
    3. A cluster that breaks costs no recording a try.
    4. A recording whose workers died may be innocent: others were at work in the same processes. It waits until all
       others are done, and is then tried alone. Where its workers die again, it is set aside.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable

from msgspec import Struct

_FIRST_WAIT = 1.0


class PendingFile(Struct):
    """A recording that is not settled yet.

    Fields:
        file: Its name.
        tries: How often it was tried and failed.
        is_suspect: Whether the workers died that it was given to.
    """

    file: str
    tries: int = 0
    is_suspect: bool = False


class WorkQueue:
    """The recordings that are still to be done.

    Args:
        files: Their names.
        tries: How often each is tried at most.
    """

    def __init__(self, files: Iterable[str], tries: int) -> None:
        self.in_flight: dict[str, PendingFile] = {}
        """Those that were taken and have not come back, by name."""
        self._tries = tries
        self._waiting = deque(PendingFile(file) for file in files)
        self._later: list[tuple[float, int, PendingFile]] = []
        self._suspects: deque[PendingFile] = deque()
        self._retries = 0

    @property
    def is_empty(self) -> bool:
        """Whether each is settled or set aside."""
        return not (self.in_flight or self._waiting or self._later or self._suspects)

    def take(self, now: float) -> PendingFile | None:
        """The next recording to try; ``None``: none may be tried now."""
        while self._later and self._later[0][0] <= now:
            self._waiting.append(heapq.heappop(self._later)[2])
        if any(file.is_suspect for file in self.in_flight.values()):
            return None
        if self._waiting:
            file = self._waiting.popleft()
        elif self._suspects and not self.in_flight and not self._later:
            file = self._suspects.popleft()
        else:
            return None
        self.in_flight[file.file] = file
        return file

    def settle(self, name: str) -> PendingFile:
        """Its result is there."""
        return self.in_flight.pop(name)

    def fail(self, name: str, now: float) -> bool:
        """It failed, and may succeed later. Returns whether to set it aside."""
        file = self.in_flight.pop(name)
        file.tries += 1
        if file.tries >= self._tries:
            return True
        self._retries += 1  # keeps the heap from comparing files
        heapq.heappush(self._later, (now + _FIRST_WAIT * 2 ** (file.tries - 1), self._retries, file))
        return False

    def killed(self, name: str) -> bool:
        """The workers died that it was given to. Returns whether to set it aside."""
        file = self.in_flight.pop(name)
        if file.is_suspect:
            return True
        file.is_suspect = True
        self._suspects.append(file)
        return False

    def put_back(self, name: str) -> None:
        """Its result was lost, and that was not its fault."""
        file = self.in_flight.pop(name)
        (self._suspects if file.is_suspect else self._waiting).appendleft(file)

    def put_all_back(self) -> None:
        """The cluster broke: all that is in flight is to be tried again."""
        for name in list(self.in_flight):
            self.put_back(name)
