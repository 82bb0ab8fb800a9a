"""The suite: this client beside livekit-agents, a bare trio-websocket loop and raw sockets, all in one run.

    python tests/benchmarks [--rounds 5] [--seconds 10] [--streams 100] [--only QUESTION ...] [--page [FILE]]

Prints a table for each question; with ``--page`` it also writes RESULTS.md, or FILE, and the plots beside this file.
Every side runs in a fresh process against the same service (`peer.py`), and the sides take turns within each round: see
`harness`.
"""

from __future__ import annotations

import argparse
import os

import page
from harness import CLIENT, SERVICE
from questions.costs import telemetry
from questions.embedded import gateway
from questions.outages import herd, recovery
from questions.providers import deepgram, providers
from questions.recognition import dealt, fed, frame_lengths, live, tasks, unpaced
from questions.scale import capacity, hour, many, memory, opened, scale
from questions.synthesis import cartesia, paced, speech

ASKED = (
    live,
    dealt,
    fed,
    many,
    frame_lengths,
    unpaced,
    speech,
    paced,
    cartesia,
    deepgram,
    memory,
    recovery,
    herd,
    opened,
    scale,
    capacity,
    hour,
    gateway,
    telemetry,
    tasks,
)
QUESTIONS = {question.__name__: question for question in (*ASKED, providers)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--resets", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=5.0, help="of `hour`")
    parser.add_argument("--ours", action="store_true", help="`hour` of this client alone")
    parser.add_argument("--only", nargs="*", choices=QUESTIONS, default=[question.__name__ for question in ASKED])
    parser.add_argument("--page", nargs="?", const="RESULTS.md", metavar="FILE")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")  # later it would be our own
    parts: list[page.Part] = []
    for name in options.only:
        for part in QUESTIONS[name](options):
            print(part.text(), flush=True)
            parts.append(part)
        if options.page:  # each time, for what is not asked any more is no loss then
            page.write(options.page, parts, rounds=options.rounds, cores=(CLIENT, SERVICE), load=load)


if __name__ == "__main__":
    main()
