"""The sides, and how what they tell becomes a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Any

import page
from harness import p99, per_second, ratio

OURS, PEER = "ours", "livekit_agents"
ALL = (OURS, PEER, "bare", "raw")
BOTH = (OURS, PEER)
Rounds = Mapping[str, Sequence[Mapping[str, Any]]]


def milliseconds(seconds: float) -> str:
    return f"{1_000 * seconds:.1f} ms"


def middle_and_tail(values: Sequence[float]) -> list[str]:
    """Median and 99th percentile, where there is anything to tell."""
    return [milliseconds(median(values)), milliseconds(p99(values))] if values else ["", ""]


def gathered(told: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return list(chain.from_iterable(each[name] for each in told))


def cost(told: Rounds, title: str, *, timed: bool) -> page.Table:
    """CPU for a second of audio, with the ratio of ours to each, and how late it was."""
    table = page.Table(title, ["side", "CPU a second of audio", "of all rounds", "ours : this"])
    if timed:
        table.head += ["final p50", "final p99", "push late p99"]
    ours = [per_second(each) for each in told[OURS]]
    for side, each_round in told.items():
        costs = [per_second(each) for each in each_round]
        spread = f"{min(costs):.2f}-{max(costs):.2f}"
        row = [side, f"{median(costs):.2f} ms", spread, f"{ratio(ours, costs):.2f}"]
        if timed:
            row += middle_and_tail(gathered(each_round, "latencies"))
            row.append(milliseconds(p99(gathered(each_round, "lateness"))))
        table.rows.append(row)
    return table
