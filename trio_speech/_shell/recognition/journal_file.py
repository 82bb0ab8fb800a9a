"""A journal's file: it is written as the session goes on, and read when another session takes over.

Writes go to the operating system, without buffering, and not on to the disk: they outlive the process, however it ends,
but not a failure of power. One session at a time has the file: of two that wrote it, each would spoil what the other
keeps.

The file is created once and never replaced, so that it works where an open file cannot be (Windows), and nobody can put
something else in its place. What is settled is left out by copying the rest to another part of the same file.
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
    """The journal of a session, which has it to itself until `close`.

    Everything that writes raises `OSError` where that fails, and where the file was deleted or replaced. The journal
    says then what it said before, and may be written on.
    """

    def __init__(self, file: PrivateFile, request: TranscribeRequest, index: JournalIndex) -> None:
        self._file = file
        self._request = request
        self._index = index
        self._frame_size = request.audio_format.frame_size
        # Where each second of the audio starts, as a sample and an offset in the file; at first, where all of it does.
        self._seconds = [(index.start, index.begin)]

    def captured(self, audio: bytes, *, given_up: int = 0) -> None:
        """Writes down audio that is about to be captured. All before sample `given_up` will never be recognized."""
        if self._index.captured - self._seconds[-1][0] >= self._request.audio_format.sample_rate:
            self._look_after(given_up)
        index = self._index
        record = audio_record(audio, index.captured, index.settled, index.ordinal)
        self._file.write(record, index.end)
        end, captured = index.end + len(record), index.captured + len(audio) // self._frame_size
        self._write_index(JournalIndex(index.begin, end, index.start, captured, index.settled, index.ordinal))

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
        self._file.write(record, index.end)
        end = index.end + len(record)
        self._write_index(JournalIndex(index.begin, end, index.start, index.captured, index.settled, index.ordinal))
        self._request = request

    def salvage(self, recovered: RecoveredJournal) -> None:
        """Makes what was recovered from a damaged file all that counts in it; what is lost stays known as lost."""
        content = content_of(self._request, recovered.pieces, recovered.index)
        self._begin_anew(recovered.start, content)
        self._seconds = [(recovered.start, self._index.begin)]

    def close(self) -> None:
        """The session has ended. What it leaves unsettled stays in the file, for another one."""
        index = self._index
        try:
            if index.end > 2 * index.needed(index.settled, self._frame_size):
                self._compact(index.settled)
        except OSError:
            pass  # only the file's size was at stake
        finally:
            self._file.close()

    def _look_after(self, given_up: int) -> None:
        """Called once in a second of audio, because looking costs as much as writing a frame."""
        self._file.check_still_there()
        index = self._index
        self._seconds.append((index.captured, index.end))
        owed_from = max(given_up, index.settled)
        if index.is_worth_compacting(owed_from, self._frame_size):
            self._compact(owed_from)

    def _compact(self, owed_from: int) -> None:
        """Leaves out the audio before sample `owed_from`, but for a part of a second, and moves the rest to the front.

        The records are copied as they stand, with their checksums: damage to them is noticed where they are read.
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
        """Makes `content`, the audio of which starts at sample `start`, all that counts in the file."""
        begin = self._index.place_for(len(content))
        end = begin + len(content)
        self._file.write(content, begin)
        self._write_index(msgspec.structs.replace(self._index, begin=begin, end=end, start=start))
        self._file.truncate(end)

    def _write_index(self, index: JournalIndex) -> None:
        self._file.write(index.pack(), 0)
        self._index = index


def create_journal(path: Path, request: TranscribeRequest) -> JournalFile:
    """Makes the journal of a new session, which only this user can read.

    Raises `ConfigurationError` where there is such a file already, whoever made it and however short a time ago, or
    where `request` cannot be written down; `OSError` where the file cannot be made.
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
    """Takes over the journal that an earlier session has left, and says what is in it.

    The file stays as it is, unless it is damaged and `damaged` is ``"salvage"``: then what is sound of it becomes all
    that counts.

    Raises `OSError` where the file cannot be read or written; `ConfigurationError` where it is no journal, is that of a
    session that goes on, or is damaged and not to be salvaged.
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
    """`path` from the root, so that it names the same file wherever the process goes.

    Raises `ConfigurationError` where it names no file.
    """
    named = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if not isinstance(named, str) or not Path(named).name or "\0" in named:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"the journal is {path!r}: give the path of a file, as a string or a Path")
    return Path(named).absolute()
