"""What an archive of 2,000 recordings must survive, and how its speed grows with workers: run by ``nox -s bulk``.

    python tests/bulk/bars.py kills [FILES]     workers are killed every few seconds, and the scheduler once
    python tests/bulk/bars.py poison            a recording that kills each worker
    python tests/bulk/bars.py scaling           files a second with 1, 2 and 4 workers
    python tests/bulk/bars.py hosts [FILES]     as `kills`, with the workers on another host: a network namespace (root)
    python tests/bulk/bars.py embedded          the engines of this machine, with a worker killed

The service is the scripted gateway in a process of its own, which counts streams and dials. Each bar prints its figures
and fails where it is missed.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import trio

import trio_speech as ts
from trio_speech.audio.files import write_audio
from trio_speech.bulk import ArchiveSummary, EndpointLimits, FileResult, transcribe_archive
from trio_speech.testing import Manner, open_gateway, say

CREDENTIALS = {"api_key": "key", "api_secret": "a-secret-that-is-long-enough-for-a-signature"}
HOST = os.environ.get("BARS_HOST", "127.0.0.1")
ELSEWHERE = os.environ.get("BARS_ELSEWHERE", "").split()
"""What runs a command on the workers' host."""
QUIET = Manner(interim=None, onsets=False)


def make_recordings(folder: Path, count: int, silence: float) -> dict[str, str]:
    """Recordings of one word each, no two alike; returns their words by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    said: dict[str, str] = {}
    for number in range(count):
        speech = say(0.1, f"number{number}", silence)
        path = folder / f"{number:05}.wav"
        write_audio(path, speech.audio, speech.audio_format)
        said[str(path)] = speech.text
    return said


# ------------------------------------------------------------------ the service


async def _serve(pace: float) -> None:
    async with open_gateway(manner=msgspec.structs.replace(QUIET, pace=pace)) as gateway:
        print(await gateway.listen(host=HOST), flush=True)
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                break
        dialed = sorted(visit.dialed for visit in gateway.visits)
        within = max((bisect_left(dialed, at + 1.0) - index for index, at in enumerate(dialed)), default=0)
        print(json.dumps({"peak": gateway.peak, "dials": len(dialed), "dials in a second": within}), flush=True)


class Service:
    """The scripted gateway in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.backend = ts.LiveKit(url=url, **CREDENTIALS)

    def counts(self) -> dict[str, Any]:
        """Ends it, and returns what it has counted."""
        self._process.send_signal(signal.SIGTERM)
        told, _ = self._process.communicate(timeout=120)
        counted: dict[str, Any] = json.loads(told)
        return counted


@contextmanager
def service(pace: float) -> Generator[Service]:
    command = [sys.executable, __file__, "service", str(pace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Service(process, process.stdout.readline().strip())
        finally:
            process.kill()


# ------------------------------------------------------------------ the cluster


class Cluster:
    """A scheduler and workers as somebody runs them: what ends is started again."""

    def __init__(self, workers: int, threads: int, log: Path, preload: Sequence[str] = ()) -> None:
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        self.address = f"tcp://{HOST}:{port}"
        dask = [sys.executable, "-m", "dask"]
        scheduler = [*dask, "scheduler", "--host", HOST, "--port", str(port), "--no-dashboard"]
        worker = [
            *ELSEWHERE,
            *dask,
            "worker",
            self.address,
            "--nthreads",
            str(threads),
            "--no-dashboard",
            "--memory-limit",
            "0",
        ]
        self._commands = [scheduler, *([[*worker, *preload]] * workers)]
        self._log = log.open("a")
        self._processes = [self._start(command) for command in self._commands]
        self._done = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()
        self.killed = Counter[str]()

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=self._log, stderr=self._log, start_new_session=True)

    def _keep(self) -> None:
        while not self._done.wait(0.5):
            for index, process in enumerate(self._processes):
                if process.poll() is not None and not self._done.is_set():
                    self._processes[index] = self._start(self._commands[index])

    def kill_worker(self, lot: random.Random) -> None:
        """A worker, or its nanny with it."""
        nanny = psutil.Process(lot.choice(self._processes[1:]).pid)
        try:
            workers = [each for each in nanny.children(recursive=True) if "spawn_main" in " ".join(each.cmdline())]
            for each in workers:
                each.kill()
            self.killed["workers"] += len(workers)
            if lot.random() < 0.25:
                nanny.kill()
                self.killed["nannies"] += 1
        except psutil.NoSuchProcess:
            return

    def kill_scheduler(self) -> None:
        self._processes[0].kill()
        self.killed["scheduler"] += 1

    def memory(self) -> int:
        """Bytes that the scheduler has in use."""
        try:
            return int(psutil.Process(self._processes[0].pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def close(self) -> None:
        self._done.set()
        self._keeper.join()
        for process in self._processes:
            for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                each.kill()
            process.wait()
        self._log.close()


@contextmanager
def cluster(workers: int, threads: int, log: Path, preload: Sequence[str] = ()) -> Generator[Cluster]:
    opened = Cluster(workers, threads, log, preload)
    try:
        yield opened
    finally:
        opened.close()


# ------------------------------------------------------------------ the bars


def rows_of(out: Path) -> list[FileResult]:
    lines = (line for shard in sorted(out.glob("*.jsonl")) for line in shard.read_bytes().splitlines())
    return [msgspec.json.decode(line, type=FileResult) for line in lines]


def kills(folder: Path, count: int = 2_000) -> None:
    """Each file exactly once, whatever dies; no limit exceeded; the scheduler's memory flat; resumed in under 2 s."""
    said, out, lot = make_recordings(folder / "calls", count, 0.5), folder / "out", random.Random(24)
    limits = EndpointLimits(streams=14, dials_per_second=12)
    memory: list[int] = []
    with service(pace=0.6) as serving, cluster(3, 6, folder / "dask.log") as dask:
        began = last = told = time.monotonic()
        pause = 5.0

        def progress(now: ArchiveSummary) -> None:
            nonlocal last, told, pause
            moment, settled = time.monotonic(), now.done + now.failed
            if moment - last > pause and now.done:
                last, pause = moment, lot.uniform(3.0, 9.0)
                dask.kill_worker(lot)
            if settled > count * 0.4 and not dask.killed["scheduler"]:
                dask.kill_scheduler()
            if moment - told > 10.0:
                told = moment
                memory.append(dask.memory())
                print(
                    f"{moment - began:6.0f} s: {settled} files, {now.threads} threads, {memory[-1] >> 20} MiB",
                    flush=True,
                )

        summary = transcribe_archive(
            str(folder / "calls"), serving.backend, out=out, client=dask.address, limits=limits, progress=progress
        )
        killed, counted = dict(dask.killed), serving.counts()
    rows = rows_of(out)
    again = time.monotonic()
    sources, command = str(folder / "calls"), [sys.executable, "-m", "trio_speech", "bulk"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    resumed = subprocess.run([*command, sources, "--out", str(out)], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{len(rows)} rows in {summary.elapsed:.0f} s, killed {killed}; the service counted {counted}")
    # On a busy machine the clock measures the others.
    print(f"again: {time.monotonic() - again:.2f} s, {seconds:.2f} s of CPU: {resumed.stderr.strip()}")
    doubled = {name: times for name, times in Counter(row.file for row in rows).items() if times > 1}
    errors = {row.file: row.error for row in rows if row.error is not None}
    wrong = {row.file for row in rows if row.text != said[row.file]} - errors.keys()
    lost = said.keys() - {row.file for row in rows}
    print(f"doubled: {doubled}, lost: {lost}, errors: {errors}, wrong: {wrong}")
    assert not doubled
    assert not errors
    assert not wrong
    assert len(rows) == count
    assert counted["peak"] <= (limits.streams or 0)
    assert counted["dials in a second"] <= (limits.dials_per_second or 0)
    assert max(memory[-3:]) < 1.2 * max(memory[:4])
    assert seconds < 2.0


def hosts(folder: Path, count: int = 300) -> None:
    """The scheduler and the service on one host, the workers on another, by a virtual cable."""
    here, there = "bulk-here", "bulk-there"
    steps = (
        *(f"netns add {name}" for name in (here, there)),
        f"link add cable0 netns {here} type veth peer name cable1 netns {there}",
        *(f"-n {name} link set lo up" for name in (here, there)),
        f"-n {here} addr add 10.88.0.1/24 dev cable0",
        f"-n {there} addr add 10.88.0.2/24 dev cable1",
        f"-n {here} link set cable0 up",
        f"-n {there} link set cable1 up",
    )
    env = os.environ | {"BARS_HOST": "10.88.0.1", "BARS_ELSEWHERE": f"ip netns exec {there}"}
    command = ["ip", "netns", "exec", here, sys.executable, __file__, "kills", str(count)]
    try:
        for step in steps:
            subprocess.run(["ip", *step.split()], check=True)
        subprocess.run(command, check=True, env=env)
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], check=False)


POISON = """
import os
from trio_speech.bulk import client_thread, sources
client_thread.open_recording = lambda name, **how: (
    os._exit(1) if "poison" in name else sources.open_recording(name, **how)
)
"""


def poison(folder: Path) -> None:
    """A recording that kills each worker that opens it is set aside, and costs no other its place."""
    said = make_recordings(folder / "calls", 60, 0.5)
    (folder / "calls" / "00003 poison.wav").write_bytes(b"RIFF")
    (folder / "poison.py").write_text(POISON)
    preload = ("--preload", str(folder / "poison.py"))
    with service(pace=1.0) as serving, cluster(2, 4, folder / "dask.log", preload) as dask:
        summary = transcribe_archive(str(folder / "calls"), serving.backend, out=folder / "out", client=dask.address)
    errors = {Path(row.file).name: row.error for row in rows_of(folder / "out") if row.error is not None}
    print(f"{summary.done} done, {errors}, in {summary.elapsed:.0f} s")
    assert summary.done == len(said)
    assert errors.keys() == {"00003 poison.wav"}


def scaling(folder: Path) -> None:
    """Files a second, bound by waiting and not by CPU: at least 0.9 of linear."""
    rates: dict[int, float] = {}
    for workers in (1, 2, 4):
        count, threads = 60 * workers, 2
        make_recordings(folder / f"calls{workers}", count, 0.9)
        with service(pace=0.4) as serving, cluster(workers, threads, folder / "dask.log") as dask:
            seen: list[tuple[float, int]] = []

            def progress(now: ArchiveSummary, seen: list[tuple[float, int]] = seen) -> None:
                seen.append((time.monotonic(), now.done))

            _wait_for_threads(dask.address, workers * threads)
            sources, out = str(folder / f"calls{workers}"), folder / f"out{workers}"
            transcribe_archive(sources, serving.backend, out=out, client=dask.address, progress=progress)
        steady = [(at, done) for at, done in seen if 0.15 * count < done < 0.85 * count]
        (began, first), (ended, final) = steady[0], steady[-1]
        rates[workers] = (final - first) / (ended - began)
        linear = rates[workers] / rates[1] / workers
        print(f"{workers} workers: {rates[workers]:.2f} files a second, {linear:.2f} of linear", flush=True)
    assert all(rate >= 0.9 * rates[1] * workers for workers, rate in rates.items())


def _wait_for_threads(address: str, threads: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        while sum(client.nthreads().values()) < threads:
            time.sleep(0.1)


def embedded(folder: Path) -> None:
    """The engines of this machine."""

    async def speak() -> ts.AudioClip:
        async with ts.open_client(ts.Local()) as client:
            return await client.render("The weather is very nice today.")

    clip = trio.run(speak)
    names = [folder / "calls" / f"{number}.wav" for number in range(12)]
    for name in names:
        name.parent.mkdir(exist_ok=True)
        clip.save(name)
    is_killed = False

    def progress(now: ArchiveSummary) -> None:
        nonlocal is_killed
        if now.done >= 2 and not is_killed:
            is_killed = True
            workers = psutil.Process().children(recursive=True)
            next(each for each in workers if "spawn_main" in " ".join(each.cmdline())).kill()

    summary = transcribe_archive(str(folder / "calls"), ts.Local(), out=folder / "out", workers=2, progress=progress)
    texts = Counter(row.text.lower().rstrip(".") for row in rows_of(folder / "out"))
    print(f"{texts}; {summary}")
    assert is_killed
    assert texts == {"the weather is very nice today": len(names)}


BARS: dict[str, Callable[..., None]] = {
    "kills": kills,
    "poison": poison,
    "hosts": hosts,
    "scaling": scaling,
    "embedded": embedded,
}

if __name__ == "__main__":
    if sys.argv[1] == "service":
        trio.run(_serve, float(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            BARS[sys.argv[1]](Path(made), *map(int, sys.argv[2:]))
