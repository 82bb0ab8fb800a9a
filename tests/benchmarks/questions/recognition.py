"""What a second of recognized audio costs, and how soon its final is there."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from statistics import median

import page
from harness import per_second, ratio, rounds
from questions.tables import ALL, BOTH, OURS, PEER, Rounds, cost, gathered


def live(options: Namespace) -> Iterator[page.Part]:
    title = f"Recognition in real time, {options.streams} streams: every 20 ms, one clock pushes 20 ms to all"
    told, table = clocked(options, title, groups=1)
    yield table
    latencies = {side: gathered(told[side], "latencies") for side in BOTH}
    yield page.distribution("final_latency", "Seconds from push to final", latencies)


def dealt(options: Namespace) -> Iterator[page.Part]:
    title = "The same, out of step: the clock pushes to a tenth of the streams every 2 ms"
    _, table = clocked(options, title, groups=10)
    table.note = "Ten times as often the process is woken, and all that it does then begins with cold caches."
    yield table


def clocked(options: Namespace, title: str, *, groups: int) -> tuple[Rounds, page.Table]:
    load = {"streams": options.streams, "seconds": options.seconds, "groups": groups}
    told = rounds(ALL, "clocked", options.rounds, **load)
    return told, cost(told, title, timed=True)


def tasks(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds}
    told = rounds(BOTH, "tasks", options.rounds, **load)
    driver = rounds(BOTH, "driver", options.rounds, **load)
    title = f"The same, where each of the {options.streams} streams has a task of its own that sleeps and pushes"
    table = cost(told, title, timed=True)
    alone = {side: [per_second(each) for each in driver[side]] for side in BOTH}
    net = {side: [per_second(each) - rest for each, rest in zip(told[side], alone[side], strict=True)] for side in BOTH}
    table.note = (
        "Of this, the tasks that sleep and push to nobody cost alone: "
        + ", ".join(f"{side} {median(alone[side]):.2f} ms" for side in BOTH)
        + f". What is left is {ratio(net[OURS], net[PEER]):.2f} of {PEER}'s."
    )
    yield table


def unpaced(options: Namespace) -> Iterator[page.Part]:
    told = rounds(ALL, "unpaced", options.rounds, streams=4, seconds=60.0)
    yield cost(told, "Recognition as fast as it goes: 4 streams of 60 s in pushes of 20 ms", timed=False)
