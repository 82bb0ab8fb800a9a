"""What a second of recognized audio costs, and how soon its final is there."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from statistics import median

import page
from harness import per_second, ratio, rounds
from questions.tables import ALL, BOTH, NAMES, OURS, PEER, Rounds, cost, gathered, over_both


def live(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds, "groups": 1}
    told = over_both(BOTH, "clocked", options.rounds, **load)
    title = f"Recognition in real time, {options.streams} streams: every 20 ms, one clock pushes 20 ms to all"
    yield cost(told, title, timed=True)
    latencies = {NAMES[side]: gathered(told["TLS"][side], "latencies") for side in BOTH}
    yield page.distribution("final_latency", f"When a final is there, {options.streams} streams over TLS", latencies)


def dealt(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds, "groups": 10}
    title = "The same, out of step: the clock pushes to a tenth of the streams every 2 ms"
    table = cost(over_both(BOTH, "clocked", options.rounds, **load), title, timed=True)
    table.note = "Ten times as often the process is woken, and all that it does then begins with cold caches."
    yield table


def fed(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds, "fed": True}
    title = "The same, each stream fed from a socket by a task of its own, ours by `await send(audio)`"
    yield cost(over_both(BOTH, "fed", options.rounds, **load), title, timed=True)


def frame_lengths(options: Namespace) -> Iterator[page.Part]:
    table = page.Table(
        f"Lengths of a frame (`ReplayPolicy.frame_length`), {options.streams} streams in real time over TLS",
        ["frame", "CPU a second of audio", "of that at 50 ms", "final p50"],
    )
    lengths = (0.05, 0.02, 0.1, 0.2)
    load = {"streams": options.streams, "seconds": options.seconds, "groups": 10, "tls": True}
    told = {length: rounds((OURS,), "clocked", options.rounds, frame=length, **load)[OURS] for length in lengths}
    costs = {length: [per_second(each) for each in told[length]] for length in lengths}
    for length in sorted(lengths):
        final = f"{1_000 * median(gathered(told[length], 'latencies')):.1f} ms"
        share = f"{ratio(costs[length], costs[0.05]):.2f}"
        table.rows.append([f"{1_000 * length:.0f} ms", f"{median(costs[length]):.2f} ms", share, final])
    yield table


def tasks(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": options.streams, "seconds": options.seconds}
    told: Rounds = rounds(BOTH, "tasks", options.rounds, **load)
    driver = rounds(BOTH, "driver", options.rounds, **load)
    title = f"The same, where each of the {options.streams} streams has a task of its own that sleeps and pushes"
    table = cost({"plain": told}, title, timed=True)
    alone = {side: [per_second(each) for each in driver[side]] for side in BOTH}
    net = {
        side: [per_second(dict(each)) - rest for each, rest in zip(told[side], alone[side], strict=True)]
        for side in BOTH
    }
    table.note = (
        "Of this, the tasks that sleep and push to nobody cost alone: "
        + ", ".join(f"{NAMES[side]} {median(alone[side]):.2f} ms" for side in BOTH)
        + f". What is left is {ratio(net[OURS], net[PEER]):.2f} of {NAMES[PEER]}'s."
    )
    yield table


def unpaced(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": 4, "seconds": 60.0}
    told = {over: dict(sides) for over, sides in over_both(ALL, "unpaced", options.rounds, **load).items()}
    for way in ("send", "send_nowait"):
        for over, sides in over_both((OURS,), "unpaced", options.rounds, by=way, **load).items():
            told[over][f"trio_speech, by {way}"] = sides[OURS]
    table = cost(told, "Recognition as fast as it goes: 4 streams of 60 s in pushes of 20 ms", timed=False)
    table.note = "The ratios are of trio_speech with a `source`."
    yield table
