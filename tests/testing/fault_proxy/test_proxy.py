"""The fault proxy, on memory streams and virtual time; and over loopback, between the real client and a service."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import trio_speech as ts
from trio_speech._core.retry.causes import Unreachable
from trio_speech._shell.connection import LinkDown
from trio_speech.providers._codec import Dial
from trio_speech.testing import (
    MemoryStream,
    ScriptedGateway,
    assert_exactly_once,
    memory_stream_pair,
    open_gateway,
    speech,
)
from trio_speech.testing.fault_proxy import Happening, Proxy, open_proxy, read_plan
from trio_speech.testing.fault_proxy.plan import (
    End,
    FreezeConnection,
    Garbage,
    HalfOpen,
    PlannedConnection,
    ProxyPlan,
    RefuseDials,
    Reset,
    Shape,
    Step,
)
from trio_speech.testing.scripted.backend import StandIn

EXAMPLE = Path(__file__).parents[3] / "examples" / "chaos.toml"


def plan_of(*connections: tuple[Step, ...], seed: int = 0) -> ProxyPlan:
    return ProxyPlan(connection=tuple(PlannedConnection(step=steps) for steps in connections), seed=seed)


class Service:
    """What stands behind the proxy: each dial gives the test its end of a stream."""

    def __init__(self) -> None:
        self.ends: list[MemoryStream] = []
        self.asked: tuple[str, int] | None = None

    async def dial(self) -> MemoryStream:
        await trio.lowlevel.checkpoint()
        ours, theirs = memory_stream_pair()
        self.ends.append(ours)
        return theirs


@asynccontextmanager
async def connected(*steps: Step, seed: int = 0) -> AsyncGenerator[tuple[Proxy, MemoryStream, MemoryStream]]:
    """The proxy, the client's end and the service's."""
    service = Service()
    async with open_proxy(service.dial, plan_of(steps, seed=seed)) as proxy:
        client = await proxy.connect()
        await trio.testing.wait_all_tasks_blocked()
        yield proxy, client, service.ends[0]


async def all_of(stream: trio.abc.ReceiveStream) -> bytes:
    """What comes until the stream ends or breaks."""
    came = bytearray()
    try:
        async for data in stream:
            came += data
    except trio.BrokenResourceError:
        came += b"!"
    return bytes(came)


def said(proxy: Proxy) -> list[str]:
    return [happening.what for happening in proxy.happenings]


# ---------------------------------------------------------------- what passes


async def test_without_a_plan_all_passes_and_so_does_a_half_close(autojump_clock: MockClock) -> None:
    async with connected() as (proxy, client, service):
        await client.send_all(b"question")
        await client.send_eof()
        assert await all_of(service) == b"question"
        await service.send_all(b"answer")
        await service.aclose()
        assert await all_of(client) == b"answer"
        await trio.testing.wait_all_tasks_blocked()
        assert said(proxy) == ["opened", "closed by both ends after 8 up and 6 down bytes"]
    assert trio.current_time() == 0.0


@pytest.mark.parametrize("leaving", ["client", "service"])
async def test_a_reset_by_one_end_reaches_the_other(autojump_clock: MockClock, leaving: str) -> None:
    async with connected() as (proxy, client, service):
        ends = {"client": client, "service": service}
        ends.pop(leaving).sever()
        (other,) = ends.values()
        assert await all_of(other) == b"!"
        assert said(proxy)[-1] == f"broken by the {leaving} after 0 up and 0 down bytes"


async def test_latency_and_jitter_delay_and_never_reorder(autojump_clock: MockClock) -> None:
    async with connected(Shape(latency=1.0, jitter=0.5)) as (_, client, service):
        for number in range(40):
            await client.send_all(bytes([number]))
            await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0.999):
            await service.receive_some()
            pytest.fail("it came too soon")
        came = b""
        while len(came) < 40:
            came += await service.receive_some()
        assert came == bytes(range(40))
        assert trio.current_time() <= 1.5


async def test_what_is_lost_comes_once_it_was_sent_again_and_all_behind_it_too(autojump_clock: MockClock) -> None:
    async with connected(Shape(loss=0.5, resend_after=1.0)) as (_, client, service):
        delays: list[float] = []
        for number in range(400):
            sent = trio.current_time()
            await client.send_all(bytes([number % 256]))
            assert await service.receive_some() == bytes([number % 256])
            delays.append(trio.current_time() - sent)
    assert {round(delay) for delay in delays} >= {0, 1, 3, 7}, "twice as long each time"
    assert {round(delay, 3) for delay in delays} <= {2.0**times - 1.0 for times in range(20)}
    assert 0.4 <= sum(delay == 0.0 for delay in delays) / 400 <= 0.6
    async with connected(Shape(loss=0.5, resend_after=5.0)) as (_, client, service):
        began, came_at = trio.current_time(), []
        for number in range(40):
            await client.send_all(bytes([number]))
            await trio.testing.wait_all_tasks_blocked()
        while len(came_at) < 40:
            came_at += [trio.current_time()] * len(await service.receive_some())
        assert came_at == sorted(came_at)
        assert came_at[-1] - began >= 5.0, "those behind a lost one have waited for it"


async def test_a_change_of_latency_keeps_the_order(autojump_clock: MockClock) -> None:
    steps = (Shape(latency=3.0), Shape(latency=1.0, after=1.0), Shape(after=4.0))
    async with connected(*steps) as (_, client, service):
        await client.send_all(b"a")
        await trio.sleep(1.5)
        await client.send_all(b"b")
        assert await service.receive_some() + await service.receive_some() == b"ab"
        assert trio.current_time() == 3.0
        await trio.sleep(3.0)
        await client.send_all(b"c")
        assert await service.receive_some() == b"c"
        assert trio.current_time() == 6.0


async def test_bandwidth_is_kept_each_way_on_its_own(autojump_clock: MockClock) -> None:
    async with connected(Shape(bandwidth=1_000, direction="up")) as (_, client, service):
        await client.send_all(bytes(5_000))
        await service.send_all(bytes(5_000))
        came = 0
        while came < 5_000:
            came += len(await client.receive_some())
        assert trio.current_time() == 0.0
        came = 0
        while came < 5_000:
            came += len(await service.receive_some())
            assert came <= 1_000 * trio.current_time() + 40.001
    assert 4.95 <= trio.current_time() <= 5.0


async def test_backpressure_passes_through_and_what_waits_is_bounded(autojump_clock: MockClock) -> None:
    async with connected() as (_, client, _):
        taken = 0
        with trio.move_on_after(60.0):
            while True:
                await client.send_all(bytes(1_000))
                taken += 1_000
        assert taken <= 262_144 + 16_384 + 3 * 65_536


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("count", [0, 1, 7, 1_000])
@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_reset_comes_at_its_exact_byte(autojump_clock: MockClock, way: str, count: int) -> None:
    service = Service()
    async with open_proxy(service.dial, plan_of((Reset(**{way: count}),))) as proxy:
        client = await proxy.connect()
        await trio.testing.wait_all_tasks_blocked()
        if count == 0:
            assert service.ends == []
            assert await all_of(client) == b"!"
            return
        source, sink = (client, service.ends[0]) if way == "up" else (service.ends[0], client)
        await source.send_all(bytes(2_000))
        assert await all_of(sink) == bytes(count) + b"!"
        assert await all_of(source) == b"!"
        counts = f"{count} up and 0 down" if way == "up" else f"0 up and {count} down"
        assert said(proxy)[-1] == f"reset after {counts} bytes"


async def test_an_end_comes_after_relayed_data_and_discards_the_rest(autojump_clock: MockClock) -> None:
    async with connected(End(down=3)) as (proxy, client, service):
        await service.send_all(b"abcdef")
        assert await all_of(client) == b"abc"
        assert await all_of(service) == b""
        await client.send_all(b"still here")
        await client.aclose()
        await service.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert said(proxy)[-1] == "ended by a FIN after 0 up and 3 down bytes"


async def test_an_end_that_stays_after_a_fin_is_reset(autojump_clock: MockClock) -> None:
    async with connected(End(after=1.0)) as (_, client, _):
        assert await all_of(client) == b""
        await trio.sleep(61.0)
        with pytest.raises(trio.BrokenResourceError):
            await client.send_all(b"?")


async def test_half_open_nothing_passes_until_both_have_left(autojump_clock: MockClock) -> None:
    async with connected(HalfOpen(after=1.0)) as (_, client, service):
        await trio.sleep(2.0)
        await client.send_all(b"lost")
        await service.send_all(b"lost")
        for end in (client, service):
            with trio.move_on_after(1_000.0) as waited:
                await end.receive_some()
            assert waited.cancelled_caught
        await client.aclose()
        with trio.move_on_after(1_000.0) as waited:
            await service.receive_some()
        assert waited.cancelled_caught


async def test_half_open_for_a_while_ends_in_a_reset(autojump_clock: MockClock) -> None:
    async with connected(HalfOpen(after=1.0, seconds=29.0)) as (_, client, service):
        assert await all_of(client) == b"!"
        assert await all_of(service) == b"!"
    assert trio.current_time() == 30.0


async def test_a_freeze_holds_data_and_loses_none(autojump_clock: MockClock) -> None:
    async with connected(FreezeConnection(seconds=5.0, up=2), FreezeConnection(seconds=4.0, after=3.0)) as (
        _,
        client,
        service,
    ):
        await client.send_all(b"abcd")
        assert await service.receive_some() == b"ab"
        assert trio.current_time() == 0.0
        await service.send_all(b"back")
        await client.send_eof()
        assert await all_of(service) == b"cd"
        assert await client.receive_some() == b"back"
        assert trio.current_time() == 7.0


async def test_garbage_replaces_the_first_answer(autojump_clock: MockClock) -> None:
    service, answers = Service(), []
    async with open_proxy(service.dial, plan_of(*[(Garbage(size=20),)] * 2, seed=3)) as proxy:
        for _ in range(2):
            client = await proxy.connect()
            await client.send_all(b"hello")
            answers.append(await all_of(client))
            await client.aclose()
    assert [len(answer) for answer in answers] == [20, 20]
    assert answers[0] != answers[1]
    assert all(byte >= 128 for answer in answers for byte in answer)
    assert service.ends == []


async def test_dials_are_refused_while_the_connection_goes_on(autojump_clock: MockClock) -> None:
    async with connected(RefuseDials(seconds=3.0, after=1.0)) as (proxy, client, service):
        await trio.sleep(1.5)
        with pytest.raises(ConnectionRefusedError):
            await proxy.connect()
        await client.send_all(b"on")
        assert await service.receive_some() == b"on"
        await trio.sleep(2.6)
        await proxy.connect()
        await trio.testing.wait_all_tasks_blocked()
        assert proxy.connections == 2


async def test_an_unreachable_service_resets_the_client(autojump_clock: MockClock) -> None:
    async def dial() -> MemoryStream:
        await trio.lowlevel.checkpoint()
        raise ConnectionRefusedError(111, "Connection refused")

    async with open_proxy(dial) as proxy:
        assert await all_of(await proxy.connect()) == b"!"
        assert said(proxy) == ["opened", "reset: the service was not reached: Connection refused"]


async def test_an_invalid_host_name_breaks_only_its_connection(autojump_clock: MockClock) -> None:
    async with open_proxy(("x" * 64 + ".test", 80)) as proxy:
        for _ in range(2):
            assert await all_of(await proxy.connect()) == b"!"
        assert said(proxy)[-1] == "reset: the name of the service is not a valid host name"


async def test_leaving_the_block_breaks_what_is_open(autojump_clock: MockClock) -> None:
    async with connected() as (_, client, service):
        pass
    assert await all_of(client) == b"!"
    assert await all_of(service) == b"!"


async def test_happenings_have_time_and_connection(autojump_clock: MockClock) -> None:
    await trio.sleep(100.0)
    told: list[Happening] = []
    steps: tuple[Step, ...] = (
        Shape(latency=0.25, jitter=0.5, bandwidth=8_000, loss=0.05, direction="down"),
        FreezeConnection(seconds=2, after=1.5),
        RefuseDials(seconds=1),
        Reset(after=0.5),
    )
    async with open_proxy(Service().dial, plan_of(steps), tell=told.append) as proxy:
        await all_of(await proxy.connect())
    assert [str(each) for each in told] == [
        "    0.000 s  connection 1: opened",
        "    0.000 s  connection 1: shaped, down: 0.25 to 0.75 s late, 8000 bytes/s, 5% lost",
        "    1.500 s  connection 1: frozen for 2 s after 0 up and 0 down bytes",
        "    1.500 s  connection 1: dials are refused for 1 s after 0 up and 0 down bytes",
        "    2.000 s  connection 1: reset after 0 up and 0 down bytes",
    ]
    assert told == list(proxy.happenings)


# ---------------------------------------------------------------- the client, on virtual time

PLANS: dict[str, tuple[tuple[Step, ...], ...]] = {
    "reset in mid-frame, both ways": ((Reset(up=100_003),), (Reset(down=1_357),), (Reset(up=50_001),)),
    "fin, with refusals": ((RefuseDials(seconds=2.0, after=3.0), End()), (End(up=70_001),)),
    "half-open": ((HalfOpen(up=120_001),), (HalfOpen(),)),
    "a slow and shaky line": ((Shape(latency=0.2, jitter=0.3, bandwidth=60_000), Reset(up=200_000)),),
    "frozen": ((FreezeConnection(seconds=4.0, up=90_001),),),
    "garbage": ((Garbage(up=100_000),), (Garbage(),)),
}


@asynccontextmanager
async def through_proxy(gateway: ScriptedGateway, plan: ProxyPlan) -> AsyncGenerator[tuple[Proxy, ts.Backend]]:
    """A backend that reaches the gateway through the proxy, all in memory."""
    async with open_proxy(partial(gateway.connect, Dial("ws://gateway.test")), plan) as proxy:

        async def connect(_: Dial) -> MemoryStream:
            try:
                return await proxy.connect()
            except ConnectionRefusedError as error:
                raise LinkDown(Unreachable(str(error))) from None

        yield proxy, StandIn(connect, gateway.backend())


@pytest.mark.parametrize("name", PLANS)
async def test_every_word_once_through_the_proxy(name: str, autojump_clock: MockClock) -> None:
    spoken = speech(15.0)
    async with (
        open_gateway() as gateway,
        through_proxy(gateway, plan_of(*PLANS[name])) as (proxy, backend),
        ts.open_client(backend) as client,
        client.transcribe(spoken, spoken.audio_format) as transcript,
    ):
        events = [event async for event in transcript]
    assert_exactly_once(events, spoken, gateway.visits)
    assert proxy.connections >= len(PLANS[name])


async def test_every_word_once_through_the_plan_of_the_examples(autojump_clock: MockClock) -> None:
    spoken, plan = speech(20.0), read_plan(EXAMPLE.read_text())
    async with (
        open_gateway() as gateway,
        through_proxy(gateway, plan) as (proxy, backend),
        ts.open_client(backend) as client,
        client.transcribe(spoken, spoken.audio_format) as transcript,
    ):
        events = [event async for event in transcript]
    assert_exactly_once(events, spoken, gateway.visits)
    assert proxy.connections > len(plan.connection)


# ---------------------------------------------------------------- over loopback


async def sniff(address: tuple[str, int], *, talk: bytes = b"hello") -> bytes:
    """What a plain TCP client gets."""
    stream = await trio.open_tcp_stream(*address)
    async with stream:
        await stream.send_all(talk)
        return await all_of(stream)


async def once_there(address: tuple[str, int]) -> trio.SocketStream:
    while True:
        try:
            return await trio.open_tcp_stream(*address)
        except OSError:
            await trio.sleep(0.02)


async def echo(stream: trio.SocketStream) -> None:
    with suppress(trio.BrokenResourceError):
        async for data in stream:
            await stream.send_all(data)


@asynccontextmanager
async def echoing(plan: ProxyPlan) -> AsyncGenerator[tuple[Proxy, tuple[str, int]]]:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, echo, 0)
        port = listeners[0].socket.getsockname()[1]
        async with open_proxy(("127.0.0.1", port), plan) as proxy:
            yield proxy, await proxy.listen()
        nursery.cancel_scope.cancel()


async def test_real_resets_ends_and_refusals() -> None:
    plan = plan_of((Reset(down=5),), (End(down=3),), (RefuseDials(seconds=0.3), Reset(after=0.05)))
    with trio.fail_after(10):
        async with echoing(plan) as (proxy, address):
            assert await sniff(address, talk=b"0123456789") in (b"01234!", b"!")
            assert await sniff(address) == b"hel"
            assert await sniff(address) == b"hello!"
            with pytest.raises(OSError, match="failed"):
                await trio.open_tcp_stream(*address)
            async with await once_there(address) as stream:
                await stream.send_all(b"again")
                assert await stream.receive_some() == b"again"
            assert proxy.connections == 4


async def test_garbage_is_a_tls_failure_which_may_pass() -> None:
    with trio.fail_after(10):
        async with echoing(plan_of((Garbage(),))) as (_, address):
            plain = await trio.open_tcp_stream(*address)
            secure = trio.SSLStream(plain, ssl.create_default_context(), server_hostname="speech.test")
            with pytest.raises(trio.BrokenResourceError) as caught:
                await secure.do_handshake()
            assert isinstance(caught.value.__cause__, ssl.SSLError)
            await trio.aclose_forcefully(secure)


async def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with open_proxy(("127.0.0.1", 1)) as proxy:
            with pytest.raises(OSError, match="in use"):
                await proxy.listen(port=taken.getsockname()[1])


async def test_dropped_in_mid_utterance_over_loopback_every_word_comes_once(gateway: ScriptedGateway) -> None:
    spoken = speech(8.0)
    base = await gateway.listen()
    port = int(base.rpartition(":")[2].partition("/")[0])
    plan = plan_of((Shape(latency=0.005, jitter=0.005), Reset(up=120_001)), (End(down=2_001),), (Garbage(),))
    with trio.fail_after(20):
        async with open_proxy(("127.0.0.1", port), plan) as proxy:
            host, port = await proxy.listen()
            backend = ts.LiveKit(f"http://{host}:{port}/v1", "key", "secret")
            source = spoken.source(speed=8.0)
            async with (
                ts.open_client(backend, replay=ts.ReplayPolicy(speed=math.inf)) as client,
                client.transcribe(source, spoken.audio_format) as transcript,
            ):
                events = [event async for event in transcript]
    assert_exactly_once(events, spoken, gateway.visits)
    assert proxy.connections == 4
    assert [what.partition(" after")[0] for what in said(proxy) if what != "opened"][1:4] == [
        "reset",
        "ended by a FIN",
        "ended by garbage",
    ]


# ---------------------------------------------------------------- asked for the service by an HTTP CONNECT


@asynccontextmanager
async def tunnel(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> AsyncGenerator[tuple[Proxy, MemoryStream, Service]]:
    service = Service()

    async def dial(host: str, port: int) -> MemoryStream:
        service.asked = (host, port)
        return await service.dial()

    monkeypatch.setattr(trio, "open_tcp_stream", dial)
    async with open_proxy(None, plan_of(steps)) as proxy:
        yield proxy, await proxy.connect(), service


@pytest.mark.parametrize(
    ("authority", "asked"), [(b"speech.test:443", ("speech.test", 443)), (b"[2001:db8::1]:80", ("2001:db8::1", 80))]
)
async def test_connect_reaches_the_host_that_it_names(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock, authority: bytes, asked: tuple[str, int]
) -> None:
    async with tunnel(monkeypatch, Reset(up=3)) as (_, client, service):
        for piece in (b"CONNECT " + authority, b" HTTP/1.1\r\nHost: x\r\n\r", b"\n"):
            await client.send_all(piece)
            await trio.testing.wait_all_tasks_blocked()
        assert (await client.receive_some()).startswith(b"HTTP/1.1 200 ")
        await client.send_all(b"hello")
        await trio.testing.wait_all_tasks_blocked()
        assert service.asked == asked
        assert await all_of(service.ends[0]) == b"hel!"


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://speech.test/ HTTP/1.1\r\n\r\n",
        b"CONNECT speech.test HTTP/1.1\r\n\r\n",
        b"CONNECT :80 HTTP/1.1\r\n\r\n",
        b"CONNECT h:" + b"9" * 5_000 + b" HTTP/1.1\r\n\r\n",
        b"CONNECT h:65536 HTTP/1.1\r\n\r\n",
        b"CONNECT h:80 HTTP/2\r\n\r\n",
        b"\x16\x03\x01" + bytes(9_000),
    ],
)
async def test_a_request_other_than_connect_is_refused(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock, head: bytes
) -> None:
    async with tunnel(monkeypatch) as (proxy, client, service):
        await client.send_all(head)
        assert (await all_of(client)).startswith(b"HTTP/1.1 405 ")
        assert said(proxy)[-1] == "refused: the client did not ask for HOST:PORT by an HTTP CONNECT"
        assert service.ends == []


async def test_a_missing_connect_times_out(monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock) -> None:
    async with tunnel(monkeypatch) as (proxy, client, _):
        await client.send_all(b"CONNECT ")
        assert await all_of(client) == b""
        assert said(proxy)[-1] == "refused: no HTTP CONNECT within 10 s"
        leaving = await proxy.connect()
        await leaving.send_all(b"CONNECT")
        await leaving.send_eof()
        assert (await all_of(leaving)).startswith(b"HTTP/1.1 405 ")
        (await proxy.connect()).sever()
        await trio.testing.wait_all_tasks_blocked()
        assert said(proxy)[-1] == "refused: the client has left"


async def test_a_client_with_https_proxy_uses_the_proxy(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    spoken = speech(3.0)
    base = await gateway.listen()
    with trio.fail_after(20):
        async with open_proxy(None, plan_of((Reset(up=60_001),))) as proxy:
            host, port = await proxy.listen()
            monkeypatch.setenv("HTTP_PROXY", f"http://{host}:{port}")
            async with (
                ts.open_client(ts.LiveKit(base, "key", "secret"), replay=ts.ReplayPolicy(speed=math.inf)) as client,
                client.transcribe(spoken.source(speed=None), spoken.audio_format) as transcript,
            ):
                events = [event async for event in transcript]
    assert_exactly_once(events, spoken, gateway.visits)
    assert proxy.connections == 2
