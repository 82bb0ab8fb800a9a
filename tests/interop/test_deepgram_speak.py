"""The official Deepgram client, unmodified, and ours, speaking by one and the same scripted server.

It needs ``deepgram-sdk`` installed, and is skipped without.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import Delivery, ScriptedGateway, hear

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it prefers a module that `websockets` has deprecated
    official = pytest.importorskip("deepgram")
    speak = pytest.importorskip("deepgram.speak.v1.types")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = "the-key"
RATE = 24_000
PATIENCE = 60.0
TEXT = "The weather is very nice today."
ASKED = {"model": "aura-2-thalia-en", "encoding": "linear16", "sample_rate": RATE}


async def by_the_official_client(gateway: ScriptedGateway, use: Callable[[Any], Any]) -> Any:
    """What `use` makes of one official connection, in a thread."""
    address = (await gateway.listen()).removesuffix("/v1")
    websocket = address.replace("http", "ws")
    where = official.DeepgramClientEnvironment(base=address, production=websocket, agent=websocket, agent_rest=address)

    def run() -> Any:
        client = official.DeepgramClient(api_key=KEY, environment=where)
        with client.speak.v1.connect(**ASKED) as connection:
            return use(connection)

    with trio.fail_after(PATIENCE):
        return await trio.to_thread.run_sync(run, abandon_on_cancel=True)


def checked(event: Any) -> Any:
    """The event, which has all that the official types demand: the client itself does not look."""
    if not isinstance(event, bytes):
        type(event).model_validate(event.model_dump(by_alias=True))
    return event


def one_text(connection: Any) -> list[Any]:
    connection.send_text(speak.SpeakV1Text(text=TEXT, type="Speak"))
    connection.send_flush()
    connection.send_close()
    return [checked(event) for event in connection]


def spoken(audio: bytes) -> str:
    return " ".join(word.token for word in hear(audio))


async def test_both_clients_ask_the_same_and_hear_the_same(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, one_text)
    metadata, *audio, flushed = events
    assert (type(metadata), metadata.request_id) == (speak.SpeakV1Metadata, "speak_0001")
    assert (type(flushed), flushed.type, flushed.sequence_id) == (speak.SpeakV1Flushed, "Flushed", 0)
    backend = ts.Deepgram(KEY, url=(await gateway.listen()).removesuffix("/v1"))
    async with ts.open_client(backend) as client:
        clip = await client.render(TEXT, audio_format=ts.AudioFormat.pcm16(RATE))
    assert spoken(b"".join(audio)) == spoken(clip.audio) == TEXT
    assert clip.audio == b"".join(audio)
    theirs, ours = gateway.visits
    assert ours.headers["authorization"] == theirs.headers["authorization"] == f"Token {KEY}"
    assert (ours.resource.partition("?")[0], ours.model, ours.sample_rate) == (
        theirs.resource.partition("?")[0],
        theirs.model,
        theirs.sample_rate,
    )
    assert theirs.kinds("client") == ours.kinds("client") == ["Speak", "Flush", "Close"]
    assert theirs.complaints == ours.complaints == []


async def test_what_is_cleared_is_understood(gateway: ScriptedGateway) -> None:
    gateway.delivery = Delivery(speed=2.0)

    def use(connection: Any) -> list[Any]:
        connection.send_text(speak.SpeakV1Text(text=TEXT, type="Speak"))
        connection.send_flush()
        heard = [checked(connection.recv()), checked(connection.recv())]
        connection.send_clear()
        connection.send_text(speak.SpeakV1Text(text="Stop.", type="Speak"))
        connection.send_flush()
        connection.send_close()
        return [*heard, *map(checked, connection)]

    events = await by_the_official_client(gateway, use)
    answers = [event.type for event in events if not isinstance(event, bytes)]
    assert answers == ["Metadata", "Cleared", "Flushed"]
    cleared = next(index for index, event in enumerate(events) if getattr(event, "type", "") == "Cleared")
    assert spoken(b"".join(event for event in events[cleared:] if isinstance(event, bytes))) == "Stop."
