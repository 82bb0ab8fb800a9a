"""The pool over real websockets in memory: leases, waiting, idle connections, close handshakes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_speech as ts
from trio_speech._core.provider.messages import Done, Going, TtsMessage, Unknown
from trio_speech._core.provider.requests import SynthesizeRequest
from trio_speech._core.retry.causes import Broken, Cause
from trio_speech._shell.concurrency.one_exception import one_exception
from trio_speech._shell.connection import LinkDown
from trio_speech._shell.network.dialer import Dialer
from trio_speech._shell.pool.lease import RouteTable, VoiceRoute
from trio_speech._shell.pool.pool import Pool
from trio_speech._shell.pool.pooled_connection import PooledConnection
from trio_speech.providers._codec import Dial, Frame, TtsCodec
from trio_speech.testing import (
    Await,
    BlackHole,
    Close,
    Delivery,
    Drop,
    Fin,
    InBandError,
    Lapse,
    MemoryStream,
    NeverAnswer,
    Outage,
    Refuse,
    ScriptedGateway,
    Send,
    StallWrites,
)

REQUEST = SynthesizeRequest(audio_format=ts.AudioFormat.pcm16(8_000))
STRAY = '{"type":"output_audio","audio":"AAAA"}'


class Holder:
    """A lease holder that remembers what it was told."""

    def __init__(self) -> None:
        self.messages: list[TtsMessage] = []
        self.causes: list[Cause] = []

    def heard(self, message: TtsMessage, now: float) -> bool:
        self.messages.append(message)
        return False

    def lost(self, cause: Cause) -> None:
        self.causes.append(cause)


class Provider:
    """The gateway's voice, with whatever a test has otherwise."""

    def __init__(self, gateway: ScriptedGateway, *, key: str = "a", **otherwise: Any) -> None:
        backend = gateway.backend()
        self._voice = backend.voice(REQUEST)
        self.profile = msgspec.structs.replace(self._voice.profile, **otherwise)
        self.endpoint = self._voice.endpoint
        self.pool_key = key
        self.connector = backend.connect
        self.failure: Exception | None = None
        self.cancels: Frame | None = None
        self.alive: Frame | None = None

    async def dial(self) -> Dial:
        if self.failure is not None:
            raise self.failure
        return await self._voice.dial()

    def codec(self) -> TtsCodec:
        return Codec(self._voice.codec(), self)

    @property
    def route(self) -> VoiceRoute:
        return VoiceRoute(self, self.connector)


class Codec:
    """A codec of a protocol that can cancel, and that announces its leaving."""

    def __init__(self, codec: TtsCodec, provider: Provider) -> None:
        self._codec = codec
        self._provider = provider

    def open(self) -> Iterable[Frame]:
        return self._codec.open()

    def speak(self, text: str) -> Iterable[Frame]:
        return self._codec.speak(text)

    def keepalive(self) -> Frame | None:
        return self._provider.alive

    def cancel(self) -> Frame | None:
        return self._provider.cancels

    def close(self) -> Frame | None:
        return None if self._provider.cancels else self._codec.close()

    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        said = list(self._codec.decode(frame))
        return [Going(5.0)] if said == [Unknown("going")] else said


@asynccontextmanager
async def pool_of(*, liveness: ts.LivenessPolicy | None = None, **policy: Any) -> AsyncIterator[Pool]:
    liveness = liveness or ts.LivenessPolicy()
    dialer = Dialer(ts.RetryPolicy(), liveness, None, Random(1))
    pool = Pool(dialer, ts.PoolPolicy(**{"age_jitter": 0.0, **policy}), Random(1))
    async with one_exception(pool.aclose, within=liveness.close_timeout) as guard:
        pool.open(guard)
        yield pool


async def speak(lease: PooledConnection, text: str = "Hello.") -> None:
    if not lease.speak(text):
        await lease.flush()


# ---------------------------------------------------------------- leases


async def test_a_lease_is_exclusive_and_its_holder_receives_every_message(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    async with pool_of() as pool:
        first, second = Holder(), Holder()
        lease = await pool.lease(provider.route, first)
        other = await pool.lease(provider.route, second)
        assert not lease.reused
        await speak(lease)
        await trio.sleep(1.0)
        assert {type(message).__name__ for message in first.messages} == {"Opened", "Audio", "Aligned", "Done"}
        assert {type(message).__name__ for message in second.messages} == {"Opened"}
        lease.give_back()
        other.give_back()
        assert pool.statistics().idle == 2
        assert not other.reused
        again = await pool.lease(provider.route, Holder())
        assert again.reused
        assert len(gateway.visits) == 2


async def test_a_request_takes_a_returned_connection_or_its_dial_whichever_is_first(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.connect_time = 5.0
    async with pool_of() as pool:
        lease = await pool.lease(provider.route, Holder())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pool.lease, provider.route, Holder())
            await trio.sleep(1.0)
            lease.give_back()
            await wait_all_tasks_blocked()
            assert not nursery.child_tasks
        assert trio.current_time() == pytest.approx(6.0)
        assert (pool.statistics().leased, pool.statistics().dialing) == (1, 1)
        await trio.sleep(5.0)
        assert pool.statistics().idle == 1


async def test_a_request_fails_after_the_acquire_timeout(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    async with pool_of(max_size=1, acquire_timeout=3.0) as pool:
        await pool.lease(provider.route, Holder())
        began = trio.current_time()
        with pytest.raises(ts.LinkError, match=r"1 are in use and 0 being dialed, of 1 at most") as raised:
            await pool.lease(provider.route, Holder())
        assert trio.current_time() - began == 3.0
        assert raised.value.endpoint == provider.endpoint
        assert pool.statistics().waiting == 0


async def test_a_request_that_times_out_while_dials_fail_reports_their_cause(gateway: ScriptedGateway) -> None:
    provider, other = Provider(gateway), Provider(gateway, key="b")
    gateway.plan(*[NeverAnswer()] * 9)
    told: dict[str, type[Exception]] = {}

    async def ask(who: str, voice: VoiceRoute) -> None:
        try:
            await pool.lease(voice, Holder())
        except (LinkDown, ts.LinkError) as error:
            told[who] = type(error)

    async with (
        pool_of(max_size=1, acquire_timeout=3.0, liveness=ts.LivenessPolicy(connect_timeout=2.0)) as pool,
        trio.open_nursery() as nursery,
    ):
        for who, voice in (("dials", provider.route), ("waits", provider.route), ("waits for another", other.route)):
            nursery.start_soon(ask, who, voice)
            await wait_all_tasks_blocked()
    assert told == {"dials": LinkDown, "waits": LinkDown, "waits for another": ts.LinkError}


async def test_a_request_that_times_out_in_a_full_pool_reports_no_earlier_failure(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.plan(Refuse(503), Refuse(503))
    async with pool_of(max_size=1, acquire_timeout=3.0) as pool:
        with pytest.raises(LinkDown):
            await pool.lease(Provider(gateway, key="b").route, Holder())
        with pytest.raises(LinkDown):
            await pool.lease(provider.route, Holder())
        await pool.lease(provider.route, Holder())
        with pytest.raises(ts.LinkError) as raised:
            await pool.lease(provider.route, Holder())
        assert raised.value.__cause__ is None


async def test_a_cancelled_request_gives_back_what_was_granted(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    async with pool_of(max_size=1) as pool:
        lease = await pool.lease(provider.route, Holder())
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(pool.lease, provider.route, Holder())
                await wait_all_tasks_blocked()
                scope.cancel()
                lease.give_back()
                assert pool.statistics().leased == 1
        assert (pool.statistics().leased, pool.statistics().idle) == (0, 1)


async def test_a_refused_dial_fails_the_request_it_was_made_for(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.plan(Refuse(429, retry_after=7.0))
    async with pool_of() as pool:
        with pytest.raises(LinkDown, match="HTTP 429"):
            await pool.lease(provider.route, Holder())
        await pool.lease(provider.route, Holder())


async def test_a_connection_that_breaks_while_it_opens_is_a_failed_dial(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.plan(StallWrites())
    async with pool_of(liveness=ts.LivenessPolicy(connect_timeout=2.0, standby=False)) as pool:
        with pytest.raises(LinkDown):
            await pool.lease(provider.route, Holder())
        assert pool.statistics().dials_failed == 1


async def test_an_error_of_a_token_provider_is_raised_to_its_own_session(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    provider.failure = LookupError("no token")
    async with pool_of() as pool:
        with pytest.raises(LookupError, match="no token"):
            await pool.lease(provider.route, Holder())
        with pytest.raises(LinkDown, match="the token provider raised LookupError"):
            await pool.warm(provider.route, 1)


async def test_many_kinds_of_voices_are_served_in_turn(gateway: ScriptedGateway) -> None:
    async with pool_of(max_size=2, max_idle_age=0.0) as pool:
        for kind in range(200):
            lease = await pool.lease(Provider(gateway, key=str(kind)).route, Holder())
            lease.give_back()
            await wait_all_tasks_blocked()
        assert gateway.peak <= 3


async def test_routes_out_of_use_are_forgotten_once_there_are_many(gateway: ScriptedGateway) -> None:
    routes = RouteTable(lambda: {"0"})
    for kind in range(200):
        routes.add(str(kind), Provider(gateway, key=str(kind)).route)
    assert len(routes) < 70
    assert routes["0"].provider.pool_key == "0"


# ---------------------------------------------------------------- room for another kind


async def test_warming_dials_after_the_connection_that_made_room_is_closed(gateway: ScriptedGateway) -> None:
    provider, other = Provider(gateway), Provider(gateway, key="b")
    async with pool_of(max_size=1) as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        assert await pool.warm(other.route, 1)
        assert gateway.visits[0].kinds("client")[-1] == "session.close"
        assert (gateway.peak, pool.statistics().idle) == (1, 1)
        assert (await pool.lease(other.route, Holder())).reused


async def test_warming_never_closes_a_leased_connection(gateway: ScriptedGateway) -> None:
    provider, other = Provider(gateway), Provider(gateway, key="b")
    async with pool_of(max_size=1) as pool:
        await pool.lease(provider.route, Holder())
        assert not await pool.warm(other.route, 1)
        assert len(gateway.visits) == 1


@pytest.mark.parametrize("after", [0.5, 1.5, 2.5], ids=["close", "handshake", "opening"])
async def test_warming_makes_way_for_a_waiting_session(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch, after: float
) -> None:
    provider, other = Provider(gateway), Provider(gateway, key="b")
    opening = PooledConnection.open

    async def open_slowly(connection: PooledConnection) -> None:
        await trio.sleep(1.0 if connection.provider is other else 0.0)
        await opening(connection)

    monkeypatch.setattr(PooledConnection, "open", open_slowly)
    gateway.plan(Await("create"), BlackHole())
    ready: list[bool] = []

    async def make_ready() -> None:
        ready.append(await pool.warm(other.route, 1))

    async with (
        pool_of(max_size=1, liveness=ts.LivenessPolicy(close_timeout=1.0)) as pool,
        trio.open_nursery() as nursery,
    ):
        (await pool.lease(provider.route, Holder())).give_back()
        gateway.connect_time = 1.0
        began = trio.current_time()
        nursery.start_soon(make_ready)
        await trio.sleep(after)
        lease = await pool.lease(provider.route, Holder())
        assert trio.current_time() - began == pytest.approx(max(after, 1.0) + 1.0)
        assert not lease.reused
        assert (ready, gateway.peak) == ([False], 1)
        assert (pool.statistics().leased, pool.statistics().dialing) == (1, 0)


# ---------------------------------------------------------------- giving up a generation


async def test_an_abandoned_generation_is_drained(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.delivery = Delivery(latency=0.2)
    gateway.connect_time = 0.4
    async with pool_of() as pool:
        holder = Holder()
        lease = await pool.lease(provider.route, holder)
        await speak(lease)
        lease.abandon()
        assert pool.statistics().draining == 1
        await trio.sleep(0.3)
        assert (pool.statistics().idle, pool.statistics().drained) == (1, 1)
        assert [type(message).__name__ for message in holder.messages] in ([], ["Opened"])
        fresh = Holder()
        await speak(await pool.lease(provider.route, fresh), "Bye.")
        await trio.sleep(1.0)
        assert [word.text for each in fresh.messages for word in getattr(each, "words", ())] == ["Bye."]


async def test_a_drained_connection_is_leased_again(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.connect_time = 0.4
    gateway.plan(Lapse(2.0), Send(STRAY), Lapse(1_000.0))
    async with pool_of() as pool:
        lease = await pool.lease(provider.route, Holder())
        await speak(lease)
        lease.abandon()
        await trio.sleep(1.0)
        assert (pool.statistics().idle, pool.statistics().drained) == (1, 1)
        await trio.sleep(2.0)
        assert (pool.statistics().idle, pool.statistics().dead_found) == (0, 1)


async def test_a_generation_that_goes_on_ends_its_connection(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.delivery = Delivery(latency=10.0)
    gateway.connect_time = 0.4
    async with pool_of() as pool:
        lease = await pool.lease(provider.route, Holder())
        await speak(lease)
        lease.abandon()
        await trio.sleep(0.5)
        assert (pool.statistics().idle, pool.statistics().draining) == (0, 0)
        await wait_all_tasks_blocked()
        assert gateway.visits[0].kinds("client")[-1] == "session.close"


async def test_a_service_of_several_dones_is_not_drained(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway, quiet_after_done=0.5)
    gateway.connect_time = 0.4
    async with pool_of() as pool:
        lease = await pool.lease(provider.route, Holder())
        lease.abandon()
        await wait_all_tasks_blocked()
        assert (pool.statistics().leased, pool.statistics().draining) == (0, 0)


async def test_an_abandoned_generation_is_cancelled_where_the_protocol_can(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    provider.cancels = '{"type":"session.flush"}'
    gateway.connect_time = 0.4
    gateway.delivery = Delivery(latency=0.2)
    async with pool_of() as pool:
        lease = await pool.lease(provider.route, Holder())
        lease.send_nowait(next(iter(lease.codec.speak("Hello."))))
        await lease.flush()
        lease.abandon()
        await trio.sleep(0.3)
        assert pool.statistics().drained == 1
        assert gateway.visits[0].kinds("client") == ["session.create", "input_transcript", "session.flush"]


async def test_cancelling_a_generation_on_a_dead_connection_is_harmless(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    provider.cancels = "cancel"
    gateway.connect_time = 0.4
    gateway.plan(Await("text"), Drop())
    async with pool_of() as pool:
        lease = await pool.lease(provider.route, Holder())
        lease.send_nowait(next(iter(lease.codec.speak("Hello."))))
        await lease.flush()
        lease.abandon()
        await trio.sleep(0.3)
        assert (pool.statistics().idle, pool.statistics().draining) == (0, 0)


async def test_a_condemned_connection_serves_nobody(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    async with pool_of() as pool:
        holder = Holder()
        lease = await pool.lease(provider.route, holder)
        lease.condemn("it lied")
        await wait_all_tasks_blocked()
        assert (pool.statistics().leased, pool.statistics().idle) == (0, 0)
        assert holder.causes == []


async def test_leaving_while_a_generation_is_drained_does_no_harm(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.connect_time = 0.4
    gateway.plan(Await("text"), BlackHole())
    async with pool_of(liveness=ts.LivenessPolicy(close_timeout=1.0)) as pool:
        lease = await pool.lease(provider.route, Holder())
        await speak(lease)
        lease.abandon()
        leaving = trio.current_time()
    assert trio.current_time() - leaving <= 1.0


async def test_a_connection_counts_until_its_close_is_done(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.connect_time = 0.4
    gateway.plan(Await("text"), BlackHole())
    async with pool_of(max_size=1, liveness=ts.LivenessPolicy(close_timeout=1.0)) as pool:
        lease = await pool.lease(provider.route, Holder())
        await speak(lease)
        lease.abandon()
        began = trio.current_time()
        await pool.lease(provider.route, Holder())
        assert trio.current_time() - began == pytest.approx(0.4 + 1.0 + 0.4)
        assert gateway.peak == 1


async def test_a_lease_holder_is_told_when_the_pool_closes(gateway: ScriptedGateway) -> None:
    provider, holder = Provider(gateway), Holder()
    async with pool_of() as pool:
        await pool.lease(provider.route, holder)
    assert holder.causes == [Broken("closed by us: the client was closed")]


# ---------------------------------------------------------------- idle connections


@pytest.mark.parametrize(
    "end",
    [
        (Close(1001),),
        (Drop(),),
        (InBandError(),),
        (Send('{"type":"session.closed"}'), Lapse(1_000.0)),
        (Send(STRAY), Lapse(1_000.0)),
        (Send("{"), Lapse(1_000.0)),
    ],
    ids=str,
)
async def test_the_end_of_an_idle_connection_is_noticed_at_once(gateway: ScriptedGateway, end: tuple[Any, ...]) -> None:
    provider = Provider(gateway)
    gateway.plan(Lapse(10.0), *end)
    async with pool_of() as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        await trio.sleep(9.9)
        assert pool.statistics().idle == 1
        await trio.sleep(0.2)
        assert (pool.statistics().idle, pool.statistics().dead_found) == (0, 1)


@pytest.mark.parametrize("end", [Drop(), Fin(), Close(1001)], ids=str)
async def test_an_ended_connection_is_not_leased_once_its_reader_has_run(gateway: ScriptedGateway, end: Any) -> None:
    provider = Provider(gateway)
    gateway.plan(Lapse(10.0), end)
    async with pool_of() as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        await trio.sleep_until(gateway.visits[0].dialed + 10.0)
        await wait_all_tasks_blocked()
        now = trio.current_time()
        lease = await pool.lease(provider.route, Holder())
        assert not lease.reused
        assert trio.current_time() == now
        assert gateway.visits[1].dialed == now


@pytest.mark.parametrize("alive", [5.1, 6.0, 7.3, 8.0, 9.9, 10.1])
async def test_a_vanished_peer_is_not_leased_after_the_ping_timeout(gateway: ScriptedGateway, alive: float) -> None:
    provider = Provider(gateway)
    gateway.plan(Lapse(alive), BlackHole())
    liveness = ts.LivenessPolicy(ping_interval=5.0, ping_timeout=2.0)
    async with pool_of(liveness=liveness) as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        died = gateway.visits[0].dialed + alive
        lent: list[float] = []
        while len(gateway.visits) == 1:
            await trio.sleep(0.1)
            lease = await pool.lease(provider.route, Holder())
            if lease.reused:
                lent.append(trio.current_time() - died)
            lease.give_back()
        assert max(lent) > 0.0
        assert max(lent) <= 5.0 + 2.0


async def test_a_stale_lease_costs_one_dial_and_no_attempt(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("done"), Await("text"), BlackHole())
    liveness = ts.LivenessPolicy(ping_interval=5.0, ping_timeout=2.0)
    async with gateway.client(retry=ts.RetryPolicy(max_attempts=0), liveness=liveness) as client:
        for _ in range(4):
            await client.render("Hello.", audio_format=REQUEST.audio_format)
        assert client.statistics().dialed == len(gateway.visits) == 2


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("latency", [0.0, 0.1, 10.0])
async def test_a_storm_of_barge_ins_leaks_no_connection_and_exceeds_no_limit(
    gateway: ScriptedGateway, size: int, latency: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider(gateway)
    gateway.connect_time = 0.2
    gateway.delivery = Delivery(latency=latency, speed=1.0)
    streams: list[MemoryStream] = []
    closed: set[MemoryStream] = set()
    close = MemoryStream.aclose

    async def aclose(stream: MemoryStream) -> None:
        closed.add(stream)
        await close(stream)

    monkeypatch.setattr(MemoryStream, "aclose", aclose)

    def still_open() -> int:
        return sum(stream not in closed for stream in streams)

    async def connect(dial: Dial) -> MemoryStream:
        streams.append(await gateway.connect(dial))
        assert still_open() <= size
        return streams[-1]

    provider.connector = connect

    async def interrupt(random: Random) -> None:
        for _ in range(20):
            lease = await pool.lease(provider.route, Holder())
            await speak(lease, "This is going to be interrupted.")
            await trio.sleep(random.choice([0.0, random.uniform(0.0, 0.5)]))
            lease.abandon()

    async with pool_of(max_size=size, acquire_timeout=1_000.0) as pool:
        async with trio.open_nursery() as nursery:
            for seed in range(2 * size):
                nursery.start_soon(interrupt, Random(seed))
        await trio.sleep(5.0)
        figures = pool.statistics()
        assert (figures.leased, figures.draining, figures.dialing, figures.waiting) == (0, 0, 0, 0)
        assert still_open() == figures.idle


async def test_unknown_messages_leave_an_idle_connection_open(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.plan(Lapse(1.0), Send('{"type":"news"}'), Send('{"type":"done"}'), Lapse(1_000.0))
    async with pool_of() as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        await trio.sleep(2.0)
        assert pool.statistics().idle == 1


async def test_a_connection_announced_to_end_is_leased_no_more(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    going = Send('{"type":"going"}')
    gateway.plan(Lapse(1.0), going, Lapse(1_000.0))
    gateway.plan(Lapse(1.0), going, Lapse(1_000.0))
    async with pool_of() as pool:
        idle = await pool.lease(provider.route, Holder())
        leased = await pool.lease(provider.route, Holder())
        idle.give_back()
        await trio.sleep(2.0)
        assert (pool.statistics().idle, pool.statistics().leased) == (0, 1)
        leased.give_back()
        assert (pool.statistics().idle, pool.statistics().leased) == (0, 0)


async def test_the_end_of_a_leased_connection_is_reported_to_its_holder(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.plan(Lapse(10.0), Close(1011, "restart"))
    async with pool_of() as pool:
        holder = Holder()
        lease = await pool.lease(provider.route, holder)
        await trio.sleep(11.0)
        assert [str(cause) for cause in holder.causes] == ["closed by the service with code 1011: restart"]
        assert pool.statistics().dead_found == 0
        with pytest.raises(LinkDown, match="1011"):
            await speak(lease)
        lease.give_back()
        assert pool.statistics().idle == 0


async def test_idle_connections_are_pinged_and_a_failure_casts_doubt_on_the_others(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.plan(Lapse(12.0), BlackHole(), Lapse(1_000.0))
    liveness = ts.LivenessPolicy(ping_interval=5.0, ping_timeout=2.0)
    async with pool_of(liveness=liveness) as pool:
        leases = [await pool.lease(provider.route, Holder()) for _ in range(2)]
        await trio.sleep(3.0)
        leases.append(await pool.lease(provider.route, Holder()))
        for lease in leases:
            lease.give_back()
        await trio.sleep(8.0)
        assert pool.statistics().ping == pytest.approx(0.0, abs=0.1)
        assert pool.statistics().idle == 3
        await trio.sleep(6.1)
        figures = pool.statistics()
        assert (figures.idle, figures.dead_found, figures.doubted) == (1, 1, 1)
        await gateway.fail(Outage(1_000.0, silent=True))
        await trio.sleep(10.0)
        figures = pool.statistics()
        assert (figures.idle, figures.dead_found, figures.doubted) == (0, 2, 1)


async def test_idle_connections_are_closed_at_their_age(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    async with pool_of(max_idle_age=60.0) as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        await trio.sleep(59.0)
        assert pool.statistics().idle == 1
        await trio.sleep(2.0)
        assert (pool.statistics().idle, pool.statistics().expired) == (0, 1)
        assert gateway.visits[0].kinds("client") == ["session.create", "session.close"]


@pytest.mark.parametrize("silent", [False, True])
async def test_a_close_handshake_is_bounded_and_never_raises(gateway: ScriptedGateway, silent: bool) -> None:
    provider = Provider(gateway)
    provider.cancels = None if silent else "cancel"
    liveness = ts.LivenessPolicy(close_timeout=1.0, ping_interval=1_000.0)
    async with pool_of(liveness=liveness) as pool:
        (await pool.lease(provider.route, Holder())).give_back()
        await trio.sleep(1.0)
        if silent:
            await gateway.fail(Outage(1_000.0, silent=True))
            await trio.sleep(1.0)
        leaving = trio.current_time()
    assert trio.current_time() - leaving <= 1.0


# ---------------------------------------------------------------- spares


async def test_spares_are_ready_once_the_pool_is_in_use(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway)
    gateway.connect_time = 1.0
    async with pool_of(min_idle=2) as pool:
        assert pool.statistics().dialing == 0
        lease = await pool.lease(provider.route, Holder())
        await trio.sleep(1.1)
        assert pool.statistics().idle == 2
        began = trio.current_time()
        await pool.lease(provider.route, Holder())
        assert trio.current_time() == began
        lease.give_back()


async def test_a_session_that_outlives_its_client_fails_at_once(
    gateway: ScriptedGateway, nursery: trio.Nursery
) -> None:
    entered, closed, told = trio.Event(), trio.Event(), trio.Event()

    async def outlive(client: ts.Client) -> None:
        with pytest.raises(trio.ClosedResourceError, match="client"):  # noqa: PT012  # a block
            async with client.synthesize() as speech:
                entered.set()
                await closed.wait()
                await speech.send("Nobody will say this. ")
                speech.end_input()
                await anext(speech)
        told.set()

    async with gateway.client() as client:
        nursery.start_soon(outlive, client)
        await entered.wait()
    closed.set()
    with trio.fail_after(1.0):
        await told.wait()


@pytest.mark.parametrize("close_timeout", [0.0, 2.0])
async def test_a_session_that_speaks_when_its_client_closes_fails_at_once(
    gateway: ScriptedGateway, nursery: trio.Nursery, close_timeout: float
) -> None:
    gateway.delivery = Delivery(speed=1.0)
    speaking, told = trio.Event(), trio.Event()

    async def outlive(client: ts.Client) -> None:
        with pytest.raises(trio.ClosedResourceError, match="client"):  # noqa: PT012  # a block
            async with client.synthesize("Hello there, my good friend.") as speech:
                await anext(speech)
                speaking.set()
                await trio.sleep_forever()
        assert trio.current_time() == began
        told.set()

    async with gateway.client(liveness=ts.LivenessPolicy(close_timeout=close_timeout)) as client:
        nursery.start_soon(outlive, client)
        await speaking.wait()
        began = trio.current_time()
    await told.wait()


async def test_a_waiting_session_fails_when_the_client_closes(gateway: ScriptedGateway, nursery: trio.Nursery) -> None:
    told = trio.Event()

    async def wait(client: ts.Client) -> None:
        with pytest.raises(trio.ClosedResourceError, match="client"):
            await client.render("Nobody will say this.")
        told.set()

    gateway.plan(NeverAnswer())
    async with gateway.client() as client:
        nursery.start_soon(wait, client)
        await wait_all_tasks_blocked()
    with trio.fail_after(1.0):
        await told.wait()


async def test_a_closed_client_does_not_prewarm(gateway: ScriptedGateway) -> None:
    async with gateway.client() as client:
        pass
    with pytest.raises(trio.ClosedResourceError, match="client"):
        await client.prewarm()
    assert client.statistics().dialing == 0


async def test_prewarming_returns_when_connections_have_answered(gateway: ScriptedGateway) -> None:
    gateway.connect_time = 1.0
    async with gateway.client(pool=ts.PoolPolicy(max_size=3)) as client:
        await client.prewarm(2)
        assert trio.current_time() == pytest.approx(1.0)
        assert client.statistics().idle == 2
        assert client.statistics().ping == pytest.approx(0.0, abs=0.1)
        await client.prewarm(9)
        assert client.statistics().idle == 3
        await client.render("Hello.")
        assert client.statistics().dialed == 3


async def test_prewarming_raises_the_error_of_its_dial(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(401), NeverAnswer())
    async with gateway.client(liveness=ts.LivenessPolicy(standby=False)) as client:
        with pytest.raises(ts.AuthenticationError):
            await client.prewarm()
        with pytest.raises(ts.LinkError, match="no answer to the handshake within 10 s"):
            await client.prewarm()
        await client.prewarm()


async def test_prewarming_ignores_earlier_failures(gateway: ScriptedGateway) -> None:
    gateway.plan(Refuse(503))
    async with gateway.client(pool=ts.PoolPolicy(max_idle_age=0)) as client:
        await client.render("Hello.")
        await client.prewarm()
        assert client.statistics().dials_failed == 1


async def test_prewarming_ignores_failures_for_other_keys(gateway: ScriptedGateway) -> None:
    provider, other = Provider(gateway), Provider(gateway, key="b")
    gateway.connect_time = 1.0
    gateway.plan(Refuse(403))

    async def fail() -> None:
        with pytest.raises(LinkDown, match="HTTP 403"):
            await pool.lease(other.route, Holder())

    async with pool_of(max_idle_age=0.0) as pool, trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        await trio.sleep(0.5)
        assert not await pool.warm(provider.route, 1)
        assert (pool.statistics().dialed, pool.statistics().dials_failed) == (1, 1)


async def test_prewarming_ends_with_the_client(gateway: ScriptedGateway, nursery: trio.Nursery) -> None:
    gateway.plan(NeverAnswer())
    told = trio.Event()

    async def outlive(client: ts.Client) -> None:
        with pytest.raises(trio.ClosedResourceError, match="client"):
            await client.prewarm()
        told.set()

    async with gateway.client() as client:
        nursery.start_soon(outlive, client)
        await wait_all_tasks_blocked()
    with trio.fail_after(1.0):
        await told.wait()


async def test_prewarming_a_service_that_answers_no_ping_fails(gateway: ScriptedGateway) -> None:
    gateway.plan(Await("create"), BlackHole())
    async with gateway.client() as client:
        with pytest.raises(ts.LinkError, match="no pong within 5 s"):
            await client.prewarm()


# ---------------------------------------------------------------- what the service allows of a connection


async def test_a_connection_that_was_asked_as_often_as_allowed_is_replaced(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway, generations_per_minute=2)
    async with pool_of() as pool:
        for asked in (1, 2, 3):
            holder = Holder()
            lease = await pool.lease(provider.route, holder)
            assert not lease.is_used_up
            await speak(lease)
            await trio.sleep(5.0)
            assert isinstance(holder.messages[-1], Done)
            assert lease.is_used_up is (asked == 2)
            lease.give_back()
    assert [len(visit.texts) for visit in gateway.visits] == [2, 1]


async def test_a_keepalive_is_sent_as_often_as_the_service_needs_it(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway, keepalive=8.0)
    provider.alive = '{"type":"still_here"}'
    async with pool_of() as pool:
        await pool.warm(provider.route, 1)
        await trio.sleep(30.0)
    (visit,) = gateway.visits
    assert [message.kind for message in visit.passed].count("still_here") == 3


async def test_an_idle_connection_is_replaced_before_the_service_ends_it(gateway: ScriptedGateway) -> None:
    provider = Provider(gateway, session_cap=100.0)
    async with pool_of(min_idle=1, max_idle_age=1_000.0) as pool:
        await pool.warm(provider.route, 1)
        await trio.sleep(89.0)
        assert gateway.visits[0].open
        await trio.sleep(2.0)
        assert not gateway.visits[0].open
