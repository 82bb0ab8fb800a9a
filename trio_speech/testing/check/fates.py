"""Law 8: an error of the service is retried if and only if another connection may succeed.

The truth is the wire's: see `Wire.fates`. A fate that the wire does not name cannot be checked.
"""

from __future__ import annotations

from functools import partial

from ..._core.provider.profile import Fate
from ...errors import SpeechError
from ..scripted.faults import Close, InBandError
from .laws import Case, demand
from .learning import learned
from .running import run
from .setup import Setup, Side
from .usual_session import IN_ITS_MIDST, use


def check_fates(setup: Setup, side: Side) -> None:
    """Raises `LawBroken` where a session gives up after an error that passes, or goes on after one that does not."""
    wire = setup.wire(learned(setup, side).visits[0])
    for end, fate in wire.fates.items():
        case = Case(f"{side}, {end!r}, whose fate is {fate!r}", (IN_ITS_MIDST[side], end))
        run(case, partial(_session, setup, side, end, fate))


async def _session(setup: Setup, side: Side, end: InBandError | Close, fate: Fate, case: Case) -> None:
    error = None
    async with setup.client(case.plan) as (client, gateway):
        try:
            await use(setup, client, side)
        except SpeechError as raised:
            error = raised
        dials = len(gateway.visits)
    if not gateway.visits[0].struck:
        return  # a shortened history without the error
    if fate == "retry":
        demand(error is None, f"another connection may succeed, and the session gave up: {error}")
        demand(dials > 1, "the codec told nobody of the error: decode it as Failure")
        return
    demand(error is not None, f"no other connection can succeed, and the session went on ({dials} dials)")
    demand(dials == 1, f"no other connection can succeed, and the session dialed {dials} times before it gave up")
    if isinstance(end, InBandError):
        demand(end.message in str(error), f"the service said {end.message!r}, and the user is told {str(error)!r}")
