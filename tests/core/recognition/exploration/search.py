"""Breadth first over all histories of a case: what is found first is shortest."""

from __future__ import annotations

import signal
import time
from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from operator import le

from msgspec import Struct, field

from .beside import TwoLinks
from .copies import frozen, refer_to_classes, thawed
from .keys import allowance, key
from .oracle import Violation
from .world import EPOCH, Action, Case, World

PATIENCE = 2.0


class Report(Struct):
    """What a search came to."""

    case: Case
    states: int = 0
    transitions: int = 0
    ends: int = 0
    complete: bool = False
    seconds: float = 0.0
    by_depth: list[int] = field(default_factory=list)
    """How many new states each further action led to."""
    actions: Counter[str] = field(default_factory=Counter)
    violations: dict[str, tuple[tuple[Action, ...], str]] = field(default_factory=dict)
    """By law: the shortest history that breaks it, and what is wrong."""

    def __str__(self) -> str:
        whole = "complete" if self.complete else "not complete"
        lines = [
            f"{self.case.name}: {self.states:,} states, {self.transitions:,} transitions, {self.ends:,} ends, {whole}, "
            f"{self.seconds:.0f} s"
        ]
        if not self.complete:
            lines.append(f"  new states by depth: {' '.join(map(str, self.by_depth))} ...")
        for law, (history, what) in self.violations.items():
            lines += [f"  {what}  [{law}]", *told(self.case, history)]
        return "\n".join(lines)


def explore(
    case: Case, *, most: int = 10**9, seconds: float = float("inf"), stop_at: Container[str] | None = None
) -> Report:
    """Searches a case, and stops when one of the laws `stop_at` is broken (``None``: when any is)."""
    signal.signal(signal.SIGVTALRM, _does_not_return)
    began = time.process_time()
    report = Report(case)
    world = world_of(case)
    seen = Seen()
    root = seen.number(world)
    assert root is not None
    parents: list[tuple[int, Action] | None] = [None]
    frontier = deque([(root, frozen(world))])
    depth_ends = 0
    while frontier:
        if report.states >= most or time.process_time() - began > seconds:
            break
        if frontier[0][0] >= depth_ends:
            report.by_depth.append(len(parents) - depth_ends)
            depth_ends = len(parents)
        state, copy = frontier.popleft()
        report.states += 1
        world = thawed(copy)
        actions = world.actions()
        report.ends += world.done
        for number, action in enumerate(actions):
            if number:
                world = thawed(copy)
            report.transitions += 1
            report.actions[_row(action)] += 1
            try:
                with bounded():
                    world.act(action)
            except Violation as violation:
                report.violations.setdefault(violation.law, ((*_path(parents, state), action), str(violation)))
                if stop_at is None or violation.law in stop_at:
                    report.seconds = time.process_time() - began
                    return report
                continue
            after = seen.number(world)
            if after is not None:
                if not after % 1000:
                    refer_to_classes(world)
                parents.append((state, action))
                frontier.append((after, frozen(world)))
    else:
        report.complete = True
    report.seconds = time.process_time() - began
    return report


class Seen:
    """The states that were seen: their keys, and for each what the oracle allowed at the least."""

    def __init__(self) -> None:
        self._allowed: dict[int, list[tuple[float, ...]]] = {}
        self._count = 0

    def number(self, world: World) -> int | None:
        """A new state's number; ``None`` where it was seen before, or one from which no less is allowed."""
        allows = allowance(world)
        seen = self._allowed.setdefault(key(world), [])
        if any(all(map(le, less, allows)) for less in seen):
            return None
        seen.append(allows)
        self._count += 1
        return self._count - 1


def world_of(case: Case) -> World:
    """The state from which a search begins."""
    return TwoLinks(case) if case.suspicions else World(case)


@contextmanager
def bounded() -> Iterator[None]:
    """Breaks a law where the machine does not return, by its own processor time."""
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


def _does_not_return(*_: object) -> None:
    raise Violation("spins", f"the machine is at work for {PATIENCE:g} s of processor time")


def _row(action: Action) -> str:
    kind, *rest = action
    return f"{kind} {rest[0]}" if rest else str(kind)


def _path(parents: list[tuple[int, Action] | None], state: int) -> Iterable[Action]:
    actions: list[Action] = []
    while (step := parents[state]) is not None:
        state, action = step
        actions.append(action)
    return reversed(actions)


def told(case: Case, history: Iterable[Action]) -> list[str]:
    """A history, line by line: the time, what happened, and what the session made of it."""
    world = world_of(case)
    trail = world.oracle.trail = []
    lines: list[str] = []
    for action in history:
        events = len(trail)
        with suppress(Violation), bounded():
            world.act(action)
        made = "; ".join(trail[events:])
        lines.append(f"    {world.now - EPOCH:7.3f}  {' '.join(map(str, action)):<28} {made}")
    return lines
