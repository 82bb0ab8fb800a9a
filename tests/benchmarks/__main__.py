"""The suite: this client beside livekit-agents, a bare trio-websocket loop and raw sockets, all in one run.

    python tests/benchmarks [--rounds 5] [--seconds 10] [--streams 100] [--page]

Prints a table for each question; with ``--page`` it also writes RESULTS.md and the plots beside this file. Every side
runs in a fresh process against the same service (`peer.py`), and the sides take turns within each round: see `harness`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Any

import page
from harness import CLIENT, SERVICE, p99, per_second, ratio, rounds, run

OURS, PEER = "ours", "livekit_agents"
ALL = (OURS, PEER, "bare", "raw")
BOTH = (OURS, PEER)
COUNTS = (1, 10, 50, 100, 200, 500)
BACKLOG = 30.0
Rounds = Mapping[str, Sequence[Mapping[str, Any]]]


def milliseconds(seconds: float) -> str:
    return f"{1_000 * seconds:.1f} ms"


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
            latencies, lateness = (gathered(each_round, name) for name in ("latencies", "lateness"))
            row += [milliseconds(median(latencies)), milliseconds(p99(latencies))] if latencies else ["", ""]
            row.append(milliseconds(p99(lateness)))
        table.rows.append(row)
    return table


def gathered(told: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return list(chain.from_iterable(each[name] for each in told))


# ---------------------------------------------------------------- the questions


def live(options: argparse.Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds}
    told = rounds(ALL, "clocked", options.rounds, **load)
    yield cost(told, f"Recognition in real time, {options.streams} streams, one clock pushes 20 ms to each", timed=True)
    latencies = {side: gathered(told[side], "latencies") for side in BOTH}
    yield page.distribution("final_latency", "Seconds from push to final", latencies)


def tasks(options: argparse.Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds}
    told = rounds(BOTH, "tasks", options.rounds, **load)
    driver = rounds(BOTH, "driver", 1, **load)
    table = cost(
        told, f"The same, where each of the {options.streams} streams has a task that sleeps and pushes", timed=True
    )
    alone = ", ".join(f"{side} {per_second(driver[side][0]):.2f} ms" for side in BOTH)
    table.note = f"Of this, the tasks that sleep cost alone: {alone}."
    yield table


def unpaced(options: argparse.Namespace) -> Iterator[page.Part]:
    told = rounds(ALL, "unpaced", options.rounds, streams=4, seconds=60.0)
    yield cost(told, "Recognition as fast as it goes: 4 streams of 60 s in pushes of 20 ms", timed=False)


def scale(options: argparse.Namespace) -> Iterator[page.Part]:
    counts = [count for count in COUNTS if count <= options.most]
    told = {n: {side: run(side, "clocked", streams=n, seconds=options.seconds / 2) for side in BOTH} for n in counts}
    table = page.Table("From few streams to many, one clock", ["streams"])
    table.note = "Up to ten streams the clock wakes for each alone, a part of the cost; then it serves several."
    table.head += [f"{side}, {what}" for side in BOTH for what in ("CPU a second of audio", "push late p99")]
    for count in counts:
        row = [str(count)]
        for side in BOTH:
            each = told[count][side]
            row += [f"{per_second(each):.2f} ms", milliseconds(p99(each["lateness"]))]
        table.rows.append(row)
    yield table
    costs = {side: [(count, per_second(told[count][side])) for count in counts] for side in BOTH}
    yield page.lines("cpu_by_streams", "Streams", "CPU ms a second of audio", costs)


def memory(options: argparse.Namespace) -> Iterator[page.Part]:
    told = {side: run(side, "idle", "silent", streams=options.streams, seconds=10.0)["extra"] for side in BOTH}
    table = page.Table("Memory", ["side", "an idle stream", "bytes held for a byte of audio that nothing acknowledges"])
    for side in BOTH:
        held = told[side].get("audio")
        table.rows.append([side, f"{told[side]['stream'] / 1_024:.1f} KB", f"{held:.2f}" if held else "keeps none"])
    yield table


def recovery(options: argparse.Namespace) -> Iterator[page.Part]:
    figures = run(OURS, "resets", "silent", streams=options.resets, seconds=BACKLOG)["figures"]
    rows = [figure["connections"][0] for figure in figures if figure["connections"]]
    dial, first, backlog = zip(*((at, began - at, last - began) for at, began, last in rows), strict=True)
    table = page.Table(f"A reset with {BACKLOG:.0f} s to replay, {len(rows)} times", ["", "p50", "p99"])
    for name, values in {
        "from the reset until the next connection has come": dial,
        "from there to the first replayed byte": first,
        f"from there until all {BACKLOG:.0f} s have come, unpaced": backlog,
    }.items():
        table.rows.append([name, milliseconds(median(values)), milliseconds(p99(values))])
    yield table
    yield page.distribution("recovery", "Seconds", {"to the first byte": [r[1] for r in rows], "backlog": backlog})


def herd(options: argparse.Namespace) -> Iterator[page.Part]:
    told = run(OURS, "herd", streams=options.most, seconds=3_600.0)
    (figures,) = told["figures"]
    back = sorted(row[0] for row in figures["connections"])
    table = page.Table(f"{options.most} sessions cut at the same instant", ["", ""])
    table.rows = [
        ["back", f"{len(back)} of {options.most}"],
        ["half of them, and the last, after", f"{median(back):.1f} s, {back[-1]:.1f} s"],
        ["jitter window by the policy", f"{0.25 * options.most / 8:.1f} s"],
        ["dials at once, at most (policy: 8)", str(figures["dialling"])],
        [
            "pushes late by, meanwhile, p50 and p99",
            f"{milliseconds(median(told['lateness']))}, {milliseconds(p99(told['lateness']))}",
        ],
    ]
    yield table


def speech(options: argparse.Namespace) -> Iterator[page.Part]:
    told = rounds((*BOTH, "raw"), "speak", options.rounds, streams=20)
    table = cost(told, "Synthesis as fast as it comes: 10 s in pieces of 0.1 s, on a pooled connection", timed=False)
    table.head += ["first audio p50", "first audio p99"]
    for row, side in zip(table.rows, told, strict=True):
        latencies = gathered(told[side], "latencies")
        row += [milliseconds(median(latencies)), milliseconds(p99(latencies))]
    yield table
    yield page.distribution(
        "first_audio", "Seconds to the first audio", {side: gathered(told[side], "latencies") for side in told}
    )


QUESTIONS = {question.__name__: question for question in (live, unpaced, speech, memory, recovery, herd, scale, tasks)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--resets", type=int, default=100)
    parser.add_argument("--only", nargs="*", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    parts = []
    for name in options.only:
        for part in QUESTIONS[name](options):
            print(part.text(), flush=True)
            parts.append(part)
    if options.page:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        page.write(parts, rounds=options.rounds, cores=(CLIENT, SERVICE), load=load)


if __name__ == "__main__":
    main()
