"""What comes back from a journal: everything captured and not settled, or the name of what is lost."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from trio_speech import AudioFormat, ConfigurationError
from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech._core.recognition.gaps import GapRun
from trio_speech._core.recognition.journal import (
    INDEX_SIZE,
    JournalIndex,
    audio_record,
    content_of,
    header_record,
)
from trio_speech._core.recognition.journal_recovery import JournalDamage, RecoveredJournal, recover

REQUEST = TranscribeRequest(audio_format=AudioFormat.pcm16(8_000), language="en")
EMPTY = JournalIndex(0, 0, 0, 0, 0, 0)
HEADERS = len(content_of(REQUEST, (), EMPTY))


def journal(
    *records: bytes,
    captured: int,
    settled: int = 0,
    ordinal: int = 0,
    start: int = 0,
    gap: bytes = b"",
    request: TranscribeRequest = REQUEST,
) -> bytes:
    content = content_of(request, (), JournalIndex(0, 0, start, start, settled, ordinal)) + b"".join(records)
    begin = INDEX_SIZE + len(gap)
    index = JournalIndex(begin, begin + len(content), start, captured, settled, ordinal)
    return index.pack().ljust(INDEX_SIZE, b"\0") + gap + content


def audio(at: int, pcm: bytes, settled: int = 0, ordinal: int = 0) -> bytes:
    return audio_record(pcm, at, settled, ordinal)


def flip(data: bytes, byte: int, bit: int = 0) -> bytes:
    flipped = bytearray(data)
    flipped[byte] ^= 1 << bit
    return bytes(flipped)


def lost(recovered: RecoveredJournal) -> list[tuple[int, int, str]]:
    return [(run.start, run.end, run.reason) for run in recovered.lost]


def test_a_new_journal_holds_nothing() -> None:
    recovered = recover(journal(captured=0))
    assert recovered.header.request == REQUEST
    assert (recovered.start, recovered.ordinal, recovered.audio) == (0, 0, b"")
    assert (recovered.lost, recovered.damage) == ([], ())


def test_what_is_settled_is_left_out() -> None:
    recovered = recover(journal(audio(0, b"aabbcc"), audio(3, b"dd"), captured=4, settled=2, ordinal=7))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (2, 7, b"ccdd")
    assert recovered.lost == []


def test_audio_is_cut_between_samples_of_all_channels() -> None:
    request = TranscribeRequest(audio_format=AudioFormat("pcm_s16le", 48_000, 2))
    recovered = recover(journal(audio(0, b"aaaabbbb"), captured=2, settled=1, request=request))
    assert recovered.audio == b"bbbb"


def test_what_counts_may_start_anywhere_in_the_file() -> None:
    stale = audio(0, b"zzzzzz")
    recovered = recover(journal(audio(10, b"aabb"), captured=12, settled=10, start=10, gap=stale) + stale)
    assert (recovered.start, recovered.audio, recovered.damage) == (10, b"aabb", ())


def test_audio_that_was_given_up_before_the_end_is_lost_by_name() -> None:
    recovered = recover(journal(audio(10, b"aabb"), captured=12, settled=4, start=10))
    assert (recovered.start, recovered.audio) == (10, b"aabb")
    assert (lost(recovered), recovered.damage) == ([(4, 10, "overflow")], ())


def test_the_request_of_the_last_header_counts() -> None:
    changed = header_record(msgspec.structs.replace(REQUEST, language="de"), 2, 0, 0)
    recovered = recover(journal(audio(0, b"aabb"), changed, audio(2, b"cc"), captured=3))
    assert recovered.header.language == "de"
    assert recovered.audio == b"aabbcc"


def test_damaged_audio_is_lost_by_name_and_place_and_silence_stands_for_it() -> None:
    record = audio(1, b"bbcc")
    whole = journal(audio(0, b"aa"), record, audio(3, b"dd"), captured=4)
    begin = INDEX_SIZE + HEADERS + len(audio(0, b"aa"))
    recovered = recover(flip(whole, begin + len(record) - 1))
    assert recovered.audio == b"aa\0\0\0\0dd"
    assert recovered.pieces == ((0, b"aa"), (3, b"dd"))
    assert lost(recovered) == [(1, 3, "damaged")]
    assert recovered.damage == (JournalDamage(begin, begin + len(record)),)
    assert recovered.describe_damage() == (
        f"the journal is damaged (bytes {begin} to {begin + len(record)}; seconds 0.00 to 0.00 of the stream are lost)"
    )


def test_a_damaged_length_takes_no_other_record_with_it() -> None:
    whole = journal(audio(0, b"aa"), audio(1, b"bb"), audio(2, b"cc"), captured=3)
    for bit in range(32):
        recovered = recover(flip(whole, INDEX_SIZE + HEADERS + 5 + bit // 8, bit % 8))
        assert lost(recovered) == [(0, 1, "damaged")]
        assert recovered.pieces == ((1, b"bb"), (2, b"cc"))


def test_audio_that_looks_like_a_record_is_not_taken_for_one() -> None:
    inner = audio(7, b"zz")[:-1]
    whole = journal(audio(0, inner + b"\0" * (len(inner) % 2)), audio(20, b"bb"), captured=21)
    recovered = recover(flip(whole, INDEX_SIZE + HEADERS))
    assert recovered.pieces == ((20, b"bb"),)


@pytest.mark.parametrize(("encoding", "silence"), [("mulaw", b"\xff"), ("alaw", b"\xd5")])
def test_silence_is_that_of_the_encoding(encoding: str, silence: bytes) -> None:
    make: Callable[[], AudioFormat] = getattr(AudioFormat, encoding)
    whole = journal(audio(0, b"aabb"), captured=4, request=TranscribeRequest(audio_format=make()))
    assert recover(flip(whole, len(whole) - 1)).audio == silence * 4


@pytest.mark.parametrize("cut", range(1, 45))
def test_a_file_that_was_cut_off_is_damaged_and_the_clock_goes_on(cut: int) -> None:
    whole = journal(audio(0, b"aabb"), audio(2, b"ccdd"), captured=4)
    recovered = recover(whole[:-cut])
    assert recovered.damage[-1].end == len(whole)
    first = cut < len(audio(2, b"ccdd")) + 1
    assert lost(recovered) == [(2 if first else 0, 4, "damaged")]
    assert len(recovered.audio) == 8


def test_one_damaged_header_leaves_the_other() -> None:
    whole = journal(audio(0, b"aa"), captured=1)
    recovered = recover(flip(whole, INDEX_SIZE + 50))
    assert recovered.header.request == REQUEST
    assert (recovered.audio, recovered.lost) == (b"aa", [])
    assert "no audio is known to be lost" in recovered.describe_damage()
    with pytest.raises(ConfigurationError, match="what the session asked for cannot be read"):
        recover(flip(flip(whole, INDEX_SIZE + 50), INDEX_SIZE + HEADERS // 2 + 50))


def test_without_its_index_a_journal_is_put_together_from_its_records() -> None:
    whole = journal(audio(0, b"aabb", 0, 0), audio(2, b"ccdd", 1, 3), captured=4, settled=3, ordinal=4)
    recovered = recover(flip(whole, 12))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (1, 3, b"bbccdd")
    assert (recovered.lost, recovered.damage) == ([], (JournalDamage(0, INDEX_SIZE),))


def test_without_its_index_what_is_left_over_does_no_harm() -> None:
    left = content_of(REQUEST, [(0, b"aabb"), (2, b"ccdd")], EMPTY)
    whole = journal(audio(2, b"ccdd", 2, 5), audio(4, b"ee", 2, 5), captured=5, settled=2, ordinal=5, start=2, gap=left)
    recovered = recover(flip(whole, 12))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (2, 5, b"ccddee")
    assert recovered.lost == []


def test_without_its_index_a_journal_without_audio_comes_back() -> None:
    recovered = recover(flip(journal(captured=9, settled=9, ordinal=3, start=9), 12))
    assert (recovered.start, recovered.ordinal, recovered.audio) == (9, 3, b"")


@pytest.mark.parametrize("data", [b"", b"something", bytes(200), audio(0, b"aa"), b"H\x05\0\0\0aaaaa" * 30])
def test_what_is_no_journal_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="this file is not a journal"):
        recover(data)


# ---------------------------------------------------------------- ten thousand damages


def random_journal(source: random.Random) -> bytes:
    """A journal of a long session: what it left over may stand around what counts, and the request has changed."""
    stream, at, records = source.randbytes(2_000), 0, []
    settled = source.randrange(40)
    for _ in range(source.randrange(1, 30)):
        if source.random() < 0.1:
            records.append(header_record(REQUEST, at, min(settled, at), 0))
        samples = source.randrange(1, 30)
        records.append(audio(at, stream[2 * at :][: 2 * samples], min(settled, at), 1))
        at += samples
    left = content_of(REQUEST, [(0, stream[: 2 * min(at, 20)])], EMPTY)
    before, behind = source.choice([b"", left]), source.choice([b"", left])
    return journal(*records, captured=at, settled=min(settled, at), ordinal=1, gap=before) + behind


def test_ten_thousand_flips_and_cuts_are_told_or_harmless() -> None:
    source = random.Random(16)
    told = 0
    for _ in range(500):
        whole = random_journal(source)
        sound = recover(whole)
        for _ in range(20):
            hurt = flip(whole, source.randrange(len(whole)), source.randrange(8))
            if source.random() < 0.3:
                hurt = whole[: source.randrange(len(whole))]
            try:
                recovered = recover(hurt)
            except ConfigurationError:
                told += 1
                continue
            told += bool(recovered.damage)
            if not recovered.damage:
                assert recovered == sound
            check_salvaged(recovered, sound)
    assert told > 5_000


def check_salvaged(recovered: RecoveredJournal, sound: RecoveredJournal) -> None:
    """Every sample is as it was captured, or named as lost, unless the end of the stream itself is not known."""
    damaged = [GapRun(run.start, run.end, run.reason) for run in recovered.lost]
    audio = recovered.audio
    for at in range(max(recovered.start, sound.start), recovered.index.captured):
        if not any(run.start <= at < run.end for run in damaged):
            theirs, ours = 2 * (at - recovered.start), 2 * (at - sound.start)
            assert audio[theirs : theirs + 2] == sound.audio[ours : ours + 2]
    assert recovered.index.captured <= sound.index.captured
    if recovered.index == sound.index:
        assert len(audio) == len(sound.audio)
