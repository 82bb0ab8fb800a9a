"""What the user has not read yet.

Laws
    1. Finals and gaps queue, in stream order, and none is ever dropped.
    2. Interim and preflight transcripts coalesce: a newer one takes an older one's place, a final takes away the
       interims of its utterance.
    3. Audio is settled when what covers it is *delivered*: each item carries the sample that it settles, and `settled`
       follows what is taken. Where nothing is queued, what is committed is settled at once.
    4. News of the link is bounded: of a long outage nobody reads about, the oldest lines go first.
"""

from __future__ import annotations

from collections import deque

from ..events import InterimTranscript, LinkLost, PreflightTranscript, Resumed, TranscriptEvent

_MAX_NEWS = 64
_FLEETING = (InterimTranscript, PreflightTranscript)
_NEWS = (LinkLost, Resumed)


class Outbox:
    """Events on their way to the user, and how far the stream is settled by those taken."""

    def __init__(self, settled: int = 0) -> None:
        self._queue: deque[tuple[TranscriptEvent, int]] = deque()
        self._owed = 0  # queued items that settle audio
        self._news = 0
        self.settled = settled

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, event: TranscriptEvent) -> None:
        """Queues an event that settles nothing."""
        if isinstance(event, _FLEETING):
            if self._queue and type(self._queue[-1][0]) is type(event):
                self._queue.pop()
        elif isinstance(event, _NEWS):
            self._news += 1
            if self._news > _MAX_NEWS:
                self._drop_oldest_news()
        self._queue.append((event, -1))

    def put_settling(self, event: TranscriptEvent, upto: int) -> None:
        """Queues a final or a gap: all before sample `upto` is settled once it has been taken."""
        while self._queue and isinstance(self._queue[-1][0], _FLEETING):
            self._queue.pop()
        self._queue.append((event, upto))
        self._owed += 1

    def settle(self, upto: int) -> None:
        """All before `upto` is committed without an event of its own: settled once all that is queued is taken."""
        if not self._owed:
            self.settled = max(self.settled, upto)
            return
        for index in range(len(self._queue) - 1, -1, -1):
            event, before = self._queue[index]
            if before >= 0:
                self._queue[index] = (event, max(before, upto))
                return

    def take(self) -> TranscriptEvent:
        """Hands over the oldest event: it is delivered."""
        event, upto = self._queue.popleft()
        if upto >= 0:
            self._owed -= 1
            self.settled = max(self.settled, upto)
        elif isinstance(event, _NEWS):
            self._news -= 1
        return event

    def _drop_oldest_news(self) -> None:
        for index, (event, _) in enumerate(self._queue):
            if isinstance(event, _NEWS):
                del self._queue[index]
                self._news -= 1
                return
