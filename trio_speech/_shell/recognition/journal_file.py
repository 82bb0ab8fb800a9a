"""Reads and writes a journal: the file that lets another process go on with a recognition session after a crash.

Writes go to the operating system at once, but are not forced to disk: they survive any end of the process, but not a
power failure. Only one session at a time may have the file open, as two would overwrite each other's records.

The file is created once and never replaced, because Windows cannot replace an open file, and so that nobody can put
another file in its place. Settled audio (see `replay_log`) is dropped by copying the rest within the file.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path
from typing import Literal

import msgspec

from ..._core.provider.requests import TranscribeRequest
from ..._core.recognition.journal import INDEX_SIZE, JournalIndex, audio_record, content_of, header_record
from ..._core.recognition.journal_recovery import RecoveredJournal, recover
from ...errors import ConfigurationError
from .private_file import PrivateFile


class JournalFile:
    """The journal of one session, locked until `close`.

    Methods that write raise `OSError` if that fails, or if the file was deleted or replaced. The journal's content is
    then the same as before the call, and later calls may write again.
    """

    def __init__(self, file: PrivateFile, request: TranscribeRequest, index: JournalIndex) -> None:
        self._file = file
        self._request = request
        self._index = index
        self._frame_size = request.audio_format.frame_size
        # Where each second of audio starts: (sample, offset in the file). The first entry is the start of all of it.
        self._seconds = [(index.start, index.begin)]

    def captured(self, audio: bytes, *, given_up: int = 0) -> None:
        """Writes `audio`, which is about to be captured. Samples before `given_up` need not be kept."""
        if self._index.captured - self._seconds[-1][0] >= self._request.audio_format.sample_rate:
            self._look_after(given_up)
        index = self._index
        record = audio_record(audio, index.captured, index.settled, index.ordinal)
        self._file.write(record, index.end)
        end, captured = index.end + len(record), index.captured + len(audio) // self._frame_size
        self._write_index(JournalIndex(index.begin, end, index.start, captured, index.settled, index.ordinal))

    def delivered(self, settled: int, ordinal: int) -> None:
        """Records that the user has read all results before sample `settled`, up to final number `ordinal`."""
        index = self._index
        if settled > index.settled or ordinal > index.ordinal:
            settled = max(settled, index.settled)
            self._write_index(JournalIndex(index.begin, index.end, index.start, index.captured, settled, ordinal))

    def changed(self, request: TranscribeRequest) -> None:
        """Records the session's new `request`. Raises `ConfigurationError` if it cannot be written as a record."""
        index = self._index
        record = header_record(request, index.captured, index.settled, index.ordinal)
        self._file.write(record, index.end)
        end = index.end + len(record)
        self._write_index(JournalIndex(index.begin, end, index.start, index.captured, index.settled, index.ordinal))
        self._request = request

    def salvage(self, recovered: RecoveredJournal) -> None:
        """Replaces the content of a damaged file by what was `recovered`. Audio that is lost stays marked as lost."""
        content = content_of(self._request, recovered.pieces, recovered.index)
        self._begin_anew(recovered.start, content)
        self._seconds = [(recovered.start, self._index.begin)]

    def close(self) -> None:
        """Compacts the file if it is large, and closes it. Unsettled audio stays in it, for a session that resumes."""
        index = self._index
        try:
            if index.end > 2 * index.needed(index.settled, self._frame_size):
                self._compact(index.settled)
        except OSError:
            pass  # only the file's size was at stake
        finally:
            self._file.close()

    def _look_after(self, given_up: int) -> None:
        """Checks that the file is still there, and compacts it if worthwhile.

        Called once per second of audio only, because checking costs as much as writing a frame.
        """
        self._file.check_still_there()
        index = self._index
        self._seconds.append((index.captured, index.end))
        owed_from = max(given_up, index.settled)
        if index.is_worth_compacting(owed_from, self._frame_size):
            self._compact(owed_from)

    def _compact(self, owed_from: int) -> None:
        """Drops whole seconds of audio before sample `owed_from`, and moves the rest to the front of the file.

        The records are copied unread, with their checksums: damage is noticed when they are read.
        """
        index = self._index
        seconds = [*self._seconds, (index.captured, index.end)]
        kept = bisect_right(seconds, (owed_from, index.end)) - 1
        start, begin = seconds[kept]
        content = content_of(self._request, (), index) + self._file.read(begin, index.end)
        self._begin_anew(start, content)
        if self._index.begin > INDEX_SIZE:
            self._begin_anew(start, content)
        moved = self._index.end - index.end
        self._seconds = [(sample, offset + moved) for sample, offset in seconds[kept:]]

    def _begin_anew(self, start: int, content: bytes) -> None:
        """Replaces the file's content by `content`, whose audio starts at sample `start`."""
        begin = self._index.place_for(len(content))
        end = begin + len(content)
        self._file.write(content, begin)
        self._write_index(msgspec.structs.replace(self._index, begin=begin, end=end, start=start))
        self._file.truncate(end)

    def _write_index(self, index: JournalIndex) -> None:
        self._file.write(index.pack(), 0)
        self._index = index


def create_journal(path: Path, request: TranscribeRequest) -> JournalFile:
    """Creates the journal of a new session. Only the user that runs the process can read it.

    Raises `ConfigurationError` if the file exists already, even if another process created it just now, or if
    `request` cannot be written as a record; `OSError` if the file cannot be created.
    """
    content = content_of(request, (), JournalIndex(0, 0, 0, 0, 0, 0))
    index = JournalIndex(INDEX_SIZE, INDEX_SIZE + len(content), 0, 0, 0, 0)
    file = PrivateFile.create(path)
    try:
        file.write(index.pack().ljust(INDEX_SIZE, b"\0") + content, 0)
    except OSError:
        file.discard()
        raise
    return JournalFile(file, request, index)


def open_journal(path: Path, damaged: Literal["refuse", "salvage"]) -> tuple[JournalFile, RecoveredJournal]:
    """Opens the journal of an earlier session. Returns it, and what is in it.

    The file is not changed, unless it is damaged and `damaged` is ``"salvage"``: then its intact records replace the
    content.

    Raises `OSError` if the file cannot be read or written; `ConfigurationError` if it is not a journal, is in use by a
    session that still runs, or is damaged and `damaged` is ``"refuse"``.
    """
    file = PrivateFile.open(path)
    try:
        recovered = recover(file.read(0, file.size))
        journal = JournalFile(file, recovered.header.request, recovered.index)
        if recovered.damage and damaged == "refuse":
            raise ConfigurationError(
                f"{path}: {recovered.describe_damage()}. Nothing has been changed. Keep a copy of the file, and call "
                'resume_journal with damaged="salvage" to go on with what is sound'
            )
        if recovered.damage:
            journal.salvage(recovered)
    except BaseException:
        file.close()
        raise
    return journal, recovered


def journal_path(path: str | os.PathLike[str]) -> Path:
    """Returns `path` made absolute, so that it names the same file when the working directory changes.

    Raises `ConfigurationError` if it is not a path, or names no file.
    """
    named = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if not isinstance(named, str) or not Path(named).name or "\0" in named:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the journal is {path!r}: give the path of a file, as a string or a Path")
    return Path(named).absolute()
