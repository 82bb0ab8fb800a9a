"""A plugin for Dask's scheduler, which keeps limits over the whole cluster by granting leases to workers.

A lease is the right to one session, or to one dial (see `leases`). Workers request leases and give them back over the
stream that each has to the scheduler anyway. So leases become free soon after Dask knows that their worker is dead.
`distributed.Semaphore` would hold them for another half a minute, and a cluster that loses a worker every few seconds
would stand still.
"""

from __future__ import annotations

import asyncio
from typing import Any

from distributed import Scheduler, SchedulerPlugin

from .leases import Lease, LeaseTable

NAME = "trio-speech-limits"
REQUEST, GIVE_BACK, GRANTED = "trio-speech-request", "trio-speech-give-back", "trio-speech-granted"
_AFTER_DEATH = 5.0
"""Seconds for which a dead worker's leases stay taken: its dials of the last second still count, and a busy service
notices late that its streams are gone."""
_AFTER_RESTART = 8.0
"""Seconds for which a restarted scheduler grants nothing: the workers of the last one hold leases that it does not
know, and are about to end."""


class LeasePlugin(SchedulerPlugin):
    """Grants leases to workers. All archives of a cluster share one, and so share the limits of an endpoint.

    Args:
        after_loss: Whether the last scheduler was lost.
    """

    name = NAME
    idempotent = True

    def __init__(self, *, after_loss: bool) -> None:
        self._table = LeaseTable()
        self._wait = _AFTER_RESTART if after_loss else 0.0
        self._grants_from = 0.0

    async def start(self, scheduler: Scheduler) -> None:
        """Called by Dask, in the scheduler."""
        self._scheduler: Any = scheduler
        self._grants_from = asyncio.get_running_loop().time() + self._wait
        self._scheduler.stream_handlers |= {REQUEST: self._request, GIVE_BACK: self._give_back}

    def remove_worker(self, scheduler: Scheduler, worker: str, **_: Any) -> None:
        """Called by Dask when a worker is gone: drops its requests, and ends its leases after `_AFTER_DEATH`."""
        self._table.withdraw(worker)
        for lease in self._table.held_by(worker):
            self._end(lease.name, lease.ticket, _AFTER_DEATH)

    def _request(self, name: str, ticket: str, most: int, worker: str, **_: Any) -> None:
        def request() -> None:
            if worker in self._scheduler.workers:
                self._grant(self._table.request(Lease(name, ticket, worker), most))

        loop = asyncio.get_running_loop()
        if loop.time() < self._grants_from:
            loop.call_at(self._grants_from, request)
        else:
            request()

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
