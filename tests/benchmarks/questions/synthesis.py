"""What a second of speech costs, and how soon it begins."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

import page
from harness import rounds
from questions.tables import BOTH, cost, gathered, middle_and_tail


def speech(options: Namespace) -> Iterator[page.Part]:
    told = rounds((*BOTH, "raw"), "speak", options.rounds, streams=20)
    table = cost(told, "Synthesis as fast as it comes: 10 s in pieces of 0.1 s, on a pooled connection", timed=False)
    table.head += ["first audio p50", "first audio p99"]
    for row, side in zip(table.rows, told, strict=True):
        row.extend(middle_and_tail(gathered(told[side], "latencies")))
    yield table
    yield page.distribution(
        "first_audio", "Seconds to the first audio", {side: gathered(told[side], "latencies") for side in told}
    )
