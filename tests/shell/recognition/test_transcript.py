"""Audio in, events out: every promise of `Transcript`'s docstrings."""

# ruff: noqa: SIM117, PERF401  # blocks within blocks are what is tested

from __future__ import annotations

from array import array
from functools import partial
from itertools import groupby
from typing import Any

import pytest
import trio
from trio.testing import assert_checkpoints, assert_no_checkpoints, wait_all_tasks_blocked

import trio_speech as ts
from trio_speech.testing import (
    Await,
    BlackHole,
    Delay,
    Drop,
    Hear,
    Lapse,
    Manner,
    NeverAnswer,
    Outage,
    ScriptedGateway,
    say,
    speech,
)

SAID = say(0.2, "turn left", 1.0, "now", 1.0)
SECOND = 32_000
PATIENT = ts.LivenessPolicy(standby=False)  # whose dial that is not answered stands alone


async def finals_of(transcript: ts.Transcript) -> str:
    return " ".join([event.text async for event in transcript if isinstance(event, ts.FinalTranscript)])


# ---------------------------------------------------------------- send


@pytest.mark.parametrize(
    "given",
    [
        bytes,
        bytearray,
        memoryview,
        lambda audio: array("h", audio),
        lambda audio: memoryview(array("h", audio)),
        lambda audio: memoryview(audio).cast("B", (len(audio) // 4, 4)),
    ],
)
async def test_any_bytes_like_object_is_audio(gateway: ScriptedGateway, given: object) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(given(SAID.audio))  # type: ignore[operator]
        transcript.end_input()
        assert await finals_of(transcript) == SAID.text
    assert gateway.visits[0].audio == SAID.audio


@pytest.mark.parametrize("overflow", ["wait", "drop_oldest", "error"])
async def test_a_buffer_may_be_used_again_at_once(gateway: ScriptedGateway, overflow: str) -> None:
    buffer = bytearray(1_600)
    async with gateway.client(replay=ts.ReplayPolicy(overflow=overflow)) as client:
        async with client.transcribe() as transcript:
            for at in range(0, len(SAID.audio), len(buffer)):
                buffer[:] = SAID.audio[at : at + len(buffer)]
                await transcript.send(buffer)
                buffer[:] = b"\x55" * len(buffer)
            transcript.end_input()
            assert await finals_of(transcript) == SAID.text


async def test_a_buffer_of_any_size_is_taken_whole(gateway: ScriptedGateway) -> None:
    said = speech(20.0)
    async with gateway.client(replay=ts.ReplayPolicy(limit=3.0)) as client, client.transcribe() as transcript:
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                await transcript.send(bytearray(said.audio))
                transcript.end_input()

            nursery.start_soon(send)
            assert await finals_of(transcript) == said.text


@pytest.mark.parametrize("audio", [b"1", b"123", bytearray(5)])
async def test_odd_byte_counts_are_refused_and_do_no_harm(gateway: ScriptedGateway, audio: bytes) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        with pytest.raises(ts.ConfigurationError, match="not a whole number of 2-byte samples"):
            await transcript.send(audio)
        await transcript.send(SAID.audio)
        transcript.end_input()
        assert await finals_of(transcript) == SAID.text


async def test_what_is_not_bytes_is_a_type_error(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        with pytest.raises(TypeError, match="not str"):
            await transcript.send("audio")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="contiguous"):
            await transcript.send(memoryview(bytes(8))[::2])


async def test_from_another_thread_nothing_is_touched(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        for call in (
            partial(transcript.send_nowait, bytes(320)),
            transcript.finalize,
            transcript.end_input,
            partial(transcript.update, language="de"),
        ):
            with pytest.raises(RuntimeError, match=r"trio\.from_thread\.run_sync"):
                await trio.to_thread.run_sync(call)
        await trio.to_thread.run_sync(trio.from_thread.run_sync, transcript.send_nowait, bytes(320))
        assert transcript.statistics().captured == 0.01


async def test_nothing_may_be_sent_after_the_end(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        transcript.end_input()
        transcript.end_input()
        with pytest.raises(trio.ClosedResourceError):
            await transcript.send(b"")
        with pytest.raises(trio.ClosedResourceError):
            transcript.finalize()
        assert await finals_of(transcript) == SAID.text


async def test_a_session_with_a_source_takes_no_other_audio(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SAID) as transcript:
        with pytest.raises(ts.ConfigurationError, match="has a source"):
            await transcript.send(b"")


async def test_waiting_for_an_event_is_a_checkpoint_and_what_returns_at_once_is_not(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        with assert_checkpoints():
            await transcript.__anext__()
        with assert_no_checkpoints():
            transcript.finalize()
            transcript.update(language="de")
            transcript.end_input()
            transcript.statistics()
            transcript.unacknowledged()
        assert await finals_of(transcript) == SAID.text
        with assert_checkpoints():
            await transcript.settled()
        with assert_checkpoints(), pytest.raises(StopAsyncIteration):
            await transcript.__anext__()


@pytest.mark.parametrize("sent_before", [0, 1, 39, 40])
async def test_each_send_can_be_cancelled_and_has_taken_nothing_then(
    gateway: ScriptedGateway, sent_before: int
) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        for _ in range(sent_before):
            await transcript.send(bytes(32))
        with trio.CancelScope() as scope:
            scope.cancel()
            await transcript.send(SAID.audio)
        assert scope.cancelled_caught
        assert transcript.statistics().captured == pytest.approx(0.001 * sent_before)


async def test_tasks_that_only_send_let_one_another_run(gateway: ScriptedGateway) -> None:
    sent: list[str] = []

    async def send(transcript: ts.Transcript, name: str) -> None:
        for _ in range(200):
            await transcript.send(bytes(32))
            sent.append(name)

    async with gateway.client() as client, client.transcribe() as transcript:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, transcript, "one")
            nursery.start_soon(send, transcript, "two")
        assert transcript.statistics().captured == pytest.approx(0.4)
    assert max(len(list(run)) for _, run in groupby(sent)) <= 100  # two turns of the one, at most


# ---------------------------------------------------------------- send_nowait


async def test_audio_may_be_given_without_a_checkpoint(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await wait_all_tasks_blocked()
        with assert_no_checkpoints():
            for at in range(0, len(SAID.audio), 640):
                transcript.send_nowait(SAID.audio[at : at + 640])
        transcript.end_input()
        assert await finals_of(transcript) == SAID.text
    assert gateway.visits[0].audio == SAID.audio


async def test_what_would_have_to_wait_is_not_taken(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    async with gateway.client(replay=ts.ReplayPolicy(limit=1.0)) as client, client.transcribe() as transcript:
        transcript.send_nowait(bytes(SECOND))
        with pytest.raises(trio.WouldBlock):
            transcript.send_nowait(bytes(2))
        assert transcript.statistics().captured == 1.0
        transcript.end_input()
        with pytest.raises(trio.ClosedResourceError):
            transcript.send_nowait(bytes(2))


async def test_nor_does_a_session_with_a_source_take_any(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SAID.source()) as transcript:
        with pytest.raises(ts.ConfigurationError):
            transcript.send_nowait(bytes(2))


# ---------------------------------------------------------------- overflow


async def test_send_waits_while_the_log_is_full(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    async with (
        gateway.client(replay=ts.ReplayPolicy(limit=2.0), liveness=PATIENT) as client,
        client.transcribe() as transcript,
    ):
        await transcript.send(bytes(2 * SECOND))
        with trio.move_on_after(5.0) as scope:
            await transcript.send(bytes(SECOND))
        assert scope.cancelled_caught
        assert transcript.statistics().captured == 2.0
        await transcript.send(bytes(SECOND))  # there is room again once the second dial is answered
        assert 10.0 <= trio.current_time() <= 20.0
        assert transcript.statistics().captured == 3.0


async def test_on_a_healthy_link_send_never_waits_longer_than_the_send_timeout(gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(endpointing=None)
    said = say("on and on and on it goes without a pause " * 12)
    longest = 0.0
    async with gateway.client(replay=ts.ReplayPolicy(limit=4.0)) as client, client.transcribe() as transcript:
        async with trio.open_nursery() as nursery:

            async def talk() -> None:
                nonlocal longest
                for chunk in said.chunks(0.1):
                    asked = trio.current_time()
                    await transcript.send(chunk)
                    longest = max(longest, trio.current_time() - asked)
                    await trio.sleep(0.1)
                transcript.end_input()

            nursery.start_soon(talk)
            assert await finals_of(transcript) == said.text.strip()
    assert 0.0 < longest <= 10.0
    assert said.seconds > 20.0


async def test_a_full_log_of_silence_settles_itself(gateway: ScriptedGateway) -> None:
    async with gateway.client(replay=ts.ReplayPolicy(limit=5.0)) as client:
        assert (await client.recognize(say(60.0, "now", 1.0))).text == "now"
    assert trio.current_time() <= 70.0


async def test_overflow_may_be_an_error(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    policy = ts.ReplayPolicy(limit=2.0, overflow="error")
    async with gateway.client(replay=policy) as client, client.transcribe() as transcript:
        await transcript.send(bytes(SECOND))
        with pytest.raises(ts.ReplayOverflow, match=r"2 s of audio wait to be recognized, the limit"):
            await transcript.send(bytes(SECOND + 2))
        assert transcript.statistics().captured == 1.0
        await transcript.send(bytes(SECOND))
        assert transcript.statistics().captured == 2.0


async def test_an_overflowing_source_ends_the_session(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    replay = ts.ReplayPolicy(limit=2.0, overflow="error")
    with pytest.raises(ts.ReplayOverflow):
        async with gateway.client(replay=replay, liveness=PATIENT) as client:
            await client.recognize(SAID)


async def test_overflow_may_drop_the_oldest(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    policy = ts.ReplayPolicy(limit=2.0, overflow="drop_oldest")
    said = say(0.5, "one", 3.0, "two", 3.0, "three", 1.0)
    client = gateway.client(replay=policy, liveness=PATIENT)
    async with client as opened, opened.transcribe(said) as transcript:
        events = [event async for event in transcript]
    gaps = [event for event in events if isinstance(event, ts.Gap)]
    assert gaps == [ts.Gap(0.0, pytest.approx(said.seconds - 2.0), "overflow")]
    assert [event.text for event in events if isinstance(event, ts.FinalTranscript)] == ["three"]
    assert isinstance(events[0], ts.LinkLost)
    assert transcript.statistics().in_gaps == pytest.approx(said.seconds - 2.0)


async def test_what_a_reconnection_may_pay_for_twice_is_capped(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(6.0), Drop())
    said = say("on and on and on it goes without a pause for breath", letter=0.15)
    async with gateway.client(replay=ts.ReplayPolicy(max_replayed=2.0)) as client:
        recognition = await client.recognize(said)
    assert recognition.gaps == (ts.Gap(0.0, 4.0, "replay-limit"),)
    assert gateway.visits[1].heard == pytest.approx(said.seconds - 4.0)


# ---------------------------------------------------------------- events


async def test_only_one_task_may_iterate(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript, trio.open_nursery() as nursery:
        nursery.start_soon(transcript.__anext__)
        await wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await transcript.__anext__()
        await transcript.send(SAID.audio)


async def test_a_cancelled_next_loses_nothing(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(3.0), Drop())
    said = speech(8.0)
    words: list[str] = []
    async with gateway.client() as client, client.transcribe(said) as transcript:
        while True:
            with trio.move_on_after(0.003):
                try:
                    event = await transcript.__anext__()
                except StopAsyncIteration:
                    break
                if isinstance(event, ts.FinalTranscript):
                    words += event.text.split()
    assert words == [word.text for word in said.words]


async def test_interims_coalesce_while_nobody_reads_and_finals_queue(gateway: ScriptedGateway) -> None:
    said = speech(30.0)
    async with gateway.client() as client, client.transcribe(said) as transcript:
        await trio.sleep(40.0)
        events = [event async for event in transcript]
    assert " ".join(event.text for event in events if isinstance(event, ts.FinalTranscript)) == said.text
    assert not any(isinstance(event, ts.InterimTranscript) for event in events)
    assert trio.current_time() == 40.0


async def test_a_reader_that_is_busy_hears_the_newest_interim(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(say("a long utterance goes on", 1.0)) as transcript:
        await trio.sleep(1.0)
        started, interim = await transcript.__anext__(), await transcript.__anext__()
        assert isinstance(started, ts.SpeechStarted)
        assert isinstance(interim, ts.InterimTranscript)
        assert interim.text == "a long utteranc-"


async def test_iterating_goes_on_where_it_was_left(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SAID) as transcript:
        async for event in transcript:
            if isinstance(event, ts.FinalTranscript):
                break
        assert await finals_of(transcript) == "now"


# ---------------------------------------------------------------- finalize, settled, unacknowledged


async def test_finalize_settles_and_the_session_goes_on(gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(endpointing=None)
    async with gateway.client() as client, client.transcribe() as transcript, trio.open_nursery() as nursery:
        texts: list[str] = []

        async def read() -> None:
            async for event in transcript:
                if isinstance(event, ts.FinalTranscript):
                    texts.append(event.text)

        nursery.start_soon(read)
        for turn in ("turn left", "now"):
            await transcript.send(say(0.2, turn, 0.2).audio)
            transcript.finalize()
            await transcript.settled()
            assert texts[-1:] == [turn]
            assert transcript.unacknowledged() == (transcript.statistics().captured, b"")
        transcript.end_input()
    assert texts == ["turn left", "now"]


async def test_settled_waits_for_what_was_captured_when_it_was_called(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(speech(20.0)) as transcript:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finals_of, transcript)
            await trio.sleep(4.0)
            await transcript.settled()
            settled = transcript.statistics()
    assert settled.settled >= 4.0 - 0.05
    assert settled.captured < 20.0


async def test_settled_survives_a_drop(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("finalize"), Drop())
    async with gateway.client() as client, client.transcribe() as transcript, trio.open_nursery() as nursery:
        nursery.start_soon(finals_of, transcript)
        await transcript.send(SAID.audio)
        transcript.finalize()
        await transcript.settled()
        assert transcript.unacknowledged()[1] == b""
        assert len(gateway.visits) == 2
        transcript.end_input()


async def test_settled_waits_for_no_gap_that_nothing_follows(gateway: ScriptedGateway) -> None:
    """It is told when what lies behind it is settled, and the program may wait before it sends that."""
    gateway.plan(Await("finalize"), Drop())
    replay = ts.ReplayPolicy(max_replayed=0.0)
    async with gateway.client(replay=replay) as client, client.transcribe() as transcript:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finals_of, transcript)
            await transcript.send(SAID.audio[: round(0.4 * SECOND)])
            transcript.finalize()
            with trio.fail_after(60.0):
                await transcript.settled()
            assert transcript.statistics().in_gaps == 0.4
            transcript.end_input()


async def test_settled_asks_where_nothing_more_is_sent(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(say(0.2, "turn left", 4.03).audio)  # and a half of a frame
        await transcript.settled()
        assert trio.current_time() < 3.0
        transcript.end_input()
        assert await finals_of(transcript) == "turn left"


async def test_settled_asks_where_silence_is_sent_on_and_on(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(say(0.2, "turn left", 60.0)) as transcript:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finals_of, transcript)
            await trio.sleep(6.0)
            await transcript.settled()
            assert trio.current_time() < 6.0 + 2.5
            nursery.cancel_scope.cancel()
    assert [final.text for final in gateway.visits[0].finals] == ["turn left"]


async def test_settled_asks_in_a_short_pause_where_speech_goes_on(gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(endpointing=None)
    async with gateway.client() as client, client.transcribe(speech(40.0, pause=0.6)) as transcript:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(finals_of, transcript)
            await trio.sleep(1.0)
            await transcript.settled()
            assert 11.0 <= trio.current_time() < 15.0
            nursery.cancel_scope.cancel()


async def test_settled_is_at_once_where_nothing_is_owed(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.settled()
    assert trio.current_time() == 0.0


async def test_settled_without_a_reader_means_recognized(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        await transcript.send(SAID.audio)
        transcript.finalize()
        await transcript.settled()
        assert transcript.unacknowledged() == (0.0, SAID.audio)
        transcript.end_input()
        assert await finals_of(transcript) == SAID.text
        assert transcript.unacknowledged() == (SAID.seconds, b"")


async def test_cancelling_settled_has_no_effect(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SAID) as transcript:
        with trio.move_on_after(0.5) as scope:
            await trio.sleep(0.2)
            await transcript.settled()
        assert scope.cancelled_caught
        assert await finals_of(transcript) == SAID.text


async def test_unacknowledged_audio_is_there_after_the_block(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.8), BlackHole())
    async with gateway.client() as client, client.transcribe(SAID) as transcript:
        async for event in transcript:
            if isinstance(event, ts.LinkLost):
                break
    start, audio = transcript.unacknowledged()
    assert start == pytest.approx(0.2 + SAID.words[1].end / 16_000 - 0.2)
    statistics = transcript.statistics()
    assert audio == SAID.audio[round(start * SECOND) : round(statistics.captured * SECOND)]
    assert statistics.unsettled == pytest.approx(len(audio) / SECOND)
    assert statistics.settled == pytest.approx(start)


async def test_what_is_let_go_unheard_of_is_not_settled_and_lost_only_with_its_link(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(0.1), Delay(20.0), Lapse(9.0), Drop())
    said = speech(3.0)
    replay = ts.ReplayPolicy(limit=1.0, overflow="drop_oldest")
    async with gateway.client(replay=replay) as client, client.transcribe(said.source()) as transcript:
        await trio.sleep(8.0)
        before = transcript.statistics()
        assert (before.settled, before.in_gaps, before.unsettled) == (0.0, 0.0, 3.0)
        async for event in transcript:
            if isinstance(event, ts.LinkLost):
                break
        after = transcript.statistics()
        assert (after.settled, after.in_gaps, after.unsettled) == (0.0, 2.0, 1.0)


# ---------------------------------------------------------------- update


async def test_an_update_is_told_in_its_place_in_the_audio(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(model="deepgram/nova-3") as transcript:
        await transcript.send(bytes(SECOND))
        await trio.sleep(0.1)
        transcript.update(language="de", options={"numerals": True}, keyterms=["Trio"])
        await transcript.send(SAID.audio)
        transcript.end_input()
        assert await finals_of(transcript) == SAID.text
    (visit,) = gateway.visits
    told = [message for message in visit.passed if message.sender == "client"]
    (place,) = [index for index, message in enumerate(told) if message.kind == "session.update"]
    assert sum(message.samples for message in told[:place]) == 16_000


async def test_an_update_does_not_take_a_term_for_its_letters(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(model="deepgram/nova-3") as transcript:
        with pytest.raises(ts.ConfigurationError, match="keyterms must be a list"):
            transcript.update(keyterms="Trio")


@pytest.mark.parametrize("wrong", [{"language": 3}, {"options": 5}, {"keyterms": [1]}, {"keyterms": 5}])
async def test_an_update_of_another_kind_is_refused_and_changes_nothing(
    gateway: ScriptedGateway, wrong: dict[str, Any]
) -> None:
    async with gateway.client() as client, client.transcribe(SAID, model="deepgram/nova-3") as transcript:
        with pytest.raises(ts.ConfigurationError, match=r"must be a .*, not int"):
            transcript.update(**wrong)
        assert await finals_of(transcript) == SAID.text
    (visit,) = gateway.visits
    assert "session.update" not in {message.kind for message in visit.passed}


async def test_an_update_while_the_link_is_down_opens_the_next_one(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(0.5), Outage(5.0))
    async with gateway.client() as client:
        async with client.transcribe(SAID, model="deepgram/nova-3", language="en") as transcript:
            async for event in transcript:
                if isinstance(event, ts.LinkLost):
                    transcript.update(language="de", keyterms=("Trio", "Reykjavík"))
                    break
            assert await finals_of(transcript) == SAID.text
    assert [visit.language for visit in gateway.visits if visit.opened is not None] == ["en", "de"]
    assert gateway.visits[-1].options == {"keyterm": ["Trio", "Reykjavík"]}


async def test_a_change_is_not_told_to_a_link_that_opened_with_it(gateway: ScriptedGateway) -> None:
    gateway.plan(NeverAnswer())
    async with gateway.client() as client, client.transcribe(SAID, language="en") as transcript:
        transcript.update(language="de")
        assert await finals_of(transcript) == SAID.text
    assert gateway.visits[-1].language == "de"
    assert "session.update" not in gateway.visits[-1].kinds("client")


async def test_what_an_update_changed_stays_changed_over_drops(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(2.0), Drop())
    async with gateway.client() as client, client.transcribe(SAID, language="en") as transcript:
        await trio.sleep(0.5)
        transcript.update(language="fr")
        assert await finals_of(transcript) == SAID.text
    assert [visit.language for visit in gateway.visits] == ["en", "fr"]


async def test_what_cannot_be_said_in_an_update_is_refused_at_once(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SAID, model="cartesia/ink-whisper") as transcript:
        with pytest.raises(ts.ConfigurationError):
            transcript.update(options={"not": object()})
        assert await finals_of(transcript) == SAID.text
    assert "session.update" not in gateway.visits[0].kinds("client")


async def test_a_user_is_shown_the_contract_and_no_more(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe() as transcript:
        assert {name for name in dir(transcript) if not name.startswith("_")} == {
            "end_input",
            "finalize",
            "send",
            "send_nowait",
            "settled",
            "statistics",
            "unacknowledged",
            "update",
        }
