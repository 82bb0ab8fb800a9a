"""What every side is given to do, and what it tells of it: one line of JSON each way."""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

RATE = 16_000
PUSH = 0.02
WIRE = 0.05
FINAL_EVERY = 2.0
SPREAD = 2.0
"""Seconds over which the streams of a paced load begin, so that they are out of step as callers are."""
SETTLE = 2.0
MODEL = "deepgram/nova-3"
SPOKEN = 10.0
VOICE = "cartesia/sonic-3"
TEXT = "speech " * 40 + "."
KEY, SECRET = "key", "a secret that is long enough for its purpose"


@dataclass
class Load:
    """`task` names a function of the side; `seconds` of audio are measured on each of `streams`.

    A clock that serves all streams deals them into `groups`, which have their turns one after the other within 20 ms.
    """

    task: str
    port: int
    streams: int = 1
    seconds: float = 10.0
    groups: int = 10
    spans: int = 1
    """Parts of `seconds` that are measured each by itself."""
    telemetry: str = ""
    scheme: str = "http"
    push: float = PUSH
    """Seconds of audio in each push; for the questions that ask for more than one length."""

    @property
    def url(self) -> str:
        host = "localhost" if self.scheme == "https" else "127.0.0.1"  # which the certificate names
        return f"{self.scheme}://{host}:{self.port}/v1"


@dataclass
class Told:
    """Of the client's process alone: CPU seconds for so many seconds of audio; latencies and lateness in seconds."""

    cpu: float = 0.0
    audio: float = 0.0
    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


def chunks(length: float, total: float = 10.0) -> list[bytes]:
    """Noise as loud as speech, in pieces of `length` seconds."""
    return noise(RATE, length, total)


def noise(rate: int, length: float, total: float = 10.0) -> list[bytes]:
    """The same, with so many samples a second."""
    size = 2 * round(rate * length)
    random_bytes = random.Random(1).randbytes
    return [random_bytes(size) for _ in range(round(total / length))]


class Window:
    """The part of a paced load that is measured: all streams are under way, and warm."""

    def __init__(self, load: Load, now: float) -> None:
        self.load = load
        self.start = now + 0.5
        self.opens = self.start + SPREAD + SETTLE
        self.closes = self.opens + load.seconds
        self.told = Told()
        self._length = PUSH
        self._pushes = 0
        self._apart = time.perf_counter() - now

    def begins(self, index: int) -> float:
        """When a stream begins."""
        return self.start + PUSH * (
            round(SPREAD / PUSH * index / self.load.streams) + index % self.load.groups / self.load.groups
        )

    def ticks(self, length: float = PUSH) -> Iterator[tuple[float, int, list[int]]]:
        """For one clock that serves all streams: when to push, which piece, and on which streams."""
        self._length = length
        groups = self.load.groups
        steps = [list(range(step, self.load.streams, groups)) for step in range(min(groups, self.load.streams))]
        for turn in count():
            for step, indices in enumerate(steps):
                due = self.start + length * (turn + step / groups)
                if due > self.start + SPREAD + SETTLE:
                    yield due, turn, indices
                else:
                    yield due, turn, [index for index in indices if self.begins(index) < due + 0.001]

    def moments(self) -> Iterator[tuple[float, Callable[[], object]]]:
        """When to look, and what is to be called then. Garbage is collected before, that nothing measured waits."""
        yield self.start + SPREAD, gc.collect
        yield self.opens, self.opened
        yield self.closes, self.closed

    def opened(self) -> None:
        self._pushes = 0
        self.told.cpu = -time.process_time()

    def closed(self) -> None:
        self.told.cpu += time.process_time()
        self.told.audio = self._pushes * self._length

    def pushed(self, due: float) -> None:
        """A push that was due is done. The time is taken here, so that no side pays for its own library's clock."""
        self._pushes += 1
        if self.opens <= due < self.closes:
            self.told.lateness.append(time.perf_counter() - self._apart - due)

    def heard(self, begun: float, end: float, now: float) -> None:
        """A final came, of what was due to be pushed `end` seconds after the stream began."""
        due = begun + end - PUSH
        if self.opens <= due < self.closes:
            self.told.latencies.append(now - due)


class Spans(Window):
    """A long window in spans. It records no push, for the records would be counted as memory of the side."""

    def moments(self) -> Iterator[tuple[float, Callable[[], object]]]:
        yield self.start + SPREAD, gc.collect
        yield self.opens, self.opened
        for span in range(1, self.load.spans + 1):
            yield self.opens + self.load.seconds * span / self.load.spans, self.closed

    def closed(self) -> None:
        """One span is over, and the next begins."""
        super().closed()
        cpu, audio = self.told.cpu, self.told.audio
        self.opened()
        self.told.extra.setdefault("spans", []).append({"cpu": cpu, "audio": audio, "resident": resident()})

    def pushed(self, due: float) -> None:
        self._pushes += 1

    def heard(self, begun: float, end: float, now: float) -> None:
        pass


def resident() -> float:
    """Bytes of memory in use; where the system does not say, the most that ever was."""
    try:
        with open("/proc/self/smaps_rollup") as rollup:
            return sum(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon")) * 1024.0
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def wish(what: str) -> None:
    """Asks the house to do something to the service."""
    print(what, flush=True)


def asked() -> Load:
    return Load(**json.loads(sys.argv[1]))


def tell(told: Told) -> None:
    print(json.dumps(asdict(told)), flush=True)
