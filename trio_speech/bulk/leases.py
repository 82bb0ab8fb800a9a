"""Keeps limits over a whole cluster by a table of leases, first come, first served. Pure: it does no I/O.

A lease is the right to one unit of what is limited, such as one session or one dial at a service.

Laws:
    1. A lease begins only while fewer leases of its name are held than the last request for that name allowed.
    2. A lease ends when it is given back, by its holder or on its behalf.
    3. A request that cannot be met waits. Requests of one name are met in their order.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct


class Lease(Struct, frozen=True):
    """One lease, or the request for one.

    Fields:
        name: What is limited.
        ticket: The name of this lease, which no other has.
        holder: The worker that holds it.
    """

    name: str
    ticket: str
    holder: str


class LeaseTable:
    """All leases of a cluster."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}
        self._held: dict[str, dict[str, Lease]] = {}
        self._waiting: dict[str, deque[Lease]] = {}

    def request(self, lease: Lease, most: int) -> list[Lease]:
        """Requests a lease; at most `most` of its name may be held. Returns the leases that begin now."""
        self._most[lease.name] = most
        self._waiting.setdefault(lease.name, deque()).append(lease)
        return self._begin(lease.name)

    def give_back(self, name: str, ticket: str) -> list[Lease]:
        """Ends a lease, or drops the request for it; does nothing if it is unknown.

        Returns the leases that begin now.
        """
        self._held.get(name, {}).pop(ticket, None)
        waiting = self._waiting.get(name, deque())
        self._waiting[name] = deque(lease for lease in waiting if lease.ticket != ticket)
        return self._begin(name)

    def held_by(self, holder: str) -> list[Lease]:
        """Returns the leases that `holder` has."""
        return [lease for held in self._held.values() for lease in held.values() if lease.holder == holder]

    def withdraw(self, holder: str) -> None:
        """Drops all waiting requests of a holder. It keeps its leases."""
        for name, waiting in self._waiting.items():
            self._waiting[name] = deque(lease for lease in waiting if lease.holder != holder)

    def _begin(self, name: str) -> list[Lease]:
        held, waiting, begun = self._held.setdefault(name, {}), self._waiting[name], list[Lease]()
        while waiting and len(held) < self._most.get(name, 0):
            lease = waiting.popleft()
            held[lease.ticket] = lease
            begun.append(lease)
        return begun
