"""Plans for a fault proxy: what it does to each connection, as data. Nothing here does I/O.

    seed = 7                     # for all random numbers
    then = "repeat"              # connections after those below: "repeat" these, or "pass" untouched

    [[connection]]               # the first one
    [[connection.step]]
    do = "shape"                 # at once: 40 to 60 ms of latency each way, 32 kB a second toward the service
    latency = 0.04
    jitter = 0.02
    [[connection.step]]
    do = "shape"
    direction = "up"
    bandwidth = 32_000
    [[connection.step]]
    up = 90_000                  # after exactly 90,000 more bytes toward the service, even in the middle of a frame
    do = "reset"

Steps are taken in order. Each step waits for `after` seconds, for `up` bytes to the service or for `down` bytes to the
client, counted from the step before it. A pair, as in ``after = [2.0, 9.0]``, is a range to draw from. With none of
the three, the step is taken at once. `Reset`, `End`, `HalfOpen` and `Garbage` end a connection, so they come last.
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
    """When a step is taken: at most one of the three is given. See the module."""

    # No bounds by `Meta`: for a union of number and array, msgspec applies those of the one to the other.

    after: float | tuple[float, ...] | None = None
    up: int | tuple[int, ...] | None = None
    down: int | tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        given = {name: value for name in ("after", "up", "down") if (value := getattr(self, name)) is not None}
        if len(given) > 1:
            raise ValueError(f"a step waits for one thing: give one of {' and '.join(given)}")
        for name, value in given.items():
            bounds = value if isinstance(value, tuple) else (value, value)
            if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] < math.inf:
                raise ValueError(f"{name} is {value!r}: use a number of at least 0, or a pair [lowest, highest]")


class Shape(_Step, frozen=True, kw_only=True, tag="shape"):
    """Delays and slows bytes from now on. It replaces the last shape of that direction.

    `latency`: seconds. `jitter`: up to so many seconds more, drawn for each chunk; bytes stay in order. `bandwidth`:
    bytes a second; ``None`` for no limit. `loss`: the probability that a chunk is lost. TCP sends it again after
    `resend_after` seconds, and twice as many each further time; until then, all bytes behind it wait too.
    """

    latency: _Seconds = 0.0
    jitter: _Seconds = 0.0
    bandwidth: Annotated[float, Meta(ge=1, le=1e12)] | None = None
    loss: Annotated[float, Meta(ge=0, le=0.9)] = 0.0
    resend_after: _Seconds = 0.2
    direction: Literal["up", "down", "both"] = "both"


class FreezeConnection(_Step, frozen=True, kw_only=True, tag="freeze"):
    """Holds all bytes in both directions for `seconds`, then delivers them; the connection stays open."""

    seconds: _Seconds


class RefuseDials(_Step, frozen=True, kw_only=True, tag="refuse"):
    """Refuses new connections for `seconds`. This connection goes on."""

    seconds: _Seconds


class Reset(_Step, frozen=True, kw_only=True, tag="reset"):
    """Both ends get a TCP reset. The system may drop data that they have not read by then."""


class End(_Step, frozen=True, kw_only=True, tag="end"):
    """Both ends get a FIN after the data that was relayed so far. What they send afterwards is discarded."""


class HalfOpen(_Step, frozen=True, kw_only=True, tag="half-open"):
    """Both ends stay open, and what they send is discarded, until both have closed.

    `seconds`: after this time both ends get a reset; ``None`` for no limit.
    """

    seconds: _Seconds | None = None


class Garbage(_Step, frozen=True, kw_only=True, tag="garbage"):
    """The client gets `size` random bytes in the place of the service's, then a FIN.

    As the first step, it replaces the answer to a TLS handshake; the service is then not dialed.
    """

    size: Annotated[int, Meta(ge=1, le=65_536)] = 64


Last: TypeAlias = Reset | End | HalfOpen | Garbage
Step: TypeAlias = Shape | FreezeConnection | RefuseDials | Last


class PlannedConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps of one connection."""

    step: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        ending = [number for number, step in enumerate(self.step[:-1], 1) if isinstance(step, Last)]
        if ending:
            raise ValueError(f"step {ending[0]} ends the connection: remove the steps after it")


class ProxyPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the connections get, one `PlannedConnection` each, in the order in which they are opened.

    `then`: connections after these are relayed untouched (``"pass"``), or get the same again (``"repeat"``). `seed`:
    equal seeds draw equal numbers.
    """

    connection: tuple[PlannedConnection, ...] = ()
    then: Literal["pass", "repeat"] = "pass"
    seed: int = 0

    def schedule(self, number: int, now: float) -> Schedule:
        """Returns the schedule of connection `number`, counted from 1; `now` is the time at which it was opened."""
        steps: tuple[Step, ...] = ()
        if number <= len(self.connection) or (self.then == "repeat" and self.connection):
            steps = self.connection[(number - 1) % len(self.connection)].step
        return Schedule(steps, self.random(number, "steps"), now)

    def random(self, number: int, purpose: str) -> Random:
        """Returns the random numbers for one purpose on one connection. Each purpose has numbers of its own."""
        return Random(f"{self.seed} {number} {purpose}")  # noqa: S311


def read_plan(text: str, name: str = "the plan") -> ProxyPlan:
    """Reads a plan from TOML. `name` stands for the plan in messages.

    Raises `ConfigurationError`, which says where in `text` the mistake is.
    """
    try:
        return msgspec.convert(tomllib.loads(text), ProxyPlan)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name} is not a valid plan for a fault proxy: {error}") from None


class Schedule:
    """The steps of one connection that are still to come. Report bytes by `passed`; `due` yields the steps to take."""

    def __init__(self, steps: Iterable[Step], random: Random, now: float) -> None:
        self._steps = deque(_drawn(step, random) for step in steps)
        self._since = now
        self._passed = {"up": 0, "down": 0}

    def room(self, direction: Direction) -> float:
        """Returns how many bytes may pass before the next step; at least 1 after `due`; infinity: any number."""
        goal = getattr(self._steps[0], direction) if self._steps else None
        return math.inf if goal is None else goal - self._passed[direction]

    def passed(self, direction: Direction, count: int) -> None:
        """Call when `count` bytes have passed in `direction`."""
        self._passed[direction] += count

    @property
    def alarm(self) -> float:
        """The time at which the next step is due; infinity if it waits for bytes."""
        if not self._steps or self._steps[0].up is not None or self._steps[0].down is not None:
            return math.inf
        return self._since + cast(float, self._steps[0].after or 0.0)

    def due(self, now: float) -> Iterator[Step]:
        """Removes and yields the steps to take now, in order."""
        while now >= self.alarm or self.room("up") <= 0 or self.room("down") <= 0:
            self._since, self._passed = now, {"up": 0, "down": 0}
            yield self._steps.popleft()


def _drawn(step: Step, random: Random) -> Step:
    """Returns the step, with a number drawn for each range."""
    pairs = {name: getattr(step, name) for name in ("after", "up", "down") if isinstance(getattr(step, name), tuple)}
    draw = {"after": random.uniform, "up": random.randint, "down": random.randint}
    return replace(step, **{name: draw[name](*pair) for name, pair in pairs.items()})
