"""The sides, and how what they tell becomes a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Any

import page
from harness import p99, per_second, ratio, rounds

OURS, PEER = "ours", "livekit_agents"
ALL = (OURS, PEER, "bare", "raw")
BOTH = (OURS, PEER)
OVER = {"plain": False, "TLS": True}
NAMES = {
    OURS: "trio_speech",
    PEER: "livekit-agents",
    "bare": "a bare trio-websocket loop",
    "raw": "raw sockets",
    "cartesia_sdk": "cartesia",
    "official": "deepgram-sdk",
    "ours_direct": "trio_speech",
}
"""The sides in words."""
Rounds = Mapping[str, Sequence[Mapping[str, Any]]]


def milliseconds(seconds: float) -> str:
    return f"{1_000 * seconds:.1f} ms"


def middle_and_tail(values: Sequence[float]) -> list[str]:
    """Median and 99th percentile, where there is anything to tell."""
    return [milliseconds(median(values)), milliseconds(p99(values))] if values else ["", ""]


def gathered(told: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return list(chain.from_iterable(each[name] for each in told))


def over_both(sides: Sequence[str], task: str, times: int, *manners: str, **load: Any) -> dict[str, Rounds]:
    """What the sides tell of a load over plain sockets and over TLS."""
    return {over: rounds(sides, task, times, *manners, tls=tls, **load) for over, tls in OVER.items()}


def cost(told: Mapping[str, Rounds], title: str, *, timed: bool, ours: str = OURS) -> page.Table:
    """CPU for a second of audio over each wire, with the ratio of ours to each side, and how late it was."""
    table = page.Table(title, ["side", "over", "CPU a second of audio", "of all rounds", "ours : this"])
    if timed:
        table.head += ["final p50", "final p99", "push late p99"]
    for over, sides in told.items():
        base = [per_second(dict(each)) for each in sides[ours]]
        for side, each_round in sides.items():
            costs = [per_second(dict(each)) for each in each_round]
            spread = f"{min(costs):.2f}-{max(costs):.2f}"
            row = [NAMES.get(side, side), over, f"{median(costs):.2f} ms", spread, f"{ratio(base, costs):.2f}"]
            if timed:
                latencies = middle_and_tail(gathered(each_round, "latencies"))
                row += [*(latencies or ["", ""]), milliseconds(p99(gathered(each_round, "lateness")))]
            table.rows.append(row)
    return table
