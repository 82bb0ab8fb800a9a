"""The journal's file. It is written without buffering, so that what was captured outlives the process at any moment."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from .._core.dialogue import TranscribeRequest
from .._core.journal import Recovered, audio_record, header_of, header_record, recover, settled_record
from ..errors import ConfigurationError

_COMPACT_AT = 64 * 2**20
"""Bytes after which what is settled is left out of the file, by writing it anew."""


class Journal(Protocol):
    """Where a session keeps what a crash must not take."""

    def captured(self, audio: bytes) -> None:
        """Audio is about to be captured. Raises `OSError` where it cannot be written."""
        ...

    def delivered(self, settled: int, ordinal: int) -> None:
        """The user has taken everything before sample `settled`, the last final being number `ordinal`."""
        ...

    def close(self) -> None:
        """The session has ended."""
        ...


class NoJournal:
    """Keeps nothing."""

    def captured(self, audio: bytes) -> None:
        return

    def delivered(self, settled: int, ordinal: int) -> None:
        return

    def close(self) -> None:
        return


class FileJournal:
    """A journal in a file. `owed` gives what is captured and not settled: what a compacted file starts with."""

    def __init__(
        self, path: Path, request: TranscribeRequest, owed: Callable[[], tuple[int, bytes]], ordinal: int
    ) -> None:
        self._path = path
        self._request = request
        self._owed = owed
        self._told = (-1, -1)
        self._file: BinaryIO = self._write_anew(ordinal)

    def captured(self, audio: bytes) -> None:
        """Two writes: to the operating system, not to the disk, which a crash of the process does not need."""
        self._size += self._file.write(audio_record(len(audio))) + self._file.write(audio)

    def delivered(self, settled: int, ordinal: int) -> None:
        if (settled, ordinal) != self._told:
            self._told = settled, ordinal
            self._size += self._file.write(settled_record(settled, ordinal))
        if self._size > _COMPACT_AT:
            self._file.close()
            self._file = self._write_anew(ordinal)

    def close(self) -> None:
        self._file.close()

    def _write_anew(self, ordinal: int) -> BinaryIO:
        start, audio = self._owed()
        aside = self._path.with_name(self._path.name + ".new")
        aside.write_bytes(header_record(header_of(self._request, start, ordinal)))
        file = aside.open("ab", buffering=0)
        self._size = 0
        if audio:
            file.write(audio_record(len(audio)))
            file.write(audio)
        os.replace(aside, self._path)
        return file


def read_journal(path: Path) -> Recovered:
    """What a killed process left. Raises `OSError`, and `ConfigurationError` where the file is no journal."""
    return recover(path.read_bytes())


def check_new(path: Path) -> None:
    """Raises `ConfigurationError` where a journal would be overwritten."""
    if path.exists() and path.stat().st_size:
        raise ConfigurationError(f"there is a journal at {path} already: go on with resume_journal, or delete it")
