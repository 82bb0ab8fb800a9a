"""What every side is given to do, and what it tells of it: one line of JSON each way."""

from __future__ import annotations

import gc
import json
import random
import resource
import struct
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
VOICE = "cartesia/sonic-3"
SPEAKS = "sonic-3"
SOMEBODY = "a0e99841-438c-4a64-b679-ae501e7d6091"
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
    tls: bool = False
    push: float = PUSH
    """Seconds of audio in each push."""
    by: str = "source"
    """How audio is given where it goes as fast as it can: ``source``, ``send`` or ``send_nowait``."""
    frame: float | None = None
    """`ReplayPolicy.frame_length`, of ours alone."""
    cartesia: bool = False
    """Whether a voice of Cartesia is asked, not LiveKit's gateway."""
    spoken: float = 10.0
    """Seconds of audio of each synthesis."""
    feeder: int = 0
    """The port of `feeder.py`, where audio comes from sockets."""

    @property
    def text(self) -> str:
        """What is spoken: four words a second."""
        return "speech " * round(4 * self.spoken) + "."

    @property
    def host(self) -> str:
        return f"localhost:{self.port}" if self.tls else f"127.0.0.1:{self.port}"  # which the certificate names

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}/v1"

    @property
    def websocket(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://{self.host}"


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
        self._length = load.push
        self._pushes = 0
        self._apart = time.perf_counter() - now

    def begins(self, index: int) -> float:
        """When a stream begins."""
        push = self.load.push
        return self.start + push * (
            round(SPREAD / push * index / self.load.streams) + index % self.load.groups / self.load.groups
        )

    def passed_on(self, begun: float, came: int, size: int) -> int:
        """Audio of a stream was passed on, `size` bytes after the first `came` of them: one push, or several that came
        together. Returns how many bytes have come by now."""
        push = 2 * round(RATE * self.load.push)
        for number in range(came // push, (came + size) // push):
            self.pushed(begun + self.load.push * number)
        return came + size

    def on_the_feeders_clock(self, moment: float) -> float:
        """The same moment as `time.monotonic` tells it, which all processes share."""
        return moment + self._apart - time.perf_counter() + time.monotonic()

    def ticks(self, length: float | None = None) -> Iterator[tuple[float, int, list[int]]]:
        """For one clock that serves all streams: when to push, which piece, and on which streams."""
        length = self._length if length is None else length
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
        due = begun + end - self.load.push
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


ASKED_OF_FEEDER = struct.Struct("dd")


def wish(what: str) -> None:
    """Asks the house to do something to the service."""
    print(what, flush=True)


def asked() -> Load:
    return Load(**json.loads(sys.argv[1]))


def tell(told: Told) -> None:
    print(json.dumps(asdict(told)), flush=True)
