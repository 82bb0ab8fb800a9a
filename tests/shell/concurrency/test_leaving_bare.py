"""Law 5: whatever a session dies of leaves its block as one bare exception."""

# ruff: noqa: PT012  # what is left by an exception is a block

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    Close,
    Drop,
    Hear,
    InBandError,
    Lapse,
    NeverAnswer,
    Outage,
    Refuse,
    ScriptedGateway,
    Step,
    say,
    speech,
)

SPEECH = speech(6.0)
SOON = ts.RetryPolicy(max_attempts=3, base_delay=0.1, deadline=None)


class Mine(Exception):
    """An exception of the user's."""


async def read(gateway: ScriptedGateway, **policies: object) -> None:
    async with gateway.client(**policies) as client, client.transcribe(SPEECH) as transcript:
        async for _ in transcript:
            pass


# ---------------------------------------------------------------- the user's own


@pytest.mark.parametrize("failure", [Mine("here"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
async def test_the_users_exception_leaves_as_it_is(gateway: ScriptedGateway, failure: BaseException) -> None:
    with pytest.raises(type(failure)) as caught:
        async with gateway.client() as client, client.transcribe(SPEECH) as transcript:
            async for event in transcript:
                if isinstance(event, ts.FinalTranscript):
                    raise failure
    assert caught.value is failure
    assert failure.__context__ is None


@pytest.mark.parametrize("session", ["transcribe", "synthesize"])
async def test_an_error_leaves_bare_though_the_user_has_a_nursery_in_the_block(
    gateway: ScriptedGateway, session: str
) -> None:
    gateway.plan(Refuse(401))
    sent = "Hello there. More. " if session == "synthesize" else bytes(3200)
    with pytest.raises((ts.SpeechError, BaseExceptionGroup)) as caught:  # a stray cancellation would pass the test by
        async with gateway.client() as client, getattr(client, session)() as opened, trio.open_nursery() as nursery:
            nursery.start_soon(opened.send, sent)
            async for _ in opened:
                pass
    assert isinstance(caught.value, ts.AuthenticationError)


async def test_a_users_group_is_not_unwrapped(gateway: ScriptedGateway) -> None:
    group = ExceptionGroup("mine", [Mine()])
    with pytest.raises(ExceptionGroup) as caught:
        async with gateway.client() as client, client.transcribe(SPEECH):
            raise group
    assert caught.value is group


async def test_a_timeout_around_the_session_is_that_and_nothing_else(gateway: ScriptedGateway) -> None:
    with trio.move_on_after(2.5) as scope:
        await read(gateway)
    assert scope.cancelled_caught
    assert trio.current_time() == pytest.approx(2.5, abs=0.1)
    with pytest.raises(trio.TooSlowError):
        with trio.fail_after(2.5):
            await read(gateway)


async def test_a_timeout_inside_the_session_leaves_the_session_alone(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client, client.transcribe(SPEECH) as transcript:
        with trio.move_on_after(2.5) as scope:
            async for _ in transcript:
                pass
        assert scope.cancelled_caught
        finals = [event.text async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert " ".join(finals) == SPEECH.text


async def test_a_timeout_between_client_and_session_is_caught_there(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        with trio.move_on_after(1.0) as scope:
            async with client.transcribe(SPEECH) as transcript:
                async for _ in transcript:
                    pass
        assert scope.cancelled_caught
        async with client.transcribe(SPEECH) as transcript:
            finals = [event.text async for event in transcript if isinstance(event, ts.FinalTranscript)]
    assert " ".join(finals) == SPEECH.text


def test_control_c_leaves_as_keyboard_interrupt() -> None:
    async def main() -> None:
        from trio_speech.testing import open_gateway

        async with open_gateway() as gateway, gateway.client() as client, client.transcribe() as transcript:
            await transcript.send(SPEECH.audio)
            signal.raise_signal(signal.SIGINT)
            await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)


# ---------------------------------------------------------------- the source's


async def failing(failure: BaseException) -> AsyncIterator[bytes]:
    for chunk in SPEECH.chunks(0.5):
        yield chunk
        await trio.sleep(0.5)
        if trio.current_time() > 2.0:
            raise failure


@pytest.mark.parametrize("failure", [Mine("in the source"), OSError("the microphone is gone"), KeyboardInterrupt()])
async def test_a_failing_source_ends_the_session(gateway: ScriptedGateway, failure: BaseException) -> None:
    with pytest.raises(type(failure)) as caught:
        async with gateway.client() as client, client.transcribe(failing(failure)) as transcript:
            async for _ in transcript:
                pass
    assert caught.value is failure
    assert transcript.unacknowledged()[1]


async def test_a_source_that_is_cut_inside_a_sample_ends_the_session(gateway: ScriptedGateway) -> None:
    async def odd() -> AsyncIterator[bytes]:
        yield b"123"

    with pytest.raises(ts.ConfigurationError, match="ended 1 bytes into a sample of 2 bytes"):
        async with gateway.client() as client, client.transcribe(odd()) as transcript:
            async for _ in transcript:
                pass


async def test_the_source_is_closed_when_the_block_is_left(gateway: ScriptedGateway) -> None:
    closed = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(3_200)
                await trio.sleep(0.1)
        finally:
            closed.append(trio.current_time())

    async with gateway.client() as client:
        async with client.transcribe(endless()) as transcript:
            with trio.move_on_after(10.0):
                async for _ in transcript:
                    pass
        assert closed == [pytest.approx(10.0, abs=0.2)]


async def test_a_source_that_will_not_close_does_not_hold_the_block(gateway: ScriptedGateway) -> None:
    async def stubborn() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(3_200)
                await trio.sleep(0.1)
        finally:
            with trio.move_on_after(1.0, shield=True):
                await trio.sleep_forever()

    with trio.fail_after(4.0):
        async with gateway.client() as client, client.transcribe(stubborn()):
            await trio.sleep(1.0)


# ---------------------------------------------------------------- the session's


FATAL: list[tuple[Step, type[ts.SpeechError], int]] = [
    (Refuse(401), ts.AuthenticationError, 401),
    (Refuse(403), ts.AuthenticationError, 403),
    (Refuse(404), ts.ProviderError, 404),
    (Refuse(400, body="unknown model"), ts.ProviderError, 400),
    (Refuse(402), ts.QuotaError, 402),
    (Close(1008, "policy"), ts.ProviderError, 1008),
    (InBandError(401, "bad token"), ts.AuthenticationError, 401),
    (InBandError(404, "unknown model"), ts.ProviderError, 404),
]


@pytest.mark.parametrize(("fault", "kind", "code"), FATAL)
async def test_what_cannot_get_better_ends_the_session_at_once(
    gateway: ScriptedGateway, fault: Step, kind: type[ts.SpeechError], code: int
) -> None:
    gateway.plan(fault)
    with pytest.raises(kind) as caught:
        await read(gateway)
    assert type(caught.value) is kind
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert caught.value.endpoint == "ws://gateway.test/v1/stt"
    assert caught.value.__context__ is None
    assert len(gateway.visits) == 1
    assert trio.current_time() < 1.0


async def test_a_failure_of_the_session_cancels_a_body_that_waits_for_anything(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(2.0), InBandError(401))
    with pytest.raises(ts.AuthenticationError):
        async with gateway.client() as client, client.transcribe(SPEECH):
            await trio.sleep_forever()
    assert trio.current_time() == pytest.approx(2.0, abs=0.1)


async def test_the_error_tells_how_to_get_the_audio_back(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(2.0), InBandError(403))
    with pytest.raises(ts.AuthenticationError) as caught:
        async with gateway.client() as client, client.transcribe(SPEECH) as transcript:
            async for _ in transcript:
                pass
    start, audio = transcript.unacknowledged()
    assert (start, audio) == (0.0, SPEECH.audio[: len(audio)])
    assert len(audio) == 2 * 32_000
    assert caught.value.__notes__ == ["2.0 s of audio were not recognized: Transcript.unacknowledged() has them"]


async def test_the_sessions_exception_goes_behind_all_of_the_users(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), InBandError(401))
    with pytest.raises(Mine) as caught:
        async with gateway.client() as client, client.transcribe(SPEECH):
            try:
                await trio.sleep_forever()
            finally:
                try:
                    raise OSError("first")
                finally:
                    raise Mine
    first = caught.value.__context__
    assert isinstance(first, OSError)
    assert isinstance(first.__context__, ts.AuthenticationError)


async def test_the_users_exception_wins_and_the_sessions_is_its_context(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), InBandError(401))
    with pytest.raises(Mine) as caught:
        async with gateway.client() as client, client.transcribe(SPEECH):
            try:
                await trio.sleep_forever()
            finally:
                raise Mine
    assert isinstance(caught.value.__context__, ts.AuthenticationError)
    gateway.plan(Hear(1.0), InBandError(401))
    mine = Mine()
    with pytest.raises(Mine) as caught:
        async with gateway.client() as client, client.transcribe(SPEECH):
            with trio.CancelScope(shield=True):
                await trio.sleep(3.0)
            raise mine
    assert caught.value is mine
    assert isinstance(mine.__context__, ts.AuthenticationError)


async def test_a_failure_after_the_body_is_done_leaves_too(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), InBandError(401))
    with pytest.raises(ts.AuthenticationError):
        async with gateway.client() as client, client.transcribe(SPEECH):
            with trio.CancelScope(shield=True):
                await trio.sleep(3.0)


@pytest.mark.parametrize("fault", [Refuse(503), NeverAnswer(), Close(1011), Drop(), InBandError(500)])
async def test_a_dead_service_ends_in_retries_exhausted(gateway: ScriptedGateway, fault: Step) -> None:
    gateway.plan(*[fault] * 20)
    with pytest.raises(ts.RetriesExhausted) as caught:
        await read(gateway, retry=SOON, liveness=ts.LivenessPolicy(standby=False))
    assert caught.value.attempts == 3
    assert len(gateway.visits) == 4
    assert isinstance(caught.value.__cause__, ts.LinkError | ts.ProviderError)
    assert caught.value.__cause__.endpoint == "ws://gateway.test/v1/stt"
    assert "gave up after 3 attempts to reconnect" in str(caught.value)


async def test_a_long_outage_ends_at_the_policys_deadline(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), Outage(3_600.0))
    with pytest.raises(ts.RetriesExhausted):
        await read(gateway, retry=ts.RetryPolicy(max_attempts=None, deadline=60.0))
    assert 40.0 <= trio.current_time() <= 62.0


async def test_no_retries_at_all(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), Drop())
    with pytest.raises(ts.RetriesExhausted) as caught:
        await read(gateway, retry=ts.RetryPolicy(max_attempts=0))
    assert caught.value.attempts == 0
    assert len(gateway.visits) == 1


async def test_a_failure_and_a_cancellation_at_the_same_moment(gateway: ScriptedGateway) -> None:
    """Whichever it is that leaves, it is bare."""
    gateway.plan(Hear(2.0), InBandError(401))
    try:
        with trio.move_on_after(2.0) as scope:
            await read(gateway)
    except ts.AuthenticationError:
        return
    assert scope.cancelled_caught


async def test_sessions_side_by_side_fail_apart(gateway: ScriptedGateway) -> None:
    gateway.plan(Hear(1.0), InBandError(401))
    said = say(0.2, "hello there", 1.0)
    outcomes: list[str] = []

    async def one(client: ts.Client) -> None:
        try:
            outcomes.append((await client.recognize(said)).text)
        except ts.AuthenticationError:
            outcomes.append("refused")

    async with gateway.client() as client, trio.open_nursery() as nursery:
        nursery.start_soon(one, client)
        nursery.start_soon(one, client)
    assert sorted(outcomes) == ["hello there", "refused"]


async def test_every_way_out_at_once_in_nested_blocks(gateway: ScriptedGateway) -> None:
    """Two sessions in one task: the inner one's failure passes through the outer one unharmed."""
    gateway.plan(Lapse(10.0), Drop(), Hear(0.5), InBandError(401))
    with pytest.raises(ts.AuthenticationError):
        async with gateway.client() as client, client.transcribe() as outer:
            await outer.send(SPEECH.audio)
            async with client.transcribe(SPEECH) as inner:
                async for _ in inner:
                    pass
