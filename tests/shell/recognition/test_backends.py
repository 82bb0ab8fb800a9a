"""Backends in order of preference, and connections made ahead: nothing is lost whoever serves."""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Await,
    Delay,
    Drop,
    Hear,
    Lapse,
    Manner,
    NeverAnswer,
    Refuse,
    Send,
    Visit,
    assert_exactly_once,
    open_gateway,
    say,
    speech,
)
from trio_speech.testing.speech import pseudoword

DEEPGRAM = ts.Deepgram("the-key")
PATIENT = ts.RetryPolicy(max_attempts=2, return_after=20.0)


async def events_of(
    backends: list[ts.Backend], said: object, retry: ts.RetryPolicy = PATIENT
) -> list[ts.TranscriptEvent]:
    async with (
        ts.open_client(backends, retry=retry) as client,
        client.transcribe(said, said.audio_format) as transcript,  # type: ignore[attr-defined,arg-type]
    ):
        return [event async for event in transcript]


async def test_the_session_goes_on_at_the_next_backend_and_returns_to_the_first() -> None:
    said = speech(60.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(Hear(3.0), Drop(), *[Refuse(503)] * 3)
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, [*first.visits, *second.visits])
        assert len(second.visits) == 1
        assert first.visits[-1].heard > 10.0, "the first one was not returned to"
        assert second.visits[0].heard < 50.0


async def test_a_refusal_for_good_is_not_tried_again() -> None:
    said = speech(50.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(Refuse(401))
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, second.visits)
        assert len(first.visits) == 1


async def test_without_a_policy_to_return_the_second_stays() -> None:
    said = speech(50.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 3)
        retry = msgspec.structs.replace(PATIENT, return_after=None)
        events = await events_of([first.backend(), second.backend()], said, retry)
        assert_exactly_once(events, said, second.visits)
        assert len(first.visits) == 3


async def test_a_better_backend_that_is_still_ill_is_left_alone() -> None:
    said = speech(50.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 50)
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, second.visits)
        assert 4 <= len(first.visits) <= 6
        assert len(second.visits) == 1


async def test_the_last_backend_s_error_is_the_session_s() -> None:
    said = speech(5.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(Refuse(401))
        second.plan(Refuse(403))
        with pytest.raises(ts.AuthenticationError) as caught:
            await events_of([first.backend(), second.backend()], said)
        assert caught.value.code == 403


async def test_a_session_moves_on_before_its_service_ends_it() -> None:
    said = speech(30.0)
    async with open_gateway() as gateway:
        profile = msgspec.structs.replace(gateway.manner.profile(), session_cap=8.0)
        events = await events_of([gateway.backend(stt=profile)], said)
        assert_exactly_once(events, said, gateway.visits)
        assert not any(isinstance(event, ts.LinkLost) for event in events)
        assert len(gateway.visits) >= 4
        for before, after in zip(gateway.visits, gateway.visits[1:], strict=False):
            assert after.opened is not None
            assert before.ended is not None
            assert after.opened <= before.ended, "made before the other was broken"
            assert before.ended - before.dialed <= 8.5


async def test_a_connection_made_ahead_that_died_meanwhile_costs_one_dial() -> None:
    said = speech(20.0)
    async with open_gateway() as gateway:
        profile = msgspec.structs.replace(gateway.manner.profile(), session_cap=8.0)
        gateway.plan(Hear(100.0), Drop(), Drop())
        events = await events_of([gateway.backend(stt=profile)], said)
        assert_exactly_once(events, said, gateway.visits)


async def test_a_successor_that_cannot_be_made_ahead_is_not_dialed_again_at_every_message() -> None:
    said = speech(20.0)
    async with open_gateway(manner=Manner(finalized="before", trailing=2.0)) as gateway:
        profile = msgspec.structs.replace(gateway.manner.profile(), session_cap=8.0)
        chatter = [Lapse(0.02), Send('{"type": "start_of_speech"}')] * 5
        gateway.plan(Await("finalize"), *chatter, Hear(100.0), Drop(), *[Refuse(503)] * 3)
        events = await events_of([gateway.backend(stt=profile)], said)
        assert_exactly_once(events, said, gateway.visits)
        ahead, regular = (visit.dialed for visit in gateway.visits[1:3])
        assert regular >= ahead, "the one that was made ahead was refused, and only one was"
        assert len(gateway.visits) <= 6


# ---------------------------------------------------------------- what stands in the address


def keyterms(visit: Visit) -> list[str]:
    return parse_qs(visit.resource.partition("?")[2])["keyterm"]


async def test_what_is_changed_during_the_dial_stands_in_the_address_all_the_same() -> None:
    said = speech(3.0)
    async with open_gateway() as gateway, ts.open_client(gateway.in_place_of(DEEPGRAM)) as client:
        gateway.connect_time = 1.0
        async with client.transcribe(said, said.audio_format, keyterms=["old"]) as transcript:
            await trio.sleep(0.5)
            transcript.update(keyterms=["new"])
            events = [event async for event in transcript]
        assert_exactly_once(events, said, gateway.visits)
        assert [(keyterms(visit), bool(visit.audio)) for visit in gateway.visits] == [(["old"], False), (["new"], True)]
        await trio.sleep(2.0)  # what a goodbye may take
        assert not gateway.open, "what was dialed in vain is left open"


async def test_a_connection_made_ahead_of_a_change_is_not_used() -> None:
    said = say(0.2, " ".join(map(pseudoword, range(100))), 3.0)
    assert said.seconds > 27.0, "it is still being spoken when the better service is found"
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 3)
        backends = [each.in_place_of(DEEPGRAM) for each in (first, second)]
        async with (
            ts.open_client(backends, retry=PATIENT) as client,
            client.transcribe(said, said.audio_format, keyterms=["old"]) as transcript,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(change_at, transcript, 22.0)
            events = [event async for event in transcript]
        assert_exactly_once(events, said, [*first.visits, *second.visits])
        assert [(keyterms(visit), bool(visit.audio)) for visit in first.visits[3:]] == [(["old"], False)]
        assert [keyterms(visit) for visit in second.visits if visit.audio] == [["old"], ["new"]]


async def change_at(transcript: ts.Transcript, moment: float) -> None:
    await trio.sleep(moment)
    transcript.update(keyterms=["new"])


async def test_a_better_backend_that_refuses_for_good_when_it_is_tried_again_is_left_alone() -> None:
    said = speech(100.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 3, *[Refuse(401)] * 50)
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, second.visits)
        assert len(first.visits) == 4


async def test_a_better_backend_that_names_a_moment_is_not_tried_before_it() -> None:
    said = speech(100.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 2, *[Refuse(503, retry_after=50.0)] * 50)
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, second.visits)
        tried = [visit.dialed for visit in first.visits]
        assert len(tried) == 4
        assert tried[3] - tried[2] >= 50.0


async def test_a_better_backend_that_is_slow_to_answer_holds_up_nobody() -> None:
    said = speech(40.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 3, *[NeverAnswer()] * 50)
        second.plan(Hear(22.0), Drop())  # while the first one is being tried again
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, second.visits)
        resumed = [event for event in events if isinstance(event, ts.Resumed)]
        assert resumed[-1].downtime == 0.0


async def test_a_better_backend_without_a_credential_ends_nobody_s_session() -> None:
    said = speech(50.0)
    failures = iter([False, False, False])

    async def token() -> str:
        if next(failures, True):
            raise LookupError("the token service is down")
        return "the-key"

    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 3)
        events = await events_of([first.in_place_of(ts.Deepgram(token)), second.backend()], said)
        assert_exactly_once(events, said, second.visits)
        assert len(first.visits) == 3


async def test_what_a_token_provider_raises_is_the_session_s_own() -> None:
    async def token() -> str:
        raise LookupError("no such secret")

    async with open_gateway() as gateway:
        with pytest.raises(LookupError, match="no such secret"):
            await events_of([gateway.in_place_of(ts.Deepgram(token))], speech(5.0))


async def test_a_better_backend_that_answers_during_a_dial_serves_at_once() -> None:
    said = speech(40.0)
    async with open_gateway() as first, open_gateway() as second:
        first.plan(*[Refuse(503)] * 3)
        second.plan(Hear(19.5), Drop(), Delay(8.0))
        events = await events_of([first.backend(), second.backend()], said)
        assert_exactly_once(events, said, [*first.visits, *second.visits])
        assert {visit.heard for visit in second.visits[1:]} == {0.0}
        assert first.visits[-1].heard > 10.0
