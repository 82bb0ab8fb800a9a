"""All of these tests run on virtual time, against peers that break every rule."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_speech.testing import ScriptedGateway

from .wild import Wild


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.add_marker(pytest.mark.trio(run=_on_virtual_time))


def _on_virtual_time(main: Any, *, clock: Any = None, instruments: Any = ()) -> Any:
    return trio.run(main, clock=clock or MockClock(autojump_threshold=0), instruments=instruments)


@pytest.fixture
async def wild(gateway: ScriptedGateway) -> AsyncGenerator[Wild, None]:
    """Answers dials as it is told to; when it has been told nothing more, the scripted gateway does."""
    async with trio.open_nursery() as nursery:
        yield Wild(gateway, nursery)
        nursery.cancel_scope.cancel()
