"""A process that is killed loses nothing that was captured, and repeats at most the last event it had read."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech._core.provider.requests import TranscribeRequest
from trio_speech._core.recognition.journal_recovery import recover
from trio_speech._shell.recognition import journal_file, private_file
from trio_speech.testing import Drop, Hear, LabeledSpeech, Refuse, ScriptedGateway, speech


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
            with pytest.raises(ts.ConfigurationError, match="must not hold 'channels' for Deepgram"):
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


REQUEST = TranscribeRequest(audio_format=ts.AudioFormat.pcm16(8_000))
SECOND = 16_000  # bytes


@pytest.fixture(params=["pwrite", "seek and write"])
def writing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of writing: Windows has no pwrite."""
    if request.param != "pwrite":
        monkeypatch.setattr(private_file, "_write_at", private_file._seek_and_write)


@pytest.mark.usefixtures("writing")
def test_what_is_settled_is_left_out_of_the_file_before_it_grows(tmp_path: Path) -> None:
    journal = journal_file.create_journal(tmp_path / "j", REQUEST)
    source, sizes = random.Random(1), list[int]()
    stream = b"".join(source.randbytes(SECOND) for _ in range(300))
    for second in range(300):
        journal.captured(stream[second * SECOND :][:SECOND])
        journal.delivered(max(0, second - 10) * 8_000, second)
        sizes.append((tmp_path / "j").stat().st_size)
    assert max(sizes) < 2**20 + 4 * 11 * SECOND
    recovered = recover((tmp_path / "j").read_bytes())
    assert (recovered.start, recovered.ordinal, recovered.damage) == (289 * 8_000, 299, ())
    assert recovered.audio == stream[289 * SECOND :]
    journal.close()


@pytest.mark.usefixtures("writing")
def test_what_was_given_up_is_left_out_of_the_file_and_stays_known_as_lost(tmp_path: Path) -> None:
    journal = journal_file.create_journal(tmp_path / "j", REQUEST)
    journal.delivered(0, 3)
    for second in range(300):
        journal.captured(bytes([second % 256]) * SECOND, given_up=max(0, second - 10) * 8_000)
    assert (tmp_path / "j").stat().st_size < 2**20 + 4 * 11 * SECOND
    recovered = recover((tmp_path / "j").read_bytes())
    (lost,) = recovered.lost
    assert (lost.start, lost.end, lost.reason) == (0, recovered.start, "overflow")
    assert recovered.audio[-10 * SECOND :] == b"".join(bytes([second % 256]) * SECOND for second in range(290, 300))
    journal.close()


def test_what_is_left_after_a_session_of_which_all_is_settled_is_small(tmp_path: Path) -> None:
    journal = journal_file.create_journal(tmp_path / "j", REQUEST)
    for _ in range(30):
        journal.captured(bytes(SECOND))
    journal.delivered(30 * 8_000, 4)
    journal.close()
    assert (tmp_path / "j").stat().st_size < 1_000
    recovered = recover((tmp_path / "j").read_bytes())
    assert (recovered.start, recovered.ordinal, recovered.audio, recovered.damage) == (30 * 8_000, 4, b"", ())


def test_damage_is_not_healed_by_compacting(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = journal_file.create_journal(path, REQUEST)
    for second in range(1, 92):
        journal.captured(bytes(SECOND))
        journal.delivered(max(0, second - 20) * 8_000, second)
        if second == 75:
            hurt(path, path.stat().st_size - 1)
    assert path.stat().st_size < 65 * SECOND
    recovered = recover(path.read_bytes())
    assert len(recovered.damage) == 1
    assert [(run.start, run.end, run.reason) for run in recovered.lost] == [(74 * 8_000, 75 * 8_000, "damaged")]
    journal.close()


async def test_quiet_leaves_a_small_file_and_is_not_heard_again(gateway: ScriptedGateway, tmp_path: Path) -> None:
    path, audio_format = tmp_path / "j", ts.AudioFormat.pcm16(8_000)
    async with (
        gateway.client() as client,
        client.transcribe(None, audio_format, journal=path) as transcript,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(finals_until, transcript, 1)
        for _ in range(600):
            await transcript.send(bytes(SECOND))
            await trio.sleep(1)
        recovered = recover(path.read_bytes())
        unsettled = transcript.statistics().unsettled
        nursery.cancel_scope.cancel()
    assert len(recovered.audio) == unsettled * SECOND < 60 * SECOND
    assert path.stat().st_size < 300 * SECOND


# ---------------------------------------------------------------- damage


def hurt(path: Path, byte: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)
    return bytes(content)


async def kept_journal(client: ts.Client, path: Path, said: LabeledSpeech) -> None:
    async with client.transcribe(audio_format=said.audio_format, journal=path) as transcript:
        for chunk in said.chunks(1.0):
            await transcript.send(chunk)


async def test_a_damaged_journal_is_refused_and_left_as_it_is(gateway: ScriptedGateway, tmp_path: Path) -> None:
    path, said = tmp_path / "j", speech(5.0)
    async with gateway.client() as client:
        await kept_journal(client, path, said)
        before = hurt(path, path.stat().st_size // 2)
        with pytest.raises(ts.ConfigurationError, match=r'bytes \d+ to \d+; seconds 2.00 to 3.00.*damaged="salvage"'):
            async with client.resume_journal(path):
                raise AssertionError("the block must not be entered")
        assert path.read_bytes() == before


async def test_what_is_sound_of_a_damaged_journal_is_recognized_and_the_rest_is_a_gap(
    gateway: ScriptedGateway, tmp_path: Path
) -> None:
    path, said = tmp_path / "j", speech(8.0)
    async with gateway.client() as client:
        await kept_journal(client, path, said)
        hurt(path, path.stat().st_size // 2)
        async with client.resume_journal(path, damaged="salvage"):
            pass  # nobody reads: the loss must stay known
        async with client.resume_journal(path) as transcript:
            transcript.end_input()
            events = [event async for event in transcript if isinstance(event, ts.FinalTranscript | ts.Gap)]
            statistics = transcript.statistics()
        (gap,) = [event for event in events if isinstance(event, ts.Gap)]
        assert (gap.start, gap.end, gap.reason) == (3.0, 4.0, "damaged")
        words = [word for event in events if isinstance(event, ts.FinalTranscript) for word in event.text.split()]
        outside = [word.text for word in said.words if word.end <= 48_000 or word.start >= 64_000]
        assert [word for word in words if word in outside] == outside
        assert (statistics.captured, statistics.in_gaps, statistics.settled) == (8.0, 1.0, 7.0)
        async with client.resume_journal(path) as transcript:
            transcript.end_input()
            assert [event async for event in transcript] == []


@pytest.mark.parametrize("damaged", ["ignore", None, True])
async def test_what_is_to_be_done_with_damage_is_checked(gateway: ScriptedGateway, damaged: Any) -> None:
    async with gateway.client() as client:
        with pytest.raises(ts.ConfigurationError, match='damaged must be "refuse" or "salvage", not'):
            async with client.resume_journal("j", damaged=damaged):
                raise AssertionError("the block must not be entered")


async def test_what_overflowed_before_a_kill_is_a_gap_after_it(gateway: ScriptedGateway, tmp_path: Path) -> None:
    path, copy = tmp_path / "j", tmp_path / "as the kill left it"
    gateway.plan(*[Refuse(503)] * 100)
    policy = ts.ReplayPolicy(limit=20.0, overflow="drop_oldest")
    retry = ts.RetryPolicy(max_attempts=None, deadline=None)
    async with ts.open_client(gateway.backend(), replay=policy, retry=retry) as client:
        async with client.transcribe(None, ts.AudioFormat.pcm16(8_000), journal=path) as transcript:
            for _ in range(200):
                await transcript.send(bytes(SECOND))
            copy.write_bytes(path.read_bytes())
        lost = recover(copy.read_bytes()).lost[0].end / 8_000
        assert 0 < lost <= 180
        async with client.resume_journal(copy) as transcript:
            assert transcript.unacknowledged() == (lost, bytes(round((200 - lost) * SECOND)))
            assert transcript.statistics().in_gaps == lost


# ---------------------------------------------------------------- a file of one's own


async def test_only_its_user_can_read_a_journal(gateway: ScriptedGateway, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        journal_file.create_journal(tmp_path / "j", REQUEST).close()
        (tmp_path / "empty").touch(0o666)
        journal_file.create_journal(tmp_path / "empty", REQUEST).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "empty").stat().st_mode) == 0o600


@pytest.mark.parametrize("exists", [False, True])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, exists: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if exists:
        journal_file.create_journal(target, REQUEST).close()
    link.symlink_to(target)
    for use in (lambda: journal_file.create_journal(link, REQUEST), lambda: journal_file.open_journal(link, "refuse")):
        with pytest.raises(ts.ConfigurationError, match="is a symbolic link or a device"):
            use()
    assert target.exists() == exists


def test_where_links_cannot_be_refused_on_opening_they_are_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_file, "_FLAGS", os.O_RDWR)
    journal_file.create_journal(tmp_path / "target", REQUEST).close()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(FileNotFoundError, match="deleted or replaced"):
        journal_file.open_journal(tmp_path / "link", "refuse")


def test_a_device_is_not_taken_for_a_journal() -> None:
    with pytest.raises(ts.ConfigurationError, match="is a symbolic link or a device"):
        journal_file.create_journal(Path("/dev/null"), REQUEST)


@pytest.mark.parametrize("is_closed", [True, False])
def test_who_made_the_file_and_was_overtaken_before_it_locked_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    path, flock, overtakes = tmp_path / "j", fcntl.flock, [journal_file.create_journal]
    others: list[journal_file.JournalFile] = []

    def overtaken(file: Any, operation: int) -> None:
        if overtakes:
            other = overtakes.pop()(path, REQUEST)
            other.captured(bytes(3_200))
            others.append(other)
            if is_closed:
                other.close()
        flock(file, operation)

    monkeypatch.setattr(private_file.fcntl, "flock", overtaken)
    with pytest.raises(ts.ConfigurationError):
        journal_file.create_journal(path, REQUEST)
    assert len(others) == 1
    assert recover(path.read_bytes()).audio == bytes(3_200)


def test_of_two_that_begin_the_same_journal_the_second_is_refused(tmp_path: Path) -> None:
    first = journal_file.create_journal(tmp_path / "j", REQUEST)
    with pytest.raises(ts.ConfigurationError, match="a session that has not ended keeps the journal"):
        journal_file.create_journal(tmp_path / "j", REQUEST)
    first.close()
    with pytest.raises(ts.ConfigurationError, match="there is a file at"):
        journal_file.create_journal(tmp_path / "j", REQUEST)


def test_an_empty_file_is_taken_only_by_who_can_lock_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    path.touch()
    with path.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)  # as a process does that is about to write it
        with pytest.raises(ts.ConfigurationError, match="has not ended"):
            journal_file.create_journal(path, REQUEST)

    def without_locks(file: Any, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    with monkeypatch.context() as patch:
        patch.setattr(private_file.fcntl, "flock", without_locks)
        with pytest.raises(ts.ConfigurationError, match="there is a file at"):
            journal_file.create_journal(path, REQUEST)
    journal_file.create_journal(path, REQUEST).close()


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.write_bytes(b"something else")


@pytest.mark.parametrize("loss", [remove, replace])
async def test_a_journal_that_is_deleted_ends_the_session_within_a_second_of_audio(
    gateway: ScriptedGateway, tmp_path: Path, loss: Callable[[Path], None]
) -> None:
    path, said, taken = tmp_path / "j", speech(9.0), bytearray()

    async def source() -> AsyncIterator[bytes]:
        for number, chunk in enumerate(said.chunks(0.1)):
            if number == 45:
                loss(path)
            taken.extend(chunk)
            yield chunk

    async with gateway.client() as client:
        with pytest.raises(FileNotFoundError, match="the journal was deleted or replaced"):
            async with client.transcribe(source(), said.audio_format, journal=path) as transcript:
                await trio.sleep_forever()
        assert len(taken) <= 5.6 * 2 * said.audio_format.sample_rate
        start, audio = transcript.unacknowledged()
        assert (start, audio) == (0.0, bytes(taken))


# ---------------------------------------------------------------- one session alone


async def test_a_journal_that_a_session_keeps_is_not_resumed_by_another(
    gateway: ScriptedGateway, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    async with gateway.client() as client:
        async with client.transcribe(journal=path) as transcript:
            await transcript.send(bytes(3_200))
            kept = path.read_bytes()
            with pytest.raises(ts.ConfigurationError, match="has not ended keeps the journal"):
                async with client.resume_journal(path):
                    raise AssertionError("the block must not be entered")
            assert path.read_bytes() == kept
        async with client.resume_journal(path) as transcript:
            assert transcript.unacknowledged() == (0.0, bytes(3_200))


async def test_a_journal_is_given_free_where_it_cannot_be_resumed(gateway: ScriptedGateway, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    async with gateway.client() as client, client.transcribe(model="no/such", journal=path) as transcript:
        await transcript.send(bytes(3_200))
    async with ts.open_client(ts.Deepgram("the-key")) as client:
        with pytest.raises(ts.ConfigurationError):
            async with client.resume_journal(path):
                raise AssertionError("the block must not be entered")
    async with gateway.client() as client, client.resume_journal(path) as transcript:
        assert transcript.unacknowledged() == (0.0, bytes(3_200))


async def test_where_files_cannot_be_locked_a_journal_is_resumed_all_the_same(
    gateway: ScriptedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: Any, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(private_file.fcntl, "flock", flock)
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


async def test_where_a_file_cannot_be_deleted_while_it_is_open_an_empty_one_is_left(
    tmp_path: Path, disk: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlink(path: Path) -> None:
        raise PermissionError(errno.EACCES, "the file is in use")

    disk(10)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        with pytest.raises(OSError, match="too large"):
            journal_file.create_journal(tmp_path / "j", REQUEST)
    assert (tmp_path / "j").stat().st_size == 0
    disk(10**6)
    journal_file.create_journal(tmp_path / "j", REQUEST).close()


async def test_a_journal_that_cannot_be_compacted_goes_on_as_it_is(tmp_path: Path, disk: Callable[[int], None]) -> None:
    journal, refused = journal_file.create_journal(tmp_path / "j", REQUEST), 0
    stream = random.Random(2).randbytes(80 * SECOND)
    disk(2**20 + 4 * SECOND)  # too little for one compaction, which copies 20 s
    for second in range(80):
        try:
            journal.captured(stream[second * SECOND :][:SECOND])
        except OSError:
            refused += 1
            disk(10**9)
            journal.captured(stream[second * SECOND :][:SECOND])
        journal.delivered(max(0, second - 20) * 8_000, second)
    assert refused == 1
    recovered = recover((tmp_path / "j").read_bytes())
    assert (recovered.start, recovered.audio) == (59 * 8_000, stream[59 * SECOND :])
    journal.close()


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
