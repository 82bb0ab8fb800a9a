"""Gives each scripted gateway an address of its own.

A client keeps one state for each endpoint: whether it is down, how long its dials take. Two gateways with one address
would share that state, and a test of failing over from one to the other would test something else.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

_taken: set[str] = set()


@contextmanager
def own_address() -> Generator[str, None, None]:
    """Lends an address that no other open gateway has. The first is always the same, so that tests can name it."""
    names = (f"gateway-{number}" if number > 1 else "gateway" for number in count(1))
    address = next(each for name in names if (each := f"ws://{name}.test/v1") not in _taken)
    _taken.add(address)
    try:
        yield address
    finally:
        _taken.discard(address)
