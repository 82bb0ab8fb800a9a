"""The format of a journal: what counts in the file, and when it is worth leaving out what is settled."""

from __future__ import annotations

import msgspec
import pytest

from trio_speech import AudioFormat, ConfigurationError, FallbackModel
from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech._core.recognition.journal import (
    INDEX_SIZE,
    JournalHeader,
    JournalIndex,
    audio_record,
    header_of,
    header_record,
    read_index,
    read_record,
)

REQUEST = TranscribeRequest(
    audio_format=AudioFormat.pcm16(8_000),
    model="a/b",
    language="en",
    options={"punctuate": True},
    keyterms=("Trio",),
    fallback=(FallbackModel("c/d", {"x": 1}),),
)
INDEX = JournalIndex(begin=64, end=1_064, start=100, captured=600, settled=90, ordinal=7)


def test_the_request_comes_back() -> None:
    record = header_record(REQUEST, 1, 2, 3)
    read = read_record(memoryview(record), 0, len(record))
    assert read is not None
    assert read.header is not None
    assert read.header.request == REQUEST
    assert (read.begin, read.end, read.at, read.settled, read.ordinal) == (0, len(record), 1, 2, 3)


def test_a_format_comes_back_with_its_channels() -> None:
    stereo = AudioFormat("pcm_s16le", 48_000, 2)
    assert header_of(TranscribeRequest(audio_format=stereo)).audio_format == stereo


def test_audio_comes_back_from_where_it_stands() -> None:
    record = audio_record(b"abcd", 11, 5, 2)
    read = read_record(memoryview(b"xx" + record + b"xx"), 2, 2 + len(record))
    assert read is not None
    assert (bytes(read.audio), read.header) == (b"abcd", None)
    assert (read.begin, read.end, read.at, read.settled, read.ordinal) == (2, 2 + len(record), 11, 5, 2)


def test_a_record_must_end_before_the_end() -> None:
    record = audio_record(b"abcd", 11, 5, 2)
    assert all(read_record(memoryview(record), 0, end) is None for end in range(len(record)))


def test_the_index_comes_back_and_fits_its_place() -> None:
    packed = INDEX.pack()
    assert len(packed) <= INDEX_SIZE
    assert read_index(packed) == INDEX
    assert read_index(packed[:-1]) is None
    assert read_index(b"") is None


@pytest.mark.parametrize("data", [INDEX.pack(), audio_record(b"abcd", 11, 5, 2), header_record(REQUEST, 0, 0, 0)])
def test_every_single_flipped_bit_is_noticed(data: bytes) -> None:
    read = read_index if data == INDEX.pack() else lambda data: read_record(memoryview(data), 0, len(data))
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert read(bytes(flipped)) is None


def test_a_header_of_another_shape_is_refused() -> None:
    foreign = audio_record(b"\x80", 0, 0, 0).replace(b"tsjA", b"tsjX")
    head = foreign[:33]
    from zlib import crc32

    record = head + crc32(b"\x80", crc32(head)).to_bytes(4, "little") + b"\x80"
    with pytest.raises(ConfigurationError, match="header cannot be read"):
        read_record(memoryview(record), 0, len(record))


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_speech._core.recognition.journal.VERSION", 3)
    newer = INDEX.pack()
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="of version 3, and this library reads 2"):
        read_index(newer)


@pytest.mark.parametrize("options", [{"seed": 2**70}, {"when": object()}])
def test_a_request_that_cannot_be_written_down_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="the request cannot be kept in a journal"):
        header_record(msgspec.structs.replace(REQUEST, options=options), 0, 0, 0)


MIB = 2**20


@pytest.mark.parametrize(
    ("size", "captured", "owed_from", "worth"),
    [
        (MIB + 201, 100, 0, True),  # all but 200 bytes is not audio any more
        (MIB + 200, 100, 0, False),
        (MIB + 200, 100, 1, True),
        (4 * MIB, MIB, 0, False),  # half is needed: copying it costs as much as was written since
        (4 * MIB, MIB, 1, True),
        (4 * MIB, MIB, 2 * MIB, True),
    ],
)
def test_compacting_is_worth_it_where_more_is_left_out_than_copied(
    size: int, captured: int, owed_from: int, worth: bool
) -> None:
    index = JournalIndex(64, 64 + size, 0, captured, 0, 0)
    assert index.is_worth_compacting(owed_from, 2) is worth


def test_new_content_goes_to_the_front_where_it_fits_and_else_behind_what_counts() -> None:
    index = JournalIndex(1_000, 3_000, 0, 0, 0, 0)
    assert index.place_for(1_000 - INDEX_SIZE) == INDEX_SIZE
    assert index.place_for(1_001 - INDEX_SIZE) == 3_000


def test_no_secret_has_a_place_in_it() -> None:
    assert not {field for field in JournalHeader.__struct_fields__ if "key" in field and field != "keyterms"}
