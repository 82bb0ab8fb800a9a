"""The scripted gateway as a plain client meets it: it serves as told, and fails as told."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_speech import AudioFormat, ConfigurationError, Deepgram
from trio_speech._core.provider.requests import SynthesizeRequest, TranscribeRequest
from trio_speech._core.retry.causes import Broken, PeerClosed, Refused, Silent, Unreachable
from trio_speech._shell.connection import LinkDown, open_connection
from trio_speech.errors import ProtocolError
from trio_speech.providers._codec import Dial
from trio_speech.providers.livekit import wire
from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    CloseSession,
    Delay,
    Delivery,
    Drop,
    Fin,
    Freeze,
    Garble,
    Hear,
    Idle,
    InBandError,
    LabeledSpeech,
    Lapse,
    Manner,
    MidWord,
    NeverAnswer,
    Outage,
    Refuse,
    Restart,
    ScriptedGateway,
    Send,
    Speak,
    StallWrites,
    Step,
    TearFrame,
    hear,
    open_gateway,
    say,
    speech,
)

SPOKEN = say(0.3, "hello there you", 0.5, "now again", 0.1)
CREATE = wire.SttCreate(model="scripted/exact", settings=wire.SttSettings("16000", language="de", extra={"a": 1}))


async def test_a_conversation_without_faults(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    async with call(gateway, "stt", CREATE) as caller:
        await caller.play(SPOKEN.source())
        await caller.take_leave()
    assert caller.kinds == [
        "SessionCreated", "StartOfSpeech", "FinalTranscript", "StartOfSpeech", "FinalTranscript", "SessionFinalized",
        "SessionClosed",
    ]  # fmt: skip
    words = [word for final in caller.all(wire.FinalTranscript) for word in final.words]
    assert [(word.word, round(word.start * 16_000), round(word.end * 16_000)) for word in words] == [
        (word.text, word.start, word.end) for word in SPOKEN.words
    ]
    assert caller.cause == PeerClosed(1000, "")
    await wait_all_tasks_blocked()
    (visit,) = gateway.visits
    assert bytes(visit.audio) == SPOKEN.audio
    assert visit.words == list(SPOKEN.words)
    assert (visit.endpoint, visit.model, visit.language, visit.options) == ("stt", "scripted/exact", "de", {"a": 1})
    assert visit.headers["x-test"] == "1"
    assert visit.resource == "/v1/stt?model=scripted"
    assert [final.text for final in visit.finals] == ["hello there you", "now again"]
    assert visit.kinds("client") == ["session.create", *["input_audio"] * 44, "session.finalize", "session.close"]
    assert sum(message.samples for message in visit.passed) == SPOKEN.samples
    assert (visit.dialed, visit.opened, visit.ended, visit.outcome) == (0.0, 0.0, 2.19, "closed by the gateway")


async def test_sessions_open_now_and_at_most(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    async with call(gateway), call(gateway):
        assert len(gateway.open) == 2
    await wait_all_tasks_blocked()
    async with call(gateway) as caller:
        assert [visit.number for visit in gateway.open] == [3]
        assert await caller.connection.ping(1.0) == 0.0
        assert await caller.connection.ping(1.0) == 0.0
        assert gateway.visits[2].pongs == 2
    await wait_all_tasks_blocked()
    assert not gateway.open
    assert gateway.peak == 2
    assert gateway.visits[2].outcome.startswith("connection broken")


@pytest.mark.parametrize("seconds", [0.001, 1.2345, 2.1])
async def test_it_hears_to_the_sample(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, seconds: float
) -> None:
    gateway.plan(Hear(seconds), Drop())
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source(chunk=(0.07, 0.031)))
    assert gateway.visits[0].audio == SPOKEN.audio[: 2 * round(seconds * 16_000)]
    assert isinstance(caller.cause, Broken)


async def end_of(gateway: ScriptedGateway, call: Any, *plan: Step) -> Any:
    gateway.plan(*plan)
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await caller.down.wait()
    return caller


async def test_a_drop_is_a_reset(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    assert (await end_of(gateway, call, Hear(1.0), Drop())).cause == Broken("connection reset by peer")
    assert gateway.visits[0].struck == [(1.0, Drop())]


async def test_an_end_without_a_close_frame(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    caller = await end_of(gateway, call, Hear(1.0), Fin())
    assert caller.cause == Broken("the peer ended the stream without a close frame")


async def test_a_close_frame(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    assert (await end_of(gateway, call, Hear(1.0), Close(1013, "later"))).cause == PeerClosed(1013, "later")


async def test_a_close_frame_with_the_stream_left_open(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    assert (await end_of(gateway, call, Hear(1.0), Close(1001, lingers=60.0))).cause == PeerClosed(1001, "")
    assert gateway.visits[0].ended == pytest.approx(1.0)


async def test_a_torn_frame(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    caller = await end_of(gateway, call, Hear(1.0), TearFrame())
    assert caller.cause == Broken("connection reset by peer")
    assert wire.SessionFinalized not in map(type, caller.came)


@pytest.mark.parametrize("fault", [BlackHole(), StallWrites(), Outage(3.0, silent=True)], ids=repr)
async def test_half_open(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, fault: Step) -> None:
    gateway.plan(Hear(1.0), fault)
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        before = len(caller.came)
        with pytest.raises(LinkDown, match="no pong within 3 s"):
            await caller.connection.ping(3.0)
    assert len(caller.came) == before
    assert gateway.visits[0].heard == 1.0


async def test_what_a_stalled_peer_does_not_read_blocks_the_sender(autojump_clock: MockClock, call: Any) -> None:
    async with open_gateway(capacity=4_096) as gateway:
        gateway.plan(Hear(0.5), StallWrites())
        async with call(gateway) as caller:
            await caller.play(SPOKEN.source())
        assert caller.cause == Silent("progress in sending", 10.0)
        assert 10.5 <= trio.current_time() < 10.8  # some more fits into the buffers first


async def test_a_black_hole_takes_all_that_is_sent(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Hear(0.5), BlackHole())
    async with call(gateway) as caller:
        await caller.play(speech(60.0).source(speed=None))
        assert caller.cause is None
    assert gateway.visits[0].heard == 0.5


async def test_a_frozen_network_delivers_later(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Hear(1.0), Freeze(20.0))
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await caller.take_leave()
    assert caller.text == SPOKEN.text
    assert trio.current_time() == pytest.approx(21.0)


async def test_delayed_answers_come_all_in_order(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Delay(0.5))
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await caller.take_leave()
    assert caller.text == SPOKEN.text
    assert caller.came[0] == (0.5 + 0.5, wire.SessionCreated("stt_0001"))  # the handshake was late as well
    assert trio.current_time() == pytest.approx(0.5 + SPOKEN.seconds + 0.5)


@pytest.mark.parametrize("kind", ["json", "shape", "types"])
async def test_each_kind_of_garbled_message_is_invalid(
    autojump_clock: MockClock, gateway: ScriptedGateway, kind: Any
) -> None:
    gateway.plan(Hear(0.1), Garble(kind))
    async with gateway.backend().transport() as connector:
        assert connector == gateway.connect
    frame = await raw_frame_of(gateway)
    with pytest.raises(ProtocolError):
        wire.stt_from_server.decode(frame)


async def test_binary_messages(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(0.1), Garble("binary"))
    assert isinstance(await raw_frame_of(gateway), bytes)


async def test_send_writes_the_frame_unchanged(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(0.1), Send('{"type":"weather"}'))
    assert await raw_frame_of(gateway) == '{"type":"weather"}'


async def raw_frame_of(gateway: ScriptedGateway) -> str | bytes:
    """The first frame after the session was created and 0.1 s of silence sent."""
    async with trio.open_nursery() as nursery:
        url = "ws://gateway.test/v1/stt"
        dialed = await open_connection(nursery, url, (), timeout=1.0, connect=lambda: gateway.connect(Dial(url)))
        await dialed.send(wire.encode(wire.SttCreate()), 1.0)
        await dialed.receive()
        await dialed.send(wire.encode(wire.InputAudio(bytes(3_200))), 1.0)
        frame = await dialed.receive()
        nursery.cancel_scope.cancel()
    return frame


async def test_errors_in_band_leave_the_connection_open(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Hear(1.0), InBandError(2007, "inactive"))
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await caller.take_leave()
    assert caller.all(wire.Error) == [wire.Error("inactive", 2007, "stt_0001")]
    assert caller.text == SPOKEN.text


async def test_after_an_in_band_close_nothing_is_answered(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Hear(1.0), CloseSession())
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await trio.sleep(60.0)
        assert caller.cause is None
    assert caller.kinds == ["SessionCreated", "StartOfSpeech", "SessionClosed"]
    assert gateway.visits[0].heard == 1.0


# ---------------------------------------------------------------- dials


async def failed_dial(gateway: ScriptedGateway, call: Any) -> Any:
    with pytest.raises(LinkDown) as caught:
        async with call(gateway):
            pytest.fail("the dial went well")
    return caught.value.cause


async def test_a_refused_handshake(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Refuse(429, retry_after=7, body="too many"), Refuse(401), Refuse(503, retry_after="nonsense"))
    assert await failed_dial(gateway, call) == Refused(429, "too many", 7.0)
    assert await failed_dial(gateway, call) == Refused(401, "")
    assert await failed_dial(gateway, call) == Refused(503, "")
    assert [visit.outcome for visit in gateway.visits][:2] == ["refused with HTTP 429", "refused with HTTP 401"]
    async with call(gateway):
        assert len(gateway.open) == 1


async def test_a_handshake_that_is_never_answered(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(NeverAnswer())
    assert await failed_dial(gateway, call) == Silent("answer to the handshake", 10.0)
    await wait_all_tasks_blocked()
    assert gateway.visits[0].opened is None
    assert gateway.visits[0].ended == 10.0


@pytest.mark.parametrize("fault", [Drop(), Fin()], ids=repr)
async def test_a_dial_that_breaks(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, fault: Step) -> None:
    gateway.plan(fault)
    assert isinstance(await failed_dial(gateway, call), Unreachable)
    assert trio.current_time() == 0.0


async def test_a_black_hole_while_dialing(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(BlackHole())
    assert isinstance(await failed_dial(gateway, call), Silent)


@pytest.mark.parametrize("fault", [Close(1011), Garble("binary"), InBandError(500), CloseSession()], ids=repr)
async def test_a_fault_right_after_the_handshake(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, fault: Step
) -> None:
    gateway.plan(fault)
    async with call(gateway) as caller:
        await trio.sleep(1.0)
    assert gateway.visits[0].struck == [(0.0, fault)]
    assert "SessionCreated" not in caller.kinds[:1]


async def test_an_outage_refuses_dials_while_it_lasts(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Outage(3.0), Refuse(503))
    for _ in range(2):
        assert await failed_dial(gateway, call) == Unreachable("connection refused")
    await trio.sleep(3.0)
    assert await failed_dial(gateway, call) == Refused(503, "")


async def test_a_silent_outage_leaves_dials_waiting_for_its_end(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Outage(13.0, silent=True), Await("create"), Drop())
    assert await failed_dial(gateway, call) == Silent("answer to the handshake", 10.0)
    assert (gateway.visits[0].ended, gateway.visits[0].outcome) == (10.0, "an outage")
    async with call(gateway) as caller:
        assert trio.current_time() == 13.0
        await caller.down.wait()
    assert caller.cause == Broken("connection reset by peer")
    assert gateway.visits[1].act == (Await("create"), Drop())


async def test_a_silent_outage_that_begins_with_a_dial(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Outage(3.0, silent=True))
    async with call(gateway) as caller:
        assert trio.current_time() == 3.0
        await caller.take_leave()
    assert caller.cause == PeerClosed(1000, "")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Outage(1.0), Broken("connection reset by peer")),
        (Restart(1.0), PeerClosed(1012, "service restart")),
    ],
)
async def test_outage_and_restart_affect_all_connections(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, fault: Step, cause: object
) -> None:
    gateway.plan(Hear(1.0), fault)
    async with call(gateway) as one, call(gateway) as other:
        await one.play(SPOKEN.source())
        await one.down.wait()
        await other.down.wait()
        assert one.cause == other.cause == cause
        assert await failed_dial(gateway, call) == Unreachable("connection refused")
        await trio.sleep(1.0)
        async with call(gateway):
            assert gateway.peak == 2


async def test_a_dial_takes_its_time(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.connect_time = 0.25
    async with call(gateway):
        assert trio.current_time() == 0.25


async def test_there_is_nothing_at_another_path(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    with pytest.raises(LinkDown, match="404"):
        async with call(gateway, "chat"):
            pytest.fail("the dial went well")


# ---------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("trigger", "last", "heard"),
    [
        (Await("create"), None, 0.0),
        (Await("created"), "SessionCreated", 0.0),
        (Await("audio", 7), "StartOfSpeech", 0.35),
        (Await("final"), "FinalTranscript", 1.45),
        (Await("final", 2), "FinalTranscript", 2.19),
        (Await("finalize"), "StartOfSpeech", 2.19),
        (Await("finalized"), "SessionFinalized", 2.19),
        (Await("close"), "SessionFinalized", 2.19),
        (MidWord(2, 0.1), "StartOfSpeech", 0.73),
    ],
    ids=repr,
)
async def test_a_fault_strikes_at_its_moment(  # noqa: PLR0917
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, trigger: Any, last: str | None, heard: float
) -> None:
    gateway.plan(trigger, Drop())
    spoken = say(0.3, "hello there you", 0.5, "now again", 0.1)
    async with call(gateway) as caller:
        await caller.play(spoken.source())
        if caller.cause is None:
            await caller.say(wire.SessionFinalize(), wire.SessionClose())
        await caller.down.wait()
    assert caller.kinds[-1:] == ([last] if last else [])
    assert gateway.visits[0].heard == pytest.approx(heard, abs=0.005)


async def test_a_fault_when_nothing_comes(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Hear(1.0), Idle(5.0), Drop())
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await caller.down.wait()
    assert trio.current_time() == pytest.approx(SPOKEN.seconds + 5.0)


async def test_a_fault_when_time_has_passed(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Lapse(0.32), Delay(0.1), Lapse(0.7), Close(1001))
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source())
        await caller.down.wait()
    assert trio.current_time() == pytest.approx(1.02 + 0.03, abs=0.031)  # noticed with the chunk after
    assert [at for at, _ in gateway.visits[0].struck] == pytest.approx([0.32, 1.02])


async def test_a_plan_is_consumed_dial_by_dial(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Hear(0.5), Drop(), Hear(0.25), Close(1011))
    gateway.plan(Refuse(503))
    causes = [(await end_of(gateway, call)).cause for _ in range(2)]
    assert [type(cause) for cause in causes] == [Broken, PeerClosed]
    assert gateway.planned == ((Refuse(503),),)
    assert isinstance(await failed_dial(gateway, call), Refused)
    async with call(gateway) as caller:
        await caller.play(SPOKEN.source(speed=None))
        await caller.take_leave()
    assert caller.text == SPOKEN.text
    assert [visit.heard for visit in gateway.visits] == [0.5, 0.25, 0.0, SPOKEN.seconds]
    assert gateway.heard == 0.75 + SPOKEN.seconds


async def test_base_finds_the_first_sample_received(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    for first in (0, 9_000, 30_000):
        part = LabeledSpeech(SPOKEN.audio[2 * first :], SPOKEN.audio_format, ())
        async with call(gateway) as caller:
            await caller.play(part.source())
            await caller.take_leave()
    assert [visit.base(SPOKEN) for visit in gateway.visits] == [0, 9_000, None]


# ---------------------------------------------------------------- manners, and bad clients


async def test_a_new_manner_applies_to_new_connections(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.manner = Manner(endpointing=None, finalized="before", trailing=0.4)
    async with call(gateway) as caller:
        gateway.manner = Manner()
        await caller.play(SPOKEN.source())
        await caller.take_leave()
    assert caller.kinds == ["SessionCreated", "StartOfSpeech", "SessionFinalized", "FinalTranscript", "SessionClosed"]
    at = {type(message): at for at, message in caller.came}
    assert at[wire.FinalTranscript] - at[wire.SessionFinalized] == pytest.approx(0.4)


async def test_the_sample_rate_is_that_of_the_session(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    spoken = say(0.2, "hello", 0.5, audio_format=AudioFormat.pcm16(8_000))
    gateway.plan(Hear(0.7), Drop())
    async with call(gateway, "stt", wire.SttCreate(settings=wire.SttSettings("8000"))) as caller:
        await caller.play(spoken.source())
    assert gateway.visits[0].audio == spoken.audio[: 2 * 5_600]
    assert gateway.visits[0].words == list(spoken.words)


async def test_protocol_violations_are_recorded(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    async with call(gateway) as caller:
        await caller.connection.send('{"type":"unheard_of"}', 1.0)
        await caller.connection.send("no json", 1.0)
        await caller.say(wire.SessionUpdate(), wire.SttCreate())
        await caller.down.wait()
    unknown, malformed, again = gateway.visits[0].complaints
    assert unknown == "unknown message unheard_of"
    assert malformed.startswith("malformed message")
    assert again == "a session is created once"
    assert caller.cause == PeerClosed(1002, "a session is created once")
    assert caller.all(wire.Error)[0].code == 400


async def test_a_session_is_created_once_for_speech_too(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    async with call(gateway, "tts") as caller:
        await caller.say(wire.TtsCreate())
        await caller.down.wait()
    assert gateway.visits[0].complaints == ["a session is created once"]


async def test_changes_of_settings_are_recorded(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Await("update", 2), Drop())
    async with call(gateway) as caller:
        await caller.say(wire.SessionUpdate(wire.SttChanges(language="fr")), wire.SessionUpdate())
        await caller.down.wait()
    assert gateway.visits[0].kinds("client") == ["session.create", "session.update", "session.update"]


async def test_a_synthesis_that_is_closed_into_a_black_hole(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.plan(Await("close"), BlackHole())
    async with call(gateway, "tts") as caller:
        await caller.say(wire.SessionClose())
        await trio.sleep(60.0)
    assert caller.kinds == ["SessionCreated"]


@pytest.mark.parametrize("endpoint", ["stt", "tts"])
async def test_a_session_begins_with_its_creation(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, endpoint: str
) -> None:
    async with call(gateway, endpoint, wire.SessionClose()) as caller:
        await caller.down.wait()
    assert gateway.visits[0].complaints == ["a session must be created first"]


# ---------------------------------------------------------------- synthesis


async def spoken_by(gateway: ScriptedGateway, call: Any, *messages: wire.Said, base: str | None = None) -> Any:
    async with call(gateway, "tts", wire.TtsCreate(model="scripted/voice", language="en"), base=base) as caller:
        await caller.say(*messages)
        with trio.move_on_after(60.0):
            await caller.done_or_down()
            if gateway.visits[-1].act:
                await caller.down.wait()
    return caller


HEARD = ["Hello", "there.", "How", "are", "you?"]
HELLO = (wire.InputTranscript("Hello there. "), wire.InputTranscript("How are you? "), wire.SessionFlush())


async def test_text_is_spoken_and_aligned(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    caller = await spoken_by(gateway, call, *HELLO)
    heard = hear(caller.audio)
    assert [word.token for word in heard] == HEARD
    aligned = [word for message in caller.all(wire.OutputAlignment) for word in message.words]
    assert [(word.word, round(word.start * 24_000), round(word.end * 24_000)) for word in aligned] == [
        (word.text, word.start, word.end) for word in heard
    ]
    (visit,) = gateway.visits
    assert bytes(visit.spoken) == caller.audio
    assert visit.texts == ["Hello there. ", "How are you? "]
    assert (visit.endpoint, visit.model, visit.language) == ("tts", "scripted/voice", "en")


async def test_a_connection_speaks_again(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    async with call(gateway, "tts") as caller:
        await caller.say(*HELLO, *HELLO, wire.SessionClose())
        await caller.down.wait()
    assert len(caller.all(wire.Done)) == 2
    assert caller.cause == PeerClosed(1000, "")
    starts = [
        message.words[0].start for message in caller.all(wire.OutputAlignment) if message.words[0].word == "Hello"
    ]
    assert starts == [0.0, 0.0]


@pytest.mark.parametrize("seconds", [0.001, 0.333, 0.8])
async def test_it_speaks_to_the_sample(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, seconds: float
) -> None:
    gateway.plan(Speak(seconds), Drop())
    caller = await spoken_by(gateway, call, *HELLO)
    assert isinstance(caller.cause, Broken)
    assert len(caller.audio) == 2 * round(seconds * 24_000) == len(gateway.visits[0].spoken)


@pytest.mark.parametrize(
    ("trigger", "last"),
    [(Await("text", 2), "OutputAudio"), (Await("alignment"), "OutputAlignment"), (Await("done"), "Done")],
    ids=repr,
)
async def test_a_fault_strikes_at_its_moment_of_a_synthesis(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any, trigger: Any, last: str
) -> None:
    gateway.plan(trigger, Close(1011))
    caller = await spoken_by(gateway, call, *HELLO)
    assert caller.kinds[-1] == last
    assert caller.cause == PeerClosed(1011, "")


async def test_before_the_end_of_a_generation(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.plan(Await("flush"), Fin())
    caller = await spoken_by(gateway, call, *HELLO)
    assert "Done" not in caller.kinds
    assert [word.token for word in hear(caller.audio)] == HEARD


async def test_speech_in_real_time(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.delivery = Delivery(speed=1.0, latency=0.3)
    caller = await spoken_by(gateway, call, wire.InputTranscript("one two three"), wire.SessionFlush())
    times = [at for at, message in caller.came if isinstance(message, wire.OutputAudio)]
    assert times[:3] == pytest.approx([0.3, 0.4, 0.5])
    assert times[-1] == pytest.approx(0.3 + 0.1 * (len(times) - 1))


async def test_characters_may_be_aligned(autojump_clock: MockClock, gateway: ScriptedGateway, call: Any) -> None:
    gateway.delivery = Delivery(alignment="chars")
    caller = await spoken_by(gateway, call, *HELLO)
    chars = [char.char for message in caller.all(wire.OutputAlignment) for char in message.chars or ()]
    assert "".join(chars) == "Hello there. How are you? "


async def test_each_synthesis_may_last_differently(
    autojump_clock: MockClock, gateway: ScriptedGateway, call: Any
) -> None:
    gateway.delivery = Delivery(variation=0.3)
    lengths = {len((await spoken_by(gateway, call, *HELLO)).audio) for _ in range(3)}
    assert len(lengths) == 3


# ---------------------------------------------------------------- the block, and TCP


async def test_an_exception_of_the_block_leaves_it_bare(autojump_clock: MockClock) -> None:
    async def fail() -> None:
        async with open_gateway() as gateway:
            await gateway.connect(Dial("ws://gateway.test/v1/stt"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_what_is_open_when_the_block_is_left_breaks(autojump_clock: MockClock) -> None:
    async with open_gateway() as gateway:
        stream = await gateway.connect(Dial("ws://gateway.test/v1/stt"))
        await wait_all_tasks_blocked()
        assert gateway.visits[0].ended is None
    assert await stream.receive_some() == b""
    assert gateway.visits[0].ended == 0.0


def test_a_backend_shows_its_profiles() -> None:
    async def main() -> None:
        async with open_gateway(manner=Manner(endpointing=None), delivery=Delivery(alignment=None)) as gateway:
            backend = gateway.backend()
            assert not backend.stt.finalizes_itself
            assert not backend.tts.aligned
            other = gateway.backend(stt=Manner().profile())
            assert other.stt.finalizes_itself
            assert repr(backend) == "ScriptedBackend('ws://gateway.test/v1')"

    trio.run(main)


async def test_it_stands_in_for_the_service_of_a_backend(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    backend = gateway.in_place_of(Deepgram("the-key"))
    assert repr(backend) == "StandIn(Deepgram())"
    request = TranscribeRequest(audio_format=AudioFormat.pcm16(16_000))
    assert backend.recognizer(request) == Deepgram("the-key").recognizer(request)
    with pytest.raises(ConfigurationError, match="takes 1 channel"):
        backend.voice(SynthesizeRequest(audio_format=AudioFormat.pcm16(16_000, 2)))
    async with backend.transport() as connector:
        assert connector == gateway.connect


async def struck(gateway: ScriptedGateway) -> None:
    while not gateway.visits[-1].struck:  # noqa: ASYNC110  # real time has no event for it
        await trio.sleep(0.01)


def test_a_session_over_tcp(call: Any) -> None:
    """The one test here on real ports and real time."""

    async def main() -> None:
        async with open_gateway() as gateway:
            base = await gateway.listen()
            gateway.plan(Await("flush"), Drop(), Await("text"), Fin(), Await("text"), Close(1013), Outage(0.2))
            ends = [(await spoken_by(gateway, call, *HELLO, base=base)).cause for _ in range(3)]
            assert [type(cause) for cause in ends] == [Broken, Broken, PeerClosed]
            with pytest.raises(LinkDown):
                await spoken_by(gateway, call, *HELLO, base=base)
            await trio.sleep(0.25)
            caller = await spoken_by(gateway, call, *HELLO, base=base)
            assert [word.token for word in hear(caller.audio)] == HEARD
            gateway.plan(Await("text"), Close(1001, lingers=0.1))
            assert (await spoken_by(gateway, call, *HELLO, base=base)).cause == PeerClosed(1001, "")
            gateway.plan(Await("text"), BlackHole())
            async with call(gateway, "tts", base=base) as caller:
                await caller.say(HELLO[0])
                await struck(gateway)
                with pytest.raises(LinkDown, match="no pong"):
                    await caller.connection.ping(0.1)
            gateway.plan(Await("text"), StallWrites())
            async with call(gateway, "tts", base=base) as caller:
                await caller.say(HELLO[0])
                await struck(gateway)
                with pytest.raises(LinkDown, match="no pong"):
                    await caller.connection.ping(0.1)

    async def limited() -> None:
        with trio.fail_after(20.0):
            await main()

    trio.run(limited)
