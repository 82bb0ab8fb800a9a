"""Results in a folder: each file is filled once, and a run goes on where another ended."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import msgspec
import pytest

import trio_speech as ts
from trio_speech.bulk import FileResult, open_results, open_shards


def rows(folder: Path) -> list[list[str]]:
    """The names in each file."""
    shards = [shard.read_bytes().splitlines() for shard in sorted(folder.glob("*.jsonl"))]
    return [[msgspec.json.decode(line, type=FileResult).file for line in shard] for shard in shards]


def test_a_file_is_filled_up_and_the_next_begun(tmp_path: Path) -> None:
    with open_shards(tmp_path / "new" / "out", rows=2) as results:
        for name in "abcde":
            results.write(FileResult(file=name))
        assert results.done == set("abcde")
    assert rows(tmp_path / "new" / "out") == [["a", "b"], ["c", "d"], ["e"]]


def test_a_run_goes_on_in_the_file_that_has_room(tmp_path: Path) -> None:
    for names in ("abc", "def", "", "g"):
        with open_shards(tmp_path, rows=2) as results:
            for name in names:
                results.write(FileResult(file=name))
    assert rows(tmp_path) == [["a", "b"], ["c", "d"], ["e", "f"], ["g"]]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with open_results(tmp_path / "r.jsonl", resume=True) as results, pytest.raises(OSError, match="jsonl") as failed:
        results.write(FileResult(file="a"))
    assert failed.value.errno == errno.ENOSPC


@pytest.mark.skipif(sys.platform != "linux", reason="it has the device that never ends")
def test_a_device_is_no_file_of_results() -> None:
    with (
        pytest.raises(ts.ConfigurationError, match="/dev/zero is no regular file"),
        open_results("/dev/zero", resume=True),
    ):
        pass


def test_two_runs_that_go_on_with_one_file_are_refused(tmp_path: Path) -> None:
    with (
        open_results(tmp_path / "r.jsonl", resume=False),
        pytest.raises(ts.ConfigurationError, match=r"another run writes into .*r\.jsonl"),
        open_results(tmp_path / "r.jsonl", resume=True),
    ):
        pass


def test_what_failed_is_not_done(tmp_path: Path) -> None:
    with open_shards(tmp_path) as results:
        results.write(FileResult(file="a", error="it failed"))
        results.write(FileResult(file="b"))
    with open_shards(tmp_path) as results:
        assert results.done == {"b"}


def test_a_torn_line_is_removed(tmp_path: Path) -> None:
    with open_shards(tmp_path) as results:
        results.write(FileResult(file="a"))
    shard = tmp_path / "results-00000.jsonl"
    shard.write_bytes(shard.read_bytes() + b'{"file": "b", "tex')
    with open_shards(tmp_path) as results:
        assert results.done == {"a"}
        results.write(FileResult(file="c"))
    assert rows(tmp_path) == [["a", "c"]]


def test_another_file_in_the_place_of_results_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "results-00000.jsonl"
    other.write_text("something else\n")
    with pytest.raises(ts.ConfigurationError, match=r"results-00000.jsonl is not a file of results: line 1"):
        open_shards(tmp_path).__enter__()
    assert other.read_text() == "something else\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no lock on a folder")
def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with (
        open_shards(tmp_path),
        pytest.raises(ts.ConfigurationError, match="another run writes into"),
        open_shards(tmp_path),
    ):
        pass
    with open_shards(tmp_path):
        pass
