"""The fixtures that users of the package get from its pytest plugin, also where it is not installed."""

from __future__ import annotations

import random
import signal

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
