"""Dials: how many at once, with which credentials, and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

import trio_speech as ts
from trio_speech._core.retry.causes import Unreachable
from trio_speech._shell.connection import LinkDown
from trio_speech.testing import Await, Drop, Hang, Hear, NeverAnswer, ScriptedGateway, open_gateway, say, speech

SAID = say(0.2, "turn left", 1.0)


def live_kit(gateway: ScriptedGateway, key: object, secret: str | None = None) -> ts.Backend:
    """The real backend, dialing a scripted gateway."""

    class Dialing:
        def __init__(self, backend: ts.LiveKit) -> None:
            self.recognizer = backend.recognizer
            self.voice = backend.voice
            self.transport = gateway.backend().transport

    return Dialing(ts.LiveKit(url="http://gateway.test/v1", api_key=key, api_secret=secret))  # type: ignore[arg-type,return-value]


async def test_no_more_dials_at_once_than_the_policy_allows() -> None:
    under_way = most = 0

    async with open_gateway() as gateway:
        connect = gateway.connect

        async def counted(dial: object) -> object:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                await trio.sleep(1.0)
                return await connect(dial)  # type: ignore[arg-type]
            finally:
                under_way -= 1

        gateway.connect = counted  # type: ignore[method-assign,assignment]
        retry = ts.RetryPolicy(max_concurrent_dials=3)
        async with gateway.client(retry=retry) as client, trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(client.recognize, SAID)
    assert most == 3
    assert len(gateway.visits) == 10


async def test_the_token_provider_is_called_at_each_dial(gateway: ScriptedGateway) -> None:
    asked: list[float] = []

    async def token() -> str:
        asked.append(trio.current_time())
        await trio.sleep(0.5)
        return f"token-{len(asked)}"

    gateway.plan(Hear(1.0), Drop())
    async with ts.open_client(live_kit(gateway, token)) as client:
        assert (await client.recognize(SAID)).text == "turn left"
    assert [visit.headers["authorization"] for visit in gateway.visits] == ["Bearer token-1", "Bearer token-2"]
    assert len(asked) == 2


async def test_a_token_provider_that_never_answers_fails_the_dial(gateway: ScriptedGateway) -> None:
    liveness, retry = ts.LivenessPolicy(connect_timeout=3.0), ts.RetryPolicy(max_attempts=1)
    with pytest.raises(ts.RetriesExhausted, match="no credential from the token provider within 3 s"):
        async with ts.open_client(live_kit(gateway, trio.sleep_forever), liveness=liveness, retry=retry) as client:
            await client.recognize(SAID)
    assert 6.0 <= trio.current_time() <= 7.0


async def test_a_slow_token_and_a_mute_service_share_the_time_of_one_dial(gateway: ScriptedGateway) -> None:
    async def token() -> str:
        await trio.sleep(2.9)
        return "token"

    gateway.plan(NeverAnswer())
    liveness, retry = ts.LivenessPolicy(connect_timeout=3.0), ts.RetryPolicy(max_attempts=0)
    with pytest.raises(ts.RetriesExhausted, match="no answer to the handshake within 3 s"):
        async with ts.open_client(live_kit(gateway, token), liveness=liveness, retry=retry) as client:
            await client.recognize(SAID)
    assert trio.current_time() == pytest.approx(3.0, abs=0.01)


async def recognized(client: ts.Client) -> object:
    return await client.recognize(SAID)


async def rendered(client: ts.Client) -> object:
    return await client.render("Turn left.")


async def prewarmed(client: ts.Client) -> object:
    return await client.prewarm()


@pytest.mark.parametrize("ask", [recognized, rendered, prewarmed])
async def test_an_exception_of_the_token_provider_reaches_the_caller_as_raised(
    gateway: ScriptedGateway, ask: Callable[[ts.Client], Awaitable[object]]
) -> None:
    async def token() -> str:
        await trio.lowlevel.checkpoint()
        try:
            return {}["token"]
        except KeyError:
            raise OSError("the vault is closed")  # noqa: B904  # as people write it

    with pytest.raises(OSError, match="the vault is closed") as caught:
        async with ts.open_client(live_kit(gateway, token)) as client:
            await ask(client)
    assert isinstance(caught.value.__context__, KeyError)
    assert not caught.value.__suppress_context__


@pytest.mark.parametrize("attempts", [0, 2])
async def test_secrets_stay_out_of_errors_and_reprs(
    gateway: ScriptedGateway, caplog: pytest.LogCaptureFixture, attempts: int
) -> None:
    caplog.set_level(0)

    async def token() -> str:
        await trio.lowlevel.checkpoint()
        return "very-secret-token"

    gateway.connect = refused  # type: ignore[method-assign,assignment]
    for backend in (live_kit(gateway, token), live_kit(gateway, "key", "very-secret-secret-of-32-characters")):
        with pytest.raises(ts.RetriesExhausted) as caught:
            async with ts.open_client(backend, retry=ts.RetryPolicy(max_attempts=attempts)) as client:
                await client.recognize(SAID)
        shown = [repr(caught.value), str(caught.value), repr(caught.value.__cause__), str(caught.value.__cause__)]
        shown += [*getattr(caught.value, "__notes__", ()), caplog.text, repr(client), repr(backend)]
        assert not any("very-secret" in text or "Bearer" in text for text in shown)


async def refused(_: object) -> object:
    await trio.lowlevel.checkpoint()
    raise LinkDown(Unreachable("connection refused"))


async def test_each_session_has_its_own_retry_budget(gateway: ScriptedGateway) -> None:
    """A session that uses up its attempts does not spend another one's."""
    gateway.plan(*[Drop()] * 3)
    outcomes: list[str] = []

    async def one(client: ts.Client) -> None:
        try:
            outcomes.append((await client.recognize(speech(3.0))).text)
        except ts.RetriesExhausted:
            outcomes.append("exhausted")

    async with gateway.client(retry=ts.RetryPolicy(max_attempts=2)) as client:
        await one(client)
        await one(client)
    assert outcomes == ["exhausted", speech(3.0).text]


@pytest.mark.parametrize("of_a_dial", [4.0, 10.0])
@pytest.mark.parametrize("speaks", [False, True], ids=["recognition", "speech"])
async def test_a_deadline_no_longer_than_a_dial_ends_it_and_is_named(
    gateway: ScriptedGateway, of_a_dial: float, speaks: bool
) -> None:
    gateway.plan(*[NeverAnswer()] * 9)
    policies = {"retry": ts.RetryPolicy(deadline=4.0), "liveness": ts.LivenessPolicy(connect_timeout=of_a_dial)}
    message = "^gave up without another attempt; the last one: no connection within 4 s"
    with pytest.raises(ts.RetriesExhausted, match=message) as caught:
        async with gateway.client(**policies) as client:
            await (client.render("Hello.") if speaks else client.recognize(SAID))
    assert trio.current_time() == pytest.approx(4.0)
    assert caught.value.attempts == 0


async def test_the_deadline_does_not_end_the_wait_for_a_full_pool(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("text"), Hang())
    retry, pool = ts.RetryPolicy(deadline=2.0), ts.PoolPolicy(max_size=1)
    async with gateway.client(retry=retry, pool=pool) as client, client.synthesize("Hello."):
        await trio.sleep(0.1)
        with trio.move_on_after(9.0) as waited:
            await client.render("Nobody is left to say that.")
        assert waited.cancelled_caught
