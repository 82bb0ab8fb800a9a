"""Searches whole cases, for as long as it takes or is given, and prints what came of each.

python -m tests.core.recognition.exploration.whole core --minutes 30 --kind "span, ordered"
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from .cases import KINDS, RICH, USER, case
from .search import explore
from .world import Case

BOUNDS: Mapping[str, Callable[[str], Case]] = {
    "small": lambda kind: case(kind, (1,), faults=1),
    "pair": lambda kind: case(kind, (1, 1), faults=1),
    "core": lambda kind: case(kind, (1, 1, 1), faults=1),
    "faults": lambda kind: case(kind, (1, 1), faults=2),
    "rich": lambda kind: case(kind, (2, 1), rows=RICH, faults=1, liberties=2, user=USER),
    "suspect": lambda kind: case(kind, (1,), faults=1, suspicions=1),
    "beside": lambda kind: case(kind, (1,), faults=2, suspicions=1),
}
"""By name, what is searched for one kind of profile."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bound", choices=BOUNDS, help="what is searched")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of processor time for each kind")
    parser.add_argument("--kind", action="append", choices=KINDS, help="of profile; all, where none is given")
    chosen = parser.parse_args()
    for kind in chosen.kind or KINDS:
        print(explore(BOUNDS[chosen.bound](kind), seconds=60 * chosen.minutes, stop_at=()), flush=True)


if __name__ == "__main__":
    main()
