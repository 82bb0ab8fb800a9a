"""How fast a session is back, over real TCP against a server in a process of its own.

    python tests/benchmarks/recovery.py

The figures are taken on the server's clock, each with median and worst of all runs:

    dial            a bare websocket dial of the same server, as trio-websocket alone does it
    first byte      from the reset in mid-utterance until the first replayed audio has come
    backlog         from the first replayed audio until all of 10 s have come, with no speed limit
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from statistics import median

import trio
import trio_websocket

import trio_speech as ts
from trio_speech.testing.scripted.faults import Drop, Hear
from trio_speech.testing.scripted.gateway import ScriptedGateway, open_gateway
from trio_speech.testing.scripted.recognizer import Manner
from trio_speech.testing.speech import speech

RUNS = 15
SECONDS = 10.0
PATIENCE = 60.0


def serve(pipe: Pipe) -> None:
    """Serves on loopback, and for each request that comes through the pipe plans a reset, then tells its times."""

    async def main() -> None:
        async with open_gateway(manner=Manner(endpointing=None, longest=None, interim=None)) as gateway:
            pipe.send(await gateway.listen())
            while await trio.to_thread.run_sync(pipe.recv):
                gateway.visits.clear()
                gateway.plan(Hear(SECONDS), Drop())
                pipe.send(None)
                await trio.to_thread.run_sync(pipe.recv)
                pipe.send(list(times(gateway)))

    trio.run(main)


def times(gateway: ScriptedGateway) -> Iterator[tuple[float, float]]:
    """Of each connection but the first: how long after the end of the one before its audio began, and how long all
    that came took."""
    for before, after in pairwise(visit for visit in gateway.visits if visit.opened is not None):
        heard = [passed.at for passed in after.passed if passed.kind == "input_audio"]
        assert before.ended is not None
        yield heard[0] - before.ended, heard[-1] - heard[0]


async def one_run(url: str) -> None:
    """A session whose connection is reset once all has been sent and nothing is final."""
    said = speech(SECONDS)
    backend = ts.LiveKit(url, "key", "a secret that is long enough for its purpose")
    async with ts.open_client(backend, replay=ts.ReplayPolicy(speed=math.inf)) as client:
        await client.recognize(said.source(speed=None), said.audio_format)


async def bare_dial(url: str) -> float:
    began = time.perf_counter()
    async with trio_websocket.open_websocket_url(f"{url}/stt"):
        return time.perf_counter() - began


def measure() -> dict[str, list[float]]:
    """Milliseconds by name of figure, a value for each run."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    url = here.recv()
    figures: dict[str, list[float]] = {"dial": [], "first byte": [], "backlog": []}
    for _ in range(RUNS):
        figures["dial"].append(1_000 * trio.run(bare_dial, url.replace("http", "ws")))
        here.send(True)
        here.recv()
        trio.run(one_run, url)
        here.send(True)
        ((first, backlog),) = here.recv()
        figures["first byte"].append(1_000 * first)
        figures["backlog"].append(1_000 * backlog)
    here.send(False)
    process.join(PATIENCE)
    return figures


def main() -> None:
    figures = measure()
    print(f"{RUNS} runs           median       worst")
    for name, values in figures.items():
        print(f"{name:14} {median(values):9.1f} ms {max(values):8.1f} ms")
    print(f"first byte less a dial: {median(figures['first byte']) - median(figures['dial']):.1f} ms")


if __name__ == "__main__":
    main()
