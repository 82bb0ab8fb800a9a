"""From one stream to many: what each costs then, how many a core bears, and what one holds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import page
from harness import p99, per_second, rounds, run
from questions.tables import BOTH, NAMES, OURS, OVER, Rounds, cost, gathered, milliseconds, over_both

COUNTS = (1, 10, 50, 100, 200, 500)
LEAST_AUDIO = 1_000.0
"""Seconds, of all streams together."""
LATE = 0.020
"""Seconds by which pushes are late, at the 99th percentile, where a core has too many streams."""
FROM = 25
NEAR = 0.1
TRIES = 2


def opened(options: Namespace) -> Iterator[page.Part]:
    counts = [count for count in COUNTS if count <= options.most]
    costs = {side: list[list[float]]() for side in BOTH}
    for turn in range(options.rounds):
        for side in BOTH if turn % 2 == 0 else reversed(BOTH):
            costs[side].append([_opened(side, count) for count in counts])
    middle = {side: [median(each) for each in zip(*costs[side], strict=True)] for side in BOTH}
    title = "From few streams to many, as fast as it goes, once all are open: CPU a second of audio"
    table = page.Table(title, ["streams", *BOTH])
    table.rows = [
        [str(count), *(f"{middle[side][index]:.2f} ms" for side in BOTH)] for index, count in enumerate(counts)
    ]
    beside = {side: _beside(costs[side]) for side in BOTH}
    table.note = f"A round goes through all counts; from its median, in the median of rounds, one is {_spread(beside)}."
    yield table
    series = {side: list(zip(counts, middle[side], strict=True)) for side in BOTH}
    yield page.lines("cpu_by_streams", "CPU as fast as it goes", "streams", series)


def _opened(side: str, streams: int) -> float:
    return per_second(run(side, "opened", streams=streams, seconds=_even(LEAST_AUDIO / streams)))


def _beside(costs: Sequence[Sequence[float]]) -> list[float]:
    """Of the rounds' costs at each count: the median of the ratios to the median of the same round."""
    ratios = [[cost / median(each) for cost in each] for each in costs]
    return [median(each) for each in zip(*ratios, strict=True)]


def _even(seconds: float) -> float:
    """A whole number of finals, and more than one."""
    return max(4.0, 2.0 * round(seconds / 2.0))


def scale(options: Namespace) -> Iterator[page.Part]:
    counts = [count for count in COUNTS if count <= options.most]
    told = {n: rounds(BOTH, "clocked", options.rounds, streams=n, seconds=options.seconds) for n in counts}
    alone = {n: rounds(BOTH, "ticking", options.rounds, streams=n, seconds=options.seconds) for n in counts}
    net = {side: [(n, _net(told[n], alone[n], side)) for n in counts] for side in BOTH}
    table = page.Table("From few streams to many, one clock: CPU a second of audio", ["streams"])
    table.head += [
        f"{side}, {what}" for side in BOTH for what in ("all", "the clock alone", "without", "push late p99")
    ]
    for index, count in enumerate(counts):
        row = [str(count)]
        for side in BOTH:
            costs = (_middle(told[count], side), _middle(alone[count], side), net[side][index][1])
            row += [f"{each:.2f} ms" for each in costs]
            row.append(milliseconds(p99(gathered(told[count][side], "lateness"))))
        table.rows.append(row)
    without = {side: [cost for _, cost in net[side]] for side in BOTH}
    table.note = (
        "Up to ten streams the clock wakes for each by itself, then for several at once; alone it pushes to nobody. "
        f"From the median of all counts, the cost without the clock is {_spread(without)}."
    )
    yield table
    yield page.lines("cpu_by_streams_live", "CPU in real time, without the clock", "streams", net)


def _middle(told: Rounds, side: str) -> float:
    return median(per_second(dict(each)) for each in told[side])


def _net(told: Rounds, alone: Rounds, side: str) -> float:
    return _middle(told, side) - _middle(alone, side)


def _spread(costs: Mapping[str, Sequence[float]]) -> str:
    furthest = {side: max(abs(cost / median(each) - 1.0) for cost in each) for side, each in costs.items()}
    return ", ".join(f"{100 * far:.0f} % away at most ({side})" for side, far in furthest.items())


def capacity(options: Namespace) -> Iterator[page.Part]:
    found = {side: _most(side, options.seconds) for side in BOTH}
    table = page.Table("Streams a core over TLS, before the 99th percentile of pushes is 20 ms late", ["side"])
    table.head += ["streams", "late p99 there", "CPU of the core there", "too many", "late p99 there"]
    for side, (kept, failed) in found.items():
        busy = f"{100 * kept['cpu'] / options.seconds:.0f} %" if kept else ""
        row = [NAMES[side], *(_there(kept) if kept else ("none", "")), busy, *_there(failed)]
        table.rows.append(row)
    counts = [kept["streams"] if kept else 0 for kept, _ in found.values()]
    table.note = f"Doubled from {FROM}, then bisected to {100 * NEAR:.0f} %; too many is what was late {TRIES} times."
    if all(counts):
        table.note += f" Ours : livekit-agents = {counts[0] / counts[1]:.2f}."
    yield table


def many(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": 300, "seconds": options.seconds, "groups": 10}
    title = "Recognition in real time, 300 streams, out of step"
    yield cost(over_both(BOTH, "clocked", options.rounds, **load), title, timed=True)


def _there(told: Mapping[str, Any]) -> tuple[str, str]:
    return str(told["streams"]), milliseconds(p99(told["lateness"]))


def _most(side: str, seconds: float) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """Told of the most streams that were in time, and of the fewest that were not."""
    kept: Mapping[str, Any] | None = None
    streams, low = FROM, 0
    in_time, told = _try(side, streams, seconds)
    while in_time:
        kept, low = told, streams
        streams *= 2
        in_time, told = _try(side, streams, seconds)
    failed, high = told, streams
    while high - low > max(1.0, NEAR * high):
        in_time, told = _try(side, (low + high) // 2, seconds)
        if in_time:
            kept, low = told, told["streams"]
        else:
            failed, high = told, told["streams"]
    return kept, failed


def _try(side: str, streams: int, seconds: float) -> tuple[bool, Mapping[str, Any]]:
    told: dict[str, Any] = {}
    for _ in range(TRIES):
        told = run(side, "clocked", streams=streams, seconds=seconds, tls=True) | {"streams": streams}
        if p99(told["lateness"]) <= LATE:
            return True, told
    return False, told


def memory(options: Namespace) -> Iterator[page.Part]:
    table = page.Table("Memory", ["side", "over", "an idle stream", "bytes held for a byte that nothing acknowledges"])
    for over, tls in OVER.items():
        for side in BOTH:
            told = run(side, "idle", "silent", streams=options.streams, seconds=10.0, tls=tls)["extra"]
            held = f"{told['audio']:.2f}" if "audio" in told else "keeps none"
            table.rows.append([NAMES[side], over, f"{told['stream'] / 1_024:.1f} KB", held])
    yield table


def hour(options: Namespace) -> Iterator[page.Part]:
    """In spans of five minutes, or of a fifth of the time where that is less."""
    seconds = 60.0 * options.minutes
    spans = max(5, round(options.minutes / 5))
    sides = (OURS,) if options.ours else BOTH
    load = {"streams": options.streams, "seconds": seconds, "spans": spans}
    told = {side: run(side, "hour", **load)["extra"]["spans"] for side in sides}
    table = page.Table(f"{options.minutes:g} minutes of {options.streams} streams in real time", ["minutes"])
    table.head += [f"{side}, {what}" for side in sides for what in ("CPU a second of audio", "memory of the process")]
    for span in range(spans):
        row = [f"{options.minutes * span / spans:g} to {options.minutes * (span + 1) / spans:g}"]
        for side in sides:
            row.append(f"{per_second(told[side][span]):.2f} ms")
            row.append(f"{told[side][span]['resident'] / 2**20:.2f} MB")
        table.rows.append(row)
    yield table
    ends = [options.minutes * (span + 1) / spans for span in range(spans)]
    costs = {side: [(end, per_second(each)) for end, each in zip(ends, told[side], strict=True)] for side in sides}
    yield page.lines("cpu_by_time", "CPU over time", "minutes", costs, scale="linear")
