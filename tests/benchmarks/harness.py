"""The small house of the benchmarks: the service on one core, each side in a fresh process on another, medians, ratios.

The figures of a side are of its own process, CPU time by `time.process_time`; a round runs all sides one after the
other, so that what else the machine does meets them alike, and ratios are taken within a round.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

HERE = Path(__file__).parent
SIDES = HERE / "sides"
PATIENCE = 170.0


def cores() -> tuple[int | None, int | None]:
    """One for the client and one for the service; ``None`` where there are no two, or they cannot be chosen."""
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[-1]) if len(found) > 1 else (None, None)


def pin(process: subprocess.Popen[str], core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(process.pid, {core})


CLIENT, SERVICE = cores()


class Service:
    """`peer.py`, or another program that takes the same orders, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._read())

    def cut(self) -> None:
        """Resets all connections at once."""
        self._say("cut")

    def figures(self) -> dict[str, Any]:
        """What came since the cut."""
        self._say("figures")
        return json.loads(self._read())

    def _say(self, command: str) -> None:
        assert self._process.stdin is not None
        print(command, file=self._process.stdin, flush=True)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def serving(program: str, *manners: str) -> Iterator[Service]:
    with subprocess.Popen(
        [sys.executable, str(HERE / program), *manners],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        pin(process, SERVICE)
        try:
            yield Service(process)
        finally:
            process.terminate()


FOLDER = TemporaryDirectory()
TLS = {"peer.py": "tls_peer.py"}


@cache
def certificate() -> str:
    """A file with a certificate for this machine, which the clients trust as they trust the system's authorities."""
    import trustme

    authority, file = trustme.CA(), Path(FOLDER.name, "server.pem")
    trusted = file.with_name("authority.pem")
    authority.cert_pem.write_to_path(str(trusted))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(file))
    os.environ["SSL_CERT_FILE"] = str(trusted)
    return str(file)


def run(side: str, task: str, *manners: str, service: str = "peer.py", **load: Any) -> dict[str, Any]:
    """What a side tells of one load, and the service's figures wherever it wished for them."""
    if load.get("tls"):
        service, manners = TLS.get(service, service), (certificate(), *manners)
    with ExitStack() as stack:
        peer = stack.enter_context(serving(service, *manners))
        if load.pop("fed", False):
            load["feeder"] = stack.enter_context(serving("feeder.py")).port
        client = stack.enter_context(
            subprocess.Popen(
                [sys.executable, str(SIDES / f"{side}.py"), json.dumps({"task": task, "port": peer.port, **load})],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SIDES), os.environ.get("PYTHONPATH", "")])},
            )
        )
        pin(client, CLIENT)
        patience = Timer(PATIENCE + 2 * load.get("seconds", 0.0), client.kill)
        patience.start()
        figures: list[dict[str, Any]] = []
        assert client.stdout is not None
        assert client.stdin is not None
        try:
            for line in client.stdout:
                if line.startswith("{"):
                    return {**json.loads(line), "figures": figures}
                if line.startswith("cut"):
                    peer.cut()
                if line.startswith("figures"):
                    figures.append(peer.figures())
                    print(file=client.stdin, flush=True)
        finally:
            patience.cancel()
    raise SystemExit(f"{side} told nothing of {task}")


def rounds(sides: Sequence[str], task: str, times: int, *manners: str, **load: Any) -> dict[str, list[dict[str, Any]]]:
    """What the sides tell of a load, so many times, in turn."""
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for turn in range(times):
        for side in sides if turn % 2 == 0 else reversed(sides):  # who is the first is no matter then
            told[side].append(run(side, task, *manners, **load))
    return told


def per_second(told: dict[str, Any]) -> float:
    """Milliseconds of CPU for a second of audio."""
    return 1_000 * told["cpu"] / told["audio"]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within each round."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else float("nan")
