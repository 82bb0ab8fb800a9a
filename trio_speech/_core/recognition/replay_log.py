"""The replay log: a buffer of the audio that a reconnection may have to send again.

All audio passes through it on its way from the user to the wire.

Laws
    1. Cursors are positions in whole samples of the stream::

           kept ≤ sent ≤ captured        settled ≤ committed ≤ captured

    2. `captured`, `settled`, `committed` and `kept` only move forward. Reconnecting sets `sent` back, and that
       alone makes the audio be sent again.
    3. The buffer holds ``[kept, captured)``, once; audio before `kept` is never given out again. It may stay in the
       buffer for a while, but takes a quarter of it at most.
    4. Settled audio is dropped, except for its last `lead_in` samples.

    cursor      the audio before it
    ─────────   ──────────────────────────────────────────────────────────────────────────────────────────────────
    captured    was given by the user
    sent        was written to the current connection
    committed   was recognized, as the service says: a later connection needs to hear at most a lead-in of it
    settled     is committed, and the user has taken the finals and gaps that cover it
    kept        was dropped from the buffer
"""

from __future__ import annotations

_DROPPED = 4
"""Dropped audio is taken out of the buffer once it makes up one part in so many."""


class ReplayLog:
    """The captured audio that is not settled, and the cursors over it.

    `frame_size`: bytes of one sample. `lead_in`: how many settled samples are kept all the same. `start`: the position
    of the first sample.
    """

    def __init__(self, frame_size: int, *, lead_in: int = 0, start: int = 0) -> None:
        self._frame_size = frame_size
        self._lead_in = lead_in
        self._buffer = bytearray()
        self._begins = start  # the sample at which the buffer begins, at or before `kept`
        self.captured = start
        self.sent = start
        self.committed = start
        self.settled = start
        self.kept = start
        self.owed_from = start
        """The oldest sample that is neither settled nor evicted (dropped unsettled because of a limit)."""
        self._run_from = start  # where `sent` was last set; the samples from there on are counted at its next jump
        self._furthest = start
        self._taken = 0
        self._replayed = 0

    @property
    def owed(self) -> int:
        """How many samples were captured, and are neither settled nor evicted."""
        return self.captured - self.owed_from

    @property
    def unsent(self) -> int:
        """How many samples were captured, and not sent on the current connection."""
        return self.captured - self.sent

    @property
    def furthest(self) -> int:
        """The sample before which all audio was sent, on this connection or an earlier one."""
        return max(self._furthest, self.sent)

    @property
    def taken(self) -> int:
        """Samples sent on all connections together; a sample that was sent twice counts twice."""
        return self._taken + self.sent - self._run_from

    @property
    def replayed(self) -> int:
        """How many of the samples counted in `taken` had been sent before."""
        return self._replayed + max(0, min(self.sent, self._furthest) - self._run_from)

    @property
    def given_up(self) -> int:
        """The sample before which audio was evicted without being settled, or 0.

        It is 0 where nothing was evicted, or everything evicted has been settled since.
        """
        return self.kept if self.kept > self.settled else 0

    def append(self, audio: bytes) -> None:
        """Appends captured audio, which must be a whole number of samples."""
        self._buffer += audio
        self.captured += len(audio) // self._frame_size

    def take(self, samples: int) -> bytes:
        """Returns the next `samples` unsent samples, or fewer if there are not so many, and counts them as sent."""
        start, size, begins = self.sent, self._frame_size, self._begins
        self.sent = sent = min(start + samples, self.captured)
        return bytes(self._buffer[(start - begins) * size : (sent - begins) * size])

    def read_beside(self, start: int, samples: int) -> bytes:
        """Returns the `samples` from sample `start` on, for a second connection beside the current one.

        They count as taken, since the service bills them, but `sent` stays: it is the current connection's.
        """
        self._jump(self.sent)
        self._taken += samples
        self._replayed += max(0, min(start + samples, self._furthest) - start)
        self._furthest = max(self._furthest, start + samples)
        return self.window(start, start + samples)

    def _jump(self, to: int) -> None:
        """Sets `sent`, and counts the samples that were taken since it was last set.

        So `take`, which is called for each frame, has nothing to count.
        """
        self._taken, self._replayed, self._furthest = self.taken, self.replayed, self.furthest
        self.sent = self._run_from = to

    def rewind(self, to: int) -> int:
        """Sets `sent` to sample `to`, so that the audio from there on is sent again, and returns it.

        Where `to` is outside of the audio that is kept, the nearest sample that is kept is taken.
        """
        self._jump(min(max(to, self.kept), self.captured))
        return self.sent

    def commit(self, to: int) -> None:
        """Call when the service has recognized all audio before sample `to`. Never moves `committed` back."""
        self.committed = max(self.committed, min(to, self.captured))

    def settle(self, to: int) -> None:
        """Call when the user has taken all events about the audio before sample `to`.

        What is committed of it becomes settled, and is dropped but for the lead-in.
        """
        self.settled = max(self.settled, min(to, self.committed))
        self._let_go(self.settled - self._lead_in)
        self.owed_from = max(self.settled, self.kept)

    def evict(self, to: int) -> tuple[int, int]:
        """Drops the audio before sample `to`, settled or not.

        Returns the start and end of the dropped audio that was not settled, which are equal where there was none.
        """
        before = self.owed_from
        self._let_go(min(to, self.captured))
        self.owed_from = max(before, self.kept)
        return before, self.owed_from

    def unacknowledged(self) -> tuple[int, bytes]:
        """Returns a copy of the audio that is neither settled nor evicted, after the sample at which it begins."""
        return self.owed_from, self.window(self.owed_from, self.captured)

    def window(self, start: int, end: int) -> bytes:
        """Returns a copy of the samples ``[start, end)``, as far as they are kept."""
        size, begins = self._frame_size, self._begins
        return bytes(self._buffer[(max(start, self.kept) - begins) * size : max(0, end - begins) * size])

    def _let_go(self, to: int) -> None:
        if to > self.kept:
            self.kept = to
            if self.sent < to:
                self._jump(to)
            dropped = (to - self._begins) * self._frame_size
            # Deleting at the front as often would have the buffer moved to a new place by nearly each append.
            if _DROPPED * dropped >= len(self._buffer):
                self._buffer = self._buffer[dropped:]
                self._begins = to
