"""The replay log: the only path that audio takes from the user to the wire.

Laws
    1. Cursors count whole samples of the stream, and never anything else::

           kept ≤ sent ≤ captured        settled ≤ committed ≤ captured

    2. `captured`, `settled`, `committed` and `kept` only move forward. Reconnecting sets `sent` back: replay is a
       cursor move, and there is no second path.
    3. ``[kept, captured)`` is held, once, in one buffer; what lies before is gone.
    4. Settled audio is let go but for `lead_in` samples.

    captured    given by the user so far
    sent        written to the current link
    committed   recognized, as the service says: no link will hear it again
    settled     recognized and *delivered*; lags behind `committed` while finals wait to be read
    kept        the oldest sample still held
"""

from __future__ import annotations


class ReplayLog:
    """Audio that is captured and not yet settled; `frame_size` bytes a sample."""

    def __init__(self, frame_size: int, *, lead_in: int = 0, start: int = 0) -> None:
        self._frame_size = frame_size
        self._lead_in = lead_in
        self._buffer = bytearray()  # which takes audio at its end, and lets go at its front, without moving the rest
        self.captured = start
        self.sent = start
        self.committed = start
        self.settled = start
        self.kept = start
        self.owed_from = start
        """The oldest sample that is neither settled nor evicted."""
        self.furthest = start
        """What lies before it was sent, on whatever link."""
        self.taken = 0
        """Samples sent on all links together."""
        self.replayed = 0
        """Of these, what had been sent before."""

    @property
    def owed(self) -> int:
        """Samples captured, neither settled nor evicted."""
        return self.captured - self.owed_from

    @property
    def unsent(self) -> int:
        """Samples that the current link has not been given."""
        return self.captured - self.sent

    @property
    def given_up(self) -> int:
        """The sample before which audio was evicted unsettled; 0 where none was that has not been settled since."""
        return self.kept if self.kept > self.settled else 0

    def append(self, audio: bytes) -> None:
        """Takes captured audio, a whole number of samples."""
        self._buffer += audio
        self.captured += len(audio) // self._frame_size

    def take(self, samples: int) -> bytes:
        """The next `samples` unsent samples, or all there are if fewer."""
        start, sent = self.sent, min(self.sent + samples, self.captured)
        self.sent = sent
        self.taken += sent - start
        if sent > self.furthest:
            self.replayed += max(0, self.furthest - start)
            self.furthest = sent
        else:
            self.replayed += sent - start
        size, kept = self._frame_size, self.kept
        return bytes(self._buffer[(start - kept) * size : (sent - kept) * size])

    def rewind(self, to: int) -> int:
        """Sets `sent` to sample `to`, or as near as what is kept allows; returns where it is."""
        self.sent = min(max(to, self.kept), self.captured)
        return self.sent

    def commit(self, to: int) -> None:
        """The service has recognized everything before sample `to`."""
        self.committed = max(self.committed, min(to, self.captured))

    def settle(self, to: int) -> None:
        """Everything before `to`, which is committed, has been delivered: its audio is let go."""
        self.settled = max(self.settled, min(to, self.committed))
        self._let_go(self.settled - self._lead_in)
        self.owed_from = max(self.settled, self.kept)

    def evict(self, to: int) -> tuple[int, int]:
        """Lets go of audio before `to`, settled or not; returns the unsettled run that went, which may be empty."""
        before = self.owed_from
        self._let_go(min(to, self.captured))
        self.owed_from = max(before, self.kept)
        return before, self.owed_from

    def unacknowledged(self) -> tuple[int, bytes]:
        """Where the audio begins that was captured and neither settled nor evicted, and a copy of it."""
        return self.owed_from, self.window(self.owed_from, self.captured)

    def window(self, start: int, end: int) -> bytes:
        """A copy of what is kept of ``[start, end)``."""
        size, kept = self._frame_size, self.kept
        return bytes(self._buffer[(max(start, kept) - kept) * size : max(0, end - kept) * size])

    def _let_go(self, to: int) -> None:
        if to > self.kept:
            del self._buffer[: (to - self.kept) * self._frame_size]
            self.kept = to
            self.sent = max(self.sent, to)
