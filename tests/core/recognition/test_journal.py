"""The journal's laws: whole records only, and everything captured that was not settled comes back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import AudioFormat, ConfigurationError, FallbackModel
from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech._core.recognition.journal import (
    JournalHeader,
    audio_record,
    header_of,
    header_record,
    recover,
    settled_record,
)

REQUEST = TranscribeRequest(
    audio_format=AudioFormat.pcm16(8_000),
    model="a/b",
    language="en",
    options={"punctuate": True},
    keyterms=("Trio",),
    fallback=(FallbackModel("c/d", {"x": 1}),),
)


def journal(*records: bytes, start: int = 0, ordinal: int = 0) -> bytes:
    return b"".join((header_record(header_of(REQUEST, start, ordinal)), *records))


def audio(pcm: bytes) -> bytes:
    return audio_record(len(pcm)) + pcm


def test_the_request_comes_back() -> None:
    recovered = recover(journal())
    assert recovered.header.request == REQUEST
    assert (recovered.start, recovered.ordinal, recovered.audio) == (0, 0, b"")


def test_the_format_comes_back_with_its_channels_and_the_audio_is_cut_between_frames() -> None:
    stereo = AudioFormat("pcm_s16le", 48_000, 2)
    header = header_of(TranscribeRequest(audio_format=stereo))
    assert header.audio_format == stereo
    assert recover(header_record(header) + audio(b"aaaabbbb") + settled_record(1, 1)).audio == b"bbbb"


def test_what_is_settled_is_left_out() -> None:
    recovered = recover(journal(audio(b"aabbcc"), settled_record(102, 7), audio(b"dd"), start=100, ordinal=5))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (102, 7, b"ccdd")


def test_what_nothing_is_settled_of_begins_where_the_header_says() -> None:
    recovered = recover(journal(audio(b"aabb"), start=100, ordinal=5))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (100, 5, b"aabb")
    first = recover(header_record(header_of(REQUEST)))
    assert (first.start, first.ordinal, first.audio) == (0, 0, b"")


def test_what_was_evicted_before_the_file_began_takes_nothing_from_it() -> None:
    recovered = recover(journal(settled_record(98, 6), audio(b"aabb"), start=100, ordinal=5))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (100, 6, b"aabb")


@pytest.mark.parametrize(
    "records",
    [
        [audio(b"aab")],
        [audio(b"aabb"), settled_record(103, 6)],
        [audio(b"aabb"), b"S" + (2).to_bytes(4, "little") + b"xx"],
    ],
)
def test_records_that_do_not_agree_are_refused(records: list[bytes]) -> None:
    with pytest.raises(ConfigurationError, match="the journal is damaged"):
        recover(journal(*records, start=100, ordinal=5))


def test_a_record_of_a_kind_unknown_is_passed_over() -> None:
    recovered = recover(journal(audio(b"aa"), b"X" + audio(b"zz")[1:], audio(b"bb")))
    assert (recovered.start, recovered.audio) == (0, b"aabb")


def test_what_is_asked_for_later_stands_and_the_clock_and_the_ids_go_on() -> None:
    changed = header_of(msgspec.structs.replace(REQUEST, language="de"))
    recovered = recover(journal(audio(b"aabb"), header_record(changed), settled_record(101, 6), start=100, ordinal=5))
    assert recovered.header.request.language == "de"
    assert (recovered.header.start, recovered.header.ordinal) == (100, 5)
    assert (recovered.start, recovered.ordinal, recovered.audio) == (101, 6, b"bb")


@given(chunks=st.lists(st.binary(min_size=1, max_size=9).map(lambda part: part * 2)), cut=st.integers(min_value=0))
def test_a_torn_record_never_happened(chunks: list[bytes], cut: int) -> None:
    whole = journal()
    ends = [len(whole)]
    for chunk in chunks:
        whole += audio(chunk)
        ends.append(len(whole))
    cut = ends[0] + cut % (len(whole) - ends[0] + 1)
    kept = sum(end <= cut for end in ends) - 1
    assert recover(whole[:cut]).audio == b"".join(chunks[:kept])


@pytest.mark.parametrize("data", [b"", b"not a journal at all", audio(b"ab"), header_record(REQUEST)[:-1]])  # type: ignore[arg-type]
def test_what_is_no_journal_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"^this file is not a journal: it has no header$"):
        recover(data)


BROKEN = header_record(header_of(REQUEST))[5:].replace(b"a/b", b"a\xff/")
BEFORE = msgspec.msgpack.encode(msgspec.structs.replace(header_of(REQUEST), start=-1))


@pytest.mark.parametrize("payload", [b"\x80", b"", BROKEN, BEFORE])
def test_a_header_of_another_shape_is_refused(payload: bytes) -> None:
    record = b"H" + len(payload).to_bytes(4, "little") + payload
    with pytest.raises(ConfigurationError, match="header cannot be read"):
        recover(record)


def test_another_version_is_refused() -> None:
    header = msgspec.structs.replace(header_of(REQUEST), version=2)
    with pytest.raises(ConfigurationError, match="version 2"):
        recover(header_record(header))


def test_no_secret_has_a_place_in_it() -> None:
    assert not {field for field in JournalHeader.__struct_fields__ if "key" in field and field != "keyterms"}
