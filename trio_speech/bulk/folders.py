"""Finds the recordings in a folder, by their extensions."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import NoReturn

from ..errors import ConfigurationError

_SUFFIXES = {
    *("wav", "wave", "w64", "rf64", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "au", "snd", "caf"),
    *("m4a", "mp4", "m4v", "mov", "3gp", "webm", "mkv", "mka", "aac", "amr", "wma"),
}


def is_recording(name: str) -> bool:
    """Whether a file in a folder counts as a recording, by its extension. Hidden files do not."""
    path = PurePosixPath(name)
    return path.suffix.removeprefix(".").lower() in _SUFFIXES and not path.name.startswith(".")


def recordings_under(folder: str) -> list[str]:
    """Returns the recordings in a folder and its subfolders, sorted by path. Links to folders are not followed.

    Raises `OSError` if it may not look into one of them: to leave out recordings without a word would be worse.
    """
    found: list[str] = []
    for parent, _, names in os.walk(folder, onerror=_refuse):
        paths = (os.path.join(parent, name) for name in names if is_recording(name))
        found += filter(os.path.isfile, paths)
    return sorted(found, key=lambda path: path.split(os.sep))


def _refuse(error: OSError) -> NoReturn:
    raise error


def none_found(source: str) -> ConfigurationError:
    """Returns the error for a source that means no recording."""
    if not source:
        return ConfigurationError("a source is empty: name a file or a folder")
    return ConfigurationError(f"{source} holds no recording: name a file, a folder or a wildcard with some")
