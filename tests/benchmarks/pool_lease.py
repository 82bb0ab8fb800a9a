"""What a pooled connection costs to have: acquiring a warm one does no I/O, so it should stay under 100 µs of CPU.

    python tests/benchmarks/pool_lease.py

Over memory streams, with so many idle connections in the pool. A turn is a lease and giving it back; the figures are
CPU time of the process a turn, taken over rounds of many, since to ask for that time can cost more than a turn. Those
of a bare checkpoint, of which such a lease has none, stand beside them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from random import Random
from statistics import median

import trio

import trio_speech as ts
from trio_speech._core.provider.messages import TtsMessage
from trio_speech._core.provider.requests import SynthesizeRequest
from trio_speech._shell.concurrency.one_exception import one_exception
from trio_speech._shell.network.dialer import Dialer
from trio_speech._shell.pool.lease import VoiceRoute
from trio_speech._shell.pool.pool import Pool
from trio_speech.testing.scripted.gateway import open_gateway

ROUNDS = 60
TURNS = 50
SIZES = (1, 8, 64)
AIM = 100.0
REQUEST = SynthesizeRequest(audio_format=ts.AudioFormat.pcm16(8_000))


class Holder:
    """A lease holder that ignores its messages."""

    def heard(self, message: TtsMessage, now: float) -> bool:
        return False

    def lost(self, cause: object) -> None: ...


async def microseconds(turn: Callable[[], Awaitable[object]]) -> list[float]:
    """CPU time a turn, for each round."""
    taken: list[float] = []
    gc.disable()
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(TURNS):
            await turn()
        taken.append((time.process_time_ns() - began) / 1_000 / TURNS)
    gc.enable()
    return taken


async def measure(size: int) -> list[float]:
    """Of a pool with so many idle connections."""
    async with open_gateway() as gateway:
        backend = gateway.backend()
        route = VoiceRoute(backend.voice(REQUEST), backend.connect)
        liveness = ts.LivenessPolicy()
        network = Dialer(ts.RetryPolicy(), liveness, None, Random(1))
        pool = Pool(network, ts.PoolPolicy(max_size=size), Random(1))

        async def turn() -> None:
            (await pool.lease(route, holder)).give_back()

        holder = Holder()
        async with one_exception(pool.aclose, within=liveness.close_timeout) as guard:
            pool.open(guard)
            await pool.warm(route, size)
            taken = await microseconds(turn)
            figures = pool.statistics()
            if figures.dialed != size or len(gateway.visits) != size or figures.dead_found:
                raise SystemExit(f"the pool did not stay warm: {figures}")
            return taken


def row(name: str, taken: list[float]) -> str:
    return f"{name:20} {median(taken):8.1f} µs {max(taken):8.1f} µs"


def main() -> None:
    print(f"{ROUNDS} rounds of {TURNS:<9} median       worst")
    print(row("a checkpoint", trio.run(microseconds, trio.lowlevel.checkpoint)))
    for size in SIZES:
        taken = trio.run(measure, size)
        verdict = "kept" if median(taken) < AIM else "missed"
        print(f"{row(f'{size} idle', taken)}    (the aim: under {AIM:.0f} µs; {verdict})")


if __name__ == "__main__":
    main()
