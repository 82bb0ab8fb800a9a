"""Backends in order of preference, and connections made ahead: nothing is lost whoever serves."""

from __future__ import annotations

import msgspec
import pytest

import trio_speech as ts
from trio_speech.testing import Drop, Hear, Refuse, assert_exactly_once, open_gateway, speech

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
            assert before.ended - before.dialled <= 8.5


async def test_a_connection_made_ahead_that_died_meanwhile_costs_one_dial() -> None:
    said = speech(20.0)
    async with open_gateway() as gateway:
        profile = msgspec.structs.replace(gateway.manner.profile(), session_cap=8.0)
        gateway.plan(Hear(100.0), Drop(), Drop())
        events = await events_of([gateway.backend(stt=profile)], said)
        assert_exactly_once(events, said, gateway.visits)
