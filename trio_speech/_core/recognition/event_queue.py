"""The queue of events that the user has not read yet.

Laws
    1. Finals and gaps are queued in stream order, and none is ever dropped.
    2. A newer interim replaces an unread interim, and a newer preflight transcript an unread one. A final removes the
       unread interims and preflight transcripts before it.
    3. Audio is settled (see `replay_log`) when the user has taken the event that covers it: each final and gap carries
       the sample before which it settles. Where no final or gap is queued, committed audio is settled at once.
    4. Between two finals or gaps, the number of other events is bounded: the oldest events about lost connections are
       dropped, and the oldest utterances without words. `SpeechStarted` and `SpeechEnded` still alternate.
    5. `unread_bytes` says how much memory the queue takes. The queue refuses no event: at the bound the session closes
       the link instead, so that no more arrive (see `RecognitionMachine.is_full_of_unread`).
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
_EVENT, _WORD = 400, 200  # bytes of an event and of a word, without their texts
_GUESSES = (InterimTranscript, PreflightTranscript)
_NEWS = (LinkLost, Resumed)
_STATES = (SpeechStarted, SpeechEnded)


class _Item(Struct):
    event: TranscriptEvent
    settles: int = -1
    size: int = 0


def memory_of(event: TranscriptEvent | RecognitionResult) -> int:
    """Returns the bytes of memory that an event, or the result that it is made of, takes; a little too many."""
    if isinstance(event, (FinalTranscript, RecognitionResult)):
        strings = [event.text, event.language, event.speaker]
        for word in event.words:
            strings += (word.text, word.speaker)
        extra = 0 if event.extra is None else _memory_of_json(event.extra)
        return _EVENT + _WORD * len(event.words) + sum(map(sys.getsizeof, strings)) + extra
    return _EVENT + (sys.getsizeof(event.cause) if isinstance(event, LinkLost) else 0)


def _memory_of_json(value: object) -> int:
    """Returns the bytes of memory that a decoded JSON value takes, with all that it holds."""
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
    """Events that wait for the user. `settled`: the sample before which the stream is settled by the events taken."""

    def __init__(self, settled: int = 0) -> None:
        self._queue: deque[_Item] = deque()  # ends with a final or a gap
        self._tail: list[TranscriptEvent] = []  # what came after it
        self.settled = settled
        self.unread_bytes = 0
        """Bytes of memory of the unread events, up to the last final or gap."""

    def __len__(self) -> int:
        return len(self._queue) + len(self._tail)

    @property
    def unread(self) -> list[TranscriptEvent]:
        """All events that the user has not taken, the oldest first."""
        return [*(item.event for item in self._queue), *self._tail]

    def put(self, event: TranscriptEvent) -> None:
        """Queues an event that settles no audio: any but a final or a gap."""
        if isinstance(event, _GUESSES):
            self._drop(self._of_tail(type(event)))
        elif isinstance(event, _NEWS):
            self._drop(self._of_tail(*_NEWS)[: 1 - _MOST])
        elif isinstance(event, SpeechStarted):
            self._drop(self._silent_turns()[: 2 - _MOST])
        self._tail.append(event)

    def put_settling(self, event: TranscriptEvent, upto: int) -> None:
        """Queues a final or a gap. Audio before sample `upto` is settled once the user has taken it."""
        self._drop(self._of_tail(*_GUESSES))
        items = [_Item(each, size=memory_of(each)) for each in self._tail]
        items.append(_Item(event, upto, memory_of(event)))
        self._queue += items
        self._tail.clear()
        self.unread_bytes += sum(item.size for item in items)

    def settle(self, upto: int) -> None:
        """Call when audio before sample `upto` is committed without an event of its own.

        It is settled once the user has taken all finals and gaps queued so far, or at once where there are none.
        """
        if self._queue:
            self._queue[-1].settles = max(self._queue[-1].settles, upto)
        else:
            self.settled = max(self.settled, upto)

    def take(self) -> TranscriptEvent:
        """Removes and returns the oldest event. Raises `IndexError` where there is none."""
        if not self._queue:
            return self._tail.pop(0)
        item = self._queue.popleft()
        self.unread_bytes -= item.size
        self.settled = max(self.settled, item.settles)
        return item.event

    def _of_tail(self, *kinds: type) -> list[TranscriptEvent]:
        return [event for event in self._tail if isinstance(event, kinds)]

    def _silent_turns(self) -> list[TranscriptEvent]:
        """Returns the starts and ends of speech behind the last final or gap, from the first start on."""
        states = self._of_tail(*_STATES)
        return states[isinstance(states[0], SpeechEnded) :] if states else []

    def _drop(self, events: list[TranscriptEvent]) -> None:
        if events:
            self._tail = [event for event in self._tail if not any(event is each for each in events)]
