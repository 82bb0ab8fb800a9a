"""A locked file that only the user who runs the process can read; journals are kept in one.

The differences between operating systems are dealt with here. Nothing checkpoints: a write returns once the operating
system has the data.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from ...errors import ConfigurationError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Flags that a system lacks count as 0. Windows has no O_NOFOLLOW: `check_still_there` finds a symbolic link there.
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_LOCKED_BYTE = 2**62
"""Offset of the byte that is locked on Windows: locked bytes cannot be read, so it is far past the end of any file."""


class PrivateFile:
    """An open, locked file. Methods that read or write raise `OSError` if that fails.

    `locked` is False if the file system has no locks.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        try:
            self.locked = _lock(path, descriptor)
            self.check_still_there()
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def create(cls, path: Path) -> PrivateFile:
        """Creates the file. An existing file that is empty and not locked counts as new.

        If several callers, also in other processes, try at once, one succeeds, and the others get `ConfigurationError`.
        Raises `OSError` if the file cannot be created.
        """
        try:
            file, is_made = cls(path, os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)), True
        except FileExistsError:
            file, is_made = cls.open(path), False
        # An empty file was left by a process that was killed before it wrote anything. Only a lock tells it from a file
        # that another process is about to write. Whoever has made a file may be the later one to lock it, though: by
        # then, another process may have taken it for such an empty one, written it, and even closed it.
        try:
            if file.size or not (is_made or file.locked):
                raise ConfigurationError(f"there is a file at {path} already: go on with resume_journal, or delete it")
            file.make_private()
        except BaseException:
            file.close()
            raise
        return file

    @classmethod
    def open(cls, path: Path) -> PrivateFile:
        """Opens the existing file. Raises `OSError` if it cannot be opened for reading and writing.

        Raises `ConfigurationError` if another session has locked it, or it is a symbolic link or no regular file.
        """
        not_a_file = ConfigurationError(f"{path} is a symbolic link or a device: a journal must be a file of its own")
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise not_a_file from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise not_a_file
        return cls(path, descriptor)

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return os.fstat(self._descriptor).st_size

    def make_private(self) -> None:
        """Sets the permissions to 0600: only the owner may read and write. Does nothing on Windows."""
        if hasattr(os, "fchmod"):
            os.fchmod(self._descriptor, 0o600)

    def check_still_there(self) -> None:
        """Raises `FileNotFoundError` if the path no longer names this file, as what is written would then be lost."""
        try:
            same = os.path.samestat(os.fstat(self._descriptor), os.lstat(self.path))
        except FileNotFoundError:
            same = False
        if not same:
            message = "the journal was deleted or replaced while a session keeps it"
            raise FileNotFoundError(errno.ENOENT, message, str(self.path))

    def read(self, begin: int, end: int) -> bytes:
        """Returns the bytes from offset `begin` up to `end`, or to the end of the file if that comes first."""
        os.lseek(self._descriptor, begin, os.SEEK_SET)
        parts: list[bytes] = []
        while begin < end and (part := os.read(self._descriptor, end - begin)):
            parts.append(part)
            begin += len(part)
        return b"".join(parts)

    def write(self, data: bytes, offset: int) -> None:
        """Writes all of `data` at byte `offset`. If it fails, a part may have been written."""
        written = _write_at(self._descriptor, data, offset)
        while written < len(data):  # a disk that is nearly full takes a part, and only the next call fails
            written += _write_at(self._descriptor, memoryview(data)[written:], offset + written)

    def truncate(self, size: int) -> None:
        """Shortens the file to `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def discard(self) -> None:
        """Deletes and closes the file. Where an open file cannot be deleted (Windows), an empty one stays."""
        self.truncate(0)
        with suppress(PermissionError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Closes and unlocks the file."""
        os.close(self._descriptor)


def _lock(path: Path, descriptor: int) -> bool:
    """Locks the file until it is closed. Returns False if the file system has no locks.

    Raises `ConfigurationError` if another session has locked it.
    """
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise ConfigurationError(
                f"a session that has not ended keeps the journal {path}: end it before you go on"
            ) from None
        return False
    return True


def _seek_and_write(descriptor: int, data: bytes | memoryview, offset: int) -> int:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, data)


_write_at = getattr(os, "pwrite", _seek_and_write)  # Windows has no pwrite
