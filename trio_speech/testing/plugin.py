"""The pytest plugin: the fixture ``gateway``, and what the gateway saw in the report of a test that failed with it.

It needs pytest-trio; without it, there is no fixture.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator

import pytest

from .scripted.gateway import ScriptedGateway, open_gateway
from .scripted.visits import Visit

_GATEWAY = pytest.StashKey[ScriptedGateway]()

_Fixture = Callable[[pytest.FixtureRequest], AsyncGenerator[ScriptedGateway, None]]

try:
    from pytest_trio import trio_fixture  # type: ignore[import-untyped]
except ImportError:  # pragma: no cover
    pass
else:
    _trio_fixture: Callable[[_Fixture], _Fixture] = trio_fixture

    @_trio_fixture
    async def gateway(request: pytest.FixtureRequest) -> AsyncGenerator[ScriptedGateway, None]:
        """A scripted gateway of exact manners; set its ``manner`` and ``delivery`` to have it otherwise."""
        async with open_gateway() as opened:
            request.node.stash[_GATEWAY] = opened
            yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    opened = item.stash.get(_GATEWAY, None)
    if opened is not None and report.failed and opened.visits:
        report.sections.append(("Scripted gateway", "\n".join(map(_line, opened.visits))))
    return report


def _line(visit: Visit) -> str:
    ended = "open" if visit.ended is None else f"until {visit.ended:.3f}: {visit.outcome}"
    faults = "".join(f"; {fault} at {at:.3f}" for at, fault in visit.struck)
    complaints = f"; complaints: {visit.complaints}" if visit.complaints else ""
    what = f"heard {visit.heard:.3f} s, {len(visit.finals)} finals, {len(visit.texts)} texts"
    return f"visit {visit.number} {visit.endpoint or '?'} from {visit.dialed:.3f}, {ended}; {what}{faults}{complaints}"
