"""What a second of speech costs, and how soon it begins."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from itertools import chain

import page
from harness import rounds
from questions.tables import BOTH, NAMES, OURS, Rounds, cost, gathered, middle_and_tail, over_both

VOICES = {
    "3 times real time, with word times": ("speed=3",),
    "10 times real time, with word times": ("speed=10",),
    "3 times real time, without": ("speed=3", "unaligned"),
}
SHORT = 1.0
"""Seconds of a speech of which only the beginning matters."""


def speech(options: Namespace) -> Iterator[page.Part]:
    told = over_both((*BOTH, "raw"), "speak", options.rounds, streams=20)
    yield with_first_audio(told, "Synthesis as fast as it comes: 10 s in pieces of 0.1 s, on a pooled connection")
    firsts = {NAMES[side]: gathered(each, "latencies") for side, each in told["TLS"].items()}
    yield page.distribution("first_audio", "From the text to the first audio, over TLS", firsts)


def cartesia(options: Namespace) -> Iterator[page.Part]:
    told = over_both((OURS, "cartesia_sdk"), "speak", options.rounds, streams=20, cartesia=True)
    yield with_first_audio(told, "The same, beside Cartesia's own client")


def with_first_audio(told: dict[str, Rounds], title: str) -> page.Table:
    table = cost(told, title, timed=False)
    table.head += ["first audio p50", "first audio p99"]
    for row, each_round in zip(table.rows, chain.from_iterable(sides.values() for sides in told.values()), strict=True):
        row.extend(middle_and_tail(gathered(each_round, "latencies")))
    return table


def paced(options: Namespace) -> Iterator[page.Part]:
    table = page.Table(
        "First audio of a voice that takes its time, over TLS: audio in pieces of 50 ms, words of 0.25 s",
        ["the voice speaks at", *(f"{NAMES[side]}, {what}" for side in BOTH for what in ("p50", "p99"))],
    )
    for name, manners in VOICES.items():
        load = {"streams": 10, "spoken": SHORT, "tls": True}
        told = rounds(BOTH, "speak", options.rounds, *manners, f"spoken={SHORT}", **load)
        cells = chain.from_iterable(middle_and_tail(gathered(told[side], "latencies")) for side in BOTH)
        table.rows.append([name, *cells])
    table.note = "Each word's time comes with the audio in which it begins."
    yield table
