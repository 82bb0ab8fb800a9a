"""How soon a session goes over to its next backend, whatever befalls the first, and how soon it gives up the last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

import trio_speech as ts
from trio_speech.testing import (
    BlackHole,
    Drop,
    Hear,
    NeverAnswer,
    Refuse,
    Restart,
    ScriptedGateway,
    Step,
    assert_exactly_once,
    open_gateway,
    speech,
)

SPEECH = speech(9.0)
MANY = 40
BEFORE_A_DIAL = {
    "handshakes never answered": NeverAnswer,
    "half-open from the start": BlackHole,
    "refused for now": lambda: Refuse(503),
    "refused until later": lambda: Refuse(429, retry_after=30.0),
    "dropped again and again": Drop,
}


def lasting(gateway: ScriptedGateway, fault: Callable[[], Step]) -> None:
    """Plans the fault for more dials than any of these tests makes."""
    gateway.plan(*(fault() for _ in range(30 * MANY)))


async def first_words(client: ts.Client, taken: list[float], *, after: float = 0.0) -> None:
    """Notes how long after the moment `after` of its session the first interim comes that is later than that."""
    began = trio.current_time()
    async with client.transcribe(SPEECH.source(), SPEECH.audio_format) as told:
        async for event in told:
            spent = trio.current_time() - began - after
            if spent > 0.0 and isinstance(event, ts.InterimTranscript):
                taken.append(spent)
                return


@pytest.mark.parametrize("fault", BEFORE_A_DIAL.values(), ids=BEFORE_A_DIAL)
async def test_a_lone_session_goes_over_within_two_seconds(fault: Callable[[], Step]) -> None:
    async with open_gateway() as bad, open_gateway() as good:
        lasting(bad, fault)
        async with (
            ts.open_client([bad.backend(), good.backend()]) as client,
            client.transcribe(SPEECH.source(), SPEECH.audio_format) as told,
        ):
            began = trio.current_time()
            assert told.statistics().endpoint == ""
            async for event in told:
                if isinstance(event, ts.InterimTranscript):
                    break
            assert trio.current_time() - began <= 2.2
            assert told.statistics().endpoint == "ws://gateway-2.test/v1/stt"


@pytest.mark.parametrize("fault", BEFORE_A_DIAL.values(), ids=BEFORE_A_DIAL)
async def test_so_does_speech(fault: Callable[[], Step]) -> None:
    async with open_gateway() as bad, open_gateway() as good:
        lasting(bad, fault)
        async with ts.open_client([bad.backend(), good.backend()]) as client:
            began = trio.current_time()
            async with client.synthesize("Good morning.") as spoken:
                async for _ in spoken:
                    break
                assert spoken.statistics().endpoint == "ws://gateway-2.test/v1/tts"
            assert trio.current_time() - began <= 2.2


async def test_where_all_links_go_half_open_and_no_dial_is_answered_all_are_served_within_three_seconds() -> None:
    taken: list[float] = []
    async with open_gateway() as bad, open_gateway() as good:
        for _ in range(MANY):
            bad.plan(Hear(3.3), BlackHole())
        lasting(bad, NeverAnswer)
        async with ts.open_client([bad.backend(), good.backend()]) as client, trio.open_nursery() as nursery:
            for _ in range(MANY):
                nursery.start_soon(lambda: first_words(client, taken, after=3.45))
        assert len(bad.visits) <= MANY + 16, "few of them try the first one again"
    assert len(taken) == MANY
    assert max(taken) <= 3.0


async def test_a_link_that_is_dropped_once_stays_with_its_backend() -> None:
    async with open_gateway() as first, open_gateway() as other:
        first.plan(Hear(3.0), Drop())
        async with ts.open_client([first.backend(), other.backend()]) as client:
            await first_words(client, [], after=3.5)
    assert (len(first.visits), len(other.visits)) == (2, 0)


async def test_in_a_black_hole_all_have_given_up_a_second_after_their_deadline() -> None:
    given_up: list[float] = []

    async def one(client: ts.Client) -> None:
        with pytest.raises(ts.RetriesExhausted):
            await first_words(client, [])
        given_up.append(trio.current_time())

    async with open_gateway() as bad:
        lasting(bad, NeverAnswer)
        began = trio.current_time()
        retry = ts.RetryPolicy(deadline=20.0)
        async with ts.open_client(bad.backend(), retry=retry) as client, trio.open_nursery() as nursery:
            for _ in range(MANY):
                nursery.start_soon(one, client)
    assert len(given_up) == MANY
    assert max(given_up) - began <= 21.0


@pytest.mark.parametrize("after", [None, 30.0, 130.0])
async def test_where_the_last_backend_must_be_waited_for_the_first_is_tried_again(after: float | None) -> None:
    async with open_gateway() as first, open_gateway() as last:
        first.plan(Hear(3.0), Restart(3.0))
        last.plan(*(Refuse(429, retry_after=after) for _ in range(30)))
        async with (
            ts.open_client([first.backend(), last.backend()]) as client,
            client.transcribe(SPEECH.source(), SPEECH.audio_format) as told,
        ):
            events = [event async for event in told]
        assert_exactly_once(events, SPEECH, [*first.visits, *last.visits])
        assert max(event.downtime for event in events if isinstance(event, ts.Resumed)) <= 6.0
        assert len(last.visits) <= 6


async def test_where_none_answers_the_session_ends_at_its_deadline_and_dials_seldom() -> None:
    async with open_gateway() as first, open_gateway() as last:
        lasting(first, lambda: Refuse(503))
        lasting(last, lambda: Refuse(503))
        began = trio.current_time()
        with pytest.raises(ts.RetriesExhausted):
            async with ts.open_client([first.backend(), last.backend()]) as client:
                await first_words(client, [])
        assert 100.0 <= trio.current_time() - began <= 130.0
        assert len(first.visits) + len(last.visits) <= 150


async def test_a_standby_with_new_words_needs_no_attempt() -> None:
    async with open_gateway() as gateway:
        gateway.plan(Hear(3.3), BlackHole())
        async with (
            gateway.client(retry=ts.RetryPolicy(max_attempts=0)) as client,
            client.transcribe(SPEECH.source(), SPEECH.audio_format) as told,
        ):
            events = [event async for event in told]
        assert_exactly_once(events, SPEECH, gateway.visits)


async def test_an_outage_of_long_ago_is_not_held_against_the_first_backend() -> None:
    said = speech(260.0)
    retry = ts.RetryPolicy(return_after=None)
    async with open_gateway() as first, open_gateway() as last:
        first.plan(Hear(3.0), Restart(30.0))
        last.plan(Hear(180.0), Drop(), *(Refuse(429, retry_after=60.0) for _ in range(30)))
        async with (
            ts.open_client([first.backend(), last.backend()], retry=retry) as client,
            client.transcribe(said.source(), said.audio_format) as told,
        ):
            events = [event async for event in told]
        assert_exactly_once(events, said, [*first.visits, *last.visits])
        assert first.visits[-1].heard > 50.0, "it has been healthy for minutes"


async def hangs() -> str:
    await trio.sleep_forever()
    raise AssertionError


def asking(gateway: ScriptedGateway, token: Callable[[], Awaitable[str]]) -> ts.Backend:
    return gateway.in_place_of(ts.LiveKit(url="http://gateway.test/v1", api_key=token))


async def test_a_token_provider_that_hangs_is_left_as_soon_as_a_service_that_does() -> None:
    taken: list[float] = []
    async with open_gateway() as bad, open_gateway() as good:
        async with ts.open_client([asking(bad, hangs), good.backend()]) as client:
            await first_words(client, taken)
        assert taken[0] <= 1.5 + 0.7
        assert bad.visits == []
        async with ts.open_client([asking(bad, hangs), good.backend()]) as client:
            began = trio.current_time()
            async with client.synthesize("Good morning.") as spoken:
                async for _ in spoken:
                    break
            assert trio.current_time() - began <= 1.5 + 0.7


async def test_so_it_is_where_it_hangs_in_the_middle_of_a_session() -> None:
    asked = 0

    async def once() -> str:
        nonlocal asked
        asked += 1
        return "token" if asked == 1 else await hangs()

    async with open_gateway() as bad, open_gateway() as good:
        bad.plan(Hear(3.0), BlackHole())
        async with (
            ts.open_client([asking(bad, once), good.backend()]) as client,
            client.transcribe(SPEECH.source(), SPEECH.audio_format) as told,
        ):
            events = [event async for event in told]
        assert_exactly_once(events, SPEECH, [*bad.visits, *good.visits])
        assert good.visits[0].dialed <= 3.0 + 1.0 + 1.2


async def test_a_token_provider_that_is_known_to_be_slow_is_waited_for() -> None:
    async def slowly() -> str:
        await trio.sleep(2.0)
        return "token"

    async with open_gateway() as slow, open_gateway() as other:
        async with ts.open_client([asking(slow, slowly), other.backend()]) as client:
            async with client.transcribe() as transcript:
                await trio.sleep(65.0)  # meanwhile the first one has been tried again
                assert transcript.statistics().endpoint.startswith("ws://gateway.test")
            dialed = len(other.visits)
            await client.recognize(SPEECH)
        assert dialed == len(other.visits) == 1
