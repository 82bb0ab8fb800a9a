"""Spare connections: how many are idle or being dialed beyond those that somebody waits for (`PoolPolicy.min_idle`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

from ...policy import PoolPolicy

SPARE_PAUSE = 5.0
"""Seconds without a dial for spares after one that failed, or that opened and ended before it was leased."""


class Spares:
    """The keys in use, for which spares are kept. `spare(key)` counts the spares that there are for a key."""

    def __init__(self, policy: PoolPolicy, spare: Callable[[Hashable], int]) -> None:
        # With no idle age, a spare would be closed in the moment in which it is ready, and dialed again.
        self._wanted = policy.min_idle if policy.max_idle_age > 0 else 0
        self._max_idle_age = policy.max_idle_age
        self._spare = spare
        self._last_used: dict[Hashable, float] = {}
        self._not_before = 0.0

    @property
    def keys(self) -> set[Hashable]:
        """The keys that were in use lately."""
        return set(self._last_used)

    def used(self, key: Hashable, now: float) -> None:
        """A connection for `key` is being leased."""
        self._last_used[key] = now

    def pause(self, since: float) -> None:
        """Dials for nobody are of no use for `SPARE_PAUSE` from the moment `since`: the service may be out."""
        self._not_before = max(self._not_before, since + SPARE_PAUSE)

    def end(self) -> None:
        """No spares are needed any more."""
        self._last_used.clear()

    def expire(self, now: float, is_leased: Callable[[Hashable], int]) -> None:
        """Forgets the keys that have not been in use for as long as an idle connection is kept."""
        for key, used in list(self._last_used.items()):
            if now >= used + self._max_idle_age and not is_leased(key):
                del self._last_used[key]

    def lacking(self, now: float) -> Hashable | None:
        """A key for which a spare is to be dialed now, if there is room for it."""
        return self._first_lacking() if now >= self._not_before else None

    def due(self) -> float:
        """From when on `lacking` returns a key."""
        return math.inf if self._first_lacking() is None else self._not_before

    def _first_lacking(self) -> Hashable | None:
        return next((key for key in self._last_used if self._spare(key) < self._wanted), None)
