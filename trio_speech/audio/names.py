"""Names of files as text that can be printed and encoded."""

from __future__ import annotations

import os


def readable(name: str) -> str:
    """Returns a file's name as valid Unicode: bytes of it that are not UTF-8 are shown as in ``\\xff``."""
    return os.fsencode(name).decode(errors="backslashreplace")
