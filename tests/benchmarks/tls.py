"""What TLS costs: plain, over a TLS stream of our own, and over trio's, in one run, the sides in turn.

python tests/benchmarks/tls.py [--rounds 5] [--streams 100] [--seconds 10]
"""

from __future__ import annotations

import argparse
from statistics import median

from harness import p99, per_second, ratio, run

SIDES = {"plain": "ours", "TLS": "ours", "TLS by trio": "ours_on_trios_tls"}
QUESTIONS = {
    "real time, one clock": ("clocked", {"groups": 1}),
    "real time, out of step": ("clocked", {"groups": 10}),
    "as fast as it goes": ("unpaced", {"streams": 4, "seconds": 60.0}),
    "synthesis": ("speak", {"streams": 20}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", nargs="*", choices=QUESTIONS, default=list(QUESTIONS))
    options = parser.parse_args()
    for name in options.only:
        task, special = QUESTIONS[name]
        load = {"streams": options.streams, "seconds": options.seconds, **special}
        print(name, *told(task, load, options.rounds), sep="\n    ", flush=True)


def told(task: str, load: dict[str, float], rounds: int) -> list[str]:
    figures: dict[str, list[dict[str, object]]] = {side: [] for side in SIDES}
    for turn in range(rounds):
        for side in list(SIDES) if turn % 2 == 0 else list(reversed(SIDES)):
            figures[side].append(run(SIDES[side], task, tls=side != "plain", **load))
    costs = {side: [per_second(each) for each in figures[side]] for side in SIDES}
    lines = [
        f"{side}: {median(cost):.3f} ms of CPU a second of audio, "
        f"{ratio(cost, costs['TLS by trio']):.2f} of trio's TLS, {ratio(cost, costs['plain']):.2f} of plain"
        for side, cost in costs.items()
    ]
    late = {side: [late for each in figures[side] for late in each["lateness"]] for side in SIDES}
    return lines + [
        f"{side}: pushes late by {1_000 * p99(values):.1f} ms at p99" for side, values in late.items() if values
    ]


if __name__ == "__main__":
    main()
