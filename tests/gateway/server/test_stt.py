from __future__ import annotations

import base64
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech._core.retry.causes import PeerClosed
from trio_speech._shell.connection import LinkDown
from trio_speech.gateway.server import backlog
from trio_speech.gateway.server import connection as client
from trio_speech.gateway.server.backlog import BACKLOG_BYTES
from trio_speech.providers.livekit.failures import INACTIVE

AUDIO = base64.b64encode(b"\1\0" * 800).decode()


def settings(**changes: Any) -> dict[str, Any]:
    return {"sample_rate": "16000", "encoding": "pcm_s16le", "extra": {}} | changes


async def opened(wire: Any, **changes: Any) -> None:
    await wire.send("session.create", settings=settings(**changes))
    assert await wire.receive() == {"type": "session.created"}


async def test_a_session_from_create_to_close(dial: Any, autojump_clock: Any, recognizer: Any) -> None:
    async with dial("/v1/stt?model=deepgram%2Fnova-3") as wire:
        await opened(wire, language="en", extra={"a": 1})
        await wire.send("input_audio", audio=AUDIO)
        await wire.send("input_audio", audio=AUDIO)
        await wire.send("session.finalize")
        started, first, second, final, finalized = await wire.receive_until("session.finalized")
        await wire.send("session.close")
        assert await wire.receive() == {"type": "session.closed"}
        with pytest.raises(LinkDown) as ended:
            await wire.receive()
    assert ended.value.cause == PeerClosed(1000, "")
    assert started == {"type": "start_of_speech"}
    assert (first["type"], first["transcript"], first["start"], first["duration"]) == (
        "interim_transcript",
        "800",
        0,
        0.05,
    )
    assert "confidence" not in first
    assert second["transcript"] == "1600"
    assert (final["type"], final["transcript"], final["language"]) == ("final_transcript", "1600 samples", "en")
    assert (final["start"], final["duration"], final["confidence"]) == (0, 0.1, 0.75)
    assert final["words"][0] == {"word": "1600", "start": 0, "end": 0.1, "confidence": 0.5, "speaker_id": None}
    assert finalized == {"type": "session.finalized"}
    [options] = recognizer.opened
    assert (options.sample_rate, options.language, options.model) == (16_000, "en", "deepgram/nova-3")
    assert options.options == {"a": 1}
    assert recognizer.open_now == 0


async def test_a_session_goes_on_after_a_finalize_on_one_clock(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire, extra={"interim_results": False})
        ends = []
        for _ in range(3):
            await wire.send("input_audio", audio=AUDIO)
            await wire.send("session.finalize")
            *_, final, _ = await wire.receive_until("session.finalized")
            ends.append((final["start"], final["start"] + final["duration"]))
        await wire.send("session.finalize")
        assert await wire.receive() == {"type": "session.finalized"}
    assert ends == [(0, 0.05), (0.05, 0.1), (0.1, pytest.approx(0.15))]


@pytest.mark.parametrize("asked", ["fr", None])
async def test_a_transcript_is_in_the_language_asked_for(dial: Any, autojump_clock: Any, asked: str | None) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire, **({"language": asked} if asked else {}))
        await wire.send("input_audio", audio=AUDIO)
        await wire.send("session.finalize")
        _, interim, final, _ = await wire.receive_until("session.finalized")
    assert (interim["language"], final["language"]) == (asked, asked)


async def test_the_model_of_session_create_wins_and_the_short_path_serves(
    dial: Any, autojump_clock: Any, recognizer: Any
) -> None:
    async with dial("/stt?model=a") as wire:
        await wire.send("session.create", model="b", settings=settings(sample_rate=8000))
        assert (await wire.receive())["type"] == "session.created"
    assert (recognizer.opened[0].model, recognizer.opened[0].sample_rate) == ("b", 8_000)


async def test_unknown_messages_and_empty_updates_are_skipped(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire)
        await wire.send("session.dance")
        await wire.send("session.update", settings={})
        await wire.send("session.finalize")
        assert await wire.receive() == {"type": "session.finalized"}


async def test_a_change_of_a_running_session_is_refused(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire)
        await wire.send("session.update", settings={"language": "de"})
        error = await wire.receive()
        assert (error["code"], error["message"]) == (400, "nothing of a running session can be changed: open a new one")


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
async def test_telephone_audio_reaches_the_engine_as_pcm(dial: Any, autojump_clock: Any, encoding: str) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire, encoding=encoding, sample_rate="8000")
        await wire.send("input_audio", audio=base64.b64encode(bytes(801)).decode())
        await wire.send("session.finalize")
        *_, final, _ = await wire.receive_until("session.finalized")
    assert (final["transcript"], final["duration"]) == ("801 samples", pytest.approx(801 / 8_000))


async def test_a_busy_engine_slows_the_client_down_while_pings_are_answered(
    dial: Any, autojump_clock: Any, recognizer: Any
) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire)
        recognizer.seconds_per_feed = 1_000.0
        piece = base64.b64encode(bytes(BACKLOG_BYTES // 32)).decode()
        for _ in range(32):
            await wire.send("input_audio", audio=piece)
        assert await wire.connection.ping(1.0) == 0
        sent = 0
        with trio.move_on_after(900):
            for _ in range(500):
                await wire.connection.send(f'{{"type":"input_audio","audio":"{piece}"}}', 1_000)
                sent += 1
        assert sent < 100  # what the library and the sockets hold, and no more
        wire.connection.abort("enough")


async def test_a_minute_that_a_client_has_sent_ahead_holds_up_no_ping(
    autojump_clock: Any, recognizer: Any, voice: Any
) -> None:
    recognizer.seconds_per_sample = 0.8 / 48_000
    async with (
        ts.open_client(ts.Local(recognizer=recognizer, voice=voice)) as client,
        client.transcribe(bytes(2 * 48_000 * 100), ts.AudioFormat.pcm16(48_000)) as transcript,
    ):
        lost = [event async for event in transcript if isinstance(event, ts.LinkLost)]
    assert (lost, transcript.statistics().replayed) == ([], 0.0)


CREATE = '{"type":"session.create","settings":{"sample_rate":"16000","encoding":"pcm_s16le"}}'


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("not json", "malformed"),
        ("[1]", "malformed"),
        ('{"type":7}', "malformed"),
        ('{"type":"input_audio"}', "malformed"),
        ('{"type":"input_audio","audio":7}', "malformed"),
        ('{"type":"input_audio","audio":"***"}', "malformed"),
        ('{"type":"input_audio","audio":"AAAA"}', "3 bytes of audio are not"),
        ('{"type":"session.update","settings":3}', "malformed"),
        (CREATE, "session.create came twice"),
        (b"\0\0", "binary frames"),
        ("[" * 100_000, "malformed"),
    ],
)
async def test_a_bad_message_is_answered_and_ends_the_connection(
    dial: Any, autojump_clock: Any, frame: Any, says: str, recognizer: Any
) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire)
        await wire.send_raw(frame)
        error = await wire.receive()
        with pytest.raises(LinkDown) as ended:
            await wire.receive()
    assert (error["type"], error["code"]) == ("error", 400)
    assert says in error["message"]
    assert isinstance(ended.value.cause, PeerClosed)
    assert ended.value.cause.code == 1008
    assert recognizer.open_now == 0


@pytest.mark.parametrize(
    ("opening", "code"),
    [
        ('{"type":"session.finalize"}', 400),
        ('{"type":"input_audio","audio":"AAA="}', 400),
        ('{"type":"session.close"}', 400),
        (CREATE.replace("16000", "many"), 400),
        (CREATE.replace("16000", "-1"), 400),
        (CREATE.replace("pcm_s16le", "mp3"), 400),
        ('{"type":"session.create","settings":{"language":"tlh"}}', 400),
        ('{"type":"session.create","model":"busy"}', 429),
    ],
)
async def test_a_session_that_cannot_be_opened(dial: Any, autojump_clock: Any, opening: str, code: int) -> None:
    async with dial("/v1/stt") as wire:
        await wire.send_raw(opening)
        error = await wire.receive()
        assert (error["type"], error["code"]) == ("error", code)
        with pytest.raises(LinkDown):
            await wire.receive()


async def test_the_failure_of_an_engine_is_told_and_costs_no_other_session(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/stt") as other, dial("/v1/stt") as wire:
        await opened(other)
        await opened(wire)
        await wire.send("input_audio", audio=base64.b64encode(b"\x00\x80").decode())
        error = await wire.receive()
        assert (error["type"], error["code"], error["message"]) == ("error", 500, "the engine broke down")
        with pytest.raises(LinkDown) as ended:
            await wire.receive()
        assert ended.value.cause == PeerClosed(1011, "the engine broke down")
        await other.send("session.finalize")
        assert await other.receive() == {"type": "session.finalized"}


async def test_a_client_that_sends_no_session_create_is_closed(dial: Any, autojump_clock: Any) -> None:
    async with dial("/v1/stt") as wire:
        began = trio.current_time()
        error = await wire.receive(within=60)
    assert (error["type"], error["code"]) == ("error", INACTIVE)
    assert trio.current_time() - began == pytest.approx(client.OPENING_TIMEOUT)


async def test_an_idle_session_ends_after_half_an_hour(dial: Any, autojump_clock: Any, recognizer: Any) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire)
        await trio.sleep(client.IDLE_TIMEOUT - 1)
        await wire.send("session.dance")  # even this is a sign of life
        began = trio.current_time()
        error = await wire.receive(within=3600)
    assert error == {
        "type": "error",
        "code": 2007,
        "message": "session closed due to agent inactivity",
        "request_id": None,
    }
    assert trio.current_time() - began == pytest.approx(client.IDLE_TIMEOUT)
    assert recognizer.open_now == 0


async def test_a_client_that_vanishes_frees_its_session(dial: Any, autojump_clock: Any, recognizer: Any) -> None:
    async with dial("/v1/stt") as wire:
        await opened(wire)
        assert recognizer.open_now == 1
        wire.connection.abort("gone")
        await trio.testing.wait_all_tasks_blocked()
        assert recognizer.open_now == 0


async def flood(wire: Any) -> None:
    """What comes back fills the way here, and then what is sent fills the way there."""
    while True:
        await wire.connection.send('{"type":"input_audio","audio":"AAA="}', 100)


async def test_a_client_that_does_not_read_is_dropped(
    dial: Any, autojump_clock: Any, recognizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "BACKLOG_BYTES", 2**18)  # it takes less time to fill
    async with dial("/v1/stt") as wire:
        await opened(wire)
        began = trio.current_time()
        with pytest.raises(LinkDown):
            await flood(wire)
        await trio.testing.wait_all_tasks_blocked()
        assert recognizer.open_now == 0
        assert client.SEND_TIMEOUT <= trio.current_time() - began < client.SEND_TIMEOUT + 5
