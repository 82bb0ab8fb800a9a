"""What a reset costs, alone and with all sessions at once."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from statistics import median

import page
from harness import p99, run
from questions.tables import middle_and_tail, milliseconds

BACKLOG = 30.0
AT_ONCE = 100
"""Resets in one run of the service and the side."""


def recovery(options: Namespace) -> Iterator[page.Part]:
    rows: list[list[float]] = []
    dials: list[float] = []
    for first in range(0, options.resets, AT_ONCE):
        load = {"streams": min(AT_ONCE, options.resets - first), "seconds": BACKLOG}
        told = run("outages", "resets", "silent", **load)
        rows += [figures["connections"][0] for figures in told["figures"] if figures["connections"]]
        dials += run("bare", "dials", **load)["latencies"]
    byte = [began for _, began, _ in rows]
    backlog = [last - began for _, began, last in rows]
    table = page.Table(f"A reset with {BACKLOG:.0f} s to replay, {len(rows)} times", ["", "p50", "p99"])
    table.rows = [
        [name, *middle_and_tail(values)]
        for name, values in {
            "from the reset until the next connection has come": [came for came, _, _ in rows],
            "from the reset to the first replayed byte": byte,
            "a dial by trio-websocket alone": dials,
            f"from the first byte until all {BACKLOG:.0f} s have come, unpaced": backlog,
        }.items()
    ]
    over = milliseconds(median(byte) - median(dials))
    table.note = f"The first replayed byte comes {over} later than a dial takes, in the median."
    yield table
    series = {"to the first byte": byte, "a dial": dials, "backlog": backlog}
    yield page.distribution("recovery", "After a reset", series)


def herd(options: Namespace) -> Iterator[page.Part]:
    told = run("outages", "herd", streams=options.most, seconds=60.0, tls=True)
    (figures,) = told["figures"]
    back = sorted(row[0] for row in figures["connections"])
    extra = told["extra"]
    table = page.Table(
        f"{options.most} sessions over TLS cut at the same instant, each with a push of 100 ms ten times a second",
        ["", ""],
    )
    table.rows = [
        ["back", f"{len(back)} of {options.most}"],
        ["half of them, and the last, after", f"{median(back):.1f} s, {back[-1]:.1f} s"],
        ["jitter window by the policy", f"{0.25 * options.most / 8:.1f} s"],
        ["dials at once, at most (policy: 8)", str(figures["dialing"])],
        ["a push takes, p99 and at most", f"{milliseconds(p99(extra['took']))}, {milliseconds(max(extra['took']))}"],
        ["pushes late by, until then, p50 and p99", ", ".join(middle_and_tail(extra["before"]))],
        ["pushes late by, meanwhile, p50 and p99", ", ".join(middle_and_tail(told["lateness"]))],
        [
            "CPU of the core, until then and meanwhile",
            f"{100 * extra['busy'][0]:.0f} %, {100 * extra['busy'][1]:.0f} %",
        ],
    ]
    yield table
