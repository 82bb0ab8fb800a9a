"""How patient a client is, how much audio it keeps, and how many connections: frozen values.

Every duration is in seconds. Each field is checked when the value is made: a `ConfigurationError` names the field and
the range that it must lie in.
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from .errors import ConfigurationError


def _check(policy: Struct, ranges: dict[str, tuple[float, float]]) -> None:
    """Raises `ConfigurationError` for the first field of `policy` outside its range of `ranges`."""
    for field, (low, high) in ranges.items():
        value, kind = getattr(policy, field), type(policy).__annotations__[field]
        whole, optional = "int" in kind, "None" in kind
        if value is None and optional:
            continue
        # bool is an int to Python, but max_attempts=True is a mistake; NaN fails the comparison.
        if isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and low <= value <= high:
            continue
        number = "a whole number" if whole else "a number"
        upper = " up" if high == math.inf else f" to {high:g}"
        otherwise = ", or None" if optional else ""
        raise ConfigurationError(
            f"{type(policy).__name__}.{field} is {value!r}: use {number} from {low:g}{upper}{otherwise}"
        )


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """When to reconnect after a connection failed, and when to give up.

    The first retry comes at once. Where many connections fail within a second, each waits a random time, so that they
    do not all dial together: up to ``base_delay``, or for the k-th of them up to
    ``base_delay * k / max_concurrent_dials``, whichever is more. The n-th retry after that waits a random time up to
    ``min(max_delay, base_delay * 2**n)``. While the service cannot be reached at all, few try and no `max_attempts` are
    given, it waits no longer than a quarter of the outage so far. A service's ``Retry-After`` is always obeyed.

    The count of attempts begins again when the service acknowledges audio or hands over speech, and when a connection
    has been up for `stable_after`. A handshake alone does not count: many services accept and then close.

    Fields:
        max_attempts: Attempts in a row without progress before `RetriesExhausted`; ``None``: as many as fit into
            `deadline`.
        base_delay: Seconds from which the waits grow, from 0.001 to 3,600.
        max_delay: The longest wait between two attempts, in seconds, from 0.001 to 86,400.
        deadline: Seconds that an outage may last before `RetriesExhausted`; ``None``: no limit.
        stable_after: Seconds after which a connection counts as working.
        max_concurrent_dials: Dials to one endpoint that may be under way at once, over all sessions of the client.
        fail_over_after: With several backends: seconds for which one but the last may be out before the next is tried.
            One that answers no dial at all is left sooner, usually after 1 to 1.5 s.
        return_after: With several backends: seconds between attempts to return to a better one; ``None``: never.
        bucket: Retries that all sessions of the client may make at one endpoint in a burst. It refills by one a second,
            and by one for each connection that proves stable.
    """

    max_attempts: int | None = None
    base_delay: float = 0.25
    max_delay: float = 20.0
    deadline: float | None = 120.0
    stable_after: float = 10.0
    max_concurrent_dials: int = 8
    fail_over_after: float = 2.0
    return_after: float | None = 60.0
    bucket: int = 500

    def __post_init__(self) -> None:
        _check(
            self,
            {
                "max_attempts": (0, math.inf),
                "base_delay": (0.001, 3_600),
                "max_delay": (0.001, 86_400),
                "deadline": (0, math.inf),
                "stable_after": (0, math.inf),
                "max_concurrent_dials": (1, 10_000),
                "fail_over_after": (0, math.inf),
                "return_after": (0.1, math.inf),
                "bucket": (1, math.inf),
            },
        )


class ReplayPolicy(Struct, frozen=True, kw_only=True):
    """How much audio is kept for a broken connection, and how it is sent, and sent again.

    A recognition session keeps all audio that the service has not yet acknowledged. After a reconnection that audio is
    sent again, so that no word is lost.

    Fields:
        limit: Seconds of audio that are kept at most, from 0.1 to 86,400.
        overflow: What happens at the limit. ``"wait"``: `Transcript.send` waits. ``"drop_oldest"``: the oldest audio is
            dropped, and a `Gap` names it. ``"error"``: `Transcript.send` raises `ReplayOverflow`.
        speed: How fast audio is sent again, as a multiple of real time, at least 1. ``None``: as fast as the service is
            known to take it. ``math.inf``: as fast as the network allows, whatever is known of the service.
        burst: Seconds of audio that are sent again at once, before `speed` applies. ``None``: as the service allows.
        lead_in: Seconds of audio before the resume point that are sent again too, from 0 to 30, as a recognizer that
            starts inside a word misreads it. Words that were final before are removed. Services with coarse word times
            get less, or none.
        max_replayed: Seconds of audio at most that one reconnection sends again. Older audio becomes a `Gap`. ``None``:
            all that is kept is sent.
        doubt: The share of all audio, from 0 to 1, that may be sent again because a service stayed silent about it,
            though it may be speech. What is sent again without an answer becomes a `Gap`.
        doubt_at_least: Seconds, from 0 to 86,400, that may be sent again for that reason, however short the session.
        frame_length: Seconds of audio in each message to the service, from 0.02 to 0.2; ``None``: as the service takes
            it best, 0.05 for most. Longer ones take less CPU, and results come as much later as they are longer.
        max_unread_bytes: Memory that unread final transcripts may take, at least 64 KiB. Beyond it the connection is
            closed and its audio kept until half are read. The 8 MiB are some hundred hours of speech.
    """

    limit: float = 60.0
    overflow: Literal["wait", "drop_oldest", "error"] = "wait"
    speed: float | None = None
    burst: float | None = None
    lead_in: float = 0.5
    max_replayed: float | None = None
    doubt: float = 0.1
    doubt_at_least: float = 30.0
    frame_length: float | None = None
    max_unread_bytes: int = 8 * 2**20

    def __post_init__(self) -> None:
        if self.overflow not in ("wait", "drop_oldest", "error"):
            raise ConfigurationError(
                f'ReplayPolicy.overflow is {self.overflow!r}: use "wait", "drop_oldest" or "error"'
            )
        _check(
            self,
            {
                "limit": (0.1, 86_400),
                "speed": (1.0, math.inf),
                "burst": (0, math.inf),
                "lead_in": (0, 30),
                "max_replayed": (0, math.inf),
                "doubt": (0, 1),
                "doubt_at_least": (0, 86_400),
                "frame_length": (0.02, 0.2),
                "max_unread_bytes": (2**16, math.inf),
            },
        )


class PoolPolicy(Struct, frozen=True, kw_only=True):
    """How many connections for speech synthesis a client keeps, and for how long.

    A synthesis leases a connection for a while and gives it back, so that the next one need not wait for a dial. When
    the pool is full, a new connection of another kind takes the place of the one that has been idle the longest. The
    attempt to return to a better backend does so too: with ``max_size=1`` it costs the only connection.

    Fields:
        max_size: Connections at most, from 1 to 10,000: leased, idle and being dialed together. Where several speech
            generations share one connection, each of them counts.
        min_idle: Idle connections that are kept ready once the pool is in use. At most `max_size`.
        max_idle_age: Seconds after which an idle connection is closed.
        max_age: Seconds after which a connection is closed once it is idle, at least 1. Services end connections after
            a fixed time; stay below that.
        age_jitter: The share of `max_age`, from 0 to 1, by which each connection's own limit is shortened at random, so
            that connections that were opened together do not end together.
        acquire_timeout: Seconds that a synthesis waits for a connection of a full pool.
    """

    max_size: int = 8
    min_idle: int = 0
    max_idle_age: float = 240.0
    max_age: float = 3_000.0
    age_jitter: float = 0.1
    acquire_timeout: float = 30.0

    def __post_init__(self) -> None:
        _check(
            self,
            {
                "max_size": (1, 10_000),
                "min_idle": (0, 10_000),
                "max_idle_age": (0, math.inf),
                "max_age": (1, math.inf),
                "age_jitter": (0, 1),
                "acquire_timeout": (0.001, math.inf),
            },
        )
        if self.min_idle > self.max_size:
            raise ConfigurationError(
                f"PoolPolicy.min_idle is {self.min_idle}, above max_size, {self.max_size}: use a number up to max_size"
            )


class LivenessPolicy(Struct, frozen=True, kw_only=True):
    """How soon a connection counts as dead, and how long each step of its life may take.

    Whatever a service sends is a sign of life. Where it owes something and says nothing for 0.6 s, it is asked by a
    ping. It is suspected when nothing at all comes for as long as its pings usually take, with a margin: from
    `suspect_after_min` to `suspect_after_max`. Each suspicion that was wrong doubles that for five minutes. A
    connection that owes nothing is found dead within ``ping_interval + ping_timeout``.

    Fields:
        ping_interval: Seconds between pings on an open connection, at least 0.01.
        ping_timeout: Seconds of silence after a ping, at least 0.01, after which a connection counts as dead, whatever
            excuses it.
        suspect_after_min: Seconds of silence after a ping, at least 0.01, before which no connection is suspected.
        suspect_after_max: Seconds of silence after a ping, no fewer than `suspect_after_min`, after which a connection
            is suspected, however slowly it has answered so far, and however often it was suspected wrongly; without
            such a suspicion, 2.5 s are the most. `ping_timeout` is a limit to both.
        standby: A second connection is dialed when one is suspected. It is sent the same audio, and takes over with its
            first new words, unless the suspect shows life before. A second one is dialed too when a handshake takes
            long, and when a service that showed interims says nothing of speech any more, though it answers pings.
            ``False``: a suspect is closed at once.
        connect_timeout: Seconds for one dial: credential, name, TCP, TLS, proxy and handshake together.
        close_timeout: Seconds for leaving a session before its end, and for closing a connection politely; from 0 to
            3,600.
        send_timeout: Seconds for one message to be taken by the network. A replay log that is four fifths full waits
            half of this for progress; then the session asks the service for a final transcript, which frees the log.
        progress_timeout: Seconds without any result, while speech is being sent and pings are answered, after which the
            connection counts as dead; ``None``: never, and no standby is dialed for that.
        max_message_bytes: Bytes of one message from a service, at least 64 KiB. A larger one is refused as soon as its
            size is announced, and counts as a `ProtocolError`.
    """

    ping_interval: float = 5.0
    ping_timeout: float = 5.0
    suspect_after_min: float = 0.4
    suspect_after_max: float = 4.0
    standby: bool = True
    connect_timeout: float = 10.0
    close_timeout: float = 2.0
    send_timeout: float = 10.0
    progress_timeout: float | None = 60.0
    max_message_bytes: int = 4 * 2**20

    def __post_init__(self) -> None:
        _check(
            self,
            {
                "ping_interval": (0.01, math.inf),
                "ping_timeout": (0.01, math.inf),
                "suspect_after_min": (0.01, math.inf),
                "suspect_after_max": (0.01, math.inf),
                "connect_timeout": (0.01, math.inf),
                "close_timeout": (0, 3_600),
                "send_timeout": (0.01, math.inf),
                "progress_timeout": (0.01, math.inf),
                "max_message_bytes": (2**16, math.inf),
            },
        )
        if self.suspect_after_min > self.suspect_after_max:
            raise ConfigurationError(
                f"LivenessPolicy.suspect_after_min is {self.suspect_after_min:g}, above suspect_after_max, "
                f"{self.suspect_after_max:g}: use a number up to suspect_after_max"
            )
        if not isinstance(self.standby, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"LivenessPolicy.standby is {self.standby!r}: use True or False")
