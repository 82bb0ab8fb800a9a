"""When `Transcript.settled` asks the service to answer for what it waits for.

Quiet audio is settled only by an answered request (see `evidence`). A session asks where it is owed words, or where its
log fills up; for a few seconds of silence it does neither, and who waits for them would wait for a minute or for ever.

Laws
    1. It asks once, and not at all where the user has: with `finalize`, or with the end of the input.
    2. It cuts no word, and no utterance that the service is about to end by itself.

    why                                       when
    ───────────────────────────────────────   ──────────────────────────────────────────────────────
    nothing more was captured                 1.5 s after the last audio
    the audio is quiet                        once its last 1.5 s are, 1.5 s after the wait began
    speech goes on, and nothing is settled    in the first pause of 0.3 s, 10 s after the wait began
"""

from __future__ import annotations

from .session import RecognitionMachine

_QUIET = 1.5
_LONG = 10.0


class SettlementRequest:
    """One wait, which begins at `now`, for all that is captured by then."""

    def __init__(self, session: RecognitionMachine, now: float) -> None:
        self._session = session
        self._began = self._captured_at = now
        self._captured = self.target = session.log.captured
        """The sample before which all is to be settled."""

    @property
    def is_made(self) -> bool:
        """Whether the service is asked, or will be once it was sent the audio before `target`."""
        return self._session.asked_upto >= self.target

    def is_due(self, now: float) -> bool:
        """Whether to ask now. To be called every few tenths of a second until the request is made."""
        session = self._session
        if session.log.captured > self._captured:
            self._captured, self._captured_at = session.log.captured, now
        if now - self._captured_at >= _QUIET:
            return True
        waited = now - self._began
        return (waited >= _QUIET and session.is_pause(_QUIET)) or (waited >= _LONG and session.is_pause())
