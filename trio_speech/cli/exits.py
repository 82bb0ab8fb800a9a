"""Errors as one line on standard error and an exit code.

0    done
1    the service or the network failed, or a recording is damaged; what was recognized before has been written
2    wrong use: an argument, a file, a missing credential, a missing extra
3    done, but some audio could not be recognized; standard error names it
130  interrupted
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from trio_speech import ConfigurationError, Gap, SpeechError

FAILED, MISUSED, INCOMPLETE = 1, 2, 3
_BAD_REQUEST = 400

results = Console(highlight=False)
"""Standard output, for results that are read by people."""

messages = Console(stderr=True, highlight=False)
"""Standard error, for everything that is not the result itself."""


@contextmanager
def exit_codes() -> Generator[None]:
    """Turns errors that a user can act on into a line and an exit code. Other exceptions keep their traceback."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of a pipe has left (such as `| head`): typer ends quietly
    except OSError as error:
        tell(f"{error.filename or 'operating system'}: {error.strerror}")
        raise typer.Exit(code_of(error)) from error
    except SpeechError as error:
        tell(str(error))
        raise typer.Exit(code_of(error)) from error


@contextmanager
def network_news() -> Generator[None]:
    """Prints lost and restored connections on standard error: a command that waits for them silently seems to hang.

    They are the library's own log records of level INFO.
    """
    logger, news = logging.getLogger("trio_speech"), _News()
    level = logger.level
    logger.addHandler(news)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(news)


class _News(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and record.name != "trio_speech":
            return  # such as which engine the embedded gateway has chosen: no news of the network
        messages.print(f"[yellow]trio-speech:[/] {escape(record.getMessage())}", soft_wrap=True)


def code_of(error: SpeechError | OSError) -> int:
    """Returns the exit code for an error: wrong use, or a failure of the service or the network.

    A service that answers 400 (bad request) says that the options are wrong, such as a language it does not know.
    """
    if isinstance(error, ConnectionError):
        return FAILED
    misused = isinstance(error, ConfigurationError | OSError) or getattr(error, "code", None) == _BAD_REQUEST
    return MISUSED if misused else FAILED


def report_gaps(gaps: Iterable[Gap]) -> None:
    """Prints the stretches that could not be recognized, and exits with 3 if there are any."""
    lost = tuple(gaps)
    for gap in lost:
        messages.print(f"[yellow]not recognized:[/] {gap.start:.2f} to {gap.end:.2f} s ({gap.reason})")
    if lost:
        raise typer.Exit(INCOMPLETE)


def tell(message: str) -> None:
    """Prints what is wrong as one line on standard error, whatever names of files it quotes."""
    line = "\\n".join(message.splitlines())
    messages.print(f"[red]trio-speech:[/] {escape(line)}", soft_wrap=True)
