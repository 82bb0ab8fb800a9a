"""What telemetry costs: without OpenTelemetry's API, with the API alone, and with an SDK that traces and measures."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from statistics import median

import page
from harness import rounds

KINDS = {"missing": "not installed", "there": "installed, nobody listens", "listening": "with tracer and meter"}
LOADS = {"unpaced": {"streams": 4, "seconds": 60.0}, "speak": {"streams": 20}}


def telemetry(options: Namespace) -> Iterator[page.Part]:
    table = page.Table("OpenTelemetry: what telling it takes of the CPU", ["OpenTelemetry"])
    table.head += [f"{load}, {what}" for load in ("recognition", "synthesis") for what in ("share", "of all rounds")]
    for kind, name in KINDS.items():
        row = [name]
        for task, load in LOADS.items():
            told = rounds(["telling"], task, options.rounds, telemetry=kind, **load)["telling"]
            shares = [100 * each["extra"]["spent"] / each["cpu"] for each in told]
            row += [f"{median(shares):.2f} %", f"{min(shares):.2f}-{max(shares):.2f}"]
        table.rows.append(row)
    table.note = "As fast as it goes, where the share is the greatest; the first row is what a look at the clock takes."
    yield table
