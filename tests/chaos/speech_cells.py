"""The table of syntheses: each fault in each phase of a connection that speaks, waits in the pool, or is dialed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from msgspec.structs import replace

from trio_speech.testing import Await, Delivery, Idle, Lapse, Speak, Step

from . import cells
from .cells import OF_A_DIAL, Cell

FAULTS = {name: fault for name, fault in cells.FAULTS.items() if name != "delay"}

PAUSE = 8.0
"""Seconds between two syntheses: no sentence takes as long, so that only pooled connections are idle for `IDLE`."""
IDLE = (5.0, 7.0)
STRETCHED = 0.3
"""Seconds after which a `stretched` voice has said all its audio, and not yet that it is done."""

PHASES: Mapping[str, Callable[[Random], tuple[Step, ...]]] = {
    "dial": lambda _: (),
    "create": lambda _: (Await("create"),),
    "before audio": lambda random: (Await("text", random.randint(1, 2)),),
    "mid-word": lambda random: (Await("text", random.randint(1, 2)), Speak(random.uniform(0.01, 0.1))),
    "mid-sentence": lambda random: (Speak(random.uniform(0.1, 2.0)),),
    "before done": lambda random: (Await("flush", random.randint(1, 2)), Lapse(STRETCHED)),
    "after done": lambda random: (Await("done", random.randint(1, 2)),),
    "idle": lambda random: (Idle(random.uniform(*IDLE)),),
}

CELLS = [Cell(fault, phase) for fault in FAULTS for phase in PHASES if phase == "dial" or fault not in OF_A_DIAL]


def steps_of(cell: Cell, random: Random) -> tuple[Step, ...]:
    """How the plan gets there; the last step is the fault."""
    return (*PHASES[cell.phase](random), FAULTS[cell.fault](random))


def stretched(delivery: Delivery) -> Delivery:
    """The same voice, all of whose audio comes at once, and its end much later."""
    return replace(delivery, chunk=60.0, speed=1.0, latency=0.0)
