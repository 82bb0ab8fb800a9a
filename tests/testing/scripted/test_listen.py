"""The scripted gateway as a plain client of Deepgram's wire meets it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_speech._core.retry.causes import Broken, Cause, PeerClosed, Refused
from trio_speech._shell.connection import Connection, LinkDown, open_connection
from trio_speech.providers._codec import Dial
from trio_speech.testing import (
    Await,
    BlackHole,
    Delay,
    Drop,
    Hear,
    InBandError,
    LabeledSpeech,
    Manner,
    ScriptedGateway,
    say,
)

QUERY = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16_000}
SPOKEN = say(0.3, "hello there you", 0.5, "now again", 0.1)


class Caller:
    """Keeps all that came, with its time, and what the connection ended of."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.came: list[tuple[float, dict[str, Any]]] = []
        self.cause: Cause | None = None
        self.down = trio.Event()

    async def listen(self) -> None:
        try:
            while True:
                frame = await self.connection.receive()
                self.came.append((trio.current_time(), json.loads(frame)))
        except LinkDown as down:
            self.cause = down.cause
            self.down.set()

    async def say(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}), 10.0)

    async def play(self, spoken: LabeledSpeech, **how: Any) -> None:
        async for chunk in spoken.source(**how):
            await self.connection.send(chunk, 10.0)

    async def take_leave(self) -> None:
        await self.say("CloseStream")
        await self.down.wait()

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for _, message in self.came if message["type"] == kind]

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for _, message in self.came]

    @property
    def finals(self) -> list[str]:
        """The transcripts of final windows, silence too."""
        results = (message for message in self.all("Results") if message["is_final"])
        return [message["channel"]["alternatives"][0]["transcript"] for message in results]


@asynccontextmanager
async def calling(gateway: ScriptedGateway, path: str = "/v1/listen", **settings: Any) -> AsyncGenerator[Caller, None]:
    url = f"ws://gateway.test{path}?{urlencode(QUERY | settings)}"
    failure: LinkDown | None = None
    async with trio.open_nursery() as nursery:
        try:
            connection = await open_connection(
                nursery, url, (), timeout=10.0, connect=lambda: gateway.connect(Dial(url))
            )
            caller = Caller(connection)
            nursery.start_soon(caller.listen)
            yield caller
        except LinkDown as down:
            failure = down
        nursery.cancel_scope.cancel(reason="the call is over")
    if failure is not None:
        raise failure


async def test_a_conversation_without_faults(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway, interim_results="true", language="en", keyterm="you", vad_events="true") as caller:
        await caller.play(SPOKEN)
        await caller.take_leave()
    assert caller.finals == ["hello there you", "now again"]
    assert caller.cause == PeerClosed(1000, "")
    assert [kind for kind in caller.kinds if kind != "Results"] == ["SpeechStarted", "SpeechStarted", "Metadata"]
    assert caller.kinds[-1] == "Metadata"
    assert caller.all("Metadata")[0]["duration"] == SPOKEN.seconds
    finals = [message for message in caller.all("Results") if message["is_final"]]
    assert [final["speech_final"] for final in finals] == [True, True]
    assert finals[-1]["start"] + finals[-1]["duration"] == pytest.approx(SPOKEN.seconds)
    words = [word for final in finals for word in final["channel"]["alternatives"][0]["words"]]
    assert [(word["word"], round(word["start"] * 16_000), round(word["end"] * 16_000)) for word in words] == [
        (word.text, word.start, word.end) for word in SPOKEN.words
    ]
    await wait_all_tasks_blocked()
    (visit,) = gateway.visits
    assert bytes(visit.audio) == SPOKEN.audio
    assert (visit.endpoint, visit.model, visit.language) == ("listen", "nova-3", "en")
    assert (visit.options["vad_events"], visit.keyterms) == ("true", ("you",))
    assert [final.text for final in visit.finals] == ["hello there you", "now again"]
    assert visit.kinds("client") == ["audio"] * 44 + ["CloseStream"]
    assert sum(message.samples for message in visit.passed) == SPOKEN.samples
    assert visit.texts == visit.complaints == []


async def test_interims_grow_from_the_start_of_their_window(
    autojump_clock: MockClock, gateway: ScriptedGateway
) -> None:
    async with calling(gateway, interim_results="true") as caller:
        await caller.play(SPOKEN)
        await caller.take_leave()
    first = [message for message in caller.all("Results") if message["start"] == 0.0]
    assert [message["is_final"] for message in first] == [False] * (len(first) - 1) + [True]
    durations = [message["duration"] for message in first]
    assert durations == sorted(durations)
    assert len(first) > 3


async def test_optional_messages_are_off_by_default(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway) as caller:
        await caller.play(SPOKEN)
        await caller.take_leave()
    assert caller.kinds == ["Results", "Results", "Metadata"]


async def test_utterance_end_is_a_message_of_its_own(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway, utterance_end_ms=1_000, interim_results="true") as caller:
        await caller.play(say(0.3, "hello there", 2.0, "now", 1.5))
        await caller.take_leave()
    assert [message["last_word_end"] for message in caller.all("UtteranceEnd")] == [
        pytest.approx(0.88),
        pytest.approx(3.03),
    ]


async def test_finalize_keeps_the_session_open(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway) as caller:
        await caller.play(say(0.3, "hello", 0.1))
        await caller.say("Finalize")
        await caller.play(say("there", 0.1))
        await caller.take_leave()
    finals = caller.all("Results")
    assert caller.finals == ["hello", "there"]
    assert [final["from_finalize"] for final in finals] == [True, False]
    assert [(final["start"], final["start"] + final["duration"]) for final in finals] == [
        (0.0, pytest.approx(0.65)),
        (pytest.approx(0.65), pytest.approx(1.0)),
    ]


async def test_close_stream_sends_pending_results_and_cuts_the_word(
    autojump_clock: MockClock, gateway: ScriptedGateway
) -> None:
    gateway.plan(Delay(0.5))
    async with calling(gateway) as caller:
        await caller.play(LabeledSpeech(SPOKEN.audio[: 2 * 7_000], SPOKEN.audio_format, ()))
        await caller.take_leave()
    assert caller.finals == ["hel-"]
    assert [at for at, _ in caller.came] == pytest.approx([0.5 + 0.4375 + 0.5] * 2)


async def test_a_service_hears_at_its_own_pace(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(pace=1.25)
    async with calling(gateway) as caller:
        await caller.play(SPOKEN, speed=None)
        await caller.take_leave()
    assert caller.finals == ["hello there you", "now again"]
    assert caller.came[0][0] == pytest.approx(1.45 / 1.25)
    assert trio.current_time() == pytest.approx(SPOKEN.seconds / 1.25)


# ---------------------------------------------------------------- silence on the line


async def test_a_client_that_says_nothing_is_closed_after_ten_seconds(
    autojump_clock: MockClock, gateway: ScriptedGateway
) -> None:
    async with calling(gateway) as caller:
        await caller.down.wait()
        assert trio.current_time() == pytest.approx(10.0)
    assert caller.cause == PeerClosed(1011, "NET-0001")


async def test_a_client_that_falls_silent_is_closed_too(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway) as caller:
        await caller.play(SPOKEN)
        await caller.down.wait()
        assert trio.current_time() == pytest.approx(SPOKEN.seconds + 10.0)
    assert caller.cause == PeerClosed(1011, "NET-0001")


async def test_keepalives_prevent_the_idle_close(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway) as caller:
        for _ in range(10):
            await trio.sleep(9.0)
            await caller.say("KeepAlive")
        await caller.play(SPOKEN)
        await caller.take_leave()
    assert caller.finals == ["hello there you", "now again"]
    assert caller.all("Results")[0]["start"] == 0.0
    assert gateway.visits[0].heard == SPOKEN.seconds


async def test_pings_do_not_prevent_the_idle_close(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway) as caller:
        while not caller.down.is_set():
            await caller.connection.ping(1.0)
            with trio.move_on_after(3.0):
                await caller.down.wait()
    assert caller.cause == PeerClosed(1011, "NET-0001")
    assert trio.current_time() == pytest.approx(10.0)


async def test_a_black_hole_does_not_close(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(0.5), BlackHole())
    async with calling(gateway) as caller:
        await caller.play(SPOKEN)
        await trio.sleep(60.0)
        assert caller.cause is None


async def test_closing_into_a_black_hole_is_not_answered(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.plan(Await("close"), BlackHole())
    async with calling(gateway) as caller:
        await caller.say("CloseStream")
        await trio.sleep(60.0)
        assert caller.came == []
        assert caller.cause is None


# ---------------------------------------------------------------- faults and mistakes


@pytest.mark.parametrize("seconds", [0.001, 1.2345])
async def test_it_hears_to_the_sample(autojump_clock: MockClock, gateway: ScriptedGateway, seconds: float) -> None:
    gateway.plan(Hear(seconds), Drop())
    with pytest.raises(LinkDown):
        async with calling(gateway) as caller:
            await caller.play(SPOKEN, chunk=(0.07, 0.031))
    assert isinstance(caller.cause, Broken)
    assert gateway.visits[0].audio == SPOKEN.audio[: 2 * round(seconds * 16_000)]


async def test_a_fault_strikes_once_the_final_is_told(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.plan(Await("final"), Drop())
    with pytest.raises(LinkDown):
        async with calling(gateway) as caller:
            await caller.play(SPOKEN)
    assert caller.finals == ["hello there you"]


async def test_a_fault_between_windows_that_are_told_at_once(
    autojump_clock: MockClock, gateway: ScriptedGateway
) -> None:
    gateway.manner = Manner(twice=True)
    gateway.plan(Await("final"), BlackHole())
    async with calling(gateway) as caller:
        await caller.play(SPOKEN)
        await wait_all_tasks_blocked()
    assert caller.finals == ["hello there you"]


async def test_keyterms_are_changed(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    gateway.plan(InBandError("CONFIGURE_ALREADY_PENDING", "wait"))
    async with calling(gateway, keyterm="old") as caller:
        await caller.say("Configure", features={"numerals": True})
        await wait_all_tasks_blocked()
        assert gateway.visits[0].keyterms == ("old",)
        await caller.say("Configure", keyterms=["a", "b"])
        await caller.take_leave()
    failure, first, second, _ = (message for _, message in caller.came)
    assert (failure["type"], failure["code"]) == ("ConfigureFailure", "CONFIGURE_ALREADY_PENDING")
    assert first == {"type": "ConfigureSuccess", "request_id": "listen_0001"}
    assert second == {"type": "ConfigureSuccess", "request_id": "listen_0001", "keyterms": ["a", "b"]}
    assert gateway.visits[0].keyterms == ("a", "b")


async def test_protocol_violations_are_recorded_and_answered(
    autojump_clock: MockClock, gateway: ScriptedGateway
) -> None:
    async with calling(gateway) as caller:
        await caller.say("Dance")
        await caller.connection.send("no json", 1.0)
        await caller.connection.send(b"", 1.0)
        await caller.down.wait()
    dance, malformed, empty = gateway.visits[0].complaints
    assert (dance, empty) == ("unknown message Dance", "an empty binary frame ends the stream")
    assert malformed.startswith("malformed message")
    assert [message["variant"] for message in caller.all("Error")] == ["SchemaError"] * 2
    assert caller.cause == PeerClosed(1000, "")


async def test_half_a_sample_is_not_heard(autojump_clock: MockClock, gateway: ScriptedGateway) -> None:
    async with calling(gateway) as caller:
        for frame in (b"\0", b"\0\0\0"):
            await caller.connection.send(frame, 1.0)
        await caller.take_leave()
    assert len(gateway.visits[0].audio) == 2


@pytest.mark.parametrize(
    ("path", "settings", "status"), [("/v1/listen", {"encoding": "opus"}, 400), ("/v3/listen", {}, 404)]
)
async def test_a_bad_request_is_refused(
    autojump_clock: MockClock, gateway: ScriptedGateway, path: str, settings: dict[str, str], status: int
) -> None:
    with pytest.raises(LinkDown) as caught:
        async with calling(gateway, path, **settings):
            pytest.fail("the dial went well")
    assert isinstance(caught.value.cause, Refused)
    assert caught.value.cause.status == status
    assert gateway.visits[0].outcome == f"refused with HTTP {status}"
