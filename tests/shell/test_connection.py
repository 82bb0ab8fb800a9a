"""One websocket over memory streams: a deadline on every wait, one cause for every end."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_speech._core.causes import Broken, Cause, Malformed, PeerClosed, Refused, Silent, Unreachable
from trio_speech._shell import connection as module
from trio_speech._shell.connection import Connection, Handshake, accept_connection, open_connection
from trio_speech._shell.transport import LinkDown
from trio_speech.testing import BlackHole, MemoryStream, StallWrites, memory_stream_pair
from trio_speech.testing.streams import Line

URL = "ws://speech.test:81/v1/stt?model=a%2Fb"
HEADERS = (("Authorization", "Bearer secret"), ("User-Agent", "test"))
HELLO = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: nonsense\r\n\r\n"
)


class Pair:
    """A client's connection and a server's."""

    def __init__(self, nursery: trio.Nursery, capacity: int) -> None:
        self.nursery = nursery
        self.ours, self.theirs = memory_stream_pair(capacity)
        self.line = Line(self.theirs)
        self.client: Connection
        self.server: Connection

    async def connect(self) -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return self.ours

    async def open(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.accept)
            self.client = await open_connection(self.nursery, URL, HEADERS, timeout=5.0, connect=self.connect)

    async def accept(self) -> None:
        handshake = await accept_connection(self.nursery, self.line, timeout=5.0)
        self.server = await handshake.accept()


@asynccontextmanager
async def a_pair(capacity: int = 65_536) -> AsyncGenerator[Pair, None]:
    async with trio.open_nursery() as nursery:
        pair = Pair(nursery, capacity)
        await pair.open()
        yield pair
        nursery.cancel_scope.cancel()


async def cause_of(waiting: Awaitable[object]) -> Cause:
    with pytest.raises(LinkDown) as caught:
        await waiting
    assert caught.value.__cause__ is None
    return caught.value.cause


async def dial(serve: Callable[[MemoryStream], Awaitable[None]], timeout: float = 5.0) -> Cause:  # noqa: ASYNC109
    """What becomes of a dial to a server that does as told."""
    ours, theirs = memory_stream_pair()

    async def connect() -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return ours

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, theirs)
        cause = await cause_of(open_connection(nursery, URL, HEADERS, timeout=timeout, connect=connect))
        with pytest.raises(trio.ClosedResourceError):
            await ours.send_all(b"")
        nursery.cancel_scope.cancel()
    return cause


# ---------------------------------------------------------------- dialling


async def test_a_dial_sends_what_it_is_given() -> None:
    async with trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()
        shaken: list[Handshake] = []

        async def connect() -> MemoryStream:
            await trio.lowlevel.checkpoint()
            return ours

        async def accept() -> None:
            shaken.append(await accept_connection(nursery, theirs, timeout=1.0))
            await shaken[0].accept()

        nursery.start_soon(accept)
        opened = await open_connection(nursery, URL, HEADERS, timeout=1.0, connect=connect)
        assert opened.opened_at == trio.current_time()
        nursery.cancel_scope.cancel()
    (handshake,) = shaken
    assert handshake.resource == "/v1/stt?model=a%2Fb"
    assert handshake.headers["authorization"] == "Bearer secret"
    assert handshake.headers["user-agent"] == "test"


async def test_a_handshake_that_is_never_answered() -> None:
    async def mute(stream: MemoryStream) -> None:
        await trio.sleep_forever()

    assert await dial(mute) == Silent("answer to the handshake", 5.0)
    assert trio.current_time() == 5.0


async def test_a_stream_that_is_never_opened() -> None:
    async with trio.open_nursery() as nursery:
        opening = open_connection(nursery, URL, (), timeout=3.0, connect=trio.sleep_forever)
        assert await cause_of(opening) == Silent("answer to the handshake", 3.0)
    assert trio.current_time() == 3.0


async def test_a_stream_that_ends_during_the_handshake() -> None:
    async def leave(stream: MemoryStream) -> None:
        await stream.receive_some(10)
        await stream.aclose()

    cause = await dial(leave)
    assert isinstance(cause, Unreachable)
    assert "the handshake was not answered" in cause.reason
    assert trio.current_time() == 0.0


async def test_a_stream_that_breaks_during_the_handshake() -> None:
    async def sever(stream: MemoryStream) -> None:
        stream.sever()
        await trio.lowlevel.checkpoint()

    assert isinstance(await dial(sever), Unreachable)
    assert trio.current_time() == 0.0


@pytest.mark.parametrize("answer", [b"\x16\x03\x01nonsense\r\n\r\n", HELLO])
async def test_an_answer_that_is_no_handshake(answer: bytes) -> None:
    async def reply(stream: MemoryStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)

    assert isinstance(await dial(reply), Unreachable)
    assert trio.current_time() == 0.0


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ((), Refused(503, "busy")),
        ((("Retry-After", "7"), ("X-Request-Id", "r1")), Refused(503, "busy", 7.0, "r1")),
        ((("Retry-After", "soon"),), Refused(503, "busy")),
        ((("dg-request-id", "r2"),), Refused(503, "busy", None, "r2")),
    ],
)
async def test_a_refusal_tells_what_was_said(headers: tuple[tuple[str, str], ...], refused: Refused) -> None:
    async def refuse(stream: MemoryStream) -> None:
        async with trio.open_nursery() as nursery:
            handshake = await accept_connection(nursery, stream, timeout=1.0)
            await handshake.reject(503, b"busy", headers)

    assert await dial(refuse) == refused


async def test_a_long_refusal_is_cut() -> None:
    async def refuse(stream: MemoryStream) -> None:
        async with trio.open_nursery() as nursery:
            handshake = await accept_connection(nursery, stream, timeout=1.0)
            await handshake.reject(400, b"x" * 10_000)

    cause = await dial(refuse)
    assert isinstance(cause, Refused)
    assert cause.reason == "x" * 500


async def test_cancelling_a_dial_leaves_nothing_behind() -> None:
    ours, _ = memory_stream_pair()

    async def connect() -> MemoryStream:
        await trio.lowlevel.checkpoint()
        return ours

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1.0):
            await open_connection(nursery, URL, (), timeout=5.0, connect=connect)
        assert not nursery.child_tasks
        with pytest.raises(trio.ClosedResourceError):
            await ours.send_all(b"")


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize("message", ["", "text", "Grüße 🌍", b"", b"\0\xff", "x" * 126, b"y" * 70_000])
async def test_messages_go_both_ways(message: str | bytes) -> None:
    async with a_pair() as pair:
        for one, other in ((pair.client, pair.server), (pair.server, pair.client)):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(one.send, message, 1.0)
                assert await other.receive() == message


async def test_a_cancelled_receive_loses_nothing() -> None:
    async with a_pair() as pair:
        with trio.move_on_after(1.0):
            await pair.client.receive()
        await pair.server.send("one", 1.0)
        with trio.move_on_after(0.0):
            await pair.client.receive()
        await pair.server.send("two", 1.0)
        assert [await pair.client.receive(), await pair.client.receive()] == ["one", "two"]


async def test_a_message_beyond_the_limit_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MESSAGE_SIZE", 1_000)
    async with a_pair() as pair:
        await pair.server.send("x" * 1_001, 1.0)
        assert await cause_of(pair.client.receive()) == Malformed("more than 1000 bytes in one message")


async def test_a_ping_takes_as_long_as_its_pong() -> None:
    async with a_pair() as pair:
        assert await pair.client.ping(1.0) == 0.0
        assert await pair.server.ping(1.0) == 0.0


async def test_pongs_come_though_nobody_reads_messages() -> None:
    async with a_pair() as pair:
        for _ in range(20):
            await pair.server.send("unread", 1.0)
        assert await pair.client.ping(1.0) == 0.0


# ---------------------------------------------------------------- ends


async def test_a_close_frame_is_told_with_its_code() -> None:
    async with a_pair() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(pair.server.close, 1.0, 4000, "that is all")
        assert await cause_of(pair.client.receive()) == PeerClosed(4000, "that is all")
        assert await cause_of(pair.client.send("more", 1.0)) == PeerClosed(4000, "that is all")
        assert await cause_of(pair.client.ping(1.0)) == PeerClosed(4000, "that is all")


async def test_a_reset_is_told_to_everybody_alike() -> None:
    async with a_pair() as pair:
        await pair.line.strike(BlackHole())
        causes: list[Cause] = []

        async def waits(waiting: Callable[[], Awaitable[object]]) -> None:
            causes.append(await cause_of(waiting()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waits, pair.client.receive)
            nursery.start_soon(waits, lambda: pair.client.ping(5.0))
            await wait_all_tasks_blocked()
            pair.theirs.sever()
        causes.append(await cause_of(pair.client.send("x", 1.0)))
        assert causes == [Broken("connection reset by peer")] * 3
    assert trio.current_time() == 5.0  # trio-websocket does not wake a ping: its own deadline does


async def test_the_end_of_the_stream_is_told() -> None:
    async with a_pair() as pair:
        await pair.theirs.send_eof()
        assert await cause_of(pair.client.receive()) == Broken("the peer ended the stream without a close frame")


async def test_a_pong_that_does_not_come() -> None:
    async with a_pair() as pair:
        await pair.line.strike(BlackHole())
        assert await cause_of(pair.client.ping(2.0)) == Silent("pong", 2.0)
        assert trio.current_time() == 2.0
        assert await cause_of(pair.client.receive()) == Silent("pong", 2.0)


async def test_a_stuck_send_keeps_its_deadline_though_the_stream_has_ended() -> None:
    async with a_pair(capacity=1_000) as pair, trio.open_nursery() as nursery:
        await pair.server.send("one", 1.0)
        assert await pair.client.receive() == "one"
        nursery.start_soon(cause_of, pair.client.receive())
        await wait_all_tasks_blocked()
        await pair.line.strike(StallWrites())
        nursery.start_soon(cause_of, pair.client.send(b"x" * 10_000, 5.0))
        await wait_all_tasks_blocked()
        await pair.theirs.send_all(b"\x89\x00")  # whose pong waits behind
        await wait_all_tasks_blocked()
        pair.theirs.end()
        with trio.fail_after(5.1):
            assert await cause_of(pair.client.flush(5.0)) == Silent("progress in sending", 5.0)


async def test_a_goodbye_is_not_cut_short_by_who_still_reads() -> None:
    async with a_pair() as pair, trio.open_nursery() as nursery:
        causes = list[Cause]()

        async def read() -> None:
            causes.append(await cause_of(pair.client.receive()))

        async def serve() -> None:
            await cause_of(pair.server.receive())

        nursery.start_soon(read)
        nursery.start_soon(serve)
        await wait_all_tasks_blocked()
        await pair.client.close(5.0)
        assert trio.current_time() == 0.0
    assert causes == [Broken("closed by us")]


@pytest.mark.parametrize("timeout", [0.5, 1.0, 3.0])
async def test_a_send_that_is_stuck_condemns_the_connection(timeout: float) -> None:  # noqa: ASYNC109
    async with a_pair(capacity=1_000) as pair:
        await pair.line.strike(StallWrites())
        await pair.client.send(b"", timeout)
        await wait_all_tasks_blocked()
        began = trio.current_time()
        cause = await cause_of(pair.client.send(b"x" * 10_000, timeout))
        assert cause == Silent("progress in sending", timeout)
        assert timeout <= trio.current_time() - began <= max(timeout, 1.0)
        assert await cause_of(pair.client.receive()) == cause


async def test_a_send_may_wait_for_ever_where_it_is_told_so() -> None:
    async with a_pair(capacity=1_000) as pair, trio.open_nursery() as nursery:
        received: list[object] = []

        async def late() -> None:
            await trio.sleep(3_600.0)
            received.append(await pair.client.receive())

        nursery.start_soon(late)
        await pair.server.send(b"x" * 200, math.inf)
    assert received == [b"x" * 200]


async def test_a_cancelled_send_condemns_the_connection() -> None:
    async with a_pair(capacity=1_000) as pair:
        await pair.line.strike(StallWrites())
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.25) as scope:
            await pair.client.send(b"x" * 10_000, 5.0)
        assert scope.cancelled_caught
        assert await cause_of(pair.client.send(b"", 1.0)) == Broken("a send was cancelled")


async def test_a_goodbye_is_polite() -> None:
    async with a_pair() as pair:
        await pair.client.close(1.0, 1000, "done")
        assert trio.current_time() == 0.0
        assert await cause_of(pair.server.receive()) == PeerClosed(1000, "done")
        assert await cause_of(pair.client.receive()) == Broken("closed by us")
        await pair.client.close(1.0)


async def test_a_goodbye_to_one_who_does_not_answer_is_bounded() -> None:
    async with a_pair() as pair:
        await pair.line.strike(BlackHole())
        await pair.client.close(1.5)
        assert trio.current_time() == 1.5


async def test_a_goodbye_to_one_who_is_gone_takes_no_time() -> None:
    async with a_pair() as pair:
        pair.theirs.sever()
        await wait_all_tasks_blocked()
        await pair.client.close(1.5)
        assert trio.current_time() == 0.0


async def test_an_abort_is_at_once_and_the_first_cause_stays() -> None:
    async with a_pair() as pair:
        pair.client.abort("enough")
        pair.client.abort("more than enough")
        assert await cause_of(pair.client.receive()) == Broken("enough")
        assert isinstance(await cause_of(pair.server.receive()), Broken)


async def test_nothing_is_raised_into_the_nursery() -> None:
    async with a_pair() as pair:
        await pair.ours.aclose()
        pair.theirs.sever()
        await wait_all_tasks_blocked()
        assert isinstance(await cause_of(pair.client.receive()), Broken)
        assert isinstance(await cause_of(pair.server.receive()), Broken)


# ---------------------------------------------------------------- the other side


async def test_a_client_that_sends_no_request() -> None:
    _, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        assert await cause_of(accept_connection(nursery, theirs, timeout=2.0)) == Silent("answer to the handshake", 2.0)
    assert trio.current_time() == 2.0


async def test_a_client_that_leaves_before_its_request() -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        await ours.aclose()
        cause = await cause_of(accept_connection(nursery, theirs, timeout=2.0))
    assert cause == Broken("the client left before its handshake")


async def test_a_client_that_talks_nonsense() -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        await ours.send_all(b"\x16\x03\x01 nonsense\r\n\r\n")
        await cause_of(accept_connection(nursery, theirs, timeout=2.0))
    assert trio.current_time() <= 2.0


@pytest.mark.parametrize("answer", ["accept", "reject"])
async def test_a_client_that_leaves_before_the_answer(answer: str) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        await ours.send_all(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        handshake = await accept_connection(nursery, theirs, timeout=2.0)
        await ours.aclose()
        await wait_all_tasks_blocked()
        match answer:
            case "accept":
                assert isinstance(await cause_of(handshake.accept()), Broken)
            case "reject":
                await handshake.reject(503)
