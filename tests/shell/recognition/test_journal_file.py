"""A process that is killed loses nothing that was captured, and repeats at most the last event it had read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech._core.recognition.journal import recover
from trio_speech._shell.recognition import journal_file as journaling
from trio_speech.testing import Drop, Hear, ScriptedGateway, speech


async def finals_until(transcript: ts.Transcript, wanted: int) -> list[ts.FinalTranscript]:
    finals: list[ts.FinalTranscript] = []
    async for event in transcript:
        if isinstance(event, ts.FinalTranscript):
            finals.append(event)
            if len(finals) == wanted:
                break
    return finals


@pytest.mark.parametrize("read", [1, 2, 3, 5])
async def test_a_killed_process_goes_on(gateway: ScriptedGateway, tmp_path: Path, read: int) -> None:
    said = speech(20.0)
    path, copy = tmp_path / "journal", tmp_path / "as the kill left it"
    gateway.plan(Hear(6.0), Drop())
    async with gateway.client() as client:
        async with client.transcribe(said, said.audio_format, journal=path) as transcript:
            before = await finals_until(transcript, read)
            copy.write_bytes(path.read_bytes())
        captured = recover(copy.read_bytes())
        end = 2 * captured.start + len(captured.audio)
        async with client.resume_journal(copy) as transcript:
            assert transcript.statistics().captured * 2 * said.audio_format.sample_rate == end
            await transcript.send(said.audio[end:])
            transcript.end_input()
            after = [event async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert after[0].id == before[-1].id, "the last event read was never followed by a request for the next"
    assert after[0] == before[-1]
    texts = [final.text for final in before[:-1] + after]
    assert " ".join(texts).split() == [word.text for word in said.words]
    assert len({final.id for final in before + after}) == len(texts)


async def test_what_was_read_to_the_end_does_not_come_again(gateway: ScriptedGateway, tmp_path: Path) -> None:
    said = speech(5.0)
    async with gateway.client() as client:
        async with client.transcribe(said, said.audio_format, journal=tmp_path / "j") as transcript:
            async for _ in transcript:
                pass
        async with client.resume_journal(tmp_path / "j") as transcript:
            assert transcript.unacknowledged() == (5.0, b"")
            transcript.end_input()
            assert [event async for event in transcript] == []


async def test_a_journal_is_not_overwritten(gateway: ScriptedGateway, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"something")
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="resume_journal"):
            async with client.transcribe(journal=tmp_path / "j"):
                raise AssertionError("the block must not be entered")


async def test_what_was_changed_is_asked_for_when_it_goes_on(gateway: ScriptedGateway, tmp_path: Path) -> None:
    said = speech(4.0)
    path, copy = tmp_path / "journal", tmp_path / "as the kill left it"
    async with gateway.client() as client:
        async with client.transcribe(
            audio_format=said.audio_format, model="deepgram/nova-3", language="en", journal=path
        ) as transcript:
            await transcript.send(said.audio)
            transcript.update(language="de", options={"numerals": True}, keyterms=["Trio"])
            copy.write_bytes(path.read_bytes())
        async with client.resume_journal(copy) as transcript:
            transcript.end_input()
            finals = [event.text async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert " ".join(finals).split() == [word.text for word in said.words]
    visit = gateway.visits[-1]
    assert (visit.language, visit.options) == ("de", {"numerals": True, "keyterm": ["Trio"]})


async def test_a_change_made_on_reading_a_final_takes_nothing_of_it(gateway: ScriptedGateway, tmp_path: Path) -> None:
    said = speech(8.0)
    path, copy = tmp_path / "journal", tmp_path / "as the kill left it"
    async with gateway.client() as client:
        async with client.transcribe(said, said.audio_format, model="deepgram/nova-3", journal=path) as transcript:
            (read,) = await finals_until(transcript, 1)
            transcript.update(keyterms=["Trio"])
            copy.write_bytes(path.read_bytes())
        async with client.resume_journal(copy) as transcript:
            transcript.end_input()
            assert (await finals_until(transcript, 1))[0].id == read.id
            assert transcript.unacknowledged()[0] >= read.end
    assert gateway.visits[-1].options == {"keyterm": ["Trio"]}


async def test_a_change_that_one_of_the_backends_refuses_is_not_kept(gateway: ScriptedGateway, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    backends = [gateway.backend(), gateway.in_place_of(ts.Deepgram("the-key"))]
    async with ts.open_client(backends) as client:
        async with client.transcribe(model="deepgram/nova-3", journal=path) as transcript:
            await transcript.send(bytes(3_200))
            with pytest.raises(ts.ConfigurationError, match="'channels' cannot be given to Deepgram"):
                transcript.update(options={"channels": 2})
        async with client.resume_journal(path) as transcript:
            assert transcript.unacknowledged() == (0.0, bytes(3_200))


async def test_who_reads_on_after_the_block_is_told_that_it_has_been_left(
    gateway: ScriptedGateway, tmp_path: Path
) -> None:
    said = speech(8.0)
    async with gateway.client() as client:
        async with client.transcribe(said, said.audio_format, journal=tmp_path / "j") as transcript:
            await finals_until(transcript, 1)
        with pytest.raises(trio.ClosedResourceError):
            await anext(transcript)


async def test_a_request_that_no_journal_can_keep_leaves_no_file(gateway: ScriptedGateway, tmp_path: Path) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="cannot be kept in a journal"):
            async with client.transcribe(options={"seed": 2**70}, journal=tmp_path / "j"):
                raise AssertionError("the block must not be entered")
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # nothing else goes on


async def test_a_change_that_no_journal_can_keep_is_refused_and_spoils_none(
    gateway: ScriptedGateway, tmp_path: Path
) -> None:
    path, copy = tmp_path / "journal", tmp_path / "as the kill left it"
    async with gateway.client() as client:
        async with client.transcribe(model="deepgram/nova-3", language="en", journal=path) as transcript:
            with pytest.raises(ts.ConfigurationError, match="cannot be kept in a journal"):
                transcript.update(language="de", options={"seed": 2**70})
            await transcript.send(bytes(3_200))
            transcript.update(keyterms=["Trio"])
            copy.write_bytes(path.read_bytes())
        recovered = recover(copy.read_bytes())
    assert (recovered.header.request.language, recovered.header.request.keyterms) == ("en", ("Trio",))
    assert len(recovered.audio) == 3_200


async def test_what_is_no_journal_is_not_resumed(gateway: ScriptedGateway, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"something")
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="not a journal"):
            async with client.resume_journal(tmp_path / "j"):
                raise AssertionError("the block must not be entered")


def test_the_file_is_written_anew_when_most_of_it_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journaling, "_COMPACT_AT", 1_000)
    request = TranscribeRequest(audio_format=ts.AudioFormat.pcm16(8_000))
    owed = (0, b"")
    journal = journaling.JournalFile(tmp_path / "j", request, lambda: owed, 0)
    for _ in range(10):
        journal.captured(bytes(200))
    owed = (900, b"\x01\x02" * 100)
    journal.delivered(900, 4)
    journal.captured(b"\x03\x04")
    journal.close()
    recovered = recover((tmp_path / "j").read_bytes())
    assert (recovered.start, recovered.ordinal, recovered.audio) == (900, 4, b"\x01\x02" * 100 + b"\x03\x04")
    assert (tmp_path / "j").stat().st_size < 1_000


# ---------------------------------------------------------------- one session alone


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_journal_that_a_session_keeps_is_not_resumed_by_another(
    gateway: ScriptedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compacted: bool
) -> None:
    said = speech(5.0)
    path = tmp_path / "journal"
    async with gateway.client() as client:
        async with client.transcribe(audio_format=said.audio_format, journal=path) as transcript:
            await transcript.send(said.audio)
            await finals_until(transcript, 1)
            monkeypatch.setattr(journaling, "_COMPACT_AT", 1_000 if compacted else 2**26)
            await anext(transcript)
            kept = path.read_bytes()
            assert (len(kept) < len(said.audio)) == compacted
            with pytest.raises(ts.ConfigurationError, match="has not ended keeps the journal"):
                async with client.resume_journal(path):
                    raise AssertionError("the block must not be entered")
            assert path.read_bytes() == kept
        async with client.resume_journal(path) as transcript:
            assert transcript.unacknowledged()[1]


async def test_a_journal_is_given_free_where_it_cannot_be_resumed(gateway: ScriptedGateway, tmp_path: Path) -> None:
    said = speech(5.0)
    path = tmp_path / "journal"
    async with gateway.client() as client:
        async with client.transcribe(audio_format=said.audio_format, journal=path) as transcript:
            await transcript.send(said.audio)
        (tmp_path / "journal.new").mkdir()
        with pytest.raises(IsADirectoryError):
            async with client.resume_journal(path):
                raise AssertionError("the block must not be entered")
        (tmp_path / "journal.new").rmdir()
        async with client.resume_journal(path) as transcript:
            assert transcript.unacknowledged() == (0.0, said.audio)


async def test_where_files_cannot_be_locked_a_journal_is_resumed_all_the_same(
    gateway: ScriptedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: Any, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(journaling.fcntl, "flock", flock)
    path = tmp_path / "journal"
    async with gateway.client() as client:
        async with client.transcribe(journal=path) as transcript:
            await transcript.send(bytes(3_200))
        async with client.resume_journal(path) as transcript:
            assert transcript.unacknowledged() == (0.0, bytes(3_200))


# ---------------------------------------------------------------- a disk that is full


@pytest.fixture
def disk() -> Iterator[Callable[[int], None]]:
    """How many bytes a file may have from now on."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_a_full_disk_took_a_part_of_spoils_nothing_that_follows(
    gateway: ScriptedGateway, tmp_path: Path, disk: Callable[[int], None]
) -> None:
    said = speech(3.0)
    path, kept = tmp_path / "journal", bytearray()
    async with (
        gateway.client() as client,
        client.transcribe(audio_format=said.audio_format, journal=path) as transcript,
    ):
        for number, chunk in enumerate(said.chunks(0.1)):
            disk(10**9 if number > 20 else 50_000)
            try:
                await transcript.send(chunk)
                kept += chunk
            except OSError:
                assert 10 < number <= 20
        assert 50_000 < len(kept) < len(said.audio)
        assert transcript.unacknowledged() == (0.0, bytes(kept))
        assert recover(path.read_bytes()).audio == bytes(kept)


async def test_a_disk_that_is_full_at_once_is_left_as_it_was(
    gateway: ScriptedGateway, tmp_path: Path, disk: Callable[[int], None]
) -> None:
    disk(10)
    async with gateway.client() as client:
        with pytest.raises(OSError, match="too large"):
            async with client.transcribe(journal=tmp_path / "journal"):
                pass
    assert not (tmp_path / "journal").exists()
    assert not (tmp_path / "journal.new").exists()


async def test_a_journal_that_cannot_be_written_anew_goes_on_as_it_is(
    gateway: ScriptedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = speech(10.0)
    path = tmp_path / "journal"
    async with (
        gateway.client() as client,
        client.transcribe(audio_format=said.audio_format, journal=path) as transcript,
    ):
        await transcript.send(said.audio)
        await finals_until(transcript, 1)
        monkeypatch.setattr(journaling, "_COMPACT_AT", 1_000)
        (tmp_path / "journal.new").mkdir()
        with pytest.raises(IsADirectoryError):
            await anext(transcript)
        monkeypatch.undo()
        await transcript.send(said.audio)
        recovered = recover(path.read_bytes())
    assert recovered.ordinal == 1
    assert recovered.audio == (2 * said.audio)[2 * recovered.start :]


@pytest.mark.parametrize("path", [5, None, b"journal", "", ".", "a\0b"])
async def test_a_journal_is_named_by_the_path_of_a_file(gateway: ScriptedGateway, path: Any) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="give the path of a file"):
            async with client.resume_journal(path):
                raise AssertionError("the block must not be entered")


async def test_a_directory_is_not_taken_for_a_journal(gateway: ScriptedGateway, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    async with gateway.client() as client:
        with pytest.raises(IsADirectoryError):
            async with client.transcribe(journal=tmp_path / "directory"):
                raise AssertionError("the block must not be entered")
    assert os.listdir(tmp_path) == ["directory"]
