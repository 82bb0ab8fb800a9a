"""The ``trio-speech`` command, from the ``[cli]`` extra: one-shot forms, a server, a fault proxy and self-checks."""

from __future__ import annotations

import io
import sys
import warnings

_EXTRA = {"typer", "rich", "soundfile", "soxr", "numpy"}


def main() -> None:
    """Runs the command; where its extra is missing, says so and exits with 2."""
    try:
        from .app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print(f"trio-speech: {error.name} is missing: pip install 'trio-speech[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    warnings.formatwarning = _line
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does: not every terminal has every letter
    app(prog_name="trio-speech")


def _line(message: Warning | str, *_: object, **__: object) -> str:
    return f"trio-speech: {message}\n"
