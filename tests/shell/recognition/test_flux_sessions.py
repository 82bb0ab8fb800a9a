"""Whole sessions with a service of turns, which cannot be asked for a final and wants silence in pauses."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    Drop,
    Fin,
    Hear,
    LabeledSpeech,
    Lapse,
    MidWord,
    ScriptedGateway,
    Step,
    say,
    speech,
)

from ..conftest import Session

SPOKEN = say(0.3, "one two three", 1.5, "four five six", 1.5, "seven eight", 0.2)
"""The last turn ends with the input, and is a final without an end of its turn."""


async def listen(
    gateway: ScriptedGateway,
    spoken: LabeledSpeech = SPOKEN,
    source: AsyncIterable[bytes] | None = None,
    **asked: Any,
) -> Session:
    events: list[ts.TranscriptEvent] = []
    backend = gateway.in_place_of(ts.Deepgram("the-key"))
    asked = {"model": "flux-general-en", **asked}
    async with (
        ts.open_client(backend) as client,
        client.transcribe(source or spoken, spoken.audio_format, **asked) as transcript,
    ):
        events += [event async for event in transcript]
    return Session(spoken, gateway, events, [], transcript.statistics(), 0.0)


def order(session: Session) -> list[str]:
    """The finals and the ends of turns, as they came."""
    return [
        "end" if isinstance(event, ts.TurnEnded) else event.text
        for event in session.of(ts.FinalTranscript, ts.TurnEnded)
    ]


async def test_each_turn_is_one_final_and_its_end(gateway: ScriptedGateway) -> None:
    session = await listen(gateway, options={"eager_eot_threshold": 0.5})
    session.assert_whole()
    assert order(session) == ["one two three", "end", "four five six", "end", "seven eight"]
    first = session.of(ts.TurnEnded)[0]
    assert (first.end, first.confidence) == (session.of(ts.FinalTranscript)[0].end, 0.9)
    assert next(event.text for event in session.of(ts.PreflightTranscript)) == "one two three"
    (visit,) = gateway.visits
    assert visit.resource.startswith("/v2/listen?")
    assert visit.kinds("client")[-2:] == ["audio", "CloseStream"]


@pytest.mark.parametrize("fault", [Drop(), Fin(), Close(1011), Close(1005), BlackHole()], ids=repr)
@pytest.mark.parametrize(
    "phase", [(MidWord(2),), (Await("interim"),), (Await("final"),), (Hear(2.6),), (Await("close"),)], ids=repr
)
async def test_a_drop_loses_no_word_and_ends_no_turn_twice(
    gateway: ScriptedGateway, phase: tuple[Step, ...], fault: Step
) -> None:
    gateway.plan(*phase, fault)
    session = await listen(gateway, options={"eager_eot_threshold": 0.5})
    session.assert_whole()
    assert order(session)[:5] == ["one two three", "end", "four five six", "end", "seven eight"]


async def test_a_mute_source_still_gets_its_turn(gateway: ScriptedGateway) -> None:
    before, after = say(0.2, "before", 0.05), say(0.2, "after", 1.0)
    told: list[float] = []

    async def source() -> AsyncIterator[bytes]:
        yield before.audio
        await trio.sleep(60.0)
        told.append(trio.current_time())
        yield after.audio

    session = await listen(gateway, before + after, source())
    session.assert_whole()
    assert order(session) == ["before", "end", "after", "end"]
    (visit,) = gateway.visits
    filled = visit.heard - session.speech.seconds
    assert 5.0 < filled < 15.0  # a second at a time: until the turn is over, and then as a keepalive
    assert session.statistics.billed == pytest.approx(visit.heard)


async def test_a_wait_for_settlement_ends_with_the_turn(gateway: ScriptedGateway) -> None:
    spoken = say(0.2, "before", 0.05)
    async with (
        ts.open_client(gateway.in_place_of(ts.Deepgram("the-key"))) as client,
        client.transcribe(model="flux-general-en") as transcript,
    ):
        await transcript.send(spoken.audio)
        with trio.fail_after(5.0):
            await transcript.settled()
        transcript.end_input()
        told = [event async for event in transcript if isinstance(event, ts.FinalTranscript | ts.TurnEnded)]
    assert [type(event) for event in told] == [ts.FinalTranscript, ts.TurnEnded]


async def test_a_drop_while_silence_is_filled_in_loses_nothing(gateway: ScriptedGateway) -> None:
    before, after = say(0.2, "before", 0.05), say(0.2, "after", 1.0)
    gateway.plan(Lapse(10.0), Drop())

    async def source() -> AsyncIterator[bytes]:
        yield before.audio
        await trio.sleep(60.0)
        yield after.audio

    session = await listen(gateway, before + after, source())
    session.assert_whole()
    assert order(session) == ["before", "end", "after", "end"]


async def test_thresholds_change_in_flight_and_the_language_with_a_fresh_link(gateway: ScriptedGateway) -> None:
    spoken = speech(6.0)
    events: list[ts.TranscriptEvent] = []
    async with (
        ts.open_client(gateway.in_place_of(ts.Deepgram("the-key"))) as client,
        trio.open_nursery() as nursery,
        client.transcribe(spoken.source(), spoken.audio_format, model="flux-general-multi") as transcript,
    ):

        @nursery.start_soon
        async def update() -> None:
            await trio.sleep(1.0)
            transcript.update(options={"eot_threshold": 0.9}, keyterms=["pizza"])
            await trio.sleep(2.0)
            transcript.update(language="de")

        events += [event async for event in transcript]
    Session(spoken, gateway, events, [], transcript.statistics(), 0.0).assert_whole()
    first, second = gateway.visits
    assert first.kinds("client").count("Configure") == 1
    asked = parse_qs(second.resource.partition("?")[2])
    assert (asked["language_hint"], asked["eot_threshold"], asked["keyterm"]) == (["de"], ["0.9"], ["pizza"])
