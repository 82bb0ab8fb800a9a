"""The pytest plugin: the fixture ``gateway``, and a section on its connections in the report of a failed test.

The fixture needs pytest-trio. Without it, a test that asks for the fixture fails and says so.
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

    @pytest.fixture(name="gateway")
    def _gateway_without_pytest_trio() -> ScriptedGateway:
        """Fails the test and says what is missing: pytest alone would only say that there is no such fixture."""
        pytest.fail("the fixture gateway needs pytest-trio: pip install pytest-trio", pytrace=False)

else:
    _trio_fixture: Callable[[_Fixture], _Fixture] = trio_fixture

    @_trio_fixture
    async def gateway(request: pytest.FixtureRequest) -> AsyncGenerator[ScriptedGateway, None]:
        """A `ScriptedGateway` with exact times; set its ``manner`` and ``delivery`` to change how it behaves."""
        async with open_gateway() as opened:
            request.node.stash[_GATEWAY] = opened
            yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    opened = item.stash.get(_GATEWAY, None)
    if opened is not None and report.failed and opened.visits:
        report.sections.append(("Scripted gateway", "\n".join(map(_summary, opened.visits))))
    return report


def _summary(visit: Visit) -> str:
    ended = "open" if visit.ended is None else f"until {visit.ended:.3f}: {visit.outcome}"
    faults = "".join(f"; {fault} at {at:.3f}" for at, fault in visit.struck)
    complaints = f"; complaints: {visit.complaints}" if visit.complaints else ""
    what = f"heard {visit.heard:.3f} s, {len(visit.finals)} finals, {len(visit.texts)} texts"
    return f"visit {visit.number} {visit.endpoint or '?'} from {visit.dialed:.3f}, {ended}; {what}{faults}{complaints}"
