from __future__ import annotations

from typing import Any

import pytest

from trio_speech._core.pool.actions import PooledEntry, Waiter


def entry(**changes: Any) -> PooledEntry:
    fields: dict[str, Any] = {"number": 5, "key": "a", "state": "idle", "ticket": None, "begun": 5.0, "since": 5.0}
    return PooledEntry(**fields | {"ends": 9.0} | changes)


@pytest.mark.parametrize(
    ("changes", "any_will_do", "fresh_will_do"),
    [
        ({}, True, True),
        ({"used": True}, True, False),
        ({"number": 4}, True, False),
        ({"key": "b"}, False, False),
        ({"state": "leased"}, False, False),
        ({"state": "draining"}, False, False),
        ({"ends": 6.0}, False, False),
    ],
)
def test_which_connections_a_request_and_a_fresh_request_take(
    changes: dict[str, Any], any_will_do: bool, fresh_will_do: bool
) -> None:
    assert Waiter(1, "a", fresh=False, after=4).takes(entry(**changes), 6.0) is any_will_do
    assert Waiter(1, "a", fresh=True, after=4).takes(entry(**changes), 6.0) is fresh_will_do
