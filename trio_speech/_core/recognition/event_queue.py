"""What the user has not read yet.

Laws
    1. Finals and gaps queue, in stream order, and none is ever dropped.
    2. Interim and preflight transcripts coalesce: a newer one takes the place of an unread one of its kind, and a final
       takes away what was guessed of its utterance.
    3. Audio is settled when what covers it is *delivered*: each final and gap carries the sample that it settles, and
       `settled` follows what is taken. Where none is queued, what is committed is settled at once.
    4. All else is bounded, between one final or gap and the next: of the news of a long outage and of utterances of
       which nothing was said, the oldest go first. What is left of speech state alternates all the same.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from ...events import (
    FinalTranscript,
    Gap,
    InterimTranscript,
    LinkLost,
    PreflightTranscript,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
)

_MOST = 64
_GUESSES = (InterimTranscript, PreflightTranscript)
_NEWS = (LinkLost, Resumed)
_STATES = (SpeechStarted, SpeechEnded)


class _Item(Struct):
    event: TranscriptEvent
    settles: int = -1


def _weight(event: TranscriptEvent) -> int:
    if isinstance(event, FinalTranscript):
        return 100 + len(event.text) + 50 * len(event.words)
    return 100 * isinstance(event, Gap)


class EventQueue:
    """Events on their way to the user, and how far the stream is settled by those taken."""

    def __init__(self, settled: int = 0) -> None:
        self._queue: deque[_Item] = deque()  # ends with a final or a gap
        self._tail: list[TranscriptEvent] = []  # what came after it
        self.settled = settled
        self.weight = 0
        """Of the finals and gaps that are unread, in characters or what is as much to keep."""

    def __len__(self) -> int:
        return len(self._queue) + len(self._tail)

    def put(self, event: TranscriptEvent) -> None:
        """Queues an event that settles nothing."""
        if isinstance(event, _GUESSES):
            self._drop(self._unread(type(event)))
        elif isinstance(event, _NEWS):
            self._drop(self._unread(*_NEWS)[: 1 - _MOST])
        elif isinstance(event, SpeechStarted):
            self._drop(self._silent_turns()[: 2 - _MOST])
        self._tail.append(event)

    def put_settling(self, event: TranscriptEvent, upto: int) -> None:
        """Queues a final or a gap: all before sample `upto` is settled once it has been taken."""
        self._drop(self._unread(*_GUESSES))
        self._queue.extend(map(_Item, self._tail))
        self._queue.append(_Item(event, upto))
        self._tail.clear()
        self.weight += _weight(event)

    def settle(self, upto: int) -> None:
        """All before `upto` is committed without an event of its own: settled once what is queued before is taken."""
        if self._queue:
            self._queue[-1].settles = max(self._queue[-1].settles, upto)
        else:
            self.settled = max(self.settled, upto)

    def take(self) -> TranscriptEvent:
        """Hands over the oldest event: it is delivered."""
        if not self._queue:
            return self._tail.pop(0)
        item = self._queue.popleft()
        self.weight -= _weight(item.event)
        self.settled = max(self.settled, item.settles)
        return item.event

    def _unread(self, *kinds: type) -> list[TranscriptEvent]:
        return [event for event in self._tail if isinstance(event, kinds)]

    def _silent_turns(self) -> list[TranscriptEvent]:
        """Utterances that started and ended, and of which nothing was said."""
        states = self._unread(*_STATES)
        return states[isinstance(states[0], SpeechEnded) :] if states else []

    def _drop(self, events: list[TranscriptEvent]) -> None:
        self._tail = [event for event in self._tail if not any(event is each for each in events)]
