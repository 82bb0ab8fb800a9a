"""Sessions over a wild network: round trips of 50 to 900 ms at random, and 5 % of all packets lost.

The network is the fault proxy's, over memory streams and on virtual time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from random import Random

import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech.testing import ScriptedGateway, memory_stream_pair, open_gateway, speech
from trio_speech.testing.fault_proxy.connection import ProxiedConnection
from trio_speech.testing.fault_proxy.plan import HalfOpen, Schedule, Shape, Step

from .runs import reproducible

WILD = Shape(latency=0.025, jitter=0.425, loss=0.05, resend_after=1.0)


@dataclass
class Flight:
    """What came of one session."""

    dials: list[float] = field(default_factory=list)
    """When each connection after the first was dialed."""
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    statistics: ts.TranscriptStatistics | None = None


def flight(seed: int, seconds: float, *, half_open: float | None = None) -> Flight:
    """A session of so many seconds, whose connections go half-open after `half_open` seconds, if at all."""
    flown = Flight()
    with reproducible(seed):
        trio.run(_fly, flown, seed, seconds, half_open, clock=MockClock(autojump_threshold=0))
    return flown


async def _fly(flown: Flight, seed: int, seconds: float, half_open: float | None) -> None:
    said = speech(seconds, seed=seed, audio_format=ts.AudioFormat.pcm16(8_000))
    async with trio.open_nursery() as network:
        async with open_gateway() as gateway:
            _send_through(gateway, network, seed, half_open)
            async with gateway.client() as client, client.transcribe(said, said.audio_format) as transcript:
                events = [event async for event in transcript]
            flown.dials = [visit.dialed for visit in gateway.visits[1:]]
        network.cancel_scope.cancel()
    told = Counter(word for each in events if isinstance(each, ts.FinalTranscript) for word in each.text.split())
    spoken = Counter(word.text for word in said.words)
    flown.lost, flown.doubled = spoken - told, told - spoken
    flown.gaps = sum(isinstance(event, ts.Gap) for event in events)
    flown.statistics = transcript.statistics()


def _send_through(gateway: ScriptedGateway, network: trio.Nursery, seed: int, half_open: float | None) -> None:
    """Puts the network between the client and the gateway."""
    direct, connections, began = gateway.connect, 0, trio.current_time()

    async def connect(dial: object) -> object:
        nonlocal connections
        connections += 1
        steps: tuple[Step, ...] = (WILD,)
        if half_open is not None and trio.current_time() < began + half_open:
            steps += (HalfOpen(after=began + half_open - trio.current_time()),)
        ours, theirs = memory_stream_pair()
        number = connections
        proxied = ProxiedConnection(
            theirs,
            Schedule(steps, Random(seed), trio.current_time()),
            lambda purpose: Random(f"{seed} {number} {purpose}"),
            say=lambda _: None,
            refuse=lambda _: None,
        )
        network.start_soon(proxied.run, partial(direct, dial))
        return ours

    gateway.connect = connect  # type: ignore[method-assign,assignment]
