"""A whole archive on a Dask cluster in this process: the plugin, the task, the leases and the results."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import trio_speech as ts
from trio_speech.bulk import ArchiveSummary, BulkOptions, EndpointLimits, FileResult, transcribe_archive
from trio_speech.testing import Manner, Refuse

distributed = pytest.importorskip("distributed")
from trio_speech.bulk import dask_worker  # noqa: E402  # it needs the package

Make = Callable[[int], dict[str, str]]


@pytest.fixture(scope="module")
def cluster() -> Generator[Any]:
    """Two workers of three threads each. Their loops and the scheduler's share a thread."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=3,
        processes=False,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as opened:
        yield opened


def rows(out: Path) -> list[FileResult]:
    lines = (line for shard in sorted(out.glob("*.jsonl")) for line in shard.read_bytes().splitlines())
    return [msgspec.json.decode(line, type=FileResult) for line in lines]


def test_each_recording_is_one_row_and_a_second_run_does_nothing(
    service: Any, cluster: Any, recordings: Make, tmp_path: Path
) -> None:
    said, seen = recordings(12), list[ArchiveSummary]()
    (tmp_path / "calls" / "bad.wav").write_text("not a recording, whatever its name says")

    def watch(now: ArchiveSummary) -> None:
        seen.append(msgspec.structs.replace(now))

    arguments: dict[str, Any] = {"out": tmp_path / "out", "client": cluster.scheduler_address, "progress": watch}
    summary = transcribe_archive(tmp_path / "calls", service.backend, **arguments)
    assert (summary.total, summary.done, summary.failed, summary.words) == (13, 12, 1, 12)
    assert summary.seconds == pytest.approx(summary.billed)
    assert "bad.wav" in (summary.last_error or "")
    assert summary.speed > 0
    assert summary.time_left == 0.0
    found = rows(tmp_path / "out")
    assert {row.file: row.text for row in found if row.error is None} == said
    assert len(found) == 13
    assert seen[0].total == 13
    assert seen[-1] == summary

    (tmp_path / "calls" / "bad.wav").unlink()
    again = transcribe_archive(tmp_path / "calls", service.backend, **arguments)
    assert (again.total, again.skipped, again.done, again.time_left) == (12, 12, 0, None)
    assert len(service.gateway.visits) == 12


def test_limits_hold_over_all_workers(service: Any, cluster: Any, recordings: Make, tmp_path: Path) -> None:
    recordings(9)
    service.gateway.manner = Manner(pace=6.0, interim=None)
    with distributed.Client(cluster, set_as_default=False) as client:
        transcribe_archive(
            tmp_path / "calls",
            service.backend,
            out=tmp_path / "out",
            client=client,
            limits=EndpointLimits(streams=2, dials_per_second=6),
        )
    dialed = [visit.dialed for visit in service.gateway.visits]
    assert service.gateway.peak == 2
    assert len(dialed) == 9
    assert all(later - earlier >= 1.0 for earlier, later in zip(dialed, dialed[6:], strict=False))


def test_what_fails_again_and_again_is_set_aside(service: Any, cluster: Any, recordings: Make, tmp_path: Path) -> None:
    (name,) = recordings(1)
    service.plan(*[Refuse(503)] * 2)
    retry = ts.RetryPolicy(max_attempts=0, base_delay=0.001)
    arguments: dict[str, Any] = {"out": tmp_path / "out", "client": cluster.scheduler_address, "retry": retry}
    summary = transcribe_archive(name, service.backend, tries=2, **arguments)
    assert (summary.done, summary.failed) == (0, 1)
    assert [(row.tries, row.error is None) for row in rows(tmp_path / "out")] == [(2, False)]
    assert transcribe_archive(name, service.backend, **arguments).done == 1


def test_refused_credentials_end_everything(service: Any, cluster: Any, recordings: Make, tmp_path: Path) -> None:
    recordings(3)
    service.plan(*[Refuse(401)] * 9)
    with pytest.raises(ts.AuthenticationError):
        transcribe_archive(tmp_path / "calls", service.backend, out=tmp_path / "out", client=cluster.scheduler_address)
    assert rows(tmp_path / "out") == []


def test_an_absent_scheduler_is_given_up_on(service: Any, recordings: Make, tmp_path: Path) -> None:
    (name,) = recordings(1)
    with pytest.raises(ts.ConnectFailed, match=r"tcp://127\.0\.0\.1:1 does not answer"):
        transcribe_archive(name, service.backend, out=tmp_path / "out", client="tcp://127.0.0.1:1", patience=0.2)


def test_a_plugin_whose_program_was_killed_ends_by_itself(
    service: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_worker, "_PULSE", 0.02)

    def left() -> set[str]:
        return {
            name for worker in cluster.workers.values() for name in worker.plugins if name.startswith("trio-speech")
        }

    with distributed.Client(cluster, set_as_default=False) as killed:
        pulse = killed.submit(str, key=dask_worker.pulse_of("trio-speech-a"), pure=False)
        for name in ("trio-speech-a", "trio-speech-b"):  # of the second, there never was a pulse
            killed.register_plugin(dask_worker.TranscriberPlugin(name, service.backend, BulkOptions()), name=name)
        wait_until(lambda: left() == {"trio-speech-a"})
        assert not pulse.cancelled()
    wait_until(lambda: not left())
    assert not cluster.scheduler.worker_plugins.keys() & {"trio-speech-a", "trio-speech-b"}


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20.0
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_scheduler_that_dies_is_told_in_a_line_and_not_by_tracebacks(
    service: Any, recordings: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recordings(6)
    service.gateway.manner = Manner(pace=1.0, interim=None)
    doomed = subprocess.Popen(
        [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert doomed.stderr is not None
    address = next(line.split()[-1] for line in doomed.stderr if "Scheduler at:" in line)
    worker = subprocess.Popen(
        [sys.executable, "-m", "dask", "worker", address, "--nthreads", "2", "--no-dashboard", "--no-nanny"],
        stderr=subprocess.DEVNULL,
    )

    def kill(now: ArchiveSummary) -> None:
        if now.done:
            doomed.kill()

    asked: dict[str, Any] = {"out": tmp_path / "out", "client": address, "patience": 1.0, "progress": kill}
    with doomed, worker:
        try:
            with distributed.Client(address, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=60)
            with pytest.raises(ts.ConnectFailed, match=f"the scheduler at {address} does not answer"):
                transcribe_archive(tmp_path / "calls", service.backend, **asked)
        finally:
            doomed.kill()
            worker.kill()
    assert rows(tmp_path / "out")
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    told = [record.getMessage() for record in caplog.records if record.name == "trio_speech"]
    assert [f"the scheduler at {address} does not answer" in line for line in told] == [True]


def test_words_are_counted_in_scripts_without_blanks_too() -> None:
    words = (ts.Word(text="今天", start=0.0, end=0.5), ts.Word(text="天气", start=0.5, end=1.0))
    timed = ts.FinalTranscript(text="今天天气", start=0.0, end=1.0, words=words)
    untimed = ts.FinalTranscript(text="three plain words", start=1.0, end=2.0)
    summary = ArchiveSummary()
    summary.add(FileResult(file="a.wav", finals=(timed, untimed)))
    assert summary.words == 5


@pytest.mark.skipif(sys.platform == "win32", reason="it has no groups of processes")
def test_an_interrupt_from_the_terminal_ends_a_cluster_on_this_machine_in_good_order(
    service: Any, recordings: Make, tmp_path: Path
) -> None:
    said = recordings(12)
    service.gateway.manner = Manner(pace=0.5, interim=None)
    out = tmp_path / "out"
    backend: ts.LiveKit = service.backend
    env = os.environ | {
        "LIVEKIT_INFERENCE_URL": str(backend.url),
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "a-secret-that-is-long-enough-for-a-signature",
    }
    command = [sys.executable, "-m", "trio_speech", "bulk", str(tmp_path / "calls"), "--out", str(out)]
    command += ["--backend", "livekit", "--workers", "1", "--jobs", "2"]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: len(rows(out)) > 0)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "KeyboardInterrupt" not in told  # of the worker, which the terminal interrupts too
    service.gateway.manner = Manner(interim=None)
    assert subprocess.run(command, env=env, stderr=subprocess.PIPE, check=False).returncode == 0
    assert sorted(row.file for row in rows(out)) == sorted(said)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1x", "unheard://host:8786"])
def test_what_is_no_address_is_told(service: Any, recordings: Make, tmp_path: Path, address: str) -> None:
    (name,) = recordings(1)
    with pytest.raises(ts.ConfigurationError, match=f"{address} is not the address of a scheduler"):
        transcribe_archive(name, service.backend, out=tmp_path / "out", client=address)


def test_a_missing_package_names_the_extra(
    service: Any, recordings: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = recordings(1)
    monkeypatch.delitem(sys.modules, "trio_speech.bulk.dask_client", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ts.ConfigurationError, match=r"pip install 'trio-speech\[bulk\]'"):
        transcribe_archive(name, service.backend, out=tmp_path / "out")


def test_no_tries_are_refused(service: Any, tmp_path: Path) -> None:
    with pytest.raises(ts.ConfigurationError, match="tries is 0"):
        transcribe_archive("calls", service.backend, out=tmp_path, tries=0)
