"""The figures that sessions and clients give of themselves: frozen records, made anew by each `statistics()`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct


class TranscriptStatistics(Struct, frozen=True, kw_only=True):
    """The figures of a recognition session so far. Durations are seconds of audio unless said otherwise.

    Fields:
        captured: Audio that the program has given to the session.
        settled: Audio covered by a delivered final, or by silence that the service has acknowledged.
        replayed: Audio that was sent a second time, or more often.
        billed: Audio sent on all connections together, replays and filler too: what a service may charge for.
        in_gaps: Audio that was lost, and that a `Gap` names.
        unsettled: Audio that is neither settled nor in a gap: what `Transcript.unacknowledged` returns, and audio that
            was sent, is no longer kept, and may still be recognized.
        backlog: Audio that is captured and not yet sent on the current connection.
        catch_up: Seconds of real time until the backlog is sent, estimated; infinite where it does not shrink.
        links: Connections that were opened.
        finals: Final transcripts that were delivered.
        repeated_words: Words that came a second time after a reconnection, and were removed.
        repeated_finals: Finals that came a second time as a whole, and were skipped.
        unknown_messages: Messages of the service of a type that this version does not know. They were skipped.
        suspected: How often a connection was suspected to be dead, since it had gone silent.
        cleared: How often a suspect connection showed life before another took its place.
        endpoint: The address of the service in use, or else of the one used last; empty before the first connection. It
            tells which of several backends serves.
        anchors: Pairs of stream time and POSIX time, one wherever the two drifted apart; `captured_at` uses them.
    """

    captured: float
    settled: float
    replayed: float
    billed: float
    in_gaps: float
    unsettled: float
    backlog: float
    catch_up: float
    links: int
    finals: int
    repeated_words: int
    repeated_finals: int
    unknown_messages: int
    suspected: int = 0
    cleared: int = 0
    endpoint: str = ""
    anchors: tuple[tuple[float, float], ...] = ()

    def captured_at(self, seconds: float) -> float:
        """The POSIX time at which the audio at `seconds` on the stream's clock was captured.

        Raises `ValueError` before anything was captured.
        """
        captured = wall_time_at([stream for stream, _ in self.anchors], [wall for _, wall in self.anchors], seconds)
        if captured is None:
            raise ValueError("nothing has been captured yet: send audio first")
        return captured


def wall_time_at(streams: Sequence[float], walls: Sequence[float], seconds: float) -> float | None:
    """The wall time of stream time `seconds`, by the last anchor at or before it; ``None`` without anchors.

    `streams` and `walls` are the two sides of the anchors, in stream order.
    """
    if not streams:
        return None
    index = max(0, bisect_right(streams, seconds) - 1)
    return walls[index] + seconds - streams[index]


class SpeechStatistics(Struct, frozen=True, kw_only=True):
    """The figures of a synthesis session so far.

    Fields:
        segments: Segments of text (usually sentences) that were taken, those included that `Speech.clear` dropped.
        requests: Segments sent to a service, repeats included.
        characters: Characters sent to a service, repeats included: what a service bills.
        characters_repeated: Characters that were sent a second time, or more often.
        received: Seconds of audio that came, repeats included.
        handed_over: Seconds of audio that iteration has returned.
        buffered: Seconds of audio that wait to be returned.
        drops: Connections lost while text was waiting to be spoken.
        restarts: Times that the whole text began again, under ``resume="restart"``.
        endpoint: The address of the service that speaks, or else of the one that spoke last; empty before that.
    """

    segments: int
    requests: int
    characters: int
    characters_repeated: int
    received: float
    handed_over: float
    buffered: float
    drops: int
    restarts: int
    endpoint: str = ""


class PoolStatistics(Struct, frozen=True, kw_only=True):
    """The figures of a client's pool of connections for synthesis: how it stands, and what it has seen so far.

    Fields:
        idle: Connections that wait to be used.
        leased: Connections in use by a session.
        dialing: Connections that are being made.
        draining: Connections that were returned in the middle of a generation, whose end is being waited for.
        waiting: Sessions that wait for a connection.
        dialed: Connections that were made.
        dials_failed: Dials that failed.
        reused: Leases of a connection that had served before.
        drained: Connections that were kept because an abandoned generation ended soon.
        dead_found: Idle connections that were found dead, by a close, a reset or an unanswered ping, before anybody
            needed them.
        doubted: Idle connections that were closed because a ping on another one had failed.
        expired: Idle connections that were closed for their age.
        evicted: Idle connections that were closed to make room for another kind.
        ping: Seconds that the last answered ping took; ``None`` before there was one.
        ping_worst: Seconds that the slowest answered ping took; ``None`` before there was one.
    """

    idle: int
    leased: int
    dialing: int
    draining: int
    waiting: int
    dialed: int
    dials_failed: int
    reused: int
    drained: int
    dead_found: int
    doubted: int
    expired: int
    evicted: int
    ping: float | None
    ping_worst: float | None

    @property
    def dialling(self) -> int:
        """The same as `dialing`, by its former name."""
        return self.dialing

    @property
    def dialled(self) -> int:
        """The same as `dialed`, by its former name."""
        return self.dialed
