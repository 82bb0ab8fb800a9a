"""Whether the key of a state may be trusted: whether whatever is skipped because of it would have been found anyway.

All histories of a small case are searched with the exact key of `copies`, by which hardly any states are one. Of two
states with one key, of which one is allowed no more than the other, the other is not searched. So each of the other's
actions must be open to the one as well, and must break a law there, or lead to states that are again two such. By
induction the same holds for all that follows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from operator import le
from typing import TypeAlias

from msgspec import Struct

from .copies import exact_key, frozen, thawed
from .keys import allowance, key
from .oracle import Violation
from .search import bounded, world_of
from .world import Action, Case, World

State: TypeAlias = tuple[int, tuple[float, ...]]
Outcome: TypeAlias = dict[Action, State | str]
"""For each action that may happen, the state that follows, or the law that is broken."""


class Comparison(Struct):
    """`states`: exact ones. `keys`: how many are left of them. `differing`: what shows that one may not be skipped."""

    states: int
    keys: int
    differing: list[Action]


def compare(case: Case, *, most: int = 10**9) -> Comparison:
    """Compares the first `most` states of a case."""
    world = world_of(case)
    copy = frozen(world)
    seen = {exact_key(copy, world.now)}
    frontier = deque([(_state(world), copy)])
    outcomes: dict[int, list[tuple[State, Outcome]]] = {}
    differing: list[Action] = []
    while frontier and len(seen) < most:
        state, copy = frontier.popleft()
        outcome: Outcome = {}
        for action in thawed(copy).actions():
            world = thawed(copy)
            try:
                with bounded():
                    world.act(action)
            except Violation as violation:
                outcome[action] = violation.law
                continue
            outcome[action] = _state(world)
            following = frozen(world)
            exact = exact_key(following, world.now)
            if exact not in seen:
                seen.add(exact)
                frontier.append((_state(world), following))
        alike = outcomes.setdefault(state[0], [])
        for other, its in alike:
            differing += [*_missed(other, its, state, outcome), *_missed(state, outcome, other, its)]
        if all(other != state for other, _ in alike):
            alike.append((state, outcome))
    return Comparison(len(seen), len(outcomes), differing)


def _state(world: World) -> State:
    return key(world), allowance(world)


def _missed(searched: State, found: Outcome, skipped: State, there: Outcome) -> Iterator[Action]:
    """What is missed where `skipped` is not searched because `searched` was."""
    if not _covers(searched, skipped):
        return
    for action, after in there.items():
        instead = found.get(action)
        if isinstance(instead, str):
            continue  # it breaks a law, and is told
        if instead is None or isinstance(after, str) or not _covers(instead, after):
            yield action


def _covers(one: State, other: State) -> bool:
    return one[0] == other[0] and all(map(le, one[1], other[1]))
