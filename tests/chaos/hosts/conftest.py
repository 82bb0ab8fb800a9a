"""Prints what came of each session between two hosts."""

from __future__ import annotations

import pytest

_JOURNEYS = pytest.StashKey[list[str]]()


@pytest.fixture
def journeys(request: pytest.FixtureRequest) -> list[str]:
    """A line for each."""
    return request.config.stash.setdefault(_JOURNEYS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(_JOURNEYS, [])
    if lines:
        terminalreporter.section("two hosts")
        for line in lines:
            terminalreporter.write_line(line)
