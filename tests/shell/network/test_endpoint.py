"""The line in which dials to one endpoint wait, while it answers, and while it answers nobody."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_speech as ts
from trio_speech._core.retry.causes import Cause, EndpointDown, Refused, Silent, Unreachable
from trio_speech._shell.connection import LinkDown
from trio_speech._shell.network.endpoint import CREDENTIAL, EndpointState, NoCredential
from trio_speech.testing import Outage, ScriptedGateway, open_gateway, speech

SAID = speech(4.0)


def endpoint(limit: int = 2) -> EndpointState:
    return EndpointState(ts.RetryPolicy(max_concurrent_dials=limit))


async def after(seconds: float, cause: Cause | None = None) -> str:
    await trio.sleep(seconds)
    if cause is not None:
        raise LinkDown(cause)
    return "made"


class Outcomes:
    """What became of dials, and when."""

    def __init__(self, state: EndpointState, nursery: trio.Nursery) -> None:
        self.told: list[tuple[float, str]] = []
        self._state = state
        self._nursery = nursery

    def dial(self, dial: Callable[[], Awaitable[str]], *, patience: float = math.inf) -> None:
        self._nursery.start_soon(self._dial, dial, patience)

    async def later(self, seconds: float) -> None:
        """Makes a dial that succeeds at once, `seconds` from now."""
        await trio.sleep(seconds)
        self.dial(partial(after, 0.0))

    async def _dial(self, dial: Callable[[], Awaitable[str]], patience: float) -> None:
        try:
            answered = partial(self._state.while_it_answers, dial, patience=patience)
            told = await self._state.in_turn(answered, patience=patience)
        except LinkDown as down:
            told = type(down.cause).__name__
        self.told.append((round(trio.current_time(), 3), told))


async def test_turns_are_taken_in_order_of_arrival() -> None:
    state, order = endpoint(limit=1), list[int]()

    async def dial(number: int) -> str:
        order.append(number)
        return await after(1.0)

    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        for number in range(5):
            outcomes.dial(partial(dial, number))
            await wait_all_tasks_blocked()
    assert order == [0, 1, 2, 3, 4]
    assert outcomes.told == [(second, "made") for second in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert state.breaker.dialing == 0


async def test_a_dial_that_is_cancelled_in_line_leaves_its_turn_to_the_next() -> None:
    state = endpoint(limit=1)
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        outcomes.dial(partial(after, 1.0))
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.5):
            async with trio.open_nursery() as impatient:
                Outcomes(state, impatient).dial(partial(after, 1.0))
                await wait_all_tasks_blocked()
                outcomes.dial(partial(after, 1.0))
    assert outcomes.told == [(1.0, "made"), (2.0, "made")]


async def test_after_a_failure_one_probe_a_second_begins_and_its_success_lets_all_dial() -> None:
    state, begun = endpoint(limit=8), list[float]()
    working = trio.Event()

    async def dial() -> str:
        begun.append(trio.current_time())
        with trio.move_on_after(10.0):
            await working.wait()
            return "made"
        raise LinkDown(Silent("answer to the handshake", 10.0))

    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        outcomes.dial(dial)
        await trio.sleep(10.5)
        for _ in range(7):
            outcomes.dial(dial)
        await trio.sleep(2.1)
        assert begun == [0.0, 10.5, 11.5, 12.5]
        working.set()
    assert len(begun) == 8
    assert max(begun) == 12.6


@pytest.mark.parametrize("arrives", [0.0, 30.0])
async def test_a_session_with_another_backend_leaves_a_line_that_does_not_move(arrives: float) -> None:
    state = endpoint(limit=2)
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        await trio.sleep(arrives)
        for _ in range(2):
            outcomes.dial(partial(after, 10.0, Silent("answer to the handshake", 10.0)))
        await wait_all_tasks_blocked()
        outcomes.dial(partial(after, 0.0), patience=1.0)
        outcomes.dial(partial(after, 0.0))
    assert outcomes.told[0] == (arrives + 1.0, "EndpointDown")
    assert (arrives + 10.0, "made") in outcomes.told


async def test_dials_with_another_backend_are_given_up_with_those_that_wait() -> None:
    state = endpoint(limit=1)
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        for _ in range(3):
            outcomes.dial(partial(after, 10.0, Unreachable("nobody there")), patience=1.0)
            await wait_all_tasks_blocked()
    assert outcomes.told == [(1.0, "EndpointDown")] * 3


async def test_a_lone_slow_dial_is_given_up_too() -> None:
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(endpoint(), nursery)
        outcomes.dial(partial(after, 9.0), patience=2.0)
    assert outcomes.told == [(2.0, "EndpointDown")]


async def test_a_slow_dial_is_waited_for_while_others_succeed() -> None:
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(endpoint(), nursery)
        outcomes.dial(partial(after, 2.5), patience=1.0)
        for seconds in (0.9, 1.8):
            nursery.start_soon(outcomes.later, seconds)
    assert (2.5, "made") in outcomes.told


async def test_an_endpoint_that_was_down_is_tried_by_the_next_who_comes_and_others_do_not_wait_for_that() -> None:
    state = endpoint()
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        outcomes.dial(partial(after, 9.0), patience=1.0)
        await trio.sleep(100.0)
        outcomes.dial(partial(after, 0.5), patience=1.0)
        await wait_all_tasks_blocked()
        outcomes.dial(partial(after, 0.5), patience=1.0)
    assert outcomes.told == [(1.0, "EndpointDown"), (100.0, "EndpointDown"), (100.5, "made")]


async def test_it_is_down_when_a_dial_has_failed_and_none_succeeded_for_some_time() -> None:
    state = endpoint()
    with pytest.raises(LinkDown):
        await state.in_turn(partial(after, 0.0, Unreachable("connection refused")))
    assert not state.is_down(1.0)
    await trio.sleep(1.0)
    assert state.is_down(1.0)
    assert await state.in_turn(partial(after, 0.0)) == "made"
    assert not state.is_down(0.0)


async def test_a_line_that_moves_is_waited_in() -> None:
    state = endpoint(limit=1)
    async with trio.open_nursery() as nursery:
        outcomes = Outcomes(state, nursery)
        for _ in range(10):
            outcomes.dial(partial(after, 0.9), patience=1.0)
    assert [told for _, told in outcomes.told] == ["made"] * 10


@pytest.mark.parametrize(
    ("down", "is_down"),
    [
        (LinkDown(Unreachable("connection refused")), True),
        (LinkDown(Silent("answer to the handshake", 3.0)), True),
        (LinkDown(Unreachable("bad certificate", permanent=True)), False),
        (LinkDown(Refused(503)), False),
        (LinkDown(Silent(CREDENTIAL, 3.0)), False),
        (NoCredential(OSError("no vault")), False),
    ],
)
async def test_which_failures_mean_that_nobody_is_answered(down: LinkDown, is_down: bool) -> None:
    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise down

    state = endpoint()
    with pytest.raises(LinkDown):
        await state.in_turn(fail)
    assert state.breaker.is_down is is_down


# ---------------------------------------------------------------- whole sessions


async def gave_up_at(client: ts.Client, moments: list[float]) -> None:
    with pytest.raises(ts.RetriesExhausted):
        await client.recognize(SAID, SAID.audio_format)
    moments.append(trio.current_time())


async def test_sessions_that_wait_for_a_dial_give_up_at_their_deadline(gateway: ScriptedGateway) -> None:
    await gateway.fail(Outage(1e6, silent=True))
    moments: list[float] = []
    async with gateway.client(retry=ts.RetryPolicy(deadline=20.0)) as client, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(gave_up_at, client, moments)
    assert len(moments) == 50
    assert max(moments) <= 21.0


async def test_sessions_go_over_to_another_backend_when_the_first_answers_nobody() -> None:
    async with open_gateway() as mute, open_gateway() as good:
        await mute.fail(Outage(1e6, silent=True))
        texts: list[str] = []

        async def recognize(client: ts.Client) -> None:
            texts.append((await client.recognize(SAID, SAID.audio_format)).text)

        backends = [mute.in_place_of(ts.Deepgram("a-key")), good.backend()]
        began = trio.current_time()
        async with ts.open_client(backends) as client, trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(recognize, client)
        assert texts == [SAID.text] * 20
        assert trio.current_time() - began <= 4.0 + 1.0 + 2.0, "the audio, the wait, and what a pool of sessions adds"


def test_a_line_that_does_not_move_says_so() -> None:
    assert str(EndpointDown(1.0)) == "no dial to the service succeeds at the moment; waited 1.0 s"
