"""A journal's file: it is written as the session goes on, and read when another session takes over.

Writes go to the operating system, without buffering, and not on to the disk: they outlive the process, however it ends,
but not a failure of power. One session at a time has the file: of two that wrote it, each would spoil what the other
keeps.

The file is created once and never replaced, so that it works where an open file cannot be (Windows), and nobody can put
something else in its place. What is settled is left out by copying the rest to another part of the same file.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from ..._core.provider.requests import TranscribeRequest
from ..._core.recognition.journal import INDEX_SIZE, JournalIndex, audio_record, content_of, header_record
from ..._core.recognition.journal_recovery import RecoveredJournal, recover
from ...errors import ConfigurationError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# The flags that are 0 exist on the other systems only. Windows has no symbolic links that a user makes by accident.
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_LOCKED_BYTE = 2**62
"""The byte that is locked on Windows, where nobody may read what is locked: far behind the end of any file."""


class JournalFile:
    """The journal of a session, which has it to itself until `close`.

    Everything that writes raises `OSError` where that fails, and where the file was deleted or replaced. The journal
    says then what it said before, and may be written on.
    """

    def __init__(self, path: Path, file: int, request: TranscribeRequest, index: JournalIndex) -> None:
        self._path = path
        self._file = file
        self._request = request
        self._index = index
        self._frame_size = request.audio_format.frame_size
        self._looked_at = index.captured

    def captured(self, audio: bytes, *, given_up: int = 0) -> None:
        """Writes down audio that is about to be captured. All before sample `given_up` will never be recognized."""
        index = self._index
        samples = len(audio) // self._frame_size
        record = audio_record(audio, index.captured, index.settled, index.ordinal)
        _write(self._file, record, index.end)
        end, captured = index.end + len(record), index.captured + samples
        self._write_index(JournalIndex(index.begin, end, index.start, captured, index.settled, index.ordinal))
        if captured - self._looked_at >= self._request.audio_format.sample_rate:
            self._look_after(given_up)

    def delivered(self, settled: int, ordinal: int) -> None:
        """The user is done with all before sample `settled`; the last final of that was number `ordinal`."""
        index = self._index
        if settled > index.settled or ordinal > index.ordinal:
            settled = max(settled, index.settled)
            self._write_index(JournalIndex(index.begin, index.end, index.start, index.captured, settled, ordinal))

    def changed(self, request: TranscribeRequest) -> None:
        """The session asks for something else from now on. Raises `ConfigurationError` where that cannot be kept."""
        index = self._index
        record = header_record(request, index.captured, index.settled, index.ordinal)
        _write(self._file, record, index.end)
        end = index.end + len(record)
        self._write_index(JournalIndex(index.begin, end, index.start, index.captured, index.settled, index.ordinal))
        self._request = request

    def salvage(self, recovered: RecoveredJournal) -> None:
        """Makes what was recovered from a damaged file all that counts in it; what is lost stays known as lost."""
        self._begin_anew(recovered.start, recovered)

    def close(self) -> None:
        """The session has ended. What it leaves unsettled stays in the file, for another one."""
        try:
            if self._index.settled > self._index.start:
                self._compact(self._index.settled)
        except OSError:
            pass  # only the file's size was at stake
        finally:
            os.close(self._file)

    def _look_after(self, given_up: int) -> None:
        """Called once in a second of audio, because looking costs as much as writing a frame."""
        self._looked_at = self._index.captured
        _check_still_there(self._path, self._file)
        owed_from = max(given_up, self._index.settled)
        if self._index.is_worth_compacting(owed_from, self._frame_size):
            self._compact(owed_from)

    def _compact(self, owed_from: int) -> None:
        """Leaves out the audio before sample `owed_from`, and moves the rest to the front of the file."""
        # The audio comes from the file, not from the log in memory, which has let go of what the user has taken and not
        # yet dealt with.
        try:
            recovered = recover(_read(self._file))
        except ConfigurationError as error:
            raise OSError(errno.EIO, str(error), str(self._path)) from None
        if recovered.damage:
            raise OSError(errno.EIO, recovered.describe_damage(), str(self._path))
        self._begin_anew(max(owed_from, recovered.start), recovered)
        if self._index.begin > INDEX_SIZE:
            self._begin_anew(self._index.start, recovered)

    def _begin_anew(self, start: int, recovered: RecoveredJournal) -> None:
        """Makes the audio from sample `start` on all that counts in the file."""
        index = msgspec.structs.replace(recovered.index, start=start)
        content = content_of(self._request, recovered.pieces_from(start), index)
        begin = self._index.place_for(len(content))
        end = begin + len(content)
        _write(self._file, content, begin)
        self._write_index(msgspec.structs.replace(index, begin=begin, end=end))
        os.ftruncate(self._file, end)

    def _write_index(self, index: JournalIndex) -> None:
        _write(self._file, index.pack(), 0)
        self._index = index


def create_journal(path: Path, request: TranscribeRequest) -> JournalFile:
    """Makes the journal of a new session, which only this user can read.

    Raises `ConfigurationError` where there is such a file already, whoever made it and however short a time ago, or
    where `request` cannot be written down; `OSError` where the file cannot be made.
    """
    content = content_of(request, (), JournalIndex(0, 0, 0, 0, 0, 0))
    index = JournalIndex(INDEX_SIZE, INDEX_SIZE + len(content), 0, 0, 0, 0)
    try:
        file, is_new = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600), True
    except FileExistsError:
        file, is_new = _open(path), False
    with _closed_on_error(file):
        locked = _lock(path, file)
        # An empty file was left by a process that was killed here, before it wrote anything. Only a lock tells it from
        # a file that another process is about to write.
        if os.fstat(file).st_size or not (is_new or locked):
            raise ConfigurationError(f"there is a file at {path} already: go on with resume_journal, or delete it")
        _check_still_there(path, file)
        try:
            if not is_new and hasattr(os, "fchmod"):
                os.fchmod(file, 0o600)
            _write(file, index.pack().ljust(INDEX_SIZE, b"\0") + content, 0)
        except OSError:
            # Where an open file cannot be deleted an empty one stays, which the next session may take.
            os.ftruncate(file, 0)
            with suppress(PermissionError):
                path.unlink()
            raise
    return JournalFile(path, file, request, index)


def open_journal(path: Path, damaged: Literal["refuse", "salvage"]) -> tuple[JournalFile, RecoveredJournal]:
    """Takes over the journal that an earlier session has left, and says what is in it.

    The file stays as it is, unless it is damaged and `damaged` is ``"salvage"``: then what is sound of it becomes all
    that counts.

    Raises `OSError` where the file cannot be read or written; `ConfigurationError` where it is no journal, is that of a
    session that goes on, or is damaged and not to be salvaged.
    """
    file = _open(path)
    with _closed_on_error(file):
        _lock(path, file)
        _check_still_there(path, file)
        recovered = recover(_read(file))
        journal = JournalFile(path, file, recovered.header.request, recovered.index)
        if recovered.damage and damaged == "refuse":
            raise ConfigurationError(
                f"{path}: {recovered.describe_damage()}. Nothing has been changed. Keep a copy of the file, and call "
                'resume_journal with damaged="salvage" to go on with what is sound'
            )
        if recovered.damage:
            journal.salvage(recovered)
    return journal, recovered


def journal_path(path: str | os.PathLike[str]) -> Path:
    """`path` from the root, so that it names the same file wherever the process goes.

    Raises `ConfigurationError` where it names no file.
    """
    named = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if not isinstance(named, str) or not Path(named).name or "\0" in named:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the journal is {path!r}: give the path of a file, as a string or a Path")
    return Path(named).absolute()


@contextmanager
def _closed_on_error(file: int) -> Generator[None, None, None]:
    try:
        yield
    except BaseException:
        os.close(file)
        raise


def _open(path: Path) -> int:
    try:
        file = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_a_file(path) from None
        raise
    with _closed_on_error(file):
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _not_a_file(path)
    return file


def _not_a_file(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path} is a symbolic link or a device: a journal must be a file of its own")


def _lock(path: Path, file: int) -> bool:
    """Keeps the file from other sessions, in this process or another, until it is closed.

    Returns false where the file system has no locks. Raises `ConfigurationError` where a session has it already.
    """
    try:
        if sys.platform == "win32":
            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            raise ConfigurationError(
                f"a session that has not ended keeps the journal {path}: end it before you go on"
            ) from None
        return False
    return True


def _check_still_there(path: Path, file: int) -> None:
    """Raises `FileNotFoundError` where `path` no longer names the open `file`: what is written to it would be lost."""
    try:
        same = os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        same = False
    if not same:
        raise FileNotFoundError(errno.ENOENT, "the journal was deleted or replaced while a session keeps it", str(path))


def _read(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    parts: list[bytes] = []
    while part := os.read(file, 2**24):
        parts.append(part)
    return b"".join(parts)


def _seek_and_write(file: int, data: bytes | memoryview, offset: int) -> int:
    os.lseek(file, offset, os.SEEK_SET)
    return os.write(file, data)


_write_at = getattr(os, "pwrite", _seek_and_write)  # Windows has no pwrite


def _write(file: int, data: bytes, offset: int) -> None:
    """Writes all of `data`. A disk that is nearly full takes a part, and reports an error only to the next call."""
    written = _write_at(file, data, offset)
    while written < len(data):
        written += _write_at(file, memoryview(data)[written:], offset + written)
