"""The fixtures that users of the package get from its pytest plugin, also where it is not installed."""

from __future__ import annotations

import functools
import inspect
import random
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from hypothesis import settings

pytest_plugins = ["trio_speech.testing.plugin", "pytester"]

# How long an example takes says something about the machine, and a failure must come again on the next run.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
settings.load_profile("repeatable")

# A shell has what it runs in the background ignore Ctrl-C, and some tests are about just that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Tasks that are ready at once run in random order, and waits are jittered: for each test alike on each run."""
    trio._core._run._r.seed(item.nodeid)
    random.seed(item.nodeid)


def pytest_itemcollected(item: pytest.Item) -> None:
    """A cancellation that leaks out of a test would end it in silence, and so let it pass."""
    if isinstance(item, pytest.Function):
        owner, name = (item.obj.hypothesis, "inner_test") if hasattr(item.obj, "hypothesis") else (item, "obj")
        test = getattr(owner, name)
        if inspect.iscoroutinefunction(test):
            setattr(owner, name, _not_cancelled(test))


def _not_cancelled(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def not_cancelled(*args: Any, **kwargs: Any) -> None:
        try:
            await test(*args, **kwargs)
        except trio.Cancelled as error:
            raise AssertionError("a cancellation left the test") from error
        except BaseExceptionGroup as group:
            if group.split(trio.Cancelled)[1] is None:
                raise AssertionError("a cancellation left the test") from group
            raise

    return not_cancelled
