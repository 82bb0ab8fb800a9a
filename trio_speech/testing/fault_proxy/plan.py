"""What a fault proxy does to each connection, as data; pure.

    seed = 7                     # of all that is drawn at random
    then = "repeat"              # connections after those below: "repeat" these, or "pass" untouched

    [[connection]]               # the first one
    [[connection.step]]
    do = "shape"                 # at once: 40 to 60 ms late each way, 32 kB a second toward the service
    latency = 0.04
    jitter = 0.02
    [[connection.step]]
    do = "shape"
    direction = "up"
    bandwidth = 32_000
    [[connection.step]]
    up = 90_000                  # when so many more bytes have gone up: to the byte, so in mid-frame if need be
    do = "reset"

Steps are taken in order. Each waits for `after` seconds, or for so many bytes `up` (to the service) or `down` (to the
client), counted from the step before it; a pair, as in ``after = [2.0, 9.0]``, is drawn between. With none of the three
a step is taken at once. `Reset`, `End`, `HalfOpen` and `Garbage` end a connection, so nothing comes after them.
"""

from __future__ import annotations

import math
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator
from random import Random
from typing import Annotated, Literal, TypeAlias, cast

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from ...errors import ConfigurationError

Direction: TypeAlias = Literal["up", "down"]
"""To the service, or to the client."""

_Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=86_400)]


class _Step(Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    """Holds when a step is taken; see the module. No `Meta` here: msgspec mixes up bounds of numbers and of arrays."""

    after: float | tuple[float, ...] | None = None
    up: int | tuple[int, ...] | None = None
    down: int | tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        given = {name: value for name in ("after", "up", "down") if (value := getattr(self, name)) is not None}
        if len(given) > 1:
            raise ValueError(f"a step waits for one of {' and '.join(given)}, not for more")
        for name, value in given.items():
            bounds = value if isinstance(value, tuple) else (value, value)
            if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] < math.inf:
                raise ValueError(f"{name} is {value!r}: use a number from 0 up, or a pair of them in order")


class Shape(_Step, frozen=True, kw_only=True, tag="shape"):
    """From now on bytes come `latency` seconds late, and up to `jitter` more, in order, at `bandwidth` bytes a second.

    It replaces the last shape of that direction.
    """

    latency: _Seconds = 0.0
    jitter: _Seconds = 0.0
    bandwidth: Annotated[float, Meta(ge=1, le=1e12)] | None = None
    direction: Literal["up", "down", "both"] = "both"


class FreezeLine(_Step, frozen=True, kw_only=True, tag="freeze"):
    """Nothing passes for so many seconds; then everything does, as when a cable is plugged in again in time."""

    seconds: _Seconds


class RefuseDials(_Step, frozen=True, kw_only=True, tag="refuse"):
    """Nobody listens for so many seconds: dials are refused. This connection goes on."""

    seconds: _Seconds


class Reset(_Step, frozen=True, kw_only=True, tag="reset"):
    """Both ends get a TCP reset. What they have not received by then, the system may drop."""


class End(_Step, frozen=True, kw_only=True, tag="end"):
    """Both ends get a FIN, after all that was passed on before; what they still say is swallowed."""


class HalfOpen(_Step, frozen=True, kw_only=True, tag="half-open"):
    """Both ends stay open and nothing passes: what is said is swallowed, until both have left.

    `seconds`: so long at most, and then both ends get a reset.
    """

    seconds: _Seconds | None = None


class Garbage(_Step, frozen=True, kw_only=True, tag="garbage"):
    """The client gets so many random bytes where the service's would come, and a FIN.

    As the first step it stands in the place of a ServerHello, and the service is not dialed.
    """

    size: Annotated[int, Meta(ge=1, le=65_536)] = 64


Last: TypeAlias = Reset | End | HalfOpen | Garbage
Step: TypeAlias = Shape | FreezeLine | RefuseDials | Last


class PlannedConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps of one connection."""

    step: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        ending = [number for number, step in enumerate(self.step[:-1], 1) if isinstance(step, Last)]
        if ending:
            raise ValueError(f"step {ending[0]} ends the connection, and steps come after it")


class ProxyPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `PlannedConnection` for each connection in turn. Equal seeds draw equal numbers."""

    connection: tuple[PlannedConnection, ...] = ()
    then: Literal["pass", "repeat"] = "pass"
    seed: int = 0

    def schedule(self, number: int, now: float) -> Schedule:
        """What the connection of that number, from 1, is to meet; `now` is when it was opened."""
        steps: tuple[Step, ...] = ()
        if number <= len(self.connection) or (self.then == "repeat" and self.connection):
            steps = self.connection[(number - 1) % len(self.connection)].step
        return Schedule(steps, self.random(number, "steps"), now)

    def random(self, number: int, purpose: str) -> Random:
        """What chance draws from, for one purpose on one connection."""
        return Random(f"{self.seed} {number} {purpose}")  # noqa: S311


def read_plan(text: str, name: str = "the plan") -> ProxyPlan:
    """A plan from TOML. Raises `ConfigurationError` that says where in `text` it is wrong."""
    try:
        return msgspec.convert(tomllib.loads(text), ProxyPlan)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name} is no plan for a proxy: {error}") from None


class Schedule:
    """One connection's steps being taken: told what passes, it says which are due."""

    def __init__(self, steps: Iterable[Step], random: Random, now: float) -> None:
        self._steps = deque(_drawn(step, random) for step in steps)
        self._since = now
        self._passed = {"up": 0, "down": 0}

    def room(self, direction: Direction) -> float:
        """How many bytes may pass before the next step: 1 at least, once the steps that are due were taken."""
        goal = getattr(self._steps[0], direction) if self._steps else None
        return math.inf if goal is None else goal - self._passed[direction]

    def passed(self, direction: Direction, count: int) -> None:
        """So many more bytes have passed."""
        self._passed[direction] += count

    @property
    def alarm(self) -> float:
        """When the next step is due if nothing passes."""
        if not self._steps or self._steps[0].up is not None or self._steps[0].down is not None:
            return math.inf
        return self._since + cast(float, self._steps[0].after or 0.0)

    def due(self, now: float) -> Iterator[Step]:
        """The steps to take now, one by one."""
        while now >= self.alarm or self.room("up") <= 0 or self.room("down") <= 0:
            self._since, self._passed = now, {"up": 0, "down": 0}
            yield self._steps.popleft()


def _drawn(step: Step, random: Random) -> Step:
    """The step, with each range that it has replaced by one number of it."""
    pairs = {name: getattr(step, name) for name in ("after", "up", "down") if isinstance(getattr(step, name), tuple)}
    draw = {"after": random.uniform, "up": random.randint, "down": random.randint}
    return replace(step, **{name: draw[name](*pair) for name, pair in pairs.items()})
