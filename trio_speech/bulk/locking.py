"""Keeps two runs from writing to the same results, as both would do each recording."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

from ..errors import ConfigurationError

if sys.platform != "win32":
    import fcntl


def lock(descriptor: int, path: Path) -> None:
    """Locks an open file or folder until it is closed. Does nothing on Windows, or where locks are not supported.

    Raises `ConfigurationError` if another run has locked it.
    """
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:
            raise ConfigurationError(f"another run writes into {path}: wait for its end, or name another") from None
