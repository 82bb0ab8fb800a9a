"""The official Deepgram client, unmodified, and ours, against one and the same scripted server.

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
from trio_speech.testing import Manner, Refuse, ScriptedGateway, Visit, say, speech

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it prefers a module that `websockets` has deprecated
    official = pytest.importorskip("deepgram")
    listen = pytest.importorskip("deepgram.listen.v1.types")
    api_error = pytest.importorskip("deepgram.core.api_error")
    websockets = pytest.importorskip("websockets.exceptions")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = "the-key"
SPOKEN = speech(8.0)
PATIENCE = 60.0
ASKED = {"model": "nova-3", "language": "en", "encoding": "linear16", "sample_rate": 16_000, "interim_results": "true"}


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
        with client.listen.v1.connect(**(ASKED | asked)) as connection:
            return use(connection)

    with trio.fail_after(PATIENCE):
        return await trio.to_thread.run_sync(run, abandon_on_cancel=True)


def one_stream(connection: Any) -> list[Any]:
    """All that comes of sending the speech and closing the stream."""
    for chunk in SPOKEN.chunks(0.1):
        connection.send_media(chunk)
    connection.send_close_stream()
    return [checked(event) for event in connection]


def finals_of(events: Iterable[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, listen.ListenV1Results) and event.is_final]


def words_of(events: Iterable[Any]) -> list[tuple[str, float, float]]:
    words = [word for final in finals_of(events) for word in final.channel.alternatives[0].words]
    return [(word.word, word.start, word.end) for word in words]


def spoken_words() -> list[tuple[str, float, float]]:
    return [(word.text, word.start / 16_000, word.end / 16_000) for word in SPOKEN.words]


def kinds_of(visit: Visit) -> list[str]:
    """What the client said, audio left out: how it is cut is its own affair."""
    return [kind for kind in visit.kinds("client") if kind != "audio"]


async def test_the_official_client_hears_every_word(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, one_stream)
    assert words_of(events) == spoken_words()
    assert {type(event) for event in events} == {listen.ListenV1Results, listen.ListenV1Metadata}
    *_, metadata = events
    assert (type(metadata), metadata.duration, metadata.channels) == (listen.ListenV1Metadata, SPOKEN.seconds, 1)
    (visit,) = gateway.visits
    assert bytes(visit.audio) == SPOKEN.audio
    assert visit.complaints == []


async def test_both_clients_ask_the_same_and_hear_the_same(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, one_stream)
    async with ts.open_client(ts.Deepgram(KEY, url=(await gateway.listen()).removesuffix("/v1"))) as client:
        recognition = await client.recognize(
            SPOKEN.source(speed=None), SPOKEN.audio_format, model="nova-3", language="en"
        )
    assert [(word.text, word.start, word.end) for word in recognition.words] == words_of(events)
    transcripts = [final.channel.alternatives[0].transcript for final in finals_of(events)]
    assert [final.text for final in recognition.finals] == [text for text in transcripts if text]
    assert recognition.text == SPOKEN.text
    theirs, ours = gateway.visits
    assert ours.headers["authorization"] == theirs.headers["authorization"] == f"Token {KEY}"
    assert ours.resource.partition("?")[0] == theirs.resource.partition("?")[0]
    assert (ours.model, ours.language, ours.sample_rate) == (theirs.model, theirs.language, theirs.sample_rate)
    assert ours.options == theirs.options
    assert ours.audio == theirs.audio
    assert (kinds_of(theirs), kinds_of(ours)) == (["CloseStream"], ["CloseStream"])
    assert ours.complaints == theirs.complaints == []


async def test_the_official_asynchronous_client_hears_every_word(gateway: ScriptedGateway) -> None:
    where = environment(await gateway.listen())

    async def recognize() -> list[Any]:
        client = official.AsyncDeepgramClient(api_key=KEY, environment=where)
        async with client.listen.v1.connect(**ASKED) as connection:
            for chunk in SPOKEN.chunks(0.1):
                await connection.send_media(chunk)
            await connection.send_close_stream()
            return [checked(event) async for event in connection]

    with trio.fail_after(PATIENCE):
        events = await trio.to_thread.run_sync(asyncio.run, recognize(), abandon_on_cancel=True)
    assert words_of(events) == spoken_words()
    assert isinstance(events[-1], listen.ListenV1Metadata)


async def test_all_that_the_official_client_can_say_is_understood(gateway: ScriptedGateway) -> None:
    spoken = say(0.3, "hello there", 0.1)

    def use(connection: Any) -> list[Any]:
        connection.send_keep_alive()
        connection.send_configure(listen.ListenV1Configure(keyterms=["hello"]))
        configured = checked(connection.recv())
        for chunk in spoken.chunks(0.1):
            connection.send_media(chunk)
        connection.send_finalize()
        finalized = checked(connection.recv())
        connection.send_close_stream()
        return [configured, finalized, *map(checked, connection)]

    configured, finalized, metadata = await by_the_official_client(
        gateway, use, interim_results="false", keyterm=["hi"]
    )
    assert (type(configured), configured.keyterms) == (listen.ListenV1ConfigureSuccess, ["hello"])
    assert finalized.channel.alternatives[0].transcript == "hello there"
    assert (finalized.from_finalize, finalized.duration) == (True, pytest.approx(spoken.seconds))
    assert isinstance(metadata, listen.ListenV1Metadata)
    (visit,) = gateway.visits
    assert kinds_of(visit) == ["KeepAlive", "Configure", "Finalize", "CloseStream"]
    assert visit.complaints == []


async def test_what_the_service_says_of_speech_is_understood(gateway: ScriptedGateway) -> None:
    gateway.manner = Manner(longest=1.0)
    asked = {"vad_events": "true", "utterance_end_ms": 1_000, "endpointing": 300, "language": "multi"}

    def use(connection: Any) -> list[Any]:
        for chunk in say(0.3, "this is one long utterance", 2.0).chunks(0.1):
            connection.send_media(chunk)
        connection.send_close_stream()
        return [checked(event) for event in connection]

    events = await by_the_official_client(gateway, use, **asked)
    (started,) = [event for event in events if isinstance(event, listen.ListenV1SpeechStarted)]
    (ended,) = [event for event in events if isinstance(event, listen.ListenV1UtteranceEnd)]
    assert (started.timestamp, ended.last_word_end) == (0.3, pytest.approx(1.72))
    finals = finals_of(events)
    assert [final.speech_final for final in finals if final.channel.alternatives[0].transcript] == [False, True]
    assert [final.start for final in finals] == pytest.approx(
        [0.0, *(final.start + final.duration for final in finals[:-1])]
    )
    assert finals[0].channel.alternatives[0].languages == ["en"]


async def test_refusals_are_understood(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(401), Refuse(429, retry_after=1, body="later"))
    for status in (401, 429):
        # With the newest `websockets`, the client lets that library's own exception through.
        with pytest.raises((api_error.ApiError, websockets.InvalidStatus)) as caught:
            await by_the_official_client(gateway, one_stream)
        refusal = caught.value
        answered = refusal.response if isinstance(refusal, websockets.InvalidStatus) else refusal
        assert answered.status_code == status


async def test_errors_are_understood(gateway: ScriptedGateway) -> None:
    def use(connection: Any) -> tuple[Any, Any]:
        connection._send('{"type":"Dance"}')
        error = checked(connection.recv())
        connection.send_configure(listen.ListenV1Configure(keyterms=["x"]))
        return error, checked(connection.recv())

    error, failure = await by_the_official_client(gateway, use, model="nova-2", interim_results="false")
    assert (type(error), error.variant) == (listen.ListenV1Error, "SchemaError")
    assert (type(failure), failure.code) == (listen.ListenV1ConfigureFailure, "CONFIGURE_KEYTERMS_NOT_SUPPORTED")
