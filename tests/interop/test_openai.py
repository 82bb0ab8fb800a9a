"""The official OpenAI client, unmodified, and ours, against one and the same scripted server.

It needs ``openai[realtime]`` installed, and is skipped without.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import trio

import trio_speech as ts
from trio_speech.provider import TranscribeRequest
from trio_speech.testing import ScriptedGateway, speech

official = pytest.importorskip("openai")
realtime = pytest.importorskip("openai.types.realtime")

KEY = "the-key"
FORMAT = ts.AudioFormat.pcm16(24_000)
SPOKEN = speech(6.0, audio_format=FORMAT)
WORDS = " ".join(word.text for word in SPOKEN.words)
PATIENCE = 60.0
COMPLETED = "conversation.item.input_audio_transcription.completed"


async def by_the_official_client(gateway: ScriptedGateway, use: Callable[[Any], Any]) -> Any:
    """What `use` makes of one official connection, in a thread."""
    base = await gateway.listen()

    def run() -> Any:
        client = official.OpenAI(api_key=KEY, base_url=base)
        with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            return use(connection)

    with trio.fail_after(PATIENCE):
        return await trio.to_thread.run_sync(run, abandon_on_cancel=True)


def session(**heard: Any) -> dict[str, Any]:
    described = {"type": "audio/pcm", "rate": 24_000}
    return {"type": "transcription", "audio": {"input": {"format": described, **heard}}}


def checked(event: Any) -> Any:
    """The event, which has all that the official types demand: the client itself does not look."""
    type(event).model_validate(event.model_dump(by_alias=True))
    return event


def events_until(connection: Any, *kinds: str) -> list[Any]:
    """What comes up to the first event of one of these types."""
    events: list[Any] = []
    while not events or events[-1].type not in kinds:
        events.append(checked(connection.recv()))
    return events


def one_commit(connection: Any) -> list[Any]:
    connection.session.update(session=session(transcription={"model": "gpt-live-transcribe"}, turn_detection=None))
    for chunk in SPOKEN.chunks(0.1):
        connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
    connection.input_audio_buffer.commit()
    return events_until(connection, COMPLETED, "error")


async def test_both_clients_ask_the_same_and_hear_the_same(gateway: ScriptedGateway) -> None:
    events = await by_the_official_client(gateway, one_commit)
    kinds = [event.type for event in events]
    assert kinds[:2] == ["session.created", "session.updated"]
    assert kinds[-1] == COMPLETED
    assert "input_audio_buffer.committed" in kinds
    assert events[-1].transcript == WORDS
    deltas = [event.delta for event in events if event.type.endswith(".delta")]
    assert "".join(deltas) == WORDS
    async with ts.open_client(ts.OpenAI(KEY, url=await gateway.listen())) as client:
        heard = await client.recognize(SPOKEN, FORMAT)
    assert heard.text == WORDS
    theirs, ours = gateway.visits
    assert ours.headers["authorization"] == theirs.headers["authorization"] == f"Bearer {KEY}"
    assert (ours.resource, ours.model, ours.sample_rate) == (theirs.resource, theirs.model, theirs.sample_rate)
    assert set(theirs.kinds("client")) == set(ours.kinds("client"))
    assert theirs.complaints == ours.complaints == []


async def test_what_the_service_commits_by_itself_is_understood(gateway: ScriptedGateway) -> None:
    def use(connection: Any) -> list[Any]:
        heard = {"transcription": {"model": "gpt-transcribe"}, "turn_detection": {"type": "server_vad"}}
        connection.session.update(session=session(**heard))
        for chunk in SPOKEN.chunks(0.1):
            connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
        connection.input_audio_buffer.append(audio=base64.b64encode(bytes(48_000)).decode())
        return events_until(connection, COMPLETED, "error")

    events = {event.type: event for event in await by_the_official_client(gateway, use)}
    started, stopped = (events[f"input_audio_buffer.speech_{what}"] for what in ("started", "stopped"))
    assert started.item_id == stopped.item_id == events["input_audio_buffer.committed"].item_id
    assert started.audio_start_ms == round(max(0.0, SPOKEN.words[0].start / 24 - 300))
    assert stopped.audio_end_ms > SPOKEN.words[0].end / 24


async def test_a_commit_of_nothing_is_refused_as_the_client_expects(gateway: ScriptedGateway) -> None:
    def use(connection: Any) -> list[Any]:
        connection.session.update(session=session(transcription={"model": "gpt-live-transcribe"}, turn_detection=None))
        connection.input_audio_buffer.commit(event_id="mine")
        return events_until(connection, "error")

    *_, error = await by_the_official_client(gateway, use)
    assert (error.error.code, error.error.event_id) == ("input_audio_buffer_commit_empty", "mine")


def test_what_we_ask_has_the_official_types() -> None:
    request = TranscribeRequest(audio_format=FORMAT, language="en", keyterms=("trio",))
    codec = ts.OpenAI(KEY).recognizer(request).codec()
    [opening] = codec.open()
    update = realtime.SessionUpdateEvent.model_validate_json(opening)
    assert update.session.audio.input.transcription.model == "gpt-live-transcribe"
    realtime.InputAudioBufferAppendEvent.model_validate_json(codec.audio(bytes(2)))
    realtime.InputAudioBufferCommitEvent.model_validate_json(str(codec.finalize()))
