"""Whether the key of a state may be trusted: two states with one key must let the same happen, with the same outcome.

All histories of a small case are searched with the exact key of `copies`, by which hardly any states are one. Of the
states that `keys` takes for one, each must then offer the same actions, and each action must break the same law or lead
to states with one key. By induction the same holds for all that follows.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from msgspec import Struct

from .copies import exact_key, frozen, thawed
from .keys import key
from .oracle import Violation
from .search import bounded, world_of
from .world import Action, Case

Outcome: TypeAlias = dict[Action, int | str]
"""For each action that may happen, the key of the state that follows, or the law that is broken."""


class Comparison(Struct):
    """`states`: exact ones. `keys`: how many are left of them. `differing`: what shows that two are not one."""

    states: int
    keys: int
    differing: list[Action]


def compare(case: Case, *, most: int = 10**9) -> Comparison:
    """Compares the first `most` states of a case."""
    world = world_of(case)
    copy = frozen(world)
    seen = {exact_key(copy, world.now)}
    frontier = deque([(key(world), copy)])
    outcomes: dict[int, Outcome] = {}
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
            outcome[action] = key(world)
            following = frozen(world)
            exact = exact_key(following, world.now)
            if exact not in seen:
                seen.add(exact)
                frontier.append((key(world), following))
        first = outcomes.setdefault(state, outcome)
        differing += [action for action in {**first, **outcome} if first.get(action) != outcome.get(action)]
    return Comparison(len(seen), len(outcomes), differing)
