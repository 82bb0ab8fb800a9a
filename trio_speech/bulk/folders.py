"""Finds the recordings in a folder, by their extensions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_SUFFIXES = {
    *("wav", "wave", "w64", "rf64", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "au", "snd", "caf"),
    *("m4a", "mp4", "m4v", "mov", "3gp", "webm", "mkv", "mka", "aac", "amr", "wma"),
}


def is_recording(name: str) -> bool:
    """Whether a file in a folder counts as a recording, by its extension. Hidden files do not."""
    path = PurePosixPath(name)
    return path.suffix.removeprefix(".").lower() in _SUFFIXES and not path.name.startswith(".")


def recordings_under(folder: str) -> Iterator[str]:
    """Yields the recordings in a folder and its subfolders, sorted by path."""
    for path in sorted(Path(folder).rglob("*")):
        if is_recording(path.name) and path.is_file():
            yield str(path)
