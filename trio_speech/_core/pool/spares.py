"""Decides when spare connections are dialed, to keep `PoolPolicy.min_idle` of them ready.

A *spare* is a connection that is idle or being dialed, and that no request waits for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

from ...policy import PoolPolicy

SPARE_PAUSE = 5.0
"""Seconds without a dial for spares after any dial failed, or a new connection ended before it was leased."""


class Spares:
    """The keys in use, for which spares are kept. `spare(key)` must return how many spares there are for a key."""

    def __init__(self, policy: PoolPolicy, spare: Callable[[Hashable], int]) -> None:
        # With no idle age, a spare would be closed in the moment in which it is ready, and dialed again.
        self._wanted = policy.min_idle if policy.max_idle_age > 0 else 0
        self._max_idle_age = policy.max_idle_age
        self._spare = spare
        self._last_used: dict[Hashable, float] = {}
        self._not_before = 0.0

    @property
    def keys(self) -> set[Hashable]:
        """The keys that were used lately, within `PoolPolicy.max_idle_age`."""
        return set(self._last_used)

    def used(self, key: Hashable, now: float) -> None:
        """Call when a connection for `key` is leased."""
        self._last_used[key] = now

    def pause(self, since: float) -> None:
        """Stops the dials for spares for `SPARE_PAUSE` from the moment `since`, because the service may be down."""
        self._not_before = max(self._not_before, since + SPARE_PAUSE)

    def end(self) -> None:
        """Call when no spares are needed any more."""
        self._last_used.clear()

    def expire(self, now: float, is_leased: Callable[[Hashable], int]) -> None:
        """Forgets the keys that were not used for `max_idle_age`. `is_leased(key)`: how many connections are leased."""
        for key, used in list(self._last_used.items()):
            if now >= used + self._max_idle_age and not is_leased(key):
                del self._last_used[key]

    def lacking(self, now: float) -> Hashable | None:
        """Returns a key for which a spare should be dialed now; ``None`` where there is none."""
        return self._first_lacking() if now >= self._not_before else None

    def due(self) -> float:
        """Returns the moment from which `lacking` returns a key; infinite where none lacks a spare."""
        return math.inf if self._first_lacking() is None else self._not_before

    def _first_lacking(self) -> Hashable | None:
        return next((key for key in self._last_used if self._spare(key) < self._wanted), None)
