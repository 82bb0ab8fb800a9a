"""An open websocket over memory streams: every wait has a deadline, every end has one cause."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_speech._core.retry.causes import Broken, Cause, Malformed, PeerClosed, Silent
from trio_speech.testing import BlackHole, StallWrites

from .pair import a_pair, cause_of

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


async def test_a_message_beyond_the_limit_ends_the_connection() -> None:
    async with a_pair(max_message_size=1_000) as pair:
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


async def test_a_close_frame_ends_every_call_with_its_code() -> None:
    async with a_pair() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(pair.server.close, 1.0, 4000, "that is all")
        assert await cause_of(pair.client.receive()) == PeerClosed(4000, "that is all")
        assert await cause_of(pair.client.send("more", 1.0)) == PeerClosed(4000, "that is all")
        assert await cause_of(pair.client.ping(1.0)) == PeerClosed(4000, "that is all")


async def test_a_reset_ends_every_call_with_the_same_cause() -> None:
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


async def test_the_end_of_the_stream_ends_a_receive() -> None:
    async with a_pair() as pair:
        await pair.theirs.send_eof()
        assert await cause_of(pair.client.receive()) == Broken("the peer ended the stream without a close frame")


async def test_a_pong_that_does_not_come_ends_the_connection() -> None:
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


async def test_a_closing_handshake_is_not_cut_short_by_a_receiver() -> None:
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
async def test_a_stuck_send_ends_the_connection(timeout: float) -> None:  # noqa: ASYNC109
    async with a_pair(capacity=1_000) as pair:
        await pair.line.strike(StallWrites())
        await pair.client.send(b"", timeout)
        await wait_all_tasks_blocked()
        began = trio.current_time()
        cause = await cause_of(pair.client.send(b"x" * 10_000, timeout))
        assert cause == Silent("progress in sending", timeout)
        assert timeout <= trio.current_time() - began <= max(timeout, 1.0)
        assert await cause_of(pair.client.receive()) == cause


async def test_a_send_with_an_infinite_timeout_waits() -> None:
    async with a_pair(capacity=1_000) as pair, trio.open_nursery() as nursery:
        received: list[object] = []

        async def late() -> None:
            await trio.sleep(3_600.0)
            received.append(await pair.client.receive())

        nursery.start_soon(late)
        await pair.server.send(b"x" * 200, math.inf)
    assert received == [b"x" * 200]


async def test_a_cancelled_send_ends_the_connection() -> None:
    async with a_pair(capacity=1_000) as pair:
        await pair.line.strike(StallWrites())
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.25) as scope:
            await pair.client.send(b"x" * 10_000, 5.0)
        assert scope.cancelled_caught
        assert await cause_of(pair.client.send(b"", 1.0)) == Broken("a send was cancelled")


async def test_closing_sends_a_close_frame() -> None:
    async with a_pair() as pair:
        await pair.client.close(1.0, 1000, "done")
        assert trio.current_time() == 0.0
        assert await cause_of(pair.server.receive()) == PeerClosed(1000, "done")
        assert await cause_of(pair.client.receive()) == Broken("closed by us")
        await pair.client.close(1.0)


async def test_closing_waits_for_a_mute_peer_no_longer_than_told() -> None:
    async with a_pair() as pair:
        await pair.line.strike(BlackHole())
        await pair.client.close(1.5)
        assert trio.current_time() == 1.5


async def test_closing_takes_no_time_where_the_peer_is_gone() -> None:
    async with a_pair() as pair:
        pair.theirs.sever()
        await wait_all_tasks_blocked()
        await pair.client.close(1.5)
        assert trio.current_time() == 0.0


async def test_an_abort_is_immediate_and_the_first_cause_stays() -> None:
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
