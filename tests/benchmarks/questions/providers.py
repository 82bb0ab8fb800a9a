"""What a second of recognized audio costs beside each provider's own client, over TLS, at equal lengths of a push.

    python tests/benchmarks --only providers

It is asked only by its name, for it needs ``deepgram-sdk``, ``elevenlabs`` and ``openai[realtime]``. None of them has a
client for the websocket with several contexts, so voices are not compared. Pushes are as long as our frames, or longer:
of shorter ones we would make fewer frames than they do.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from statistics import median

import page
from harness import per_second, ratio, rounds, run
from questions.tables import cost

PROVIDERS = {"deepgram": "deepgram-sdk", "elevenlabs": "elevenlabs", "openai": "openai"}
SIDES = ("ours_direct", "official")
PUSHES = (0.05, 0.1)
STREAMS = 20
MANY = 50


def providers(options: Namespace) -> Iterator[page.Part]:
    title = f"Recognition in real time over TLS, {STREAMS} streams, beside each provider's own client"
    table = page.Table(title, ["provider", "push", "ours", "its own", "ours : its own", "of all rounds"])
    for provider, client in PROVIDERS.items():
        for push in PUSHES:
            ours, theirs = measured(provider, push, options)
            ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
            table.rows.append(
                [
                    client,
                    f"{1_000 * push:.0f} ms",
                    f"{median(ours):.2f} ms",
                    f"{median(theirs):.2f} ms",
                    f"{ratio(ours, theirs):.2f}",
                    f"{min(ratios):.2f}-{max(ratios):.2f}",
                ]
            )
    table.note = "CPU of the client's process for a second of audio. All clients got as many interims and finals."
    yield table


def measured(provider: str, push: float, options: Namespace) -> tuple[list[float], list[float]]:
    """Milliseconds of CPU a second of audio, of each side in each round."""
    costs: dict[str, list[float]] = {side: [] for side in SIDES}
    load = {"streams": STREAMS, "seconds": options.seconds, "tls": True, "push": push, "groups": 1}
    for turn in range(options.rounds):
        for side in SIDES if turn % 2 == 0 else reversed(SIDES):
            told = run(side, provider, service="provider_peer.py", **load)
            if told["extra"]["finals"] < STREAMS * options.seconds / 4:
                raise SystemExit(f"{side} heard too little of {provider}: {told['extra']}")
            costs[side].append(per_second(told))
    return costs[SIDES[0]], costs[SIDES[1]]


def deepgram(options: Namespace) -> Iterator[page.Part]:
    load = {"streams": MANY, "seconds": options.seconds, "groups": 10, "push": 0.05, "service": "provider_peer.py"}
    told = rounds(SIDES, "deepgram", options.rounds, tls=True, **load)
    title = f"Recognition in real time beside deepgram-sdk, {MANY} streams, out of step, both push 50 ms"
    yield cost({"TLS": told}, title, timed=False, ours=SIDES[0])
