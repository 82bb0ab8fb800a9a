"""The ``trio-speech`` command, from the extra ``[cli]``: recognition, speech, a server, a fault proxy, self-checks."""

from __future__ import annotations

import io
import sys
import warnings

_EXTRA = {"typer", "rich", "soundfile", "soxr", "numpy"}


def main() -> None:
    """Runs the command. If a package of its extra is missing, says which extra to install and exits with 2."""
    try:
        from .app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print(f"trio-speech: {error.name} is missing: pip install 'trio-speech[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # the imports take a while
        raise SystemExit(130) from None
    warnings.formatwarning = _line
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Python does this for standard error by itself: a terminal that lacks a letter is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="trio-speech")


def _line(message: Warning | str, *_: object, **__: object) -> str:
    return f"trio-speech: {message}\n"
