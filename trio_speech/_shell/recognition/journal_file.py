"""The journal's file. It is written without buffering, so that what was captured outlives the process at any moment.

It is held for as long as its session lives: of two that wrote it, each would lose what the other captured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..._core.provider.requests import TranscribeRequest
from ..._core.recognition.journal import (
    RecoveredJournal,
    audio_record,
    header_of,
    header_record,
    recover,
    settled_record,
)
from ...errors import ConfigurationError

if sys.platform != "win32":
    import fcntl

_COMPACT_AT = 64 * 2**20
"""Bytes after which what is settled is left out of the file, by writing it anew."""


class JournalFile:
    """Where a session keeps what a crash must not take: a file.

    `owed` gives what is captured and not settled: what a compacted file starts with.
    """

    def __init__(
        self, path: Path, request: TranscribeRequest, owed: Callable[[], tuple[int, bytes]], ordinal: int
    ) -> None:
        self._path = path
        self._request = request
        self._owed = owed
        self._told = (-1, ordinal)
        self._file: BinaryIO = self._write_anew(ordinal)

    def captured(self, audio: bytes) -> None:
        """Audio is about to be captured: it goes to the operating system, not to the disk, which a crash of the process
        does not need. Raises `OSError` where it cannot be written."""
        self._append(audio_record(len(audio)) + audio)

    def delivered(self, settled: int, ordinal: int) -> None:
        """The user has taken everything before sample `settled`, the last final being number `ordinal`."""
        if (settled, ordinal) != self._told:
            self._append(settled_record(settled, ordinal))
            self._told = settled, ordinal
        if self._end - self._begun > _COMPACT_AT:
            self._replace()

    def changed(self, request: TranscribeRequest) -> None:
        """The session asks for something else from now on. Raises `OSError` where it cannot be written, and
        `ConfigurationError` where it cannot be kept; the journal goes on as it was then."""
        self._append(_header(request))
        self._request = request

    def close(self) -> None:
        """The session has ended."""
        self._file.close()

    def _replace(self) -> None:
        outgrown, self._file = self._file, self._write_anew(self._told[1])
        outgrown.close()

    def _append(self, record: bytes) -> None:
        """Whole or not at all: nothing that follows half a record could be read."""
        try:
            _write(self._file, record)
        except OSError:
            self._file.seek(self._end)
            self._file.truncate()
            raise
        self._end += len(record)

    def _write_anew(self, ordinal: int) -> BinaryIO:
        """The file that takes the place of what there is, once it is whole."""
        start, audio = self._owed()
        header = _header(self._request, start, ordinal)
        aside = self._path.with_name(self._path.name + ".new")
        file = aside.open("wb", buffering=0)
        try:
            _hold(file)
            _write(file, header)
            if audio:
                _write(file, audio_record(len(audio)) + audio)
            os.replace(aside, self._path)
        except OSError:
            file.close()
            aside.unlink(missing_ok=True)
            raise
        self._begun = self._end = file.tell()
        return file


def _header(request: TranscribeRequest, start: int = 0, ordinal: int = 0) -> bytes:
    try:
        return header_record(header_of(request, start, ordinal))
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(f"the request cannot be kept in a journal: {error}") from None


def _write(file: BinaryIO, record: bytes) -> None:
    """All of it: a disk that is nearly full takes a part, and says so only to who asks again."""
    rest = memoryview(record)
    while rest:
        rest = rest[file.write(rest) :]


@contextmanager
def left_behind(path: Path) -> Generator[RecoveredJournal, None, None]:
    """What a killed process left, which nobody else may go on with before a `JournalFile` has taken its place.

    Raises `OSError`, and `ConfigurationError` where the file is no journal, or is that of a session that goes on.
    """
    with path.open("rb") as file:
        if not (_hold(file) and os.path.samestat(os.fstat(file.fileno()), path.stat())):
            raise ConfigurationError(f"a session that has not ended keeps the journal {path}: end it before you go on")
        yield recover(file.read())


def _hold(file: BinaryIO) -> bool:
    """Keeps `file` from other sessions, of this process or another, until it is closed; says whether none has it.

    Where the system cannot tell, nobody is kept from anything.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return True


def journal_path(path: str | os.PathLike[str]) -> Path:
    """Raises `ConfigurationError` where `path` names no file."""
    named = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if not isinstance(named, str) or not Path(named).name or "\0" in named:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the journal is {path!r}: give the path of a file, as a string or a Path")
    return Path(named)


def check_new(path: Path) -> None:
    """Raises `ConfigurationError` where a journal would be overwritten."""
    if path.is_file() and path.stat().st_size:
        raise ConfigurationError(f"there is a journal at {path} already: go on with resume_journal, or delete it")
