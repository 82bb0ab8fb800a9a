"""Decides which faults of a plan are due on a connection, by what has happened on it. Nothing here does I/O.

For the terms *plan*, *step*, *trigger*, *fault* and *act*, see `faults`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import get_args

from msgspec import ValidationError, convert
from msgspec.structs import asdict

from ...errors import ConfigurationError
from .faults import (
    Act,
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    DialFault,
    Drop,
    Fault,
    Fin,
    Freeze,
    Garble,
    Hear,
    Idle,
    InBandError,
    Lapse,
    MidWord,
    NetworkFault,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    Send,
    Speak,
    StallWrites,
    Step,
    TearFrame,
    Trigger,
)

_GOES_ON = (*get_args(Trigger), Delay, Freeze, Send)


def acts(plan: Iterable[Step]) -> Iterator[Act]:
    """Cuts a plan into one act for each dial. Raises `ConfigurationError` for a step that is not one, or is invalid."""
    act: list[Step] = []
    for step in plan:
        _check(step)
        if isinstance(step, DialFault):
            if act:
                yield tuple(act)
            yield (step,)
            act = []
            continue
        act.append(step)
        if not isinstance(step, _GOES_ON):
            yield tuple(act)
            act = []
    if act:
        yield tuple(act)


def _check(step: Step) -> None:
    """Refuses an invalid step where it is planned: a fault that never happens would let a test pass for nothing."""
    if not isinstance(step, get_args(Step)):
        raise ConfigurationError(f"a plan takes triggers and faults, such as Hear(3.0), Drop(), not {step!r}")
    if isinstance(step, Send):  # msgspec cannot convert to the union of str and bytes
        return
    try:
        convert(asdict(step), type(step))
    except ValidationError as error:
        raise ConfigurationError(f"{step!r} cannot be planned: {error}") from None


class Script:
    """The progress of one act on one connection. Report events by `count` and `word`; `due` yields the faults."""

    def __init__(self, act: Act, now: float) -> None:
        self.since = now
        """When the current step began, in trio's time."""
        self.sample_rate = 16_000
        self._steps = list(act)
        self._counts: Counter[str] = Counter()
        self._base: Counter[str] = Counter()
        self._into_word = 0.0

    @property
    def step(self) -> Step | None:
        """The current step; ``None`` when the act is over."""
        return self._steps[0] if self._steps else None

    def count(self, what: str, amount: int = 1) -> None:
        """Call when `amount` more of `what` happened: a `Moment`, ``"heard"`` samples or ``"spoken"`` samples."""
        self._counts[what] += amount

    def word(self, begun: int, into: float) -> None:
        """Call when audio was received: `begun` words have begun so far, and `into` seconds of the last one came."""
        self._counts["word"], self._into_word = begun, into

    def room(self, what: str) -> float:
        """Returns how many samples may be ``"heard"`` or ``"spoken"`` before `due` must be called; infinity: any."""
        match self.step:
            case Hear(seconds) if what == "heard":
                return round(seconds * self.sample_rate) - self._since(what)
            case Speak(seconds) if what == "spoken":
                return round(seconds * self.sample_rate) - self._since(what)
            case MidWord() if what == "heard":
                return max(1, self.sample_rate // 200)
            case _:
                return math.inf

    def alarm(self, last_message: float) -> float:
        """Returns when `due` must be called if nothing happens until then, in trio's time; infinity: never."""
        match self.step:
            case Lapse(seconds):
                return self.since + seconds
            case Idle(seconds):
                return max(self.since, last_message) + seconds
            case _:
                return math.inf

    def at_once(self) -> Iterator[NetworkFault | NeverAnswer]:
        """Removes and yields the faults at the beginning of the act that can happen while the client dials."""
        while self._steps and isinstance(step := self._steps[0], NetworkFault | NeverAnswer):
            del self._steps[0]
            yield step

    def due(self, now: float, last_message: float = math.inf) -> Iterator[Fault]:
        """Removes the steps that are fulfilled, and yields their faults one by one.

        What happens between two of them counts for the later one.
        `last_message`: when the client's last message came.
        """
        while (step := self.step) is not None:
            if isinstance(step, DialFault) or (
                isinstance(step, Trigger) and not self._fulfilled(step, now, last_message)
            ):
                return
            self._steps.pop(0)
            self.since, self._base = now, self._counts.copy()
            if not isinstance(step, Trigger):
                yield step

    def _fulfilled(self, trigger: Trigger, now: float, last_message: float) -> bool:
        match trigger:
            case Hear():
                return self.room("heard") <= 0
            case Speak():
                return self.room("spoken") <= 0
            case MidWord(count, seconds):
                more = self._since("word") - count
                return more > 0 or (more == 0 and self._into_word >= seconds)
            case Await(moment, count):
                return self._since(moment) >= count
            case Idle() | Lapse():
                return now >= self.alarm(last_message)

    def _since(self, what: str) -> int:
        return self._counts[what] - self._base[what]


_DRAWN: dict[type[Step], Callable[[Random], Step]] = {
    Drop: lambda _: Drop(),
    Fin: lambda _: Fin(),
    Close: lambda random: Close(random.choice((1000, 1001, 1011, 1012, 1013, 4000))),
    BlackHole: lambda _: BlackHole(),
    StallWrites: lambda _: StallWrites(),
    TearFrame: lambda _: TearFrame(),
    Garble: lambda random: Garble(random.choice(("json", "shape", "types", "binary"))),
    InBandError: lambda random: InBandError(random.choice((None, 500, 503))),
    CloseSession: lambda _: CloseSession(),
    Outage: lambda random: Outage(random.uniform(0.1, 8.0), silent=random.random() < 0.5),
    Restart: lambda random: Restart(random.uniform(0.0, 2.0)),
    Freeze: lambda random: Freeze(random.uniform(0.1, 2.0)),
    Delay: lambda random: Delay(random.uniform(0.01, 0.5)),
    Refuse: lambda random: Refuse(random.choice((500, 502, 503, 504)), retry_after=random.choice((None, 1, 3))),
    NeverAnswer: lambda _: NeverAnswer(),
}

RECOVERABLE = tuple(_DRAWN)
"""The kinds of fault after which a session is expected to go on."""


def random_plan(
    seed: int, *, acts: int = 6, hears: float = 6.0, faults: tuple[type[Step], ...] = RECOVERABLE
) -> tuple[Step, ...]:
    """A plan of `acts` faults at random points of the session. Equal seeds give equal plans.

    `hears`: the longest stretch of audio between two faults, in seconds. `faults`: the kinds to draw from.
    """
    random = Random(seed)  # noqa: S311
    plan: list[Step] = []
    for _ in range(acts):
        fault = _DRAWN[random.choice(faults)](random)
        plan += [fault] if isinstance(fault, DialFault) else [*_random_triggers(random, hears), fault]
    return tuple(plan)


def _random_triggers(random: Random, hears: float) -> list[Step]:
    heard = Hear(random.uniform(0, hears))
    usual: list[list[Step]] = [[heard]] * 3
    return random.choice([*usual, [], [Await("create")], [heard, MidWord()], [heard, Await("final")]])
