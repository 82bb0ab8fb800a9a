"""Which recordings paths, folders, wildcards and URLs mean."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import trio_speech as ts
from trio_speech.bulk import find_recordings
from trio_speech.bulk.sources import open_recording


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.wav", "a.FLAC", "deep/c.mp3", "notes.txt", ".hidden.wav"):
        path = tmp_path / "calls" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "calls"


def test_a_folder_means_the_recordings_in_it_and_below(folder: Path) -> None:
    expected = [str(folder / name) for name in ("a.FLAC", "b.wav", "deep/c.mp3")]
    assert find_recordings("calls") == expected
    assert find_recordings(folder) == expected


def test_names_become_absolute_and_come_once(folder: Path) -> None:
    b = str(folder / "b.wav")
    assert find_recordings(["calls/b.wav", b, os.path.join(".", "calls", "*.wav")]) == [b]


def test_a_wildcard_takes_every_ending_and_folders_below(folder: Path) -> None:
    assert find_recordings("calls/*.txt") == [str(folder / "notes.txt")]
    assert find_recordings("calls/**/*.mp3") == [str(folder / "deep" / "c.mp3")]


def test_an_absent_file_is_kept_to_be_told_in_the_results(folder: Path) -> None:
    assert find_recordings("calls/absent.wav") == [str(folder / "absent.wav")]


def test_a_file_whose_name_looks_like_a_wildcard_is_a_file(folder: Path) -> None:
    (folder / "[1].wav").write_bytes(b"RIFF")
    assert find_recordings("calls/[1].wav") == [str(folder / "[1].wav")]


@pytest.mark.parametrize("empty", ["calls/*.ogg", "calls/void"])
def test_a_folder_or_a_wildcard_without_recordings_is_an_error(folder: Path, empty: str) -> None:
    (folder / "void").mkdir()
    with pytest.raises(ts.ConfigurationError, match="holds no recording"):
        find_recordings(empty)


def test_an_empty_name_is_not_the_working_directory(folder: Path) -> None:
    with pytest.raises(ts.ConfigurationError, match="a source is empty"):
        find_recordings("")


def test_links_to_folders_are_not_followed(folder: Path) -> None:
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "gone.wav").symlink_to("nowhere.wav")
    assert find_recordings("calls") == [str(folder / name) for name in ("a.FLAC", "b.wav", "deep/c.mp3")]


def test_a_folder_that_may_not_be_read_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def forbidden(path: str) -> Any:
        if path.endswith("deep"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(PermissionError, match="deep"):
        find_recordings("calls")


def test_urls_are_listed_by_their_file_system() -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for name in ("/calls/a.wav", "/calls/deep/b.ogg", "/calls/notes.txt"):
        memory.pipe_file(name, b"RIFF")
    assert find_recordings("memory://calls") == ["memory:///calls/a.wav", "memory:///calls/deep/b.ogg"]
    assert find_recordings("memory://calls/*.wav") == ["memory:///calls/a.wav"]
    assert find_recordings("memory://calls/notes.txt") == ["memory://calls/notes.txt"]
    memory.rm("/calls", recursive=True)


def test_the_url_of_a_recording_asks_no_service() -> None:
    url = "https://nowhere.invalid/a.wav?version=2"
    assert find_recordings(url) == [url]


def test_a_url_of_an_unknown_kind_is_an_error() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(ts.ConfigurationError, match="unheard://calls cannot be read"):
        find_recordings("unheard://calls")


def test_a_url_without_fsspec_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(ts.ConfigurationError, match=r"pip install 'trio-speech\[bulk\]'"):
        find_recordings("memory://calls")


async def test_a_url_is_read_as_a_recording() -> None:
    fsspec = pytest.importorskip("fsspec")
    recording = Path(__file__).parents[2] / "examples" / "recording.wav"
    fsspec.filesystem("memory").pipe_file("/one.wav", recording.read_bytes())

    async def read(name: str) -> bytes:
        async with open_recording(name, sample_rate=16_000, raw=None, speed=None, storage_options=None) as opened:
            return b"".join([chunk async for chunk in opened])

    assert await read("memory://one.wav") == await read(str(recording)) != b""
    with pytest.raises(FileNotFoundError) as absent:
        await read("memory://absent.wav")
    assert (absent.value.filename, absent.value.strerror) == ("memory://absent.wav", "No such file or directory")
