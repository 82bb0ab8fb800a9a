"""A process that is killed loses nothing that was captured, and repeats at most the last event it had read."""

from __future__ import annotations

from pathlib import Path

import pytest

import trio_speech as ts
from trio_speech._core.dialogue import TranscribeRequest
from trio_speech._core.journal import recover
from trio_speech._shell import journaling
from trio_speech.testing import Drop, Gateway, Hear, speech


async def finals_until(transcript: ts.Transcript, wanted: int) -> list[ts.FinalTranscript]:
    finals: list[ts.FinalTranscript] = []
    async for event in transcript:
        if isinstance(event, ts.FinalTranscript):
            finals.append(event)
            if len(finals) == wanted:
                break
    return finals


@pytest.mark.parametrize("read", [1, 2, 3, 5])
async def test_a_killed_process_goes_on(gateway: Gateway, tmp_path: Path, read: int) -> None:
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


async def test_what_was_read_to_the_end_does_not_come_again(gateway: Gateway, tmp_path: Path) -> None:
    said = speech(5.0)
    async with gateway.client() as client:
        async with client.transcribe(said, said.audio_format, journal=tmp_path / "j") as transcript:
            async for _ in transcript:
                pass
        async with client.resume_journal(tmp_path / "j") as transcript:
            assert transcript.unacknowledged() == (5.0, b"")
            transcript.end_input()
            assert [event async for event in transcript] == []


async def test_a_journal_is_not_overwritten(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"something")
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="resume_journal"):
            async with client.transcribe(journal=tmp_path / "j"):
                raise AssertionError("the block must not be entered")


async def test_what_is_no_journal_is_not_resumed(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"something")
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match="not a journal"):
            async with client.resume_journal(tmp_path / "j"):
                raise AssertionError("the block must not be entered")


def test_the_file_is_written_anew_when_most_of_it_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journaling, "_COMPACT_AT", 1_000)
    request = TranscribeRequest(audio_format=ts.AudioFormat.pcm16(8_000))
    owed = (0, b"")
    journal = journaling.FileJournal(tmp_path / "j", request, lambda: owed, 0)
    for _ in range(10):
        journal.captured(bytes(200))
    owed = (900, b"\x01\x02" * 100)
    journal.delivered(900, 4)
    journal.captured(b"\x03\x04")
    journal.close()
    recovered = recover((tmp_path / "j").read_bytes())
    assert (recovered.start, recovered.ordinal, recovered.audio) == (900, 4, b"\x01\x02" * 100 + b"\x03\x04")
    assert (tmp_path / "j").stat().st_size < 1_000
