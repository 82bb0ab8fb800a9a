"""How patient, how careful and how greedy a client is: frozen values, validated when they are made.

Every duration is in seconds. A value out of its range raises `ConfigurationError` naming the field and the range.
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from .errors import ConfigurationError


def _check(policy: Struct, ranges: dict[str, tuple[float, float]]) -> None:
    for field, (low, high) in ranges.items():
        value, kind = getattr(policy, field), type(policy).__annotations__[field]
        whole, optional = "int" in kind, "None" in kind
        if value is None and optional:
            continue
        if isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and low <= value <= high:
            continue
        number = "a whole number" if whole else "a number"
        upper = " up" if high == math.inf else f" to {high:g}"
        otherwise = ", or None" if optional else ""
        raise ConfigurationError(
            f"{type(policy).__name__}.{field} is {value!r}: use {number} from {low:g}{upper}{otherwise}"
        )


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """When to dial again after a link failed.

    The first retry of a link that fails alone comes at once, and of the k-th that fails within a second at a random
    time within ``base_delay``, or ``base_delay * k / max_concurrent_dials`` where that is more; the n-th after that
    waits a random time between 0 and ``min(max_delay, base_delay * 2**n)``. A server's ``Retry-After`` is obeyed. The
    budget of attempts refills when the service commits audio, or when a link has been up for `stable_after`; a mere
    handshake refills nothing.
    """

    max_attempts: int | None = None
    """Attempts in a row without progress before `RetriesExhausted`; ``None``: as many as `deadline` allows."""
    base_delay: float = 0.25
    max_delay: float = 20.0
    deadline: float | None = 120.0
    """How long an outage may last; ``None``: for ever."""
    stable_after: float = 10.0
    max_concurrent_dials: int = 8
    """Dials under way at once to one endpoint, over all sessions of the client."""
    return_after: float | None = 60.0
    """With several backends: seconds between attempts to return to a better one; ``None``: never return."""
    bucket: int = 500
    """Retries that all sessions of the client may spend on one endpoint before they must wait for it to refill, which
    it does at one a second and at one for each link that proves stable."""

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
                "return_after": (0.1, math.inf),
                "bucket": (1, math.inf),
            },
        )


class ReplayPolicy(Struct, frozen=True, kw_only=True):
    """What is kept for a broken connection, and how it is played again."""

    limit: float = 60.0
    """Seconds of audio kept that is captured and not yet settled."""
    overflow: Literal["wait", "drop_oldest", "error"] = "wait"
    """At the limit: hold `send` back, drop the oldest audio (a `Gap` for each run), or raise `ReplayOverflow`."""
    speed: float | None = None
    """Pace of the catch-up as a multiple of real time; ``None``: what the provider's profile allows, which may be
    unlimited; ``math.inf``: unlimited whatever the profile says."""
    lead_in: float = 0.5
    """Seconds of already final audio played again before the resume point, so that the recognizer has context; the
    words in it are reconciled away. A profile whose word times do not carry this allows less."""
    max_replayed: float | None = None
    """Seconds of audio at most that one reconnection pays for twice; what is older becomes a `Gap`."""

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
                "lead_in": (0, 30),
                "max_replayed": (0, math.inf),
            },
        )


class PoolPolicy(Struct, frozen=True, kw_only=True):
    """How many speech connections a client keeps, and for how long."""

    max_size: int = 8
    """Connections at most, leased, idle and dialing together. Where generations share one, each of them counts.

    What is asked for, made ready, or tried to return to a better backend takes the place of the longest idle: with one
    place, such a try costs the connection in it.
    """
    min_idle: int = 0
    """Warm spares kept ready once the pool is in use."""
    max_idle_age: float = 240.0
    max_age: float = 3_000.0
    age_jitter: float = 0.1
    """Fraction of `max_age` by which each connection's own age limit is shortened at random."""
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
            raise ConfigurationError(f"PoolPolicy.min_idle is {self.min_idle}, above max_size, {self.max_size}")


class LivenessPolicy(Struct, frozen=True, kw_only=True):
    """How soon a peer counts as gone. A half-open connection is found within ``ping_interval + ping_timeout``."""

    ping_interval: float = 5.0
    ping_timeout: float = 5.0
    connect_timeout: float = 10.0
    """For one dial: credential, name, TCP, TLS, proxy and handshake together."""
    close_timeout: float = 2.0
    """For leaving a session before its end, and for a farewell to a peer."""
    send_timeout: float = 10.0
    """For one frame to be taken by the transport. Half of it is how long a log at four fifths of its limit waits for
    progress before the session asks for what is pending to be final."""
    progress_timeout: float | None = 60.0
    """Pongs come, speech is being heard and sent, yet no result comes: after so long the link counts as dead."""

    def __post_init__(self) -> None:
        _check(
            self,
            {
                "ping_interval": (0.01, math.inf),
                "ping_timeout": (0.01, math.inf),
                "connect_timeout": (0.01, math.inf),
                "close_timeout": (0, 3_600),
                "send_timeout": (0.01, math.inf),
                "progress_timeout": (0.01, math.inf),
            },
        )
