"""Reads the journal that an earlier process has left, even if it is damaged. The format is defined in `journal`.

Laws
    1. All audio that was captured and not settled is either recovered or named in `lost`.
    2. All damage is named by its place in the file, whether it cost any audio or not. The caller decides what to do.
    3. The recovered audio starts at the last settled sample. The last event that the user took may come again, with the
       same `id`, but none before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter, itemgetter

from msgspec import Struct

from ...errors import ConfigurationError
from .gaps import GapRun
from .journal import INDEX_SIZE, RECORD_START, JournalHeader, JournalIndex, JournalRecord, read_index, read_record

_SILENCE: Mapping[str, bytes] = {"pcm_s16le": b"\0", "mulaw": b"\xff", "alaw": b"\xd5"}


class JournalDamage(Struct, frozen=True):
    """Bytes ``[begin, end)`` of the file, which are damaged or missing."""

    begin: int
    end: int

    def __str__(self) -> str:
        return f"bytes {self.begin} to {self.end}"


class RecoveredJournal(Struct, frozen=True):
    """The content of a journal, with which a session can go on at sample `start`.

    `pieces`: the audio, as the first sample of each piece and its bytes. They are in order and do not overlap; between
    two of them, audio may be lost. `damage`: the damaged places of the file. `index`: as it stands in the file, or as
    computed from the records where it is damaged.
    """

    header: JournalHeader
    index: JournalIndex
    pieces: tuple[tuple[int, bytes], ...]
    damage: tuple[JournalDamage, ...] = ()

    @property
    def start(self) -> int:
        """The first sample that was neither settled nor given up when the process ended."""
        return max(self.index.start, self.index.settled)

    @property
    def ordinal(self) -> int:
        """How many finals had been delivered."""
        return self.index.ordinal

    @property
    def audio(self) -> bytes:
        """All audio from sample `start` on, with silence in the place of what is lost."""
        encoding, frame_size = self.header.encoding, self.header.audio_format.frame_size
        parts: list[bytes] = []
        at = self.start
        for start, audio in (*self.pieces, (self.index.captured, b"")):
            parts += (_SILENCE[encoding] * ((start - at) * frame_size), audio)
            at = start + len(audio) // frame_size
        return b"".join(parts)

    @property
    def lost(self) -> list[GapRun]:
        """Runs of samples that were captured, are not settled, and cannot be recovered."""
        index, frame_size = self.index, self.header.audio_format.frame_size
        lost = [GapRun(index.settled, index.start, "overflow")] if index.settled < index.start else []
        at = self.start
        for start, audio in (*self.pieces, (index.captured, b"")):
            if at < start:
                lost.append(GapRun(at, start, "damaged"))
            at = start + len(audio) // frame_size
        return lost

    def describe_damage(self) -> str:
        """Returns one line for a message: which bytes are damaged, and which audio is lost by it."""
        rate = self.header.sample_rate
        places = ", ".join(map(str, self.damage[:3])) + (" and more" if len(self.damage) > 3 else "")
        losses = [f"{run.start / rate:.2f} to {run.end / rate:.2f}" for run in self.lost if run.reason == "damaged"]
        lost = f"seconds {', '.join(losses[:3])} of the stream are lost" if losses else "no audio is known to be lost"
        return f"the journal is damaged ({places}; {lost})"


def recover(data: bytes) -> RecoveredJournal:
    """Reads the bytes of a journal. Raises `ConfigurationError` where they are no journal, or too damaged to read."""
    index = read_index(data)
    # Without an index it is unknown which records count and which are left over. But records carry their samples, and
    # one that is left over is older than those that count, or a copy of one of them.
    begin, end = (index.begin, index.end) if index is not None else (INDEX_SIZE, len(data))
    records, damage = _scan(data, begin, end)
    headers = [record for record in records if record.header is not None]
    header = max(headers, key=attrgetter("at", "begin")).header if headers else None
    if header is None:
        if index is None:
            raise ConfigurationError("this file is not a journal, or its beginning is damaged beyond repair")
        raise ConfigurationError("the journal is damaged: what the session asked for cannot be read")
    if index is None:
        damage = [JournalDamage(0, INDEX_SIZE), *damage]
        index = _guess_index(records, header, end)
    audio = sorted(((record.at, record.audio) for record in records if record.header is None), key=itemgetter(0))
    pieces = _cut(audio, max(index.start, index.settled), header.audio_format.frame_size)
    return RecoveredJournal(header, index, tuple(pieces), tuple(damage))


def _scan(data: bytes, begin: int, end: int) -> tuple[list[JournalRecord], list[JournalDamage]]:
    """Returns all undamaged records in bytes ``[begin, end)``, and the damaged places between them."""
    records: list[JournalRecord] = []
    damage: list[JournalDamage] = []
    view = memoryview(data)
    there = min(end, len(data))
    while begin < there:
        record = read_record(view, begin, there)
        if record is None:
            behind = _next_record(data, begin + 1, there)
            damage.append(JournalDamage(begin, behind))
            begin = behind
        else:
            records.append(record)
            begin = record.end
    if there < end:
        damage.append(JournalDamage(there, end))
    return records, damage


def _next_record(data: bytes, begin: int, end: int) -> int:
    """Returns the byte at which the next undamaged record starts, or `end`.

    The checksum decides, since audio may hold the bytes with which a record starts.
    """
    while (begin := data.find(RECORD_START, begin, end)) >= 0:
        if read_record(memoryview(data), begin, end) is not None:
            return begin
        begin += 1
    return end


def _guess_index(records: Iterable[JournalRecord], header: JournalHeader, end: int) -> JournalIndex:
    """Returns an index computed from the records. It lacks what was settled after the last record was written."""
    frame_size = header.audio_format.frame_size
    audio = [record for record in records if record.header is None]
    newest = max(records, key=attrgetter("at", "settled", "ordinal"))
    captured = max((record.at + len(record.audio) // frame_size for record in audio), default=newest.at)
    # The oldest records may be left over from before `settled`: then they are older than what counts.
    start = max(newest.settled, min((record.at for record in audio), default=newest.at))
    return JournalIndex(INDEX_SIZE, end, start, captured, newest.settled, newest.ordinal)


def _cut(pieces: Iterable[tuple[int, bytes | memoryview]], start: int, frame_size: int) -> Iterator[tuple[int, bytes]]:
    """Yields the audio of `pieces` from sample `start` on, without overlaps. The pieces come in order."""
    for at, audio in pieces:
        new = bytes(audio[max(0, start - at) * frame_size :])
        if new:
            start = max(start, at)
            yield start, new
            start += len(new) // frame_size
