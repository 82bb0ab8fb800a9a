"""``trio-speech bulk``: its options, its progress, its summary and its exit codes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trio_speech as ts
from trio_speech.bulk import ArchiveSummary, EndpointLimits, FileResult, open_shards
from trio_speech.cli import app
from trio_speech.cli.archive import duration, progress_text, summary_text

Run = Callable[..., Any]


class Archive:
    """Stands in for `transcribe_archive`: keeps its arguments, tells of progress, and returns what is set."""

    def __init__(self) -> None:
        self.summary = ArchiveSummary(
            total=3, skipped=1, done=2, seconds=7_200.0, elapsed=60.0, words=9, billed=7_300.0
        )
        self.given: dict[str, Any] = {}

    def __call__(self, sources: list[str], backend: ts.Backend, **options: Any) -> ArchiveSummary:
        self.given = {"sources": sources, "backend": backend, **options}
        for _ in range(2):
            options["progress"](self.summary)
        return self.summary


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Archive:
    stand_in = Archive()
    monkeypatch.setattr(app, "transcribe_archive", stand_in)
    return stand_in


def test_options_reach_the_archive(run: Run, archive: Archive) -> None:
    result = run(
        *("bulk", "calls", "s3://b/*.wav", "--out", "here", "--scheduler", "tcp://host:8786", "--streams", "5"),
        *("--dials", "2", "--speed", "1.5", "--tries", "4", "--model", "m", "--language", "de", "--raw", "8000"),
    )
    assert (result.exit_code, result.stdout) == (0, "")
    given = archive.given
    assert (given["sources"], given["out"], given["client"]) == (["calls", "s3://b/*.wav"], "here", "tcp://host:8786")
    assert given["limits"] == EndpointLimits(streams=5, dials_per_second=2, speed=1.5)
    assert (given["tries"], given["model"], given["language"]) == (4, "m", "de")
    assert given["raw"] == ts.AudioFormat.pcm16(8_000)
    assert given["backend"] == ts.Local()


def test_the_end_is_summed_up(run: Run, archive: Archive) -> None:
    archive.summary.dashboard = "http://127.0.0.1:8787/status"
    result = run("bulk", "calls", "--out", "here", "--workers", "2", "--jobs", "3")
    assert (archive.given["workers"], archive.given["at_once"], archive.given["client"]) == (2, 3, None)
    assert result.stderr == f"dashboard: http://127.0.0.1:8787/status\n{summary_text(archive.summary)}\n"
    assert summary_text(archive.summary) == (
        "2 recordings done, 1 were done before, 0 set aside: 2.00 h of audio, 9 words, 0.0 s in gaps, 7300 s billed, "
        "in 1:00 (120.0 times real time)"
    )


@pytest.mark.parametrize(("failed", "gaps", "code"), [(0, 0.0, 0), (0, 1.5, 3), (1, 1.5, 1)])
def test_the_exit_code_tells_of_gaps_and_failures(
    run: Run, archive: Archive, failed: int, gaps: float, code: int
) -> None:
    archive.summary.failed, archive.summary.gaps = failed, gaps
    archive.summary.last_error = "a.wav: it failed" if failed else None
    result = run("bulk", "calls", "--out", "here")
    assert result.exit_code == code
    assert result.stderr.count("set aside: a.wav: it failed") == failed  # once, however often it is told


def test_two_clusters_are_refused(run: Run, archive: Archive) -> None:
    result = run("bulk", "calls", "--out", "here", "--workers", "2", "--scheduler", "tcp://host:8786")
    assert (result.exit_code, "not both" in result.stderr) == (2, True)


def test_a_folder_without_recordings_is_wrong_use(run: Run, tmp_path: Path) -> None:
    result = run("bulk", str(tmp_path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert re.sub(r"\s+", " ", result.stderr).startswith(f"trio-speech: {tmp_path} holds no recording")


def test_a_finished_archive_is_found_finished_without_a_cluster_or_heavy_imports(tmp_path: Path) -> None:
    recording, out = tmp_path / "one.wav", tmp_path / "out"
    with open_shards(out) as results:
        results.write(FileResult(file=str(recording)))
    program = "import sys\nfrom trio_speech.cli import main\ntry: main()\nfinally: print(*sys.modules)\n"
    command = [sys.executable, "-c", program, "bulk", str(recording), "--out", str(out)]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 were done before" in process.stderr
    heavy = {"distributed", "pytest", "trio_speech.testing", "trio_speech.gateway"}
    assert heavy & set(process.stdout.split()) == set()


def test_progress_tells_hours_speed_errors_and_time_left() -> None:
    now = ArchiveSummary(total=40, done=9, failed=1, seconds=3_600.0, elapsed=120.0)
    assert progress_text(now) == "waiting for workers"
    now.threads = 8
    assert progress_text(now) == "1.00 h of audio, 30.0 times real time, 1 set aside, 6:00 left"
    assert progress_text(ArchiveSummary(total=1, threads=8)) == "0.00 h of audio, 0.0 times real time"
    assert duration(3_909.4) == "1:05:09"
