"""What runs in Dask's scheduler: the table of leases that keeps limits over the whole cluster.

A worker asks and gives back over the stream that it has to the scheduler anyway, and is answered over the same. So what
a worker holds is known to be free as soon as Dask knows that the worker is dead. `distributed.Semaphore` would hold it
for another half a minute, and a cluster that loses a worker every few seconds would stand still.
"""

from __future__ import annotations

import asyncio
from typing import Any

from distributed import Scheduler, SchedulerPlugin

from .leases import Lease, LeaseTable

NAME = "trio-speech-limits"
REQUEST, GIVE_BACK, GRANTED = "trio-speech-request", "trio-speech-give-back", "trio-speech-granted"
_AFTER_DEATH = 1.0
"""Seconds for which a dead worker's leases are held. Its dials of the last second count still, and the service may not
have seen yet that its streams are gone."""


class LeasePlugin(SchedulerPlugin):
    """Grants leases to workers. One for all archives of a cluster, so that they share the limits of an endpoint."""

    name = NAME
    idempotent = True

    def __init__(self) -> None:
        self._table = LeaseTable()

    async def start(self, scheduler: Scheduler) -> None:
        """Called by Dask, in the scheduler."""
        self._scheduler: Any = scheduler
        self._scheduler.stream_handlers |= {REQUEST: self._request, GIVE_BACK: self._give_back}

    def remove_worker(self, scheduler: Scheduler, worker: str, **_: Any) -> None:
        """Called by Dask when a worker is gone."""
        self._table.withdraw(worker)
        for lease in self._table.held_by(worker):
            self._end(lease.name, lease.ticket, _AFTER_DEATH)

    def _request(self, name: str, ticket: str, most: int, worker: str, **_: Any) -> None:
        self._grant(self._table.request(Lease(name, ticket, worker), most))

    def _give_back(self, name: str, ticket: str, after: float, **_: Any) -> None:
        self._end(name, ticket, after)

    def _end(self, name: str, ticket: str, after: float) -> None:
        def end() -> None:
            self._grant(self._table.give_back(name, ticket))

        asyncio.get_running_loop().call_later(after, end)

    def _grant(self, begun: list[Lease]) -> None:
        for lease in begun:
            if lease.holder in self._scheduler.workers:
                self._scheduler.worker_send(lease.holder, {"op": GRANTED, "ticket": lease.ticket})
