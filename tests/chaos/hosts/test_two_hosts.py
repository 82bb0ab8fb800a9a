"""A client and a service on two hosts, over a cable that loses, delays and reorders packets, and is cut.

The hosts are network namespaces; the packets between them are the kernel's own, real TCP with its retransmissions, and
the cable is a program. Where this machine permits no namespaces, or has no TUN devices, that is said.
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech

from .cable import Cable, Weather
from .host import NOT_PERMITTED, SERVER

HOST = Path(__file__).with_name("host.py")
CLIENT = "10.77.0.1"
FULL = int(os.environ.get("TRIO_SPEECH_CHAOS_RUNS", "0")) >= 1_000
STARTING = 60.0
TESTED = {**os.environ, "PYTHONPATH": str(Path(trio_speech.__file__).parents[1])}
RESULTS = {"InterimTranscript", "FinalTranscript", "AudioChunk", "done"}


@dataclass(frozen=True)
class Journey:
    """One session: what it does, on what kind of cable, and when that is cut."""

    role: tuple[str, ...]
    weather: Weather
    cuts: tuple[tuple[float, float], ...] = ()
    """After so many seconds from the first result, for so many."""
    patience: float = 90.0
    drops: int = 0
    """How many links must be lost."""


SHORT = {
    "listening, cut until the link is lost": Journey(
        ("listen", "12", "3", "0.4"), Weather(0.01, 0.02, 0.01), ((0.5, 2.0),), drops=1
    ),
}
LONG = {
    "listening, 1 % lost": Journey(("listen", "30", "3"), Weather(0.01, 0.04, 0.01)),
    "listening, 5 % lost, far away": Journey(("listen", "30", "2"), Weather(0.05, 0.12, 0.06)),
    "listening, 15 % lost": Journey(("listen", "30", "2"), Weather(0.15, 0.05, 0.02), patience=180.0),
    "listening, cut for 4 s": Journey(("listen", "30", "2"), Weather(0.01, 0.04, 0.01), ((3.0, 4.0),)),
    "listening, cut for 20 s": Journey(("listen", "40", "2"), Weather(0.01, 0.04, 0.01), ((3.0, 20.0),), drops=1),
    "listening, cut again and again": Journey(
        ("listen", "40", "2"),
        Weather(0.03, 0.08, 0.05),
        ((2.0, 6.0), (4.0, 12.0), (0.5, 8.0)),
        patience=180.0,
        drops=1,
    ),
    "speaking, 5 % lost": Journey(("speak", "12"), Weather(0.05, 0.06, 0.03)),
    "speaking, cut for 15 s": Journey(("speak", "12"), Weather(0.01, 0.04, 0.01), ((1.0, 15.0),), drops=1),
}


class Figures:
    """What came of one session."""

    def __init__(
        self, name: str, journey: Journey, cable: Cable, reports: list[dict[str, Any]], cuts: list[tuple[float, float]]
    ) -> None:
        (self.done,) = (report for report in reports if report["what"] == "done")
        self.name, self.journey, self.cable = name, journey, cable
        results = [report["at"] for report in reports if report["what"] in RESULTS]
        ends = [*(start for start, _ in cuts[1:]), math.inf]
        self.recoveries = [
            min(result for result in results if result > mended) - mended
            for (_, mended), end in zip(cuts, ends, strict=False)
            if any(mended < result < end for result in results)
        ]
        """Seconds from when the cable was whole again to the next result, for cuts that no other followed sooner."""

    def __str__(self) -> str:
        weather, done = self.journey.weather, self.done
        share = self.cable.lost / (self.cable.lost + self.cable.carried)
        recoveries = ", ".join(f"{seconds:.1f} s" for seconds in self.recoveries)
        line = f"{self.name}: {weather.loss:.0%} loss, {weather.delay * 1e3:.0f} to "
        line += f"{(weather.delay + weather.jitter) * 1e3:.0f} ms each way, {share:.1%} of {self.cable.carried} packets"
        line += f" missing; {done['words']} words, {done['lost']} lost, {done['doubled']} doubled"
        line += f"; {done['drops']} links"
        return line + " lost" + (f"; going on after a cut in {recoveries}" if recoveries else "")


class Host:
    """A process in a network of its own: what it reports, and its end of the cable. It ends when nobody listens."""

    def __init__(self, reports: trio.SocketStream, wire: int) -> None:
        self.reports = reports
        self.wire = wire


@asynccontextmanager
async def host(nursery: trio.Nursery, address: str, *role: str) -> AsyncGenerator[Host]:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            program = [sys.executable, str(HOST), address, role[0], str(theirs.fileno()), *role[1:]]
            start = partial(trio.run_process, program, pass_fds=[theirs.fileno()], env=TESTED, check=False)
            await nursery.start(start)
        with trio.fail_after(STARTING):
            await trio.lowlevel.wait_readable(ours)
        _, wires, _, _ = socket.recv_fds(ours, 1, 1)
        assert wires, "the host has died, and said why on standard error"
        try:
            yield Host(trio.SocketStream(trio.socket.from_stdlib_socket(ours)), *wires)
        finally:
            os.close(*wires)


@pytest.fixture(scope="module")
def permitted() -> None:
    """Skips where this machine cannot have a second host."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = [sys.executable, str(HOST), CLIENT, "none", str(theirs.fileno())]
        options: dict[str, Any] = {"env": TESTED, "capture_output": True, "text": True, "timeout": STARTING}
        tried = subprocess.run(program, pass_fds=[theirs.fileno()], check=False, **options)
    if tried.returncode == NOT_PERMITTED:
        pytest.skip(tried.stderr.strip())
    assert tried.returncode == 0, tried.stderr


async def travel(name: str, journey: Journey) -> Figures:
    """Runs a whole session over the cable."""
    reports: list[dict[str, Any]] = []
    began, cuts = trio.Event(), list[tuple[float, float]]()

    async def read(stream: trio.SocketStream) -> None:
        rest = b""
        async for data in stream:
            *lines, rest = (rest + data).split(b"\n")
            reports.extend(map(json.loads, lines))
            if any(report["what"] in {"SpeechStarted", "AudioChunk"} for report in reports):
                began.set()

    async def cut(cable: Cable) -> None:
        await began.wait()
        for after, seconds in journey.cuts:
            await trio.sleep(after)
            cable.whole = False
            start = time.monotonic()
            await trio.sleep(seconds)
            cable.whole = True
            cuts.append((start, time.monotonic()))

    with trio.fail_after(STARTING + journey.patience):
        async with trio.open_nursery() as nursery, host(nursery, SERVER, "serve") as server:
            await server.reports.receive_some()
            async with host(nursery, CLIENT, *journey.role) as client, trio.open_nursery() as wires:
                cable = Cable((client.wire, server.wire), journey.weather)
                wires.start_soon(cable.run)
                wires.start_soon(cut, cable)
                await read(client.reports)
                wires.cancel_scope.cancel(reason="the session is over")
            nursery.cancel_scope.cancel()
    return Figures(name, journey, cable, reports, cuts)


JOURNEYS = {**SHORT, **LONG}


@pytest.mark.usefixtures("permitted")
@pytest.mark.parametrize(
    "name",
    [*SHORT, *(pytest.param(name, marks=pytest.mark.skipif(not FULL, reason="needs 1000 runs")) for name in LONG)],
)
async def test_every_word_once_between_two_hosts(name: str, journeys: list[str]) -> None:
    figures = await travel(name, JOURNEYS[name])
    journeys.append(str(figures))
    assert figures.done["broken"] is None, figures.done["broken"]
    assert (figures.done["lost"], figures.done["doubled"]) == (0, 0)
    assert figures.done["words"] >= 10
    assert figures.recoveries or not JOURNEYS[name].cuts
    assert figures.done["drops"] >= JOURNEYS[name].drops
    assert figures.cable.lost >= figures.cable.carried * JOURNEYS[name].weather.loss / 4
