"""Keeps results in a folder, as files of JSON lines. A file that is full is never changed again.

    with open_shards("results") as results:
        for name in names:
            if name not in results.done:
                results.write(FileResult(file=name, text=...))

The files are named ``results-00000.jsonl`` and so on. Each is what `open_results` makes: a line is whole and on the
disk before `ResultsFolder.write` returns.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from ..errors import ConfigurationError
from .locking import lock
from .results import FileResult, ResultsFile, open_results

ROWS = 1_000
"""The default number of results in one file."""


class _Row(msgspec.Struct):
    """The fields of a result that a resumed run needs. Skipping the rest is several times as fast as decoding it."""

    file: str
    error: str | None = None


class ResultsFolder:
    """A folder of results that is open for appending. Made by `open_shards`."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.done: set[str] = set()
        """The names of the recordings whose transcripts are complete."""
        self._folder = folder
        self._rows = rows
        self._opened = ExitStack()
        shards = sorted(folder.glob("results-*.jsonl"))
        lines = 0
        for shard in shards:
            lines = self._read(shard)
        self._number = max(len(shards) - 1, 0)
        self._shard = self._open(resume=True)
        self._room = rows - lines

    def write(self, result: FileResult) -> None:
        """Appends a result, and waits until the disk has it. Raises `OSError`."""
        if self._room <= 0:
            self._opened.close()
            self._number += 1
            self._shard, self._room = self._open(resume=False), self._rows
        self._shard.write(result)
        self._room -= 1
        if result.error is None:
            self.done.add(result.file)

    def close(self) -> None:
        """Closes the file that is being filled."""
        self._opened.close()

    def _open(self, *, resume: bool) -> ResultsFile:
        # Resuming removes the incomplete last line of a run that was killed.
        path = self._folder / f"results-{self._number:05}.jsonl"
        return self._opened.enter_context(open_results(path, resume=resume))

    def _read(self, shard: Path) -> int:
        """Adds the complete recordings in a file to `done`. Returns its number of whole lines."""
        content = shard.read_bytes()
        lines = content[: content.rfind(b"\n") + 1].splitlines()
        for number, line in enumerate(lines, 1):
            try:
                row = msgspec.json.decode(line, type=_Row)
            except msgspec.MsgspecError as error:
                raise ConfigurationError(f"{shard} is not a file of results: line {number}: {error}") from None
            if row.error is None:
                self.done.add(row.file)
        return len(lines)


@contextmanager
def open_shards(folder: str | os.PathLike[str], *, rows: int = ROWS) -> Generator[ResultsFolder]:
    """Opens a folder of results to go on with; makes it where it does not exist.

    `rows`: how many results one file takes. Raises `ConfigurationError` where another run writes there at this moment,
    or where a file of results holds something else, and `OSError`.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        if sys.platform != "win32":  # where a folder cannot be opened
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, descriptor)
            lock(descriptor, path)
        results = ResultsFolder(path, rows)
        held.callback(results.close)
        yield results
