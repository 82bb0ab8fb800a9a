"""The embedded gateway with its own recognizer: how many sessions a core bears, and whose work it is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

import page
from harness import run
from questions.tables import middle_and_tail

COUNTS = (1, 2, 3, 4, 6, 8)
PATIENCE = 2.0
"""Seconds after the end of speech by which nearly every final is there, where a core keeps up."""


def gateway(options: Namespace) -> Iterator[page.Part]:
    title = "The embedded gateway and its recognizer on one core, speech in real time"
    table = page.Table(title, ["sessions", "gateway, CPU a second of audio", "recognizer, CPU a second of audio"])
    table.head += ["of the core", "final p50", "final p99", "finals"]
    costs: dict[int, tuple[float, float]] = {}
    kept = 0
    for sessions in COUNTS:
        told = run("embedded", "live", service="embedded.py", streams=sessions, seconds=max(30.0, options.seconds))
        before, after = told["figures"]
        latencies = told["latencies"]
        spent = [after[name] - before[name] for name in ("gateway", "recognizer")]
        costs[sessions] = (spent[0] / told["audio"], spent[1] / told["audio"])
        row = [str(sessions), *(f"{1_000 * each:.1f} ms" for each in costs[sessions])]
        row.append(f"{100 * sum(spent) / (after['at'] - before['at']):.0f} %")
        table.rows.append([*row, *middle_and_tail(latencies), str(len(latencies))])
        if not latencies or sorted(latencies)[int(0.99 * len(latencies))] > PATIENCE:
            break
        kept = sessions
    own, engines = costs[kept or COUNTS[0]]
    table.note = (
        f"{kept} sessions a core in real time, where finals come within {PATIENCE:g} s of the end of speech. By CPU "
        f"alone a core has room for {1.0 / (own + engines):.1f}; with a recognizer that costs nothing, for "
        f"{1.0 / own:.0f}."
    )
    yield table
