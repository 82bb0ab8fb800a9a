"""The official Deepgram client, unmodified, and ours, against one and the same scripted server of Flux.

It needs ``deepgram-sdk`` installed, and is skipped without.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import Refuse, ScriptedGateway, say

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it prefers a module that `websockets` has deprecated
    official = pytest.importorskip("deepgram")
    listen = pytest.importorskip("deepgram.listen.v2.types")
    api_error = pytest.importorskip("deepgram.core.api_error")
    websockets = pytest.importorskip("websockets.exceptions")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = "the-key"
SPOKEN = say(0.3, "one two three", 1.5, "four five six", 1.5, "seven eight", 0.1)
TURNS = ["one two three", "four five six"]
PATIENCE = 60.0
ASKED = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 16_000, "eager_eot_threshold": 0.5}


def environment(base: str) -> Any:
    """The address of the scripted server, where the client has that of the service."""
    address = base.removesuffix("/v1")
    websocket = address.replace("http", "ws")
    return official.DeepgramClientEnvironment(base=address, production=websocket, agent=websocket, agent_rest=address)


def checked(event: Any) -> Any:
    """The event, which has all that the official types demand: the client itself does not look."""
    type(event).model_validate(event.model_dump(by_alias=True))
    return event


async def by_the_official_client(gateway: ScriptedGateway, use: Callable[[Any], Any], **asked: Any) -> Any:
    """What `use` makes of one official connection, in a thread."""
    where = environment(await gateway.listen())

    def run() -> Any:
        client = official.DeepgramClient(api_key=KEY, environment=where)
        with client.listen.v2.connect(**(ASKED | asked)) as connection:
            return use(connection)

    with trio.fail_after(PATIENCE):
        return await trio.to_thread.run_sync(run, abandon_on_cancel=True)


def one_stream(connection: Any) -> list[Any]:
    """All that comes of sending the speech and closing the stream."""
    for chunk in SPOKEN.chunks(0.08):
        connection.send_media(chunk)
    connection.send_close_stream()
    return [checked(event) for event in connection]


def told(events: Iterable[Any], kind: str) -> list[str]:
    return [event.transcript for event in events if getattr(event, "event", None) == kind]


async def test_the_official_client_hears_every_turn(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, one_stream)
    assert told(events, "EndOfTurn") == told(events, "EagerEndOfTurn") == TURNS
    assert events[-1].event == "Update"
    assert events[-1].transcript == "seven eight"  # the last turn is not ended
    first, *_ = events
    assert isinstance(first, listen.ListenV2Connected)
    assert [event.sequence_id for event in events] == list(range(len(events)))
    assert [event.trigger for event in events if getattr(event, "event", None) == "EndOfTurn"] == ["model"] * 2
    (visit,) = gateway.visits
    assert bytes(visit.audio) == SPOKEN.audio
    assert visit.complaints == []


async def test_the_official_asynchronous_client_hears_every_turn(gateway: ScriptedGateway) -> None:
    where = environment(await gateway.listen())

    async def recognize() -> list[Any]:
        client = official.AsyncDeepgramClient(api_key=KEY, environment=where)
        async with client.listen.v2.connect(**ASKED) as connection:
            for chunk in SPOKEN.chunks(0.08):
                await connection.send_media(chunk)
            await connection.send_close_stream()
            return [checked(event) async for event in connection]

    with trio.fail_after(PATIENCE):
        events = await trio.to_thread.run_sync(asyncio.run, recognize(), abandon_on_cancel=True)
    assert told(events, "EndOfTurn") == TURNS


async def test_both_clients_ask_the_same_and_hear_the_same(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, one_stream)
    finals, ends, likely = [], [], []
    async with (
        ts.open_client(ts.Deepgram(KEY, url=(await gateway.listen()).removesuffix("/v1"))) as client,
        client.transcribe(
            SPOKEN.source(speed=None),
            SPOKEN.audio_format,
            model="flux-general-en",
            options={"eager_eot_threshold": 0.5},
        ) as transcript,
    ):
        async for event in transcript:
            finals += [event] if isinstance(event, ts.FinalTranscript) else []
            ends += [event] if isinstance(event, ts.TurnEnded) else []
            likely += [event] if isinstance(event, ts.PreflightTranscript) else []
    assert [final.text for final in finals] == [*TURNS, "seven eight"]
    assert len(ends) == len(TURNS)
    assert {event.text for event in likely} <= set(TURNS)
    words = [
        (word.word, word.start, word.end)
        for event in events
        if getattr(event, "event", None) == "EndOfTurn"
        for word in event.words
    ]
    assert [(word.text, word.start, word.end) for final in finals[:2] for word in final.words] == words
    theirs, ours = gateway.visits
    assert ours.headers["authorization"] == theirs.headers["authorization"] == f"Token {KEY}"
    assert sorted(ours.resource.partition("?")[2].split("&")) == sorted(theirs.resource.partition("?")[2].split("&"))
    assert ours.audio == theirs.audio
    said = [[kind for kind in visit.kinds("client") if kind != "audio"] for visit in (theirs, ours)]
    assert said == [["CloseStream"], ["CloseStream"]]
    assert ours.complaints == theirs.complaints == []


async def test_all_that_the_official_client_can_say_is_understood(gateway: ScriptedGateway) -> None:
    def use(connection: Any) -> list[Any]:
        connection.send_configure(
            listen.ListenV2Configure(
                thresholds=listen.ListenV2ConfigureThresholds(eot_threshold=0.8), keyterms=["hello"]
            )
        )
        connection.send_force_end_turn()  # there is no turn: it is ignored
        for chunk in say(0.3, "hello there", 0.1).chunks(0.08):
            connection.send_media(chunk)
        events = [checked(connection.recv())]
        while getattr(events[-1], "transcript", "") != "hello there":
            if getattr(events[-1], "event", None) == "Update" and events[-1].transcript:
                connection.send_force_end_turn()
            events.append(checked(connection.recv()))
        connection.send_close_stream()
        return [*events, *map(checked, connection)]

    events = await by_the_official_client(gateway, use)
    configured = [event for event in events if isinstance(event, listen.ListenV2ConfigureSuccess)]
    assert [event.keyterms for event in configured] == [["hello"]]
    assert configured[0].thresholds.eot_threshold == 0.8
    assert "manual" in [getattr(event, "trigger", None) for event in events]
    (visit,) = gateway.visits
    assert {"Configure", "ForceEndTurn", "CloseStream"} <= set(visit.kinds("client"))
    assert visit.complaints == []


async def test_refusals_are_understood(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(401))
    with pytest.raises((api_error.ApiError, websockets.InvalidStatus)):
        await by_the_official_client(gateway, one_stream)


async def test_errors_are_understood(gateway: ScriptedGateway) -> None:
    def use(connection: Any) -> Any:
        connected = checked(connection.recv())
        connection._send('{"type":"Dance"}')
        return connected, checked(connection.recv())

    _, error = await by_the_official_client(gateway, use)
    assert isinstance(error, listen.ListenV2FatalError)
