"""When `Transcript.settled`, which waits until audio is settled, sends a finalize request for that audio.

Quiet audio is settled only by an answered request (see `evidence`). A session sends one by itself where a final is
missing, or where its replay log fills up. Neither happens for a few seconds of silence, so without a request of its own
`Transcript.settled` might wait for a minute or for ever.

Laws
    1. It makes one request, or none where the user has made one: with `finalize`, or with the end of the input.
    2. The request cuts no word, and no utterance that the service is about to end by itself.

    why the request is made                   when
    ───────────────────────────────────────   ────────────────────────────────────────────────────────────
    nothing more was captured                 1.5 s after the last audio
    the last 1.5 s of the audio are quiet     at once, but not before 1.5 s after the wait began
    speech goes on, and nothing is settled    in the first pause of 0.3 s after 10 s of waiting
"""

from __future__ import annotations

from .session import RecognitionMachine

_QUIET = 1.5
_LONG = 10.0


class SettlementRequest:
    """One wait of `Transcript.settled`, which begins at `now`, for all audio captured by then to be settled."""

    def __init__(self, session: RecognitionMachine, now: float) -> None:
        self._session = session
        self._began = self._captured_at = now
        self._captured = self.target = session.log.captured
        """The sample before which all audio is to be settled."""

    @property
    def is_made(self) -> bool:
        """Whether a finalize request for the audio before `target` was sent, or is queued to be sent."""
        return self._session.asked_upto >= self.target

    def is_due(self, now: float) -> bool:
        """Whether to make the request now. Call it every few tenths of a second until the request is made."""
        session = self._session
        if session.log.captured > self._captured:
            self._captured, self._captured_at = session.log.captured, now
        if now - self._captured_at >= _QUIET:
            return True
        waited = now - self._began
        return (waited >= _QUIET and session.is_pause(_QUIET)) or (waited >= _LONG and session.is_pause())
