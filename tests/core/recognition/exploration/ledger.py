"""What is looked at inside a session: the events that are not read yet, and the gaps that are not told yet."""

from __future__ import annotations

from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.events import TranscriptEvent


def unread(session: RecognitionMachine) -> list[TranscriptEvent]:
    queue = session.event_queue
    return [*(item.event for item in queue._queue), *queue._tail]


def undecided(session: RecognitionMachine) -> list[tuple[int, int]]:
    runs = [*session.gaps._lost, *session.gaps._unreplayable]
    return [(run.start, run.end) for run in runs]


def close_frame(link: LinkMachine, code: int, now: float) -> bool:
    """The service closes the connection: whether the session is at its end."""
    end = link.peer_closed(code, now)
    return end is not None and end.cause is None
