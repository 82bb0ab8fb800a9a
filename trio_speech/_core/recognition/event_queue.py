"""What the user has not read yet.

Laws
    1. Finals and gaps queue, in stream order, and none is ever dropped.
    2. Interim and preflight transcripts coalesce: a newer one takes the place of an unread one of its kind, and a final
       takes away what was guessed of its utterance.
    3. Audio is settled when what covers it is *delivered*: each final and gap carries the sample that it settles, and
       `settled` follows what is taken. Where none is queued, what is committed is settled at once.
    4. All else is bounded, between one final or gap and the next: of the news of a long outage and of utterances of
       which nothing was said, the oldest go first. What is left of speech state alternates all the same.
    5. `unread_bytes` says how much memory the queue takes. The queue refuses nothing: at the bound the session closes
       the link, which is where more would come from (see `RecognitionMachine.is_full_of_unread`).
"""

from __future__ import annotations

import sys
from collections import deque

from msgspec import Struct

from ...events import (
    FinalTranscript,
    InterimTranscript,
    LinkLost,
    PreflightTranscript,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    TranscriptEvent,
)
from ..provider.messages import RecognitionResult

_MOST = 64
_EVENT, _WORD = 400, 200  # bytes of an event and of a word, with their numbers, and without their texts
_GUESSES = (InterimTranscript, PreflightTranscript)
_NEWS = (LinkLost, Resumed)
_STATES = (SpeechStarted, SpeechEnded)


class _Item(Struct):
    event: TranscriptEvent
    settles: int = -1
    size: int = 0


def memory_of(event: TranscriptEvent | RecognitionResult) -> int:
    """Bytes that an event takes, with all that it holds; a little too many. So of the result that it is made of."""
    if isinstance(event, (FinalTranscript, RecognitionResult)):
        strings = [event.text, event.language, event.speaker]
        for word in event.words:
            strings += (word.text, word.speaker)
        extra = 0 if event.extra is None else _memory_of_json(event.extra)
        return _EVENT + _WORD * len(event.words) + sum(map(sys.getsizeof, strings)) + extra
    return _EVENT + (sys.getsizeof(event.cause) if isinstance(event, LinkLost) else 0)


def _memory_of_json(value: object) -> int:
    """Bytes that a decoded JSON value takes, with all that it holds."""
    size, waiting = 0, [value]
    while waiting:
        held = waiting.pop()
        size += sys.getsizeof(held)
        if isinstance(held, list):
            waiting += held
        elif isinstance(held, dict):
            waiting += held
            waiting += held.values()
    return size


class EventQueue:
    """Events on their way to the user, and how far the stream is settled by those taken."""

    def __init__(self, settled: int = 0) -> None:
        self._queue: deque[_Item] = deque()  # ends with a final or a gap
        self._tail: list[TranscriptEvent] = []  # what came after it
        self.settled = settled
        self.unread_bytes = 0
        """The memory that the unread finals and gaps take, with the news and speech states between them."""

    def __len__(self) -> int:
        return len(self._queue) + len(self._tail)

    @property
    def unread(self) -> list[TranscriptEvent]:
        """All events that were not taken yet, the oldest first."""
        return [*(item.event for item in self._queue), *self._tail]

    def put(self, event: TranscriptEvent) -> None:
        """Queues an event that settles nothing."""
        if isinstance(event, _GUESSES):
            self._drop(self._of_tail(type(event)))
        elif isinstance(event, _NEWS):
            self._drop(self._of_tail(*_NEWS)[: 1 - _MOST])
        elif isinstance(event, SpeechStarted):
            self._drop(self._silent_turns()[: 2 - _MOST])
        self._tail.append(event)

    def put_settling(self, event: TranscriptEvent, upto: int) -> None:
        """Queues a final or a gap: all before sample `upto` is settled once it has been taken."""
        self._drop(self._of_tail(*_GUESSES))
        items = [_Item(each, size=memory_of(each)) for each in self._tail]
        items.append(_Item(event, upto, memory_of(event)))
        self._queue += items
        self._tail.clear()
        self.unread_bytes += sum(item.size for item in items)

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
        self.unread_bytes -= item.size
        self.settled = max(self.settled, item.settles)
        return item.event

    def _of_tail(self, *kinds: type) -> list[TranscriptEvent]:
        return [event for event in self._tail if isinstance(event, kinds)]

    def _silent_turns(self) -> list[TranscriptEvent]:
        """Utterances that started and ended, and of which nothing was said."""
        states = self._of_tail(*_STATES)
        return states[isinstance(states[0], SpeechEnded) :] if states else []

    def _drop(self, events: list[TranscriptEvent]) -> None:
        if events:
            self._tail = [event for event in self._tail if not any(event is each for each in events)]
