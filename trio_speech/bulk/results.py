"""The results of many recordings as JSON lines, one line a recording.

    with open_results("results.jsonl", resume=True) as results:
        for name in names:
            if name not in results.done:
                results.write(FileResult(file=name, text=...))

A line is written whole and reaches the disk before `ResultsFile.write` returns. A process that is killed
while it writes leaves an incomplete last line. The next `open_results` removes it, and that recording is done again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from ..errors import AuthenticationError, ConfigurationError
from ..events import FinalTranscript, Gap
from ..statistics import TranscriptStatistics
from .locking import lock


class FileResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one recording.

    Fields:
        file: Its name, as it was given.
        seconds: Seconds of audio that were read.
        text: The whole transcript, as far as it was recognized.
        finals: The finals it consists of.
        gaps: The stretches that could not be recognized.
        error: Why the transcript is not complete, and no later try has made it so; ``None``: it is complete.
        statistics: The figures of the session that made the transcript; ``None``: there was none, or they were not
            kept.
        tries: How often it was tried, in the run that wrote this.
    """

    file: str
    seconds: float = 0.0
    text: str = ""
    finals: tuple[FinalTranscript, ...] = ()
    gaps: tuple[Gap, ...] = ()
    error: str | None = None
    statistics: TranscriptStatistics | None = None
    tries: int = 1


class TranscriptionAttempt(msgspec.Struct, frozen=True):
    """The outcome of one try at a recording.

    Fields:
        result: The result, with an error where it failed.
        may_succeed: Whether another try may do better.
        ends_all: Why all other recordings would fail alike: refused credentials, or options that the service lacks.
    """

    result: FileResult
    may_succeed: bool = False
    ends_all: Literal["credentials", "options"] | None = None

    def raise_if_it_ends_all(self) -> None:
        """Raises `AuthenticationError` or `ConfigurationError` if all recordings would fail alike (`ends_all`)."""
        match self.ends_all:
            case "credentials":
                raise AuthenticationError(self.result.error or "the credentials were refused")
            case "options":
                raise ConfigurationError(self.result.error or "the options are wrong")
            case None:
                pass


class ResultsFile:
    """A file of results that is open for appending. Made by `open_results`."""

    def __init__(self, path: Path, descriptor: int, done: set[str]) -> None:
        self.done = done
        """The names of the recordings whose transcripts are complete."""
        self._path = path
        self._descriptor = descriptor

    def write(self, result: FileResult) -> None:
        """Appends a result, and waits until the disk has it. Raises `OSError`."""
        line = memoryview(msgspec.json.encode(result) + b"\n")
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
            os.fsync(self._descriptor)
        except OSError as error:
            error.filename = str(self._path)  # otherwise nobody knows which disk is full
            raise
        if result.error is None:
            self.done.add(result.file)


@contextmanager
def open_results(file: str | os.PathLike[str], *, resume: bool) -> Generator[ResultsFile]:
    """Opens a file of results to append to.

    With `resume`, results are added to an existing file; without it, the file must not exist, so that no results are
    mixed up. Raises `ConfigurationError` for a file that exists, that another run writes into, or that holds something
    else, and `OSError`.
    """
    path = Path(file)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | (0 if resume else os.O_EXCL), 0o644)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists: resume to go on with it, or name another file") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigurationError(f"{path} is no regular file: results cannot be found again in it")
        lock(descriptor, path)
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        done = {result.file for result in _results(content[:whole], path) if result.error is None}
        os.ftruncate(descriptor, whole)
        yield ResultsFile(path, descriptor, done)
    finally:
        os.close(descriptor)


def _results(content: bytes, path: Path) -> Iterator[FileResult]:
    for number, line in enumerate(content.splitlines(), 1):
        try:
            yield msgspec.json.decode(line, type=FileResult)
        except msgspec.MsgspecError as error:
            # Nothing has been changed by now: a file of another kind must not lose its last line.
            raise ConfigurationError(f"{path} is not a file of results: line {number}: {error}") from None
