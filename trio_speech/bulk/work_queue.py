"""Decides which recording is tried next, and when one is set aside. Pure: time is an argument.

    settled      its result has come
    set aside    it is not tried any more in this run; its result has an error
    suspect      the workers that recognized it died, perhaps because of it

Laws:
    1. Each recording is settled or set aside exactly once.
    2. A failure costs it a try, and the next try waits, each time twice as long. After the last try it is set aside.
    3. A cluster that breaks costs no recording a try.
    4. A suspect may not be the reason: the same processes worked on other recordings too. It waits until all others
       are done, and is then tried alone. If its workers die again, it is set aside.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable

from msgspec import Struct

_FIRST_WAIT = 1.0


class PendingFile(Struct):
    """A recording that is neither settled nor set aside yet.

    Fields:
        file: Its name.
        tries: How often it was tried and failed.
        is_suspect: Whether workers that it was given to have died.
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
        """The recordings that were taken and whose outcome is not known yet, by name."""
        self._tries = tries
        self._waiting = deque(PendingFile(file) for file in files)
        self._later: list[tuple[float, int, PendingFile]] = []
        self._suspects: deque[PendingFile] = deque()
        self._retries = 0

    @property
    def is_empty(self) -> bool:
        """Whether every recording is settled or set aside."""
        return not (self.in_flight or self._waiting or self._later or self._suspects)

    def take(self, now: float) -> PendingFile | None:
        """Returns the next recording to try, or ``None`` if none may be tried at `now`.

        It is in flight from then on.
        """
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
        """Call when the result of a recording has come. Removes it from those in flight, and returns it."""
        return self.in_flight.pop(name)

    def fail(self, name: str, now: float) -> bool:
        """Call when a try failed that may succeed later. Returns True if it was the last one: set the recording aside.

        Otherwise the recording is tried again, after a wait.
        """
        file = self.in_flight.pop(name)
        file.tries += 1
        if file.tries >= self._tries:
            return True
        self._retries += 1  # keeps the heap from comparing files
        heapq.heappush(self._later, (now + _FIRST_WAIT * 2 ** (file.tries - 1), self._retries, file))
        return False

    def killed(self, name: str) -> bool:
        """Call when the workers died that a recording was given to. Returns True if it must be set aside.

        Otherwise it is a suspect now.
        """
        file = self.in_flight.pop(name)
        if file.is_suspect:
            return True
        file.is_suspect = True
        self._suspects.append(file)
        return False

    def put_back(self, name: str) -> None:
        """Call when the result was lost for no fault of the recording: it is tried again, and that does not use up a
        try.
        """
        file = self.in_flight.pop(name)
        (self._suspects if file.is_suspect else self._waiting).appendleft(file)

    def put_all_back(self) -> None:
        """Call when the cluster broke: all recordings in flight are tried again, and that does not use up a try."""
        for name in list(self.in_flight):
            self.put_back(name)
