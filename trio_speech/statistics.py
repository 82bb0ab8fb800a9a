"""What sessions and clients tell of themselves: frozen records, made anew by each call of `statistics()`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct


class TranscriptStatistics(Struct, frozen=True, kw_only=True):
    """A session so far. Durations are in seconds of audio, unless said otherwise."""

    captured: float
    settled: float
    """Covered by a delivered final or an acknowledged silence."""
    replayed: float
    """Sent a second time, or more."""
    billed: float
    """Sent on all links together, replays included: what a service may charge for."""
    in_gaps: float
    unsettled: float
    """Neither of these yet: what `Transcript.unacknowledged` has, and what is no longer kept and may still be heard."""
    backlog: float
    """Captured and not yet sent on the current link."""
    catch_up: float
    """Estimated seconds of real time until the backlog is gone; infinite where the pace does not allow it."""
    links: int
    """Connections that were opened."""
    finals: int
    repeated_words: int
    """Words that a replay brought a second time, and that were reconciled away."""
    repeated_finals: int
    unknown_messages: int
    anchors: tuple[tuple[float, float], ...] = ()
    """Pairs of stream time and POSIX time, wherever the two drifted apart: see `captured_at`."""

    def captured_at(self, seconds: float) -> float:
        """The POSIX time at which the audio at `seconds` on the stream's clock was captured.

        Raises `ValueError` before anything was captured.
        """
        captured = wall_time_at([stream for stream, _ in self.anchors], [wall for _, wall in self.anchors], seconds)
        if captured is None:
            raise ValueError("nothing has been captured yet")
        return captured


def wall_time_at(streams: Sequence[float], walls: Sequence[float], seconds: float) -> float | None:
    if not streams:
        return None
    index = max(0, bisect_right(streams, seconds) - 1)
    return walls[index] + seconds - streams[index]


class SpeechStatistics(Struct, frozen=True, kw_only=True):
    """The figures of a synthesis so far; durations are seconds of audio."""

    segments: int
    """Segments of text taken, those included that `clear` dropped."""
    requests: int
    """Segments asked for, repeats included."""
    characters: int
    """Characters sent, repeats included: what a service bills."""
    characters_repeated: int
    received: float
    """Audio that came, repeats included."""
    handed_over: float
    """Audio that iteration has returned."""
    buffered: float
    """Audio that waits to be returned."""
    drops: int
    """Links lost while text was outstanding."""
    restarts: int
    """Times that the whole text began again, under ``resume="restart"``."""


class PoolStatistics(Struct, frozen=True, kw_only=True):
    """A client's pool of speech connections: how it stands, and what it has seen."""

    idle: int
    leased: int
    dialing: int
    draining: int
    """Returned in the middle of a generation, whose end is being waited for."""
    waiting: int
    """Sessions that wait for a connection."""
    dialed: int
    dials_failed: int
    reused: int
    """Leases of a connection that had served before."""
    drained: int
    """Connections kept because an abandoned generation ended soon."""
    dead_found: int
    """Idle connections found dead, by a close, a reset or a ping, before anybody needed them."""
    doubted: int
    """Idle connections closed because a ping on another one had failed."""
    expired: int
    evicted: int
    """Idle connections closed to make room for another kind."""
    ping: float | None
    """Seconds that the last answered ping took; ``None`` before there was one."""
    ping_worst: float | None
